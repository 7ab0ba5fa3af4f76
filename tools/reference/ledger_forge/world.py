"""A consortium with a server and sites, and everything that they sign for a ledger."""
import base64
import hashlib
import struct
from fractions import Fraction

from nacl.signing import SigningKey

from ledger_audit import cost, tree
from ledger_audit.leaves import INLINE_MAX, PART, canonical
from ledger_audit.parties import SUITE, Roster, Step, frame
from ledger_audit.reading import blake2b, block32, label, u32

START = 1_767_225_600  # 2026-01-01


def digest(*words): return hashlib.blake2b(" ".join(map(str, words)).encode(), digest_size=32).digest()
def key(*words): return SigningKey(digest("key", *words))
def public(*words): return bytes(key(*words).verify_key)
def sign(message, *words): return key(*words).sign(message).signature
def b64(data): return base64.b64encode(data).decode()
def data(value): return block32(value if isinstance(value, bytes) else value.encode())
def sites(values): return struct.pack(">H", len(values)) + b"".join(u32(v) for v in values)
def text8(value): return bytes([len(value)]) + value.encode()
def block16(value): return struct.pack(">H", len(value)) + value
def signature_list(entries): return struct.pack(">H", len(entries)) + b"".join(u32(s) + signature for s, signature in sorted(entries))


def rounded_up(value):
    """Six significant digits, upwards, as plain decimal text."""
    exact, places = Fraction(value), 0
    if exact == 0:
        return "0"
    while exact * 10**places < 10**5:
        places += 1
    while exact * Fraction(10)**places >= 10**6:
        places -= 1
    return plain(-(-exact * Fraction(10)**places // 1), places)


def plain(whole, places):
    if places <= 0:
        return str(whole * 10**-places)
    digits = str(whole).zfill(places + 1)
    return (digits[:-places] + "." + digits[-places:]).rstrip("0").rstrip(".")


def decimal(value):
    """The shortest decimal text of a double, without an exponent."""
    text = repr(float(value))
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    return plain(int(whole + fraction), len(fraction) - int(exponent or 0))


class Consortium:
    """`name` tells one consortium's keys from another's."""

    def __init__(self, name="consortium"): self.name = name

    def roster(self, serial, count, colluders=None, **changes):
        """The record and its signature."""
        now = changes.get("issued", START - 1000)
        out = data("secagg/v1/roster") + data(changes.get("key", public(self.name)))
        out += struct.pack(">QQQ", serial, now, changes.get("until", START + 90 * 86_400))
        out += u32(count // 3 if colluders is None else colluders) + u32(count) + b"\1"
        out += data(changes.get("server", "server")) + data(public(self.name, "server")) + data(public(self.name, "log"))
        out += data(b"certificate of the server") + u32(1) + data("aggregation.example:4443") + u32(count)
        for site in range(count):
            out += u32(site) + data(self.site_name(site)) + data(public(self.name, "site", site)) + data(public(self.name, "witness", site))
            out += data(f"certificate of site {site}".encode()) + struct.pack(">QQ", START - 2000, START + 400 * 86_400)
        return out, sign(out, self.name)

    @staticmethod
    def site_name(site): return f"hospital-{'abcdefghijklmnopqrstuvwxyz'[site]}" if site < 26 else f"hospital-{site}"

    def roster_json(self, serial, count):
        """The same as the roster's file (spec/02)."""
        import datetime
        stamp = lambda s: datetime.datetime.fromtimestamp(s, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

        def certificate(der):
            print_ = hashlib.sha256(der).hexdigest()
            return {"certificate": b64(der), "certificate_sha256": ":".join(print_[i:i + 2] for i in range(0, 64, 2))}

        _, signature = self.roster(serial, count)
        sites = [{"site": s, "name": self.site_name(s), "protocol_key": public(self.name, "site", s).hex(),
                  "witness_key": public(self.name, "witness", s).hex(), "not_before": stamp(START - 2000),
                  "not_after": stamp(START + 400 * 86_400)} | certificate(f"certificate of site {s}".encode()) for s in range(count)]
        server = {"name": "server", "protocol_key": public(self.name, "server").hex(), "log_key": public(self.name, "log").hex(),
                  "addresses": ["aggregation.example:4443"]} | certificate(b"certificate of the server")
        return {"format": "secagg-roster/v1", "consortium_key": public(self.name).hex(), "serial": serial, "issued": stamp(START - 1000),
                "valid_until": stamp(START + 90 * 86_400), "colluders": count // 3, "next_site": count, "server": server,
                "sites": sites, "signature": signature.hex()}

    @property
    def origin(self): return tree.names(public(self.name))[0] + "server"
    def witness(self, site): return tree.names(public(self.name))[1] + str(site)


class Job:
    def __init__(self, name, rounds, unit, classes=("mass",), parameters=1000, bits=20, **privacy):
        self.name, self.unit, self.parameters, self.bits, self.rounds = name, unit, parameters, bits, rounds
        self.clip, self.multiplier = privacy.get("clip", 1.5), privacy.get("multiplier", 1.0)
        self.epsilon, self.delta = privacy.get("epsilon", 20.0), privacy.get("delta", 1e-5)
        self.noise, self.form = privacy.get("noise", "discrete_gaussian"), privacy.get("form", "local")
        self.noises_sums = unit == "site" or unit == "record" and self.form == "distributed"
        self.rate, self.quantile, self.epochs = privacy.get("rate", 0.02), privacy.get("quantile", 0.0), 1
        self.weights = [digest("weights", name, 0)]
        out = data("secagg/v1/job") + data(name) + data("yolov5n") + u32(len(classes)) + b"".join(data(c) for c in classes)
        out += u32(320) + u32(rounds) + u32(1) + u32(1) + u32(16) + u32(64) + data("sgd") + struct.pack(">5d", 0.01, 0.937, 5e-4, 3.0, 0.01)
        out += b"\0\1" + u32(0) + struct.pack(">dQ", 0.0, 7) + u32(bits) + struct.pack(">dd", 1.0, 4.0) + u32(parameters) + u32(0)
        out += data(digest("layout")) + data(self.weights[0]) + b"\0"
        if unit != "none":
            out += struct.pack(">4d", self.clip, self.multiplier, self.epsilon, self.delta) + data(self.noise)
        if unit == "record":
            out += struct.pack(">dd", self.rate, self.quantile) + u32(16) + data(self.form)
        self.record = out

    @property
    def step(self): return Step(self.rate, self.multiplier, self.quantile, self.parameters, -(-1 // Fraction(self.rate)))


def noise(job, count, **changes):
    """Mechanism bytes of a noised sum, with the squared norm and the variance."""
    c = dict(sites=count, dimension=job.parameters, bits=job.bits, clip=job.clip, resolution=4_000, block_bits=6, bound=3_000,
             norm=16_100_000, p=5_400_000, q=1) | changes
    name = ("sampled_" if job.unit == "record" else "") + job.noise
    out = b"\1" + text8(name) + struct.pack(">IIBdIBIQQQ", c["sites"], c["dimension"], c["bits"], c["clip"], c["resolution"],
                                                           c["block_bits"], c["bound"], c["norm"], c["p"], c["q"])
    out += struct.pack(">II", c["least"], c["known"]) if job.noise == "skellam" else b""
    out += struct.pack(">d", job.rate) if job.unit == "record" else b""
    block = 1 << c["block_bits"]
    return out, c["norm"], Fraction(c["p"], c["q"]), -(-c["dimension"] // block) * block


def plain_mechanism(count): return b"\1" + text8("none") + u32(count) + struct.pack(">ddBBQH", 1.0, 4.0, 20, 20, 0, 0)


class Round:
    """An attempt: its plan, sets and signatures. `changes` alter what the plan says."""

    def __init__(self, consortium, roster, job, number, attempt=0, dropped=(), **changes):
        self.consortium, self.job, self.number, self.attempt = consortium, job, number, attempt
        known = Roster(roster)
        invited = changes.get("sites", sorted(known.sites))
        n, c = len(invited), changes.get("colluders", known.colluders)
        self.threshold = changes.get("threshold", max((n + c) // 2 + 1, 2 * n // 3 + 1))
        self.least, self.colluders, self.invited = changes.get("least", self.threshold), c, invited
        self.norm = self.variance = self.padded = None
        if job.noises_sums and "mechanism" not in changes:
            known = {"least": max(self.threshold, self.least), "known": max(c, 1)}
            self.mechanism, self.norm, self.variance, self.padded = noise(job, n, **known | changes.get("noise", {}))
            self.section = (self.padded, changes.get("noise", {}).get("bits", job.bits))
        else:
            self.mechanism = changes.get("mechanism", plain_mechanism(n))
            self.section = (job.parameters, job.bits)
        before = changes.get("weights", job.weights[-1])
        out = b"\0\1" + text8(SUITE) + block16(changes.get("name", job.name).encode()) + u32(number) + u32(attempt)
        out += block16(changes.get("roster_digest", blake2b(roster))) + sites(invited)
        out += u32(c) + u32(self.threshold) + u32(n - 1) + u32(self.least)
        out += block16(before) + block16(changes.get("configuration", blake2b(job.record))) + b"\0\1" + text8("parameters")
        out += struct.pack(">QB", *self.section) + block32(self.mechanism) + b"\0\0"
        self.plan, self.context = out, blake2b(label("context") + out)
        self.survivors = [s for s in invited if s not in dropped]
        self.revealed = self.survivors[:]
        self.digests = [digest("input", self.context.hex(), s) for s in self.survivors]

    @property
    def shares(self): return max(self.threshold, self.least) - max(self.colluders, 1)

    def preimage(self, keyed=None, masked=None, survivors=None, digests=None):
        survivors, digests = survivors or self.survivors, digests or self.digests
        mask_set = digest("mask-set", self.context.hex())
        return sites(keyed or self.invited) + mask_set + sites(masked or self.invited) + sites(survivors) + b"".join(digests)

    def consistency(self, site, preimage=None):
        signed = blake2b(label("survivor-set") + self.context + (preimage or self.preimage()))
        return sign(frame("consistency", 12, self.context, site, signed), self.consortium.name, "site", site)

    def signatures(self, who=None, preimage=None):
        who = self.survivors[:self.quorum] if who is None else who
        return signature_list([(s, self.consistency(s, preimage)) for s in who])

    @property
    def quorum(self):
        n = len(self.invited)
        return max((n + self.colluders) // 2 + 1, 2 * n // 3 + 1)

    def charge(self):
        if self.job.unit == "record" and not self.job.noises_sums:
            return {"mechanism": b64(self.job.step.bytes), "shares": self.job.step.steps}
        return {"mechanism": b64(self.mechanism), "shares": self.shares}

    def curve(self, shares=None):
        if self.job.unit == "record" and not self.job.noises_sums:
            step = self.job.step
            return cost.step_curve(step.rate, step.squared, step.variance, step.steps)
        if self.norm is None:
            return (0.0,) * len(cost.ORDERS)
        rate = self.job.rate if self.job.unit == "record" else None
        return cost.sum_curve(self.norm, self.variance, shares or self.shares, self.padded, self.job.noise == "skellam", rate)

    def destroyed(self, count):
        """Evidence of SA-93 for every site: `count` of them destroyed their shares."""
        messages = [b"\1\x14" + self.context + u32(s) + u32(0) + b"\0\0"
                    + sign(frame("destroyed", 20, self.context, s, b""), self.consortium.name, "site", s) for s in self.invited[:count]]
        out = label("evidence") + text8("SA-93") + u32(0xFFFFFFFF) + block32(self.plan)
        return out + struct.pack(">H", len(messages)) + b"".join(block32(m) for m in messages) + u32(0)


def attached(value, time):
    """The text of a field for some bytes, and the leaves before it."""
    if len(value) <= INLINE_MAX:
        return b64(value), []
    name, parts = blake2b(value).hex(), [value[i:i + PART] for i in range(0, len(value), PART)]
    return "attached:" + name, [{"type": "attachment", "time": time, "digest": name, "part": i, "parts": len(parts), "bytes": b64(p)}
                                for i, p in enumerate(parts)]


def leaf_bytes(leaf): return leaf if isinstance(leaf, bytes) else canonical(leaf).encode()
