"""Rosters, plans, mechanisms, jobs and certificates, as spec/02, 03, 08, 09, 12 and 13 encode them."""
import datetime
import hashlib
import json
import math
import struct
from fractions import Fraction

import nacl.bindings

from secagg_site.graph import numbers

from . import leaves
from .reading import Malformed, Reader, blake2b, block32, from_base64, from_hex, is_subset, label, record, u32, verifies, well
from .tree import names

SUITE = "x25519-ed25519-blake2b-xchacha20poly1305-ristretto255-aes256ctr"


def quorum(n, colluders): return max((n + colluders) // 2 + 1, 2 * n // 3 + 1)


def is_name(name):
    return 1 <= len(name) <= 63 and name[0] != "-" != name[-1] and all(c in "abcdefghijklmnopqrstuvwxyz0123456789-" for c in name)


class Roster:
    def __init__(self, data):
        r = record(data, "secagg/v1/roster", 36 << 20)
        self.consortium = self.key(r)
        self.serial, self.issued, self.until = r.u64(), r.u64(), r.u64()
        self.colluders, next_site = r.u32(), r.u32()
        well(r.flag(), "no server")
        self.server = r.record_text(63)
        keys, labels = [self.consortium], [self.server]
        self.server_key, self.log_key = self.key(r), self.key(r)
        keys += [self.server_key, self.log_key]
        r.record_data(16_384)
        for _ in range(r.count(0, 8)):
            r.record_text(300)
        self.sites, order = {}, []
        for _ in range(r.count(0, 10_000)):
            index, name = r.u32(), r.record_text(63)
            protocol, witness = self.key(r), self.key(r)
            r.record_data(16_384)
            self.sites[index] = (name, protocol, witness, r.u64(), r.u64())
            order.append(index)
            keys += [protocol, witness]
            labels.append(name)
        r.end()
        self.digest = blake2b(data)
        well(all(is_name(name) for name in labels), "a name")
        well(all(a < b for a, b in zip(order, order[1:])) and all(i < next_site for i in order), "sites out of order")
        well(len(order) >= 3 and self.colluders < len(order) and next_site <= 1_000_000, "numbers of sites")
        well(self.serial > 0 and self.issued < self.until < 1 << 53, "serial number or dates")
        well(all(s[3] < s[4] < 1 << 53 for s in self.sites.values()), "dates of a site")
        well(len(set(keys)) == len(keys) and len(set(labels)) == len(labels), "a key or name twice")

    @staticmethod
    def key(reader):
        found = reader.record_data(32)
        well(len(found) == 32 and nacl.bindings.crypto_core_ed25519_is_valid_point(found), "no Ed25519 key")
        return found

    @property
    def quorum(self): return quorum(len(self.sites), self.colluders)
    @property
    def origin(self): return names(self.consortium)[0] + self.server
    def witness(self, site): return names(self.consortium)[1] + str(site)


def seconds(stamp):
    return int(datetime.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc).timestamp())


def roster_file(data, consortium):
    """The roster of a JSON file (spec/02, "The roster's file"), if the pinned consortium signed it."""
    try:
        file = json.loads(data, object_pairs_hook=leaves.once)
        well(file["format"] == "secagg-roster/v1", "another format")

        def text(value): return block32(value.encode())
        def whole(value): return value.to_bytes(8, "big")
        def certificate(entry):
            der = from_base64(entry["certificate"])
            digest = hashlib.sha256(der).hexdigest()
            well(":".join(digest[i:i + 2] for i in range(0, 64, 2)) == entry["certificate_sha256"], "a fingerprint")
            return block32(der)

        out = text("secagg/v1/roster") + block32(from_hex(file["consortium_key"], 32)) + whole(file["serial"])
        out += whole(seconds(file["issued"])) + whole(seconds(file["valid_until"])) + u32(file["colluders"]) + u32(file["next_site"])
        server = file["server"]
        out += b"\1" + text(server["name"]) + block32(from_hex(server["protocol_key"], 32)) + block32(from_hex(server["log_key"], 32))
        out += certificate(server) + u32(len(server["addresses"])) + b"".join(text(a) for a in server["addresses"])
        out += u32(len(file["sites"]))
        for site in file["sites"]:
            out += u32(site["site"]) + text(site["name"]) + block32(from_hex(site["protocol_key"], 32))
            out += block32(from_hex(site["witness_key"], 32)) + certificate(site)
            out += whole(seconds(site["not_before"])) + whole(seconds(site["not_after"]))
        well(verifies(consortium, from_hex(file["signature"], 64), out), "the consortium's signature does not fit")
        found = Roster(out)
        well(found.consortium == consortium, "another consortium")
        return found
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise Malformed(f"no roster: {error}") from None


class Plan:
    def __init__(self, data):
        r = Reader(data)
        well(r.u16() == 1 and r.text8() == SUITE, "another version or suite")
        self.job, self.round, self.attempt, self.roster = r.text16(), r.u32(), r.u32(), r.block16()
        self.sites = r.sites()
        self.colluders, self.threshold, self.neighbours, self.least = r.u32(), r.u32(), r.u32(), r.u32()
        self.weights, self.configuration = r.block16(), r.block16()
        self.sections = [(r.text8(), r.u64(), r.u8()) for _ in range(r.u16())]
        self.mechanism = r.block32()
        well(r.u16() == 0, "extensions")
        r.end()
        self.context = blake2b(label("context") + data)

    @property
    def is_sparse(self): return self.neighbours < len(self.sites) - 1
    @property
    def inputs(self): return max(self.threshold, self.least)
    @property
    def shares(self): return self.inputs - max(self.colluders, 1)
    @property
    def quorum(self): return quorum(len(self.sites), self.colluders)

    def check(self, roster, time):
        """SA-10 to SA-13, SA-15, SA-16, SA-19."""
        n = len(self.sites)
        well(self.roster == roster.digest, "another roster")
        well(3 <= n <= 10_000 and is_subset(self.sites, roster.sites), "sites that are not in the roster")
        well(all(roster.sites[s][3] <= time <= roster.sites[s][4] for s in self.sites), "a site past its end")
        well(self.colluders == roster.colluders < n and 1 <= self.least <= n, "colluders or survivors")
        if self.is_sparse:
            found = numbers(n, self.colluders, n - self.least) if 65 <= n else None
            well(found == (self.neighbours, self.threshold), "the graph's numbers")
        else:
            well(self.neighbours == n - 1 and n <= 128 and self.threshold == self.quorum <= n, "threshold or graph")
        well(all(len(d) == 32 for d in (self.roster, self.weights, self.configuration)), "a digest")
        well(1 <= len(self.sections) <= 16 and len({s[0] for s in self.sections}) == len(self.sections), "sections")
        allowed = "abcdefghijklmnopqrstuvwxyz0123456789-_"
        for name, count, bits in self.sections:
            well(1 <= len(name) <= 64 and all(c in allowed for c in name) and 1 <= count <= 1 << 28 and 2 <= bits <= 32, "a section")
        well(sum(s[1] for s in self.sections) <= 1 << 28, "too many coordinates")


class Noise:
    """ND-01: the constants of a noised sum."""

    def __init__(self, r, name):
        self.sites, self.dimension, self.bits, self.clip = r.u32(), r.u32(), r.u8(), r.f64()
        self.resolution, self.block_bits, self.bound = r.u32(), r.u8(), r.u32()
        self.norm, p, q = r.u64(), r.u64(), r.u64()
        self.is_skellam, is_sampled = name.endswith("skellam"), name.startswith("sampled_")
        self.least, self.known = (r.u32(), r.u32()) if self.is_skellam else (0, 0)
        self.rate = r.f64() if is_sampled else None
        r.end()
        well(not is_sampled or 1e-6 <= self.rate <= 1, "the sampling rate")
        well(2 <= self.sites <= 10_000 and 1 <= self.dimension <= 1 << 28 and 2 <= self.bits <= 32, "constants")
        well(2.0**-40 <= self.clip <= 2.0**40 and 1 <= self.resolution <= 1 << 25, "constants")
        well(self.block_bits <= 16 and self.block_bits % 2 == 0 and 1 <= self.bound, "constants")
        well(self.bound <= (1 << 30 if is_sampled else self.resolution), "constants")
        block = 1 << self.block_bits
        self.padded = -(-self.dimension // block) * block
        well(self.padded <= 1 << 28, "constants")
        root, s = math.isqrt(self.padded - 1) + 1, self.resolution
        least = min(s * s + -(-self.padded // 4) + 4 * s + 2 * root, (s + root)**2)
        well(least <= self.norm <= 1 << 53 and p > 0 and q > 0 and math.gcd(p, q) == 1 and p // 4 >= q, "norm or variance")
        self.variance = Fraction(p, q)
        room, nats = (1 << self.bits - 1) - self.sites * (self.bound + 1), 2 * ((2 * self.padded).bit_length() + 30) * 693_147_181
        left = Fraction(self.sites)
        if self.is_skellam:
            well(self.sites <= 128 and 1 <= self.known < self.least <= self.sites, "survivors of removable noise")
            well(p // max(1, (self.sites - self.known) * (self.sites - self.known - 1)) >= q and room * 10**9 > nats, "components")
            left = Fraction(12 * self.least, 11 * (self.least - self.known))
        well(room > 0 and room * room * 10**9 > left * self.variance * nats, "the sum could wrap")

    def times(self, shares): return 1 if self.is_skellam else shares


def mechanism(data):
    """The noise of a plan's mechanism, or the sites that one without noise is made for."""
    r = Reader(data)
    well(r.u8() == 1, "another version")
    name = r.text8()
    known = ("none", "discrete_gaussian", "skellam", "sampled_discrete_gaussian", "sampled_skellam")
    well(name in known, "an unknown mechanism")
    return r.u32() if name == "none" else Noise(r, name)


class Job:
    def __init__(self, data):
        r = record(data, "secagg/v1/job", 1 << 18)
        below = math.nextafter(1, 0)
        self.name, model = r.record_text(256), r.record_text(64)
        well(self.name and model, "names")
        for _ in range(r.count(1, 1000)):
            r.record_text(256)
        well(r.count(32, 4096) % 32 == 0, "the image size")
        self.rounds, epochs, parts = r.count(1, 1 << 20), r.count(1, 1 << 16), r.count(1, 1024)
        well(parts == 1 or epochs == 1, "rounds an epoch")
        r.count(1, 4096), r.count(1, 1 << 16)
        optimizer = r.record_text(16)
        well(optimizer in ("sgd", "adamw"), "the optimizer")
        r.f64_within(5e-324, 10, "the rate"), r.f64_within(0, below, "the momentum"), r.f64_within(0, 1, "the decay")
        r.f64_within(0, 1e6, "the warm-up"), r.f64_within(0, 1, "the final fraction")
        r.flag(), r.flag()
        norm_rounds = r.u32()
        r.f64_within(0, below, "the server's momentum"), r.u64()
        self.bits = r.count(8, 32)
        r.f64_within(1e-9, 1e6, "a range"), r.f64_within(1e-9, 1e6, "a range")
        self.parameters = r.count(1, 1 << 28)
        r.count(0, 1 << 28)
        layout, self.weights = r.record_data(32), r.record_data(32)
        well(len(layout) == len(self.weights) == 32, "a digest")
        validates = r.flag()
        self.digest, self.unit, self.step, self.noises_sums, self.rate = blake2b(data), "none", None, False, None
        if not r.left:
            return
        well(not validates and norm_rounds == 0, "a job with privacy neither validates nor follows batches")
        self.clip = r.f64_within(1e-9, 1e6, "the clip")
        self.multiplier = r.f64_within(1e-3, 1e6, "the noise multiplier")
        self.epsilon, self.delta = r.f64(), r.f64()
        well(0 < self.epsilon <= 1000 and 0 < self.delta <= 0.01, "epsilon or delta")
        self.noise = r.record_text(32)
        well(self.noise in ("discrete_gaussian", "skellam"), "the noise")
        self.unit, self.noises_sums = "site", True
        if r.left:
            self.unit = "record"
            rate, quantile = r.f64_within(1e-6, 1, "the sampling rate"), r.f64()
            r.count(1, 1_000_000)
            form = r.record_text(16)
            well(form == "distributed" or form == "local" and self.noise == "discrete_gaussian", "the form")
            self.noises_sums = form == "distributed"
            one = (quantile, optimizer, epochs, parts) == (0, "sgd", 1, 1)
            well(one or not self.noises_sums, "a round of shared gradients is one step")
            well(quantile == 0 or 0.01 <= quantile <= 0.99, "the quantile")
            well(0.01 <= self.multiplier <= 1024, "the noise multiplier")
            epoch, self.rate = math.ceil(1 / rate), rate
            self.step = None if self.noises_sums else Step(rate, self.multiplier, quantile, self.parameters, -(-epoch // parts) if parts > 1 else epochs * epoch)
            well(self.step is None or self.step.steps <= 1 << 30, "steps")
        r.end()


class Step:
    """A trainer's step (spec/13): RP-05, RP-06, RP-08."""

    def __init__(self, rate, multiplier, quantile, dimension, steps):
        self.rate, self.steps = rate, steps
        grid, beyond = 1 << 20, 0
        if quantile:
            counts = grid // 10
            share = math.floor(quantile * counts + 0.5)
            beyond = max(share, counts - share)
        self.squared = grid * grid + beyond * beyond
        self.variance = math.ceil(multiplier * multiplier * float(self.squared))
        name = b"secagg/v1/record-steps"
        self.bytes = block32(name) + struct.pack(">dddQ", rate, multiplier, quantile, dimension)


class Sets:
    """U1, U2, U3 and what the survivors signed."""

    def __init__(self, data, context):
        r = Reader(data)
        self.keyed, _, self.masked, self.survivors = r.sites(), r.take(32), r.sites(), r.sites()
        for _ in self.survivors:
            r.take(32)
        r.end()
        self.hash = blake2b(label("survivor-set") + context + data)

    def signed_by(self, context, site): return frame("consistency", 12, context, site, self.hash)


def frame(name, kind, context, sender, body):
    """SA-03: what a message's signature is over."""
    return label(name) + context + bytes([1, kind]) + u32(sender) + block32(body) + b"\0\0"


def check_refund(data, plan, roster):
    """Evidence of SA-93 for every site (RF-03)."""
    r = Reader(data)
    well(r.take(len(label("evidence"))) == label("evidence") and r.text8() == "SA-93", "no claim SA-93")
    well(r.u32() == 0xFFFFFFFF, "one site's input alone")
    well(blake2b(label("context") + r.block32()) == plan.context and not plan.is_sparse, "another attempt")
    messages = [r.block32() for _ in range(r.u16())]
    r.block32()
    r.end()
    senders = set()
    for message in messages:
        m = Reader(message)
        well((m.u8(), m.u8()) == (1, 20) and m.take(32) == plan.context, "no `destroyed` of this attempt")
        sender = m.u32()
        well(m.u32() == 0 and m.u16() == 0, "a body")
        signature = m.take(64)
        m.end()
        well(sender in plan.sites and sender in roster.sites and sender not in senders, "a stranger, or twice one site")
        senders.add(sender)
        well(verifies(roster.sites[sender][1], signature, frame("destroyed", 20, plan.context, sender, b"")), "a signature")
    well(len(senders) >= len(plan.sites) - plan.threshold + plan.colluders + 1, f"{len(senders)} statements are too few")

