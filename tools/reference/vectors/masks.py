"""Cases of mask-stream, packing and seeds (spec/05)."""
import nacl.bindings
import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from rounds.cohort import drawn, drawn_scalar
from secagg_site import masks
from secagg_site.encodings import u32, u64
from secagg_site.sharing import to_bytes

from .form import head


def word(seed, section, coordinate):
    """One mask word, straight from MK-10 and MK-11."""
    chunk, inside = divmod(coordinate, 1 << 20)
    block = Cipher(algorithms.AES(seed), modes.ECB()).encryptor().update(u32(section) + u64(chunk) + u32(inside // 4))
    return int.from_bytes(block[4 * (inside % 4):][:4], "little")


def stream():
    for name, what, section, first, count in [
            ("from-the-start", "The first words of the first section.", 0, 0, 20),
            ("another-section", "The first words of section 7.", 7, 0, 9),
            ("largest-section", "Section 2^32 - 1.", 2**32 - 1, 5, 9), ("inside-a-block", "Two words in the middle of a block.", 2, 1, 2),
            ("across-blocks", "From the last word of a block to the first of the third behind it.", 2, 3, 10),
            ("across-chunks", "Over the end of the first chunk of 2^20 coordinates.", 3, (1 << 20) - 6, 13),
            ("far-chunk", "A chunk whose number needs more than 16 bits.", 3, (1 << 39) + 2, 7)]:
        seed = drawn("stream", name)
        yield name, {**head(what, "MK-10"), "seed": seed.hex(), "section": section, "first": first,
                     "words": [word(seed, section, first + i) for i in range(count)]}


    yield "example-of-05", {
        **head("The example of spec/05.", "MK-10"), "seed": "7e20c392be10d324765752905c267fe748668807476726cdb149cfdd5b68a67d", "section": 3,
        "first": 1_048_570, "words": [0xE3CB6D18, 0x787C075F, 0x2B229E41, 0xF001BDD9, 0x716C1D20, 0xAFE69958, 0x384F555F]}


def packing():
    def words(bits, count): return [int.from_bytes(drawn("word", bits, i)[:4], "little") % (1 << bits) for i in range(count)]
    for bits, count in [(1, 11), (2, 11), (7, 5), (8, 3), (13, 11), (20, 1), (20, 37), (21, 11), (31, 3), (32, 3), (20, 0)]:
        found = words(bits, count)
        packed = masks.pack(np.array(found, dtype=np.uint32), bits)
        yield f"{count}-of-{bits}-bits", {**head(f"{count} elements of {bits} bits.", "MK-05"), "bits": bits, "words": found,
                                          "bytes": packed.hex()}
    yield "example-of-05", {
        **head("The example of spec/05.", "MK-05"), "bits": 20,
        "words": [930292, 663581, 210947, 331502, 548545, 572920, 729828, 538284, 228937, 261850, 375348],
        "bytes": "f431de01a20338e3ee50c15e88df8be422cb6a83497ea3ed3f34ba05"}
    packed = masks.pack(np.array(words(20, 11), dtype=np.uint32), 20)
    for name, what, rule, data in [
            ("too-short", "A byte is missing.", "MK-01", packed[:-1]), ("too-long", "A byte too many.", "MK-01", packed + b"\0"),
            ("empty", "No bytes for 11 elements.", "MK-01", b""),
            ("padding-highest-bit", "The last bit of the padding is set.", "MK-02", packed[:-1] + bytes([packed[-1] | 0x80])),
            ("padding-lowest-bit", "The first bit of the padding is set.", "MK-02", packed[:-1] + bytes([packed[-1] | 0x10]))]:
        yield name, {**head(what, rule, rule), "bits": 20, "count": 11, "bytes": data.hex()}
    for bits, large in ((20, 1 << 20), (20, 2**32 - 1), (1, 2)):
        yield f"{large}-in-{bits}-bits", {**head(f"The element {large} does not fit {bits} bits.", "MK-03", "MK-03"), "bits": bits,
                                          "words": [0, large, 1]}


def public(secret): return nacl.bindings.crypto_scalarmult_base(secret)


def seeds():
    for site in (0, 4, 0x01020304):
        context, root = drawn("context", site), drawn_scalar("root", site)
        given = {"ctx": context.hex(), "site": site, "root": to_bytes(root).hex()}
        secret = masks.mask_key(root, context, site)
        yield f"mask-key-{site}", {**head("A mask key from its root.", "MK-22"), "does": "mask-key", **given, "secret": secret.hex(),
                                   "public": public(secret).hex()}
        yield f"self-seed-{site}", {**head("The seed of a self-mask from its root.", "MK-23"), "does": "self-seed", **given,
                                    "seed": masks.self_seed(root, context, site).hex()}
    given = {"ctx": "0d228e4426e3c3b9c9bfac6e231842463c5e77d1c629935b3e8a0719f34539bb", "site": 4,
             "root": "d2e2dc5d494d553b855b83a27fb1781dcec9b0c9e5b67e9e84f3c3fec4c33901"}
    yield "mask-key-example-of-05", {
        **head("The example of spec/05.", "MK-22"), "does": "mask-key", **given,
        "secret": "d1f761891fec883fc8a06936c6fbdb90238a2e34f75286e00aa13b2784331e39",
        "public": "7f58cd1bc4a070f416c6a67589ddee81be22482536ef41b61e02d45194f86f33"}
    yield "self-seed-example-of-05", {
        **head("The example of spec/05.", "MK-23"), "does": "self-seed", **given,
        "seed": "22a8a4e39687475645ed33fb9d6d955219e549f23dc4f2cfa19844f247fb7d2b"}
    for own, peer in ((0, 1), (1, 0), (7, 3), (2, 0x01000000)):
        yield f"pair-{own}-{peer}", {**head("The common seed of two sites, and what the first does with its mask.", "MK-20"),
                                     **pair(own, peer, public(drawn("pair secret", peer)))}
    other, own = drawn("pair secret", 3), public(drawn("pair secret", 7))
    for name, what, code, key in [
            ("peer-is-zero", "The peer's key is of small order: 0.", "SA-32", bytes(32)),
            ("peer-is-one", "The peer's key is of small order: 1.", "SA-32", (1).to_bytes(32, "little")),
            ("peer-of-order-eight", "The peer's key is of small order: a point of order eight.", "SA-32",
             bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")),
            ("peer-is-minus-one", "The peer's key is of small order: 2^255 - 20.", "SA-32", (2**255 - 20).to_bytes(32, "little")),
            ("peer-is-the-prime", "The peer's key is 2^255 - 19.", "SA-01", (2**255 - 19).to_bytes(32, "little")),
            ("peer-top-bit", "The peer's key has its highest bit set.", "SA-01", public(other)[:31] + bytes([public(other)[31] | 128])),
            ("peer-short", "The peer's key has 31 bytes.", "SA-01", public(other)[:31]),
            ("peer-is-own", "The peer's key is the own.", "SA-31", own)]:
        given = pair(7, 3, None)
        yield name, {**head(what, "MK-04", code), **given, "peer_key": key.hex()}


def pair(own, peer, peer_key):
    context, secret = drawn("pair context"), drawn("pair secret", own)
    out = {"does": "pair-seed", "ctx": context.hex(), "own": own, "own_secret": secret.hex(), "peer": peer}
    if peer_key is None:
        return out
    shared = nacl.bindings.crypto_scalarmult(secret, peer_key)
    seed = masks.pair_seed(shared, context, {own: public(secret), peer: peer_key})
    return {**out, "peer_key": peer_key.hex(), "seed": seed.hex(), "operation": "add" if own < peer else "subtract"}
