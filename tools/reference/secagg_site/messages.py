"""The frame of a message, its signature, and the types (spec/01 "Messages", spec/03 "Messages")."""
from typing import NamedTuple

import nacl.bindings
import nacl.exceptions
import nacl.signing

from .encodings import NOBODY, SERVER, Reader, Refusal, ascending, block32, label, text8, text16, u8, u16, u32

NAMES = {
    1: "plan", 2: "accept", 3: "keys", 4: "key-list", 5: "share-header", 6: "shares", 7: "share-delivery", 8: "acknowledge",
    9: "acknowledgement-list", 10: "masked-input", 11: "survivors", 12: "consistency", 13: "signature-list", 14: "reveal", 15: "closed",
    16: "refusal", 17: "graph-commitments", 18: "graph-nonce", 19: "graph-nonces", 20: "destroyed",
}
TYPES = {name: number for number, name in NAMES.items()}
BYTES_MAX, REASON_MAX = 4_194_304, 1_024
NO_CONTEXT = bytes(32)
# The codes of a refusal (spec/03, "Refusals").
CODES = {f"SA-{n:02}" for n in [*range(1, 9), *range(10, 26), 30, 31, 32, 40, 41, 42, 50, 51, 52, *range(60, 67), *range(70, 75),
                                *range(80, 86), *range(90, 94)]}


class Message(NamedTuple):
    type: int
    context: bytes
    sender: int
    body: bytes
    signature: bytes
    bytes: bytes

    @property
    def name(self): return NAMES[self.type]


def signed_bytes(type_, context, sender, body):
    """SA-03: what the signature is over."""
    return label(NAMES[type_]) + context + u8(1) + u8(type_) + u32(sender) + block32(body) + u16(0)


def make(name, context, sender, body, key):
    """A signed message; `key` is a nacl.signing.SigningKey."""
    type_ = TYPES[name]
    signature = key.sign(signed_bytes(type_, context, sender, body)).signature
    return u8(1) + u8(type_) + context + u32(sender) + block32(body) + u16(0) + signature


def decode(data):
    """The one frame that `data` is (SA-01, SA-02)."""
    if len(data) > BYTES_MAX:
        raise Refusal("SA-01", "a message that is too long")
    reader = Reader(data)
    if reader.u8() != 1:
        raise Refusal("SA-02", "another version")
    type_, context, sender, body = reader.u8(), reader.take(32), reader.u32(), reader.block32()
    if type_ not in NAMES:
        raise Refusal("SA-01", "an unknown type")
    if reader.u16():
        raise Refusal("SA-02", "extensions")
    signature = reader.take(64)
    reader.end()
    return Message(type_, context, sender, body, signature, bytes(data))


def public_key(data):
    """An Ed25519 public key that is canonical and of full order (spec/01, "Primitives")."""
    if len(data) != 32 or not nacl.bindings.crypto_core_ed25519_is_valid_point(data):
        raise ValueError("not a canonical Ed25519 key of full order")
    return nacl.signing.VerifyKey(data)


def verify(message, key):
    """SA-03, with libsodium's strict verification; `key` is a VerifyKey."""
    try:
        key.verify(signed_bytes(message.type, message.context, message.sender, message.body), message.signature)
    except (nacl.exceptions.BadSignatureError, nacl.exceptions.ValueError):
        raise Refusal("SA-03", f"the signature of a {message.name} message does not hold") from None


def open_list(raw, name, context, roster, members, stranger="SA-08"):
    """Other sites' messages inside one of the server's: each of this type and ctx, ascending, of `members`, with its signature."""
    found = open_messages(raw, name, context, roster, members, stranger)
    ascending([m.sender for m in found])
    return found


def open_messages(raw, name, context, roster, members, stranger="SA-08"):
    """The same in any order."""
    found = [decode(item) for item in raw]
    for message in found:
        if message.name != name:
            raise Refusal("SA-06", f"a {message.name} message in a list of {name} messages")
        if message.context != context:
            raise Refusal("SA-04", f"a {name} message of another context")
        if message.sender not in roster.sites:
            raise Refusal("SA-05", f"a {name} message of a site that the roster does not know")
        if message.sender not in members:
            raise Refusal(stranger, f"a {name} message of a site outside the set", message.sender)
        verify(message, roster.sites[message.sender].key)
    return found


def refusal(reason, context, sender, key):
    """The message that tells of a Refusal; the text is at most 1,024 bytes of UTF-8."""
    words = reason.reason.encode()[:REASON_MAX].decode("utf-8", "ignore")
    body = text8(reason.code) + text16(words) + u32(reason.culprit)
    return make("refusal", context or NO_CONTEXT, sender, body, key)


def read_refusal(body):
    reader = Reader(body)
    code, words, culprit = reader.text8(), reader.text16(), reader.u32()
    reader.end()
    if code not in CODES or len(words.encode()) > REASON_MAX:
        raise Refusal("SA-01", "a refusal with an unknown code, or with too long a reason")
    return Refusal(code, words, culprit)


__all__ = ["Message", "NOBODY", "SERVER", "decode", "make", "open_list", "open_messages", "public_key", "read_refusal", "refusal", "verify"]
