"""Integers, lists, hashes and refusals (spec/01-notation-and-encodings.md)."""
import hashlib
import struct

SERVER = NOBODY = 0xFFFFFFFF


class Refusal(Exception):
    """A rule of spec/ that was broken: the code, words for people, and the culprit's index (spec/03, "Refusals")."""

    def __init__(self, code, reason, culprit=NOBODY):
        super().__init__(f"{code}: {reason}")
        self.code, self.reason, self.culprit = code, reason, culprit


def u8(value): return struct.pack(">B", value)
def u16(value): return struct.pack(">H", value)
def u32(value): return struct.pack(">I", value)
def u64(value): return struct.pack(">Q", value)
def f64(value): return struct.pack(">d", value)
def block16(value): return u16(len(value)) + value
def block32(value): return u32(len(value)) + value
def text8(value): return u8(len(value.encode())) + value.encode()
def text16(value): return block16(value.encode())
def sites(values): return u16(len(values)) + b"".join(u32(v) for v in values)
def messages(values): return u16(len(values)) + b"".join(block32(v) for v in values)


def blake2b(data, key=b"", size=32):
    """H(m), H(k; m)."""
    return hashlib.blake2b(data, digest_size=size, key=key).digest()


def label(name):
    """What everything that is hashed or signed begins with (SA-101)."""
    return b"secagg/v1/" + name.encode() + b"\0"


def labelled_hash(name, context, *fields):
    """H[name](fields)."""
    return blake2b(label(name) + context + b"".join(fields))


class Reader:
    """Reads one value's only encoding; everything else is SA-01."""

    def __init__(self, data):
        self.data, self.position = bytes(data), 0

    def take(self, count):
        if count > len(self.data) - self.position:
            raise Refusal("SA-01", "truncated")
        self.position += count
        return self.data[self.position - count:self.position]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def u8(self): return self.number(">B")
    def u16(self): return self.number(">H")
    def u32(self): return self.number(">I")
    def u64(self): return self.number(">Q")
    def f64(self): return self.number(">d")
    def block16(self): return self.take(self.u16())
    def block32(self): return self.take(self.u32())

    def text(self, size):
        try:
            return self.take(size).decode("utf-8")
        except UnicodeDecodeError:
            raise Refusal("SA-01", "a text is not UTF-8") from None

    def text8(self): return self.text(self.u8())
    def text16(self): return self.text(self.u16())

    def count16(self, smallest):
        """A count that the bytes that are left can hold."""
        count = self.u16()
        if count * smallest > len(self.data) - self.position:
            raise Refusal("SA-01", "a count that the bytes cannot hold")
        return count

    def sites(self):
        return ascending([self.u32() for _ in range(self.count16(4))])

    def messages(self):
        return [self.block32() for _ in range(self.count16(4))]

    def end(self):
        if self.position != len(self.data):
            raise Refusal("SA-01", "bytes behind the end")


def ascending(values):
    """SA-100: strictly ascending, or SA-01."""
    if any(a >= b for a, b in zip(values, values[1:])):
        raise Refusal("SA-01", "a list out of order or with something twice")
    return values
