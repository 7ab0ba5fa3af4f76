"""Packing, mask stream and seeds (spec/05-masks.md), vectorised by OpenSSL's AES and NumPy."""
import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .encodings import blake2b, label, u32, u64
from .sharing import to_bytes

CHUNK = 1 << 20


def stream(seed, section, count):
    """The first `count` words of a section's mask (MK-10, MK-11)."""
    out = np.empty(count, dtype="<u4")
    for chunk in range(0, (count + CHUNK - 1) // CHUNK):
        begin = chunk * CHUNK
        size = min(CHUNK, count - begin)
        counter = u32(section) + u64(chunk) + bytes(4)
        blocks = Cipher(algorithms.AES(seed), modes.CTR(counter)).encryptor().update(bytes(16 * ((size + 3) // 4)))
        out[begin:begin + size] = np.frombuffer(blocks, dtype="<u4")[:size]
    return out.astype(np.uint32, copy=False)


def word(seed, section, coordinate):
    """One word of a mask, wherever it stands."""
    chunk, inside = divmod(coordinate, CHUNK)
    counter = u32(section) + u64(chunk) + u32(inside // 4)
    block = Cipher(algorithms.AES(seed), modes.CTR(counter)).encryptor().update(bytes(16))
    return int.from_bytes(block[4 * (inside % 4):][:4], "little")


def packed_size(count, bits): return (count * bits + 7) // 8


def pack(words, bits):
    """MK-05, a chunk at a time: 2^20 elements end on a byte whatever b is. Elements are below 2^b (MK-03)."""
    words = np.ascontiguousarray(words, dtype="<u4")
    if bits < 32 and words.size and int(words.max()) >> bits:
        raise ValueError("MK-03: an element of 2^b or more")
    out = []
    for begin in range(0, words.size, CHUNK):
        part = words[begin:begin + CHUNK]
        each = np.unpackbits(part.view(np.uint8).reshape(-1, 4), axis=1, bitorder="little")[:, :bits]
        out.append(np.packbits(each.reshape(-1), bitorder="little").tobytes())
    return b"".join(out)


def mask_key(root, context, site):
    """MK-22: the X25519 secret that follows from the root r_m."""
    return blake2b(label("mask-key") + context + u32(site), key=to_bytes(root))


def self_seed(root, context, site):
    """MK-23."""
    return blake2b(label("self-mask") + context + u32(site), key=to_bytes(root))


def pair_seed(shared, context, keys):
    """MK-20: `keys` maps both indices to their mask public keys."""
    low, high = sorted(keys)
    return blake2b(label("pair-mask") + context + u32(low) + u32(high) + keys[low] + keys[high], key=shared)


def masked_payload(sections, bits, seeds):
    """y, packed section by section. `seeds`: (seed, +1 or -1) of the self-mask and of every pair (MK-12, MK-21)."""
    payload = []
    for index, (words, width) in enumerate(zip(sections, bits)):
        total = words.astype(np.uint32)
        for seed, sign in seeds:
            mask = stream(seed, index, total.size)
            if sign > 0:
                total += mask
            else:
                total -= mask
        if width < 32:
            total &= np.uint32((1 << width) - 1)
        payload.append(pack(total, width))
    return b"".join(payload)
