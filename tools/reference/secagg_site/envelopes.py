"""Envelopes with two shares, and the headers in which a dealer signs for them (spec/03, types 5 to 7; spec/08, SG-07)."""
from typing import NamedTuple

import nacl.bindings
import nacl.exceptions

from . import ristretto, sharing
from .encodings import Reader, Refusal, ascending, blake2b, block16, label, labelled_hash, u8, u16, u32

ENVELOPE_BYTES, KIND_MASK_KEY, KIND_SELF_MASK = 80, 1, 2


def share_hash(context, dealer, holder, kind, share):
    return labelled_hash("share-hash", context, u32(dealer), u32(holder), u8(kind), share)


def envelope_hash(context, dealer, holder, envelope):
    return labelled_hash("envelope-hash", context, u32(dealer), u32(holder), block16(envelope))


class Channel:
    """Between two sites of an attempt: `shared` is the X25519 output, `keys` maps both to their channel keys."""

    def __init__(self, context, shared_, keys):
        self.context, self.shared, self.keys = context, shared_, keys

    def key(self, dealer, holder):
        """The key and the associated data of one direction."""
        who = self.context + u32(dealer) + u32(holder)
        keyed = label("channel-key") + who + self.keys[dealer] + self.keys[holder]
        return blake2b(keyed, key=self.shared), label("envelope") + who

    def seal(self, dealer, holder, pair):
        key, associated = self.key(dealer, holder)
        return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(pair[0] + pair[1], associated, bytes(24), key)

    def open(self, dealer, holder, envelope):
        """Two canonical scalars, or nothing."""
        key, associated = self.key(dealer, holder)
        try:
            plain = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(envelope, associated, bytes(24), key)
        except (nacl.exceptions.CryptoError, ValueError):
            return None
        pair = plain[:32], plain[32:]
        return pair if all(sharing.is_canonical(s) for s in pair) else None


class Entry(NamedTuple):
    """What a dealer's header says of one holder."""
    mask_key: bytes
    self_mask: bytes
    envelope: bytes

    def of(self, kind): return self[kind - 1]


class Header(NamedTuple):
    """A share header. `keyed` is the key list's hash, in the sparse graph the keyed set's; `commitments` holds a pair for each of the t
    coefficients, nothing in the sparse graph; `entries` maps each holder to its Entry."""
    keyed: bytes
    root_hash: bytes
    commitments: tuple
    entries: dict

    def encoded(self):
        out = self.keyed + self.root_hash + u16(len(self.commitments)) + b"".join(a + b for a, b in self.commitments)
        return out + u16(len(self.entries)) + b"".join(u32(holder) + b"".join(entry) for holder, entry in self.entries.items())

    def fits(self, point, pair):
        """SS-06, for the shares of both roots."""
        if not self.commitments:
            return True
        return all(sharing.fits(share, point, tuple(c[i] for c in self.commitments)) for i, share in enumerate(pair))


def read_header(item):
    """The body of one `share-header` message."""
    body = Reader(item.body)
    keyed, root_hash = body.take(32), body.take(32)
    commitments = tuple((body.take(32), body.take(32)) for _ in range(body.count16(64)))
    found = [(body.u32(), Entry(body.take(32), body.take(32), body.take(32))) for _ in range(body.count16(100))]
    body.end()
    ascending([holder for holder, _ in found])
    return Header(keyed, root_hash, commitments, dict(found))


def checked_header(item, keyed_hash, holders, threshold):
    """A header over this key list, of these holders, with `threshold` commitments (0 in the sparse graph)."""
    header = read_header(item)
    if header.keyed != keyed_hash:
        raise Refusal("SA-50", "a header over other keys", item.sender)
    if list(header.entries) != holders:
        raise Refusal("SA-08", "a header with other holders", item.sender)
    if len(header.commitments) != threshold or any(ristretto.decode(c) is None for pair in header.commitments for c in pair):
        raise Refusal("SA-42", "commitments that are not t points", item.sender)
    return header


def make_header(context, dealer, keyed_hash, root_hash, polynomials, shares, envelopes):
    """`shares` and `envelopes` map each holder to its pair of shares and to its envelope, `polynomials` are the coefficients of both
    roots, or nothing in the sparse graph."""
    entries = {}
    for holder, pair in shares.items():
        hashes = [share_hash(context, dealer, holder, kind, share) for kind, share in zip((1, 2), pair)]
        entries[holder] = Entry(*hashes, envelope_hash(context, dealer, holder, envelopes[holder]))
    committed = tuple(zip(*(sharing.commitments(p) for p in polynomials))) if polynomials else ()
    return Header(keyed_hash, root_hash, committed, entries)
