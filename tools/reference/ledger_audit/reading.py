"""Faults, and bytes as they are read: spec/01-notation-and-encodings.md, base64 and hexadecimal in their one spelling."""
import base64
import hashlib
import math
import struct

import nacl.bindings
import nacl.exceptions


class Fault(Exception):
    """A rule of spec/15 that is broken: its id, and words for people."""

    def __init__(self, cause, reason, index=None):
        super().__init__(f"{cause}: {reason}")
        self.cause, self.reason, self.index = cause, reason, index


class Malformed(Exception):
    """Bytes that are not the encoding of what they should be; the caller knows which rule that breaks."""


def require(holds, cause, reason):
    if not holds:
        raise Fault(cause, reason)


def well(holds, reason):
    if not holds:
        raise Malformed(reason)


def blake2b(data): return hashlib.blake2b(data, digest_size=32).digest()
def label(name): return b"secagg/v1/" + name.encode() + b"\0"
def u32(value): return struct.pack(">I", value)
def block32(value): return u32(len(value)) + value


def from_base64(text):
    """The bytes of the one spelling; nothing else."""
    try:
        found = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        raise Malformed("no base64") from None
    well(base64.b64encode(found).decode() == text, "another spelling of base64")
    return found


def from_hex(text, size):
    well(isinstance(text, str) and len(text) == 2 * size and all(c in "0123456789abcdef" for c in text), f"not {2 * size} digits")
    return bytes.fromhex(text)


def verifies(key, signature, message):
    if len(signature) != 64:
        return False
    try:
        nacl.bindings.crypto_sign_open(signature + message, key)
        return True
    except (nacl.exceptions.BadSignatureError, ValueError):
        return False


class Reader:
    def __init__(self, data):
        self.data, self.position = bytes(data), 0

    @property
    def left(self): return len(self.data) - self.position

    def take(self, size):
        well(size <= self.left, f"cut off at byte {self.position}")
        self.position += size
        return self.data[self.position - size:self.position]

    def number(self, form): return struct.unpack(form, self.take(struct.calcsize(form)))[0]
    def u8(self): return self.number(">B")
    def u16(self): return self.number(">H")
    def u32(self): return self.number(">I")
    def u64(self): return self.number(">Q")
    def block16(self): return self.take(self.u16())
    def block32(self): return self.take(self.u32())
    def text8(self): return self.text(self.take(self.u8()))
    def text16(self): return self.text(self.block16())

    def f64(self):
        value = self.number(">d")
        well(math.isfinite(value) and not (value == 0 and math.copysign(1, value) < 0), "a number is not finite and canonical")
        return value

    @staticmethod
    def text(data):
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed("a text is not UTF-8") from None

    def sites(self):
        count = self.u16()
        well(4 * count <= self.left, "a count that the bytes cannot hold")
        found = [self.u32() for _ in range(count)]
        well(all(a < b for a, b in zip(found, found[1:])), "sites out of order")
        return found

    def end(self): well(self.left == 0, "bytes behind the end")

    # Records: lengths and counts are u32.

    def count(self, low, high, what="a count"):
        value = self.u32()
        well(low <= value <= high, f"{what} is out of bounds")
        return value

    def record_data(self, limit): return self.take(self.count(0, limit))
    def record_text(self, limit): return self.text(self.record_data(limit))

    def flag(self):
        value = self.u8()
        well(value <= 1, "a flag")
        return value == 1

    def f64_within(self, low, high, what):
        value = self.f64()
        well(low <= value <= high, f"{what} is out of bounds")
        return value


def record(data, name, limit):
    well(len(data) <= limit, "a long record")
    reader = Reader(data)
    well(reader.record_text(64) == name, f"the record does not begin with {name}")
    return reader


def is_subset(inner, outer): return set(inner) <= set(outer)


def signatures(data):
    """[(site, signature)], ascending."""
    reader = Reader(data)
    count = reader.u16()
    well(count * 68 == reader.left, "a list of signatures")
    found = [(reader.u32(), reader.take(64)) for _ in range(count)]
    well(all(a[0] < b[0] for a, b in zip(found, found[1:])), "signatures out of order")
    return found
