"""Payloads in pieces, and the sum without its masks (spec/03 SA-113, "After the reveals"; spec/05 "The masked vector")."""
import nacl.bindings
import numpy as np

from secagg_site import masks, sharing
from secagg_site.encodings import Refusal, u32


def unpacked(data, count, bits):
    """The elements of a packed section (MK-01, MK-02)."""
    whole = int.from_bytes(data, "little")
    if len(data) != masks.packed_size(count, bits):
        raise Refusal("MK-01", "a section of another length")
    if whole >> (count * bits):
        raise Refusal("MK-02", "padding that is not zero")
    return np.array([whole >> (bits * i) & ((1 << bits) - 1) for i in range(count)], dtype=np.uint32)


class Summing:
    def set_up_sums(self):
        self.shapes = [(count, bits) for _, count, bits in self.plan.sections]
        self.payload_bytes = sum(masks.packed_size(*shape) for shape in self.shapes)
        self.totals = [np.zeros(count, dtype=np.uint32) for count, _ in self.shapes]
        self.digests = {}

    def take_piece(self, site, index, count, data):
        """One piece of a payload. Nothing is added before all are there and have the signed digest (SA-113)."""
        try:
            if site in self.gone:
                raise Refusal("SA-65", "a piece of a dropped site")
            if site not in self.payloads or site in self.answers["masked_input"]:
                return
            pieces = self.payloads[site]
            if index != len(pieces) or index >= count or (pieces and count != self.piece_count[site]):
                raise Refusal("SA-63", "pieces out of order")
            self.piece_count = {**getattr(self, "piece_count", {}), site: count}
            pieces.append(data)
            if sum(map(len, pieces)) > self.payload_bytes:
                raise Refusal("SA-62", "a payload that is longer than announced")
            if len(pieces) == count:
                self.add(site, b"".join(pieces))
        except Refusal as error:
            self.outcome.refused.append((site, error.code))
            self.gone.add(site)

    def add(self, site, payload):
        if len(payload) != self.payload_bytes:
            raise Refusal("SA-62", "a payload that is shorter than announced")
        if self.hash("input-digest", u32(site), payload) != self.digests[site]:
            raise Refusal("SA-61", "a payload with another digest than the signed one")
        begin, found = 0, []
        for count, bits in self.shapes:
            end = begin + masks.packed_size(count, bits)
            try:
                found.append(unpacked(payload[begin:end], count, bits))
            except Refusal as error:
                raise Refusal("SA-62", error.reason) from None
            begin = end
        for total, words in zip(self.totals, found):
            total += words
        self.answers["masked_input"][site] = True

    def rebuilt_roots(self, aborted):
        """The root of every member of U2: of its self-mask if it survived, else of its mask key (SA-84, SA-85)."""
        roots, points = {}, {site: 1 + i for i, site in enumerate(self.plan.sites)}
        for dealer in self.masked:
            shares = [(points[holder], found[dealer]) for holder, found in self.answers["reveal"].items() if dealer in found]
            if len(shares) < self.plan.threshold:
                raise aborted("SA-84")
            roots[dealer] = sharing.rebuild(shares, self.plan.threshold, len(self.plan.sites))
        for dealer, root in roots.items():
            if dealer in self.survivors:
                header = next(iter(self.answers["shares"][dealer][0].values()))[1]
                is_right = self.hash("root-hash", u32(dealer), sharing.to_bytes(root)) == header.root_hash
            else:
                secret = masks.mask_key(root, self.context, dealer)
                is_right = nacl.bindings.crypto_scalarmult_base(secret) == self.answers["keys"][dealer][0]
            if not is_right:
                raise aborted("SA-85", dealer)
        return roots

    def unmasked(self, roots):
        """The sum's sections, each modulo 2^b."""
        keys = {site: pair[0] for site, pair in self.answers["keys"].items()}
        totals = [total.copy() for total in self.totals]
        for site in self.masked:
            if site in self.survivors:
                seeds = [(masks.self_seed(roots[site], self.context, site), -1)]
            else:
                secret, seeds = masks.mask_key(roots[site], self.context, site), []
                for i in self.near(site, self.survivors):
                    z = nacl.bindings.crypto_scalarmult(secret, keys[i])
                    seeds.append((masks.pair_seed(z, self.context, {j: keys[j] for j in (site, i)}), 1 if site < i else -1))
            for seed, sign in seeds:
                for section, words in enumerate(totals):
                    words += np.uint32(sign & 0xFFFFFFFF) * masks.stream(seed, section, words.size)
        return [words & np.uint32((1 << bits) - 1) for words, (_, bits) in zip(totals, self.shapes)]

    def packed_sum(self): return b"".join(masks.pack(words, bits) for words, (_, bits) in zip(self.sum, self.shapes))
