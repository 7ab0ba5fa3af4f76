"""The consortium's roster: file, signed bytes, digest, and what is checked before it is believed (spec/02, "The roster")."""
import base64
import datetime
import json
import struct
from typing import NamedTuple

import nacl.exceptions

from .encodings import blake2b, u32, u64
from .messages import public_key

FORMAT, BYTES_MAX, CLOCK_SKEW = "secagg-roster/v1", 50_331_648, 300


class RosterError(Exception):
    """A refusal RO-01 to RO-10 of docs/errors.md."""


class Site(NamedTuple):
    name: str
    key: object
    certificate: bytes
    not_before: int
    not_after: int

    def is_valid(self, now): return self.not_before <= now <= self.not_after


class Server(NamedTuple):
    name: str
    key: object
    certificate: bytes
    addresses: list


class Roster(NamedTuple):
    serial: int
    colluders: int
    server: Server
    sites: dict
    digest: bytes


def data(value): return struct.pack(">I", len(value)) + value
def text(value): return data(value.encode())


def seconds(stamp):
    return int(datetime.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc).timestamp())


def signed_bytes(file):
    """What the signature and the digest are over."""
    out = text("secagg/v1/roster") + data(bytes.fromhex(file["consortium_key"]))
    out += u64(file["serial"]) + u64(seconds(file["issued"])) + u64(seconds(file["valid_until"]))
    out += u32(file["colluders"]) + u32(file["next_site"])
    server = file.get("server")
    out += b"\1" if server else b"\0"
    if server:
        out += text(server["name"]) + data(bytes.fromhex(server["protocol_key"])) + data(bytes.fromhex(server["log_key"]))
        out += data(base64.b64decode(server["certificate"], validate=True))
        out += u32(len(server["addresses"])) + b"".join(text(a) for a in server["addresses"])
    out += u32(len(file["sites"]))
    for site in file["sites"]:
        out += u32(site["site"]) + text(site["name"]) + data(bytes.fromhex(site["protocol_key"])) + data(bytes.fromhex(site["witness_key"]))
        out += data(base64.b64decode(site["certificate"], validate=True))
        out += u64(seconds(site["not_before"])) + u64(seconds(site["not_after"]))
    return out


def load(path, consortium_key, now, serial_seen):
    """A roster that may be believed; `consortium_key` are the pinned 32 bytes."""
    try:
        with open(path, "rb") as source:
            file = json.loads(source.read(BYTES_MAX))
        if file["format"] != FORMAT:
            raise ValueError("another format")
        signature = file.get("signature")
        signed = signed_bytes(file)
        pinned = public_key(consortium_key)
    except OSError as error:
        raise RosterError(f"RO-01: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise RosterError(f"RO-02: the file is no roster: {error}") from None
    if not signature:
        raise RosterError("RO-10: the roster is a draft")
    if bytes.fromhex(file["consortium_key"]) != consortium_key:
        raise RosterError("RO-07: the roster is of another consortium")
    try:
        pinned.verify(signed, bytes.fromhex(signature))
    except (nacl.exceptions.BadSignatureError, ValueError):
        raise RosterError("RO-03: the consortium's signature does not fit") from None
    if not seconds(file["issued"]) - CLOCK_SKEW <= now <= seconds(file["valid_until"]):
        raise RosterError("RO-04: the roster is outside its dates")
    if file["serial"] == 0 or file["serial"] < serial_seen:
        raise RosterError(f"RO-05: serial {file['serial']}, and {serial_seen} was seen before")
    return checked(file, signed)


def checked(file, signed):
    """What the signature does not say: order, and that nothing stands twice."""
    if not file.get("server"):
        raise RosterError("RO-09: the roster names no server")
    entries = file["sites"]
    indices = [s["site"] for s in entries]
    if indices != sorted(set(indices)) or any(i >= file["next_site"] for i in indices):
        raise RosterError("RO-06: indices")
    everybody = entries + [file["server"]]
    names = [e["name"] for e in everybody]
    keys = [e["protocol_key"] for e in everybody] + [s["witness_key"] for s in entries] + [file["server"]["log_key"]]
    certificates = [e["certificate"] for e in everybody]
    if any(len(set(values)) != len(values) for values in (names, keys, certificates)):
        raise RosterError("RO-06: two entries share a name, a key or a certificate")
    try:
        sites = {s["site"]: Site(s["name"], public_key(bytes.fromhex(s["protocol_key"])), base64.b64decode(s["certificate"]),
                                 seconds(s["not_before"]), seconds(s["not_after"])) for s in entries}
        server = file["server"]
        server = Server(server["name"], public_key(bytes.fromhex(server["protocol_key"])), base64.b64decode(server["certificate"]),
                        server["addresses"])
    except ValueError as error:
        raise RosterError(f"RO-02: {error}") from None
    return Roster(file["serial"], file["colluders"], server, sites, blake2b(signed))
