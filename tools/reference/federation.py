#!/usr/bin/env python3
"""Vectors of the roster, enrolment, the layout of weights, the job plan and the server's step, made without the Swift that they test.

Needs Python's `cryptography`. Writes the .json files of Tests/FederationTests/Vectors.
Certificates and keys are throw-away keys made here; the secret halves are not kept.
"""
import base64, datetime, hashlib, json, pathlib, random, struct
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

OUT = pathlib.Path(__file__).resolve().parents[2] / "Tests/FederationTests/Vectors"
ISSUED, VALID_UNTIL = 1_767_225_600, 1_830_297_600  # 2026-01-01, 2028-01-01
rng = random.Random(20260101)


def data(value): return struct.pack(">I", len(value)) + value
def text(value): return data(value.encode())
def count(value): return struct.pack(">I", value)
def u64(value): return struct.pack(">Q", value)
def double(value): return struct.pack(">d", value)
def flag(value): return b"\1" if value else b"\0"
def stamp(seconds): return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def signing_key():
    key = ed25519.Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
    return key, key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def certificate(name, hosts):
    key = ec.derive_private_key(rng.getrandbits(250) + 1, ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = [x509.UniformResourceIdentifier(f"secagg://{name}")] + [x509.DNSName(h) for h in hosts]
    usage = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    built = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
             .serial_number(rng.getrandbits(120)).not_valid_before(datetime.datetime(2026, 1, 1))
             .not_valid_after(datetime.datetime(2028, 1, 1))
             .add_extension(x509.BasicConstraints(False, None), True)
             .add_extension(x509.ExtendedKeyUsage([usage]), False)
             .add_extension(x509.SubjectAlternativeName(names), False).sign(key, hashes.SHA256()))
    return built.public_bytes(serialization.Encoding.DER)


def colons(der): return ":".join(f"{b:02x}" for b in hashlib.sha256(der).digest())


def roster():
    consortium, consortium_public = signing_key()
    server = {"name": "aggregator", "key": signing_key()[1], "log": signing_key()[1], "der": certificate("aggregator", ["localhost"]),
              "addresses": ["localhost:7443"]}
    sites = [{"site": i, "name": f"site-{i}", "key": signing_key()[1], "witness": signing_key()[1], "der": certificate(f"site-{i}", [])}
             for i in (0, 1, 2, 4, 5)]  # index 3 was revoked
    signed = (text("secagg/v1/roster") + data(consortium_public) + u64(7) + u64(ISSUED) + u64(VALID_UNTIL) + count(1) + count(6) + flag(True)
              + text(server["name"]) + data(server["key"]) + data(server["log"]) + data(server["der"])
              + count(1) + text(server["addresses"][0]) + count(len(sites)))
    for s in sites:
        signed += count(s["site"]) + text(s["name"]) + data(s["key"]) + data(s["witness"]) + data(s["der"]) + u64(ISSUED) + u64(VALID_UNTIL)
    signature = consortium.sign(signed)
    file = {
        "format": "secagg-roster/v1", "consortium_key": consortium_public.hex(), "serial": 7, "issued": stamp(ISSUED),
        "valid_until": stamp(VALID_UNTIL), "colluders": 1, "next_site": 6, "signature": signature.hex(),
        "server": {"name": server["name"], "protocol_key": server["key"].hex(), "log_key": server["log"].hex(),
                   "certificate": base64.b64encode(server["der"]).decode(), "certificate_sha256": colons(server["der"]),
                   "addresses": server["addresses"]},
        "sites": [{"site": s["site"], "name": s["name"], "protocol_key": s["key"].hex(), "witness_key": s["witness"].hex(),
                   "certificate": base64.b64encode(s["der"]).decode(), "certificate_sha256": colons(s["der"]),
                   "not_before": stamp(ISSUED), "not_after": stamp(VALID_UNTIL)} for s in sites],
    }
    expected = {"consortium_key": consortium_public.hex(), "digest": hashlib.blake2b(signed, digest_size=32).hexdigest(),
                "canonical_bytes": len(signed), "site_keys": {str(s["site"]): s["key"].hex() for s in sites}}
    return file, expected


def enrolment():
    """A site's and a server's request, with the digest of the signed record and the fingerprint that people compare."""
    cases = []
    for name, addresses in (("ward-7", []), ("aggregator", ["agg.example.org:7443", "agg.example.org:7444"])):
        (own, own_public), (witness, witness_public) = signing_key(), signing_key()
        der = certificate(name, ["agg.example.org"] if addresses else [])
        record = text("secagg/v1/enrolment") + text(name) + flag(bool(addresses))
        if addresses:
            record += count(len(addresses)) + b"".join(text(a) for a in addresses)
        record += data(own_public) + data(witness_public) + data(der) + u64(ISSUED)
        spoken = text("secagg/v1/fingerprint") + text("enrolment") + data(record)
        digits = hashlib.blake2b(spoken, digest_size=16).hexdigest()
        request = {"format": "secagg-enrolment/v1", "name": name, "role": "server" if addresses else "site",
                   "protocol_key": own_public.hex(), "witness_key": witness_public.hex(), "certificate": base64.b64encode(der).decode(),
                   "certificate_sha256": colons(der), "created": stamp(ISSUED), "signature": own.sign(record).hex(),
                   "witness_signature": witness.sign(record).hex()}
        if addresses:
            request["addresses"] = addresses
        cases.append({"request": request, "digest": hashlib.blake2b(record, digest_size=32).hexdigest(),
                      "fingerprint": "-".join(digits[i:i + 4] for i in range(0, 32, 4))})
    return cases


def layout():
    """A weights file with every element type, tensors whose file order is not the header's, and tensors that stay out."""
    single = lambda v: struct.unpack("<f", struct.pack("<f", v))[0]
    values = lambda n: [single(rng.uniform(-2, 2)) for _ in range(n)]
    raw = {
        "b.weight": ("F32", [2, 3], values(6), "<f"), "a.running_var": ("F32", [2], values(2), "<f"),
        "a.num_batches_tracked": ("I64", [], [12], "<q"), "a.half": ("F16", [3], [0.5, -1.25, 6.103515625e-05], "<e"),
        "anchors": ("F32", [2], values(2), "<f"), "m.anchors": ("F32", [1], values(1), "<f"),
        "z.double": ("F64", [1, 2], [0.1, -1 / 3], "<d"), "a.running_mean": ("F64", [2], [1e-3, 2.5], "<d"),
        "c.bf": ("BF16", [2], [0x3FC0, 0xC000], "<H"), "scalar": ("F32", [], values(1), "<f"),
    }
    body, header = b"", {}
    for name, (kind, shape, items, form) in raw.items():
        packed = b"".join(struct.pack(form, v) for v in items)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(body), len(body) + len(packed)]}
        body += packed
    head = json.dumps(dict(sorted(header.items()))).encode()
    file = struct.pack("<Q", len(head)) + head + body
    flat = {"parameters": [], "statistics": []}
    record, slots = b"", 0
    for name, (kind, shape, items, form) in raw.items():
        if kind == "I64" or name == "anchors" or name.endswith(".anchors"):
            continue
        section = "statistics" if name.endswith((".running_mean", ".running_var")) else "parameters"
        record += text(name) + text(section) + count(len(shape)) + b"".join(count(d) for d in shape)
        slots += 1
        if kind == "BF16":
            items = [struct.unpack(">f", struct.pack(">I", v << 16))[0] for v in items]
        flat[section] += [struct.pack(">f", v).hex() for v in items]
    signed = text("secagg/v1/layout") + count(slots) + record
    return {"file": file.hex(), "digest": hashlib.blake2b(signed, digest_size=32).hexdigest(),
            "weights_digest": hashlib.blake2b(file, digest_size=32).hexdigest(), **flat}


def job_plan():
    layout, weights = rng.randbytes(32), rng.randbytes(32)
    plan = {"name": "garments", "model": "yolov5n", "classes": ["top", "trouser", "dress", "footwear", "bag"], "image_size": 128,
            "rounds": 8, "local_epochs": 1, "rounds_per_epoch": 5, "batch_size": 16, "nominal_batch": 16, "optimizer": "adamw", "learning_rate": 0.01, "momentum": 0.937,
            "weight_decay": 0.0005, "warmup_epochs": 3.0, "final_lr_fraction": 0.01, "cosine": True, "augment": True, "batch_norm_rounds": 4, "server_momentum": 0.75, "seed": 2 ** 63 + 5,
            "bits": 20, "parameter_range": 1.0, "statistics_range": 4.0, "parameter_count": 1770682, "statistic_count": 9408,
            "layout_digest": layout.hex(), "initial_weights_digest": weights.hex(), "validates_locally": True}
    out = text("secagg/v1/job") + text(plan["name"]) + text(plan["model"]) + count(5) + b"".join(text(c) for c in plan["classes"])
    out += b"".join(count(plan[k]) for k in ("image_size", "rounds", "local_epochs", "rounds_per_epoch", "batch_size", "nominal_batch"))
    out += text(plan["optimizer"])
    out += b"".join(double(plan[k]) for k in ("learning_rate", "momentum", "weight_decay", "warmup_epochs", "final_lr_fraction"))
    out += flag(True) + flag(True) + count(plan["batch_norm_rounds"]) + double(plan["server_momentum"]) + u64(plan["seed"]) + count(20) + double(1.0) + double(4.0) + count(1770682) + count(9408)
    out += data(layout) + data(weights) + flag(True)
    plan["encoded"], plan["digest"] = out.hex(), hashlib.blake2b(out, digest_size=32).hexdigest()
    return plan


def fedavg():
    """weights + mean update in double, rounded to single once: struct's packing rounds to nearest, ties to even."""
    weights, updates, results = [], [], []
    for i in range(200):
        w = struct.unpack(">f", struct.pack(">f", rng.uniform(-2, 2) * 10 ** rng.randint(-6, 2)))[0]
        u = rng.uniform(-1, 1) * 10 ** rng.randint(-12, 1) if i % 5 else w * rng.choice([2 ** -24, -2 ** -24, 2 ** -25, 3 * 2 ** -25])
        weights.append(struct.pack(">f", w).hex())
        updates.append(struct.pack(">d", u).hex())
        results.append(struct.pack(">f", w + u).hex())
    return {"weights_f32": weights, "updates_f64": updates, "results_f32": results}


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    file, expected = roster()
    for name, value in (("roster.json", file), ("roster-expected.json", expected), ("job-plan.json", job_plan()),
                        ("fedavg.json", fedavg()), ("enrolment.json", enrolment()), ("layout.json", layout())):
        (OUT / name).write_text(json.dumps(value, indent=1) + "\n")
