"""A site's keys and certificate, and the request that the consortium takes into the roster (spec/02, "Enrolment"; spec/proto/README.md)."""
import base64
import datetime
import hashlib
import json
import os
import re
from pathlib import Path
from typing import NamedTuple

import nacl.signing
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .encodings import blake2b, u64
from .roster import data, text


class IdentityError(Exception):
    """A refusal ID-01 to ID-05 of docs/errors.md."""


class Identity(NamedTuple):
    protocol_key: nacl.signing.SigningKey
    certificate: bytes
    certificate_pem: bytes
    tls_key_pem: bytes


def write_new(path, content, mode):
    """A new file with its mode from the beginning; nothing is ever overwritten (ID-04)."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise IdentityError(f"ID-04: {path} is there already") from None
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def certificate(name, days):
    """A self-signed P-256 certificate that names the site once, as the URI secagg://<name>."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only",
                           "decipher_only"), False)
    built = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
             .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(minutes=5))
             .not_valid_after(now + datetime.timedelta(days=days))
             .add_extension(x509.BasicConstraints(False, None), True)
             .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), True)
             .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
             .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"secagg://{name}")]), False)
             .sign(key, hashes.SHA256()))
    return key, built


def enroll(name, directory, days=825):
    """Makes the keys in `directory/identity` and `directory/NAME.request`; gives the request's path and fingerprint."""
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", name):
        raise IdentityError("TL-08: a name is of a-z, 0-9 and hyphens")
    home = Path(directory)
    (home / "identity").mkdir(parents=True, exist_ok=True, mode=0o700)
    protocol, witness = nacl.signing.SigningKey.generate(), nacl.signing.SigningKey.generate()
    tls_key, tls = certificate(name, days)
    der = tls.public_bytes(serialization.Encoding.DER)
    pem = tls_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_new(home / "identity/protocol.key", bytes(protocol).hex().encode() + b"\n", 0o600)
    write_new(home / "identity/witness.key", bytes(witness).hex().encode() + b"\n", 0o600)
    write_new(home / "identity/tls.key", pem, 0o600)
    write_new(home / "identity/tls.pem", tls.public_bytes(serialization.Encoding.PEM), 0o644)
    created = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    signed = request_bytes(name, bytes(protocol.verify_key), bytes(witness.verify_key), der, int(created.timestamp()))
    request = {
        "format": "secagg-enrolment/v1", "name": name, "role": "site", "created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "protocol_key": bytes(protocol.verify_key).hex(), "witness_key": bytes(witness.verify_key).hex(),
        "certificate": base64.b64encode(der).decode(), "certificate_sha256": hashlib.sha256(der).digest().hex(":"),
        "signature": protocol.sign(signed).signature.hex(), "witness_signature": witness.sign(signed).signature.hex(),
    }
    path = home / f"{name}.request"
    write_new(path, json.dumps(request, indent=2, sort_keys=True).encode() + b"\n", 0o644)
    return path, fingerprint(signed)


def request_bytes(name, protocol, witness, der, created):
    """What both of a site's keys sign."""
    return text("secagg/v1/enrolment") + text(name) + b"\0" + data(protocol) + data(witness) + data(der) + u64(created)


def fingerprint(signed):
    """Eight groups of four digits, read out by voice."""
    digits = blake2b(text("secagg/v1/fingerprint") + text("enrolment") + data(signed), size=16).hex()
    return "-".join(digits[i:i + 4] for i in range(0, 32, 4))


def load(directory):
    """The identity in `directory`; files that others could read are refused (ID-02)."""
    def secret(name):
        path = Path(directory) / name
        if path.stat().st_mode & 0o077:
            raise IdentityError(f"ID-02: others than its owner may read {path}")
        return path.read_bytes()
    try:
        seed = secret("protocol.key").decode("ascii").strip()
        if len(seed) != 64:
            raise ValueError("64 digits")
        pem = (Path(directory) / "tls.pem").read_bytes()
        der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
        return Identity(nacl.signing.SigningKey(bytes.fromhex(seed)), der, pem, secret("tls.key"))
    except OSError as error:
        raise IdentityError(f"ID-01: {error}") from None
    except ValueError:
        raise IdentityError(f"ID-03: a key file in {directory} is damaged") from None


def index_in(roster, identity):
    """The site's index in the roster (RO-08, ID-05)."""
    for index, site in roster.sites.items():
        if site.certificate == identity.certificate:
            if bytes(site.key) != bytes(identity.protocol_key.verify_key):
                raise IdentityError("ID-05: the keys here are not those of the roster's entry")
            return index
    raise IdentityError("RO-08: this site is not in the roster")
