"""Cases of frame (spec/01, "Messages") and hashes (spec/01, spec/02, spec/08)."""
import nacl.signing

from rounds.cohort import drawn
from secagg_site import messages as m
from secagg_site.encodings import SERVER, block16, block32, label, labelled_hash, messages, sites, u16, u32, u8

from .form import head

ORDER = 2**252 + 27742317777372353535851937790883648493


def frame():
    key, other, context = nacl.signing.SigningKey(drawn("signer")), nacl.signing.SigningKey(drawn("other")), drawn("frame context")

    def record(data, sender=17, public=None, ctx=context):
        return {"ctx": ctx.hex(), "sender": sender, "key": (public or bytes(key.verify_key)).hex(), "bytes": data.hex()}
    for name, sender, body in [("accept", 17, b""), ("keys", 17, drawn("keys body") * 2), ("closed", SERVER, bytes(34)),
                               ("share-header", 0, drawn("header") * 5), ("graph-nonce", 999_999, drawn("nonce"))]:
        data = m.make(name, context, sender, body, key)
        yield name, {**head(f"A message `{name}`.", "SA-03"), **record(data, sender), "type": m.TYPES[name], "body": body.hex(),
                     "signed": m.signed_bytes(m.TYPES[name], context, sender, body).hex()}
    body = (drawn("keys body") * 2)[:-1] + b"\0"
    good = m.make("keys", context, 17, body, key)
    for cut, what in [(0, "No bytes."), (1, "One byte."), (33, "The context is cut off."), (37, "The sender is cut off."),
                      (60, "The body is cut off."), (len(good) - 65, "The extensions are cut off."),
                      (len(good) - 1, "The last byte is missing.")]:
        yield f"truncated-at-{cut}", {**head(what, "SA-01", "SA-01"), **record(good[:cut])}

    def frame_of(version=1, type_=3, length=None, extensions=0, name="keys", signer=key, behind=b""):
        """A frame with other fields, and a signature over them."""
        rest = u32(17) + (block32(body) if length is None else u32(length) + body) + u16(extensions) + behind
        signature = signer.sign(label(name) + context + u8(version) + u8(type_) + rest).signature
        return u8(version) + u8(type_) + context + rest + signature
    s = int.from_bytes(good[-32:], "little")
    flip = lambda i: good[:i] + bytes([good[i] ^ 1]) + good[i + 1:]
    for name, what, code, found in [
            ("trailing-byte", "A byte behind the signature.", "SA-01", record(good + b"\0")),
            ("body-too-long", "The body's length is more than there is.", "SA-01", record(frame_of(length=2**32 - 1))),
            ("body-too-short", "The body's length is one less.", "SA-01", record(frame_of(length=len(body) - 1))),
            ("type-zero", "Type 0.", "SA-01", record(frame_of(type_=0))), ("type-unknown", "Type 21.", "SA-01", record(frame_of(type_=21))),
            ("type-255", "Type 255.", "SA-01", record(frame_of(type_=255))),
            ("version-zero", "Version 0.", "SA-02", record(frame_of(version=0))),
            ("version-two", "Version 2.", "SA-02", record(frame_of(version=2))),
            ("extensions", "One extension is announced.", "SA-02", record(frame_of(extensions=1))),
            ("extensions-with-bytes", "Extensions of two bytes.", "SA-02", record(frame_of(extensions=2, behind=b"\0\0"))),
            ("signature-altered", "A bit of the signature differs.", "SA-03", record(flip(len(good) - 40))),
            ("body-altered", "A bit of the body differs.", "SA-03", record(flip(50))),
            ("sender-altered", "The frame names another sender than was signed.", "SA-03", record(good[:34] + u32(18) + good[38:], 18)),
            ("type-altered", "The type is that of `accept`, the signature that of `keys`.", "SA-03", record(good[:1] + b"\2" + good[2:])),
            ("label-of-another-type", "The signature is over the label of another type.", "SA-03", record(frame_of(name="accept"))),
            ("signature-zero", "A signature of zero bytes.", "SA-03", record(good[:-64] + bytes(64))),
            ("signature-of-another", "Another key has signed.", "SA-03", record(m.make("keys", context, 17, body, other))),
            ("signature-malleable", "S is S + l, which is the same modulo l.", "SA-03",
             record(good[:-32] + (s + ORDER).to_bytes(32, "little"))),
            ("key-of-small-order", "The key is the neutral point, for which R = S·B is a signature of anything.", "SA-03",
             record(good[:-64] + neutral_signature(), public=u8(1) + bytes(31))),
            ("another-context", "A message of another context.", "SA-04", record(good, ctx=drawn("another context"))),
            ("another-sender", "A message of another site than expected, rightly signed with the expected one's key.", "SA-05",
             record(good, 18)),
            ("site-for-server", "A site's message where the server's is expected.", "SA-05", record(good, SERVER))]:
        yield name, {**head(what, code, code), **found}


def neutral_signature():
    """R = B and S = 1: S·B = R + h·A holds for A = 0."""
    return bytes([0x58]) + bytes([0x66]) * 31 + (1).to_bytes(32, "little")


def hashes():
    context = drawn("hash context")
    share, root = drawn("share")[:31] + b"\x0f", drawn("root")[:31] + b"\x0f"
    envelope, payload = drawn("envelope") * 2 + drawn("tag")[:16], drawn("payload") * 3
    list_ = [drawn("message", i) * (i + 3) for i in range(2)]
    one, two, three = drawn("hash", 1), drawn("hash", 2), drawn("hash", 3)
    text = lambda values: [v.hex() for v in values]
    cases = {
        "key-list-hash": ({"messages": text(list_)}, messages(list_)),
        "transcript": ({"keys": text(list_), "headers": text(list_[::-1])}, messages(list_) + messages(list_[::-1])),
        "mask-set": ({"transcript": one.hex(), "u2": [0, 3, 17, 70_000]}, one + sites([0, 3, 17, 70_000])),
        "input-digest": ({"site": 17, "payload": payload.hex()}, u32(17) + payload),
        "survivor-set": ({"u1": [0, 3, 17, 256], "mask_set": one.hex(), "u2": [0, 3, 17], "u3": [0, 17], "digests": text([two, three])},
                         sites([0, 3, 17, 256]) + one + sites([0, 3, 17]) + sites([0, 17]) + two + three),
        "sum-digest": ({"sections": text([payload, one])}, payload + one),
        "share-hash": ({"dealer": 3, "holder": 17, "kind": 2, "share": share.hex()}, u32(3) + u32(17) + u8(2) + share),
        "root-hash": ({"dealer": 3, "root": root.hex()}, u32(3) + root),
        "envelope-hash": ({"dealer": 3, "holder": 17, "envelope": envelope.hex()}, u32(3) + u32(17) + block16(envelope)),
        "nonce-commitment": ({"site": 17, "nonce": one.hex()}, u32(17) + one),
        "commitment-list": ({"sites": [3, 17], "commitments": text([one, two])}, sites([3, 17]) + one + two),
        "graph-seed": ({"commitment_list": three.hex(), "nonces": text([one, two])}, three + one + two),
        "graph-position": ({"seed": one.hex(), "site": 17}, one + u32(17)),
        "keyed-set": ({"seed": one.hex(), "u1": [0, 3, 17]}, one + sites([0, 3, 17])),
        "dealer-set": ({"keyed_set": two.hex(), "dealers": [3, 17]}, two + sites([3, 17]))}
    cases["share-hash-kind-1"] = ({**cases["share-hash"][0], "kind": 1}, u32(3) + u32(17) + u8(1) + share)
    cases["envelope-hash-empty"] = ({"dealer": 3, "holder": 3, "envelope": ""}, u32(3) + u32(3) + block16(b""))
    for name, (given, fields) in cases.items():
        hash_name = name.removesuffix("-kind-1").removesuffix("-empty")
        yield name, {**head(f"H[{hash_name}].", "SA-101"), "name": hash_name, "ctx": context.hex(), **given, "fields": fields.hex(),
                     "hash": labelled_hash(hash_name, context, fields).hex()}
