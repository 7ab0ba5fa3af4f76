"""A consortium in memory: a roster, everybody's keys, a plan; and drawn values that are the same in every run."""
import nacl.signing
import numpy as np

from secagg_site import graph, mechanism as mechanisms, plan as plans, roster as rosters
from secagg_site.encodings import blake2b
from secagg_site.sharing import ORDER, to_bytes

SCALARS = (mechanisms.Scalar("weight", False, 1.0), mechanisms.Scalar("samples", True, 2.0**32))
NOW = 1000


def drawn(*names):
    """32 bytes that follow from their names alone."""
    return blake2b("\0".join(str(n) for n in ("secagg reference vectors", *names)).encode())


def drawn_scalar(*names): return int.from_bytes(drawn(*names) + drawn(*names, "high"), "little") % ORDER


class Drawn:
    """Randomness of an attempt that follows from its names."""

    def __init__(self, *names): self.names = names
    def root(self, kind): return drawn_scalar(*self.names, "root", kind)
    def channel_key(self): return drawn(*self.names, "channel key")
    def nonce(self): return drawn(*self.names, "nonce")
    def coefficients(self, kind, count): return [drawn_scalar(*self.names, "coefficient", kind, i) for i in range(1, count + 1)]

    def record(self, plan):
        """As rounds-site has it."""
        out = {"mask_root": to_bytes(self.root(1)).hex(), "self_root": to_bytes(self.root(2)).hex(),
               "channel_key": self.channel_key().hex()}
        if plan.is_sparse:
            out["nonce"] = self.nonce().hex()
        for name, kind in (("mask_coefficients", 1), ("self_coefficients", 2)):
            out[name] = [to_bytes(c).hex() for c in self.coefficients(kind, plan.threshold - 1)]
        return out


class Fixed:
    """Randomness that was read from such a record."""

    def __init__(self, record): self.record = record
    def root(self, kind): return int.from_bytes(bytes.fromhex(self.record["mask_root" if kind == 1 else "self_root"]), "little")
    def channel_key(self): return bytes.fromhex(self.record["channel_key"])
    def nonce(self): return bytes.fromhex(self.record["nonce"])

    def coefficients(self, kind, count):
        found = self.record["mask_coefficients" if kind == 1 else "self_coefficients"]
        if len(found) != count:
            raise ValueError("another number of coefficients")
        return [int.from_bytes(bytes.fromhex(c), "little") for c in found]


def roster_of(digest, colluders, server_key, site_keys, expired=()):
    """A roster as an attempt needs it; the keys are public ones, of 32 bytes."""
    key = nacl.signing.VerifyKey
    sites = {s: rosters.Site(f"site-{s}", key(k), b"", 0, NOW - 1 if s in expired else 2**40) for s, k in site_keys.items()}
    return rosters.Roster(1, colluders, rosters.Server("server", key(server_key), b"", []), sites, digest)


class Cohort:
    """`sites` are invited, `others` stand in the roster only."""

    def __init__(self, sites, colluders, minimum=None, others=(), sections=(37, 5), scalars=SCALARS, name="attempt"):
        self.name, self.sites, self.colluders = name, list(sites), colluders
        self.keys = {s: nacl.signing.SigningKey(drawn("protocol key", s)) for s in [*sites, *others]}
        self.server_key = nacl.signing.SigningKey(drawn("protocol key", "server"))
        n = len(self.sites)
        self.is_sparse = n > 64
        self.minimum = minimum if minimum is not None else n - 1
        found = graph.numbers(n, colluders, n - self.minimum) if self.is_sparse else (n - 1, plans.threshold(n, colluders))
        self.neighbours, self.threshold = found
        self.mechanism = mechanisms.Mechanism(n, 1.0, 4.0, 20, 32, 100, tuple(scalars))
        self.sections = self.mechanism.sections(*sections)
        self.digest = drawn("roster", len(self.keys), colluders)
        self.roster = roster_of(self.digest, colluders, bytes(self.server_key.verify_key),
                                {s: bytes(k.verify_key) for s, k in self.keys.items()})

    def plan(self, **changes):
        """The plan, or one that differs in some of its fields."""
        fields = dict(
            job="vectors", round=1, attempt=0, roster=self.digest, sites=self.sites, colluders=self.colluders, threshold=self.threshold,
            neighbours=self.neighbours, minimum=self.minimum, weights=drawn("weights"), configuration=drawn("configuration"),
            sections=self.sections, mechanism=self.mechanism.encoded())
        return plans.Plan(**{**fields, **changes}).encoded()

    def randomness(self, site): return Drawn(self.name, site)

    def words(self, site):
        """The input of a site: one array a section."""
        rng = np.random.default_rng(int.from_bytes(drawn(self.name, "input", site)[:8], "little"))
        return [rng.integers(0, 1 << bits, count, dtype=np.uint64).astype(np.uint32) for _, count, bits in self.sections]

    def record(self):
        """The roster as the vectors have it."""
        return {"digest": self.digest.hex(), "colluders": self.colluders, "server_key": bytes(self.server_key.verify_key).hex(),
                "site_keys": {str(s): bytes(k.verify_key).hex() for s, k in sorted(self.keys.items())}}
