"""Cases of shamir, feldman and envelope (spec/06; spec/03 "Keys")."""
import nacl.bindings

from rounds.cohort import drawn, drawn_scalar
from secagg_site import sharing
from secagg_site.envelopes import Channel

from .form import head

ORDER = sharing.ORDER


def hexed(scalars): return [sharing.to_bytes(s).hex() for s in scalars]
def coefficients(name, count): return [drawn_scalar(name, i) for i in range(count)]


def shamir():
    for threshold, points in [(1, [1]), (1, [1, 2, 3]), (2, [1, 2, 3]), (4, [1, 2, 3, 4, 5]), (3, [2, 17, 64, 10_000]), (2, [1, 65_535]),
                              (128, list(range(1, 256)))]:
        given = coefficients(f"split {threshold} {len(points)}", threshold)
        shares = [s.hex() for s in sharing.split(given, points)]
        name = f"split-{threshold}-of-{len(points)}-up-to-{points[-1]}"
        yield name, {**head(f"{len(points)} shares with threshold {threshold}.", "SS-04"), "does": "split", "threshold": threshold,
                     "points": points, "coefficients": hexed(given), "shares": shares}
    yield "split-example-of-06", {
        **head("The example of spec/06.", "SS-04"), "does": "split", "threshold": 2, "points": [1, 2, 3],
        "coefficients": ["c78a682675a696317118c72e7543aaed3b1022b80014a74e406458231fd4440d",
                         "31c4d9b6398fa61271841858ad23e9fcdc2f7aaddd87c74d57c00bb48fb5820f"],
        "shares": ["0b7b4c8094d22aec0b00e8e3436db4d518409c65de9b6e9c972464d7ae89c70c",
                   "4f6b30dab3febea6a6e708991297bebdf56f1613bc2336eaeee46f8b3e3f4a0c",
                   "935b1434d32a536141cf294ee1c0c8a5d29f90c099abfd3746a57b3fcef4cc0b"]}
    for name, what, threshold, points in [
            ("split-threshold-zero", "A threshold of 0.", 0, [1, 2]),
            ("split-threshold-too-large", "A threshold above the holders.", 3, [1, 2]),
            ("split-too-many-holders", "256 holders.", 2, list(range(1, 257))), ("split-no-holders", "No holders.", 1, []),
            ("split-point-zero", "A holder at x = 0, where the root is.", 2, [0, 1, 2]),
            ("split-point-too-large", "A point of 65,536.", 2, [1, 65_536])]:
        yield name, {**head(what, "SS-02", "SS-02", ["SS-03"] if "point-zero" in name else []), "does": "split", "threshold": threshold,
                     "points": points, "coefficients": hexed(coefficients("split bad", threshold))}
    yield "split-point-twice", {**head("Two holders at one point.", "SS-03", "SS-03", ["SS-02"]), "does": "split", "threshold": 2,
                                "points": [1, 2, 2], "coefficients": hexed(coefficients("split bad", 2))}
    given = coefficients("rebuild", 4)
    all_ = list(zip(range(1, 6), sharing.split(given, range(1, 6))))
    record = lambda shares, **more: {"does": "rebuild", "threshold": 4, "holders": 5, "shares": [[x, s.hex()] for x, s in shares], **more}
    root = hexed(given[:1])[0]
    for name, what, shares in [
            ("rebuild-first", "The shares of the four lowest points.", all_[:4]), ("rebuild-last", "Another four.", all_[1:]),
            ("rebuild-out-of-order", "Four shares in another order.", [all_[4], all_[0], all_[3], all_[1]]),
            ("rebuild-five", "Five shares: the four lowest points are used.", all_)]:
        yield name, {**head(what, "SS-05"), **record(shares, root=root)}
    wrong = [*all_[:4], (5, sharing.to_bytes(7))]
    yield "rebuild-fifth-is-wrong", {**head("Five shares of which the fifth is wrong: it is not used.", "SS-05"),
                                     **record(wrong, root=root)}
    over = [(all_[0][0], (int.from_bytes(all_[0][1], "little") + ORDER).to_bytes(32, "little")), *all_[1:4]]
    for name, what, rule, shares in [
            ("rebuild-not-canonical", "A share is l more than it should be.", "SS-01", over),
            ("rebuild-the-order", "A share is l itself.", "SS-01", [(1, ORDER.to_bytes(32, "little")), *all_[1:4]]),
            ("rebuild-all-ones", "A share is 2^256 - 1.", "SS-01", [(1, b"\xff" * 32), *all_[1:4]]),
            ("rebuild-31-bytes", "A share has 31 bytes.", "SS-01", [(1, all_[0][1][:31]), *all_[1:4]]),
            ("rebuild-33-bytes", "A share has 33 bytes.", "SS-01", [(1, all_[0][1] + b"\0"), *all_[1:4]]),
            ("rebuild-at-zero", "A share at x = 0.", "SS-03", [(0, sharing.to_bytes(5)), *all_[:4]]),
            ("rebuild-beyond-the-holders", "A share at a point that no holder has.", "SS-03", [*all_[:4], (6, sharing.to_bytes(5))]),
            ("rebuild-point-twice", "Two shares at one point.", "SS-03", [*all_[:4], all_[3]]),
            ("rebuild-too-few", "Three shares, where four are needed.", "SS-05", all_[:3]),
            ("rebuild-none", "No shares.", "SS-05", [])]:
        yield name, {**head(what, rule, rule), **record(shares)}


def feldman():
    given = coefficients("feldman", 4)
    committed, shares = sharing.commitments(given), sharing.split(given, range(1, 6))
    yield "commit", {**head("The commitments to a polynomial of degree 3.", "SS-06"), "does": "commit", "coefficients": hexed(given),
                     "commitments": [c.hex() for c in committed]}
    yield "commit-constant", {**head("The commitment to a constant.", "SS-06"), "does": "commit", "coefficients": hexed(given[:1]),
                              "commitments": [committed[0].hex()]}
    edge = [1, 0, ORDER - 1]
    yield "commit-edges", {**head("The commitments to 1, 0 and l - 1: base point, identity, negated base point.", "SS-06"),
                           "does": "commit",
                           "coefficients": hexed(edge), "commitments": [c.hex() for c in sharing.commitments(edge)]}

    def record(point, share, found=committed):
        return {"does": "check", "threshold": 4, "point": point, "share": share.hex(), "commitments": [c.hex() for c in found]}
    for x, share in enumerate(shares, 1):
        yield f"share-{x}", {**head(f"The share at x = {x} fits.", "SS-06"), **record(x, share)}
    far = 10_000
    yield "share-far", {**head("A share at a point of a large cohort fits.", "SS-06"),
                        **record(far, sharing.split(given, [1, 2, 3, far])[3])}
    other = sharing.commitments([given[0], given[1] + 1, *given[2:]])
    flip = bytes([shares[0][0] ^ 1]) + shares[0][1:]
    for name, what, point, share, found in [
            ("share-altered", "A share with one bit changed.", 1, flip, committed),
            ("share-of-another", "The share of another point.", 2, shares[0], committed),
            ("share-zero", "A share of zero.", 1, bytes(32), committed),
            ("share-root", "The root itself in the share's place.", 1, sharing.to_bytes(given[0]), committed),
            ("other-commitments", "The commitments of a polynomial with another a_1.", 1, shares[0], other),
            ("commitments-exchanged", "Two commitments in each other's place.", 2, shares[1],
             [committed[1], committed[0], *committed[2:]])]:
        yield name, {**head(what, "SS-06", "SS-06", ["SS-01"] if name == "share-altered" and not sharing.is_canonical(flip) else []),
                     **record(point, share, found)}
    replaced = lambda c: [committed[0], c, *committed[2:]]
    prime = 2**255 - 19
    bytes_of = lambda v: v.to_bytes(32, "little")
    for name, what, found in [
            ("too-few-commitments", "t - 1 commitments.", committed[:-1]),
            ("too-many-commitments", "t + 1 commitments.", [*committed, committed[0]]),
            ("no-commitments", "No commitments.", []),
            ("point-not-reduced", "A commitment of 2^255 - 19, which is zero written otherwise.", replaced(bytes_of(prime))),
            ("point-top-bit", "A commitment with its highest bit set.", replaced(committed[1][:31] + bytes([committed[1][31] | 128]))),
            ("point-all-ones", "A commitment of 2^256 - 1.", replaced(b"\xff" * 32)),
            ("point-negative", "A commitment that is a negative field element: 1.", replaced(bytes_of(1))),
            ("point-minus-one", "A commitment of 2^255 - 20: -1, which gives y = 0.", replaced(bytes_of(prime - 1))),
            ("point-no-square", "A commitment of 2, which gives no square.", replaced(bytes_of(2))),
            ("point-negated-bytes", "A good commitment, negated as a field element.",
             replaced(bytes_of(prime - int.from_bytes(committed[1], "little"))))]:
        yield name, {**head(what, "SA-42", "SA-42"), **record(1, shares[0], found)}


def envelope():
    context, secrets = drawn("envelope context"), {3: drawn("channel", 3), 17: drawn("channel", 17)}
    keys = {s: nacl.bindings.crypto_scalarmult_base(secret) for s, secret in secrets.items()}
    shared = nacl.bindings.crypto_scalarmult(secrets[3], keys[17])
    channel = Channel(context, shared, keys)
    pair = tuple(sharing.to_bytes(drawn_scalar("sealed", i)) for i in (1, 2))

    def record(dealer, holder, sealed, ctx=context, dealer_key=None):
        return {"ctx": ctx.hex(), "dealer": dealer, "holder": holder, "dealer_key": (dealer_key or keys[dealer]).hex(),
                "holder_secret": secrets[holder].hex(), "holder_key": keys[holder].hex(), "envelope": sealed.hex()}
    for dealer, holder in ((3, 17), (17, 3)):
        sealed = channel.seal(dealer, holder, pair)
        yield f"from-{dealer}-to-{holder}", {
            **head("An envelope with two shares."), **record(dealer, holder, sealed), "dealer_secret": secrets[dealer].hex(),
            "mask_key_share": pair[0].hex(), "self_mask_share": pair[1].hex()}
    sealed = channel.seal(3, 17, pair)
    flip = lambda i: sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1:]
    order, largest = ORDER.to_bytes(32, "little"), b"\xff" * 32
    for name, what, found in [
            ("flipped-bit", "A bit of the ciphertext differs.", record(3, 17, flip(5))),
            ("flipped-tag", "A bit of the tag differs.", record(3, 17, flip(79))),
            ("wrong-direction", "The envelope of the other direction.", record(3, 17, channel.seal(17, 3, pair))),
            ("other-context", "The envelope of another attempt.", record(3, 17, sealed, drawn("another context"))),
            ("other-dealer-key", "The dealer's channel key is another.",
             record(3, 17, sealed, dealer_key=nacl.bindings.crypto_scalarmult_base(drawn("x")))),
            ("truncated", "79 bytes.", record(3, 17, sealed[:-1])), ("too-long", "81 bytes.", record(3, 17, sealed + b"\0")),
            ("empty", "No bytes.", record(3, 17, b"")),
            ("first-share-not-canonical", "The share of the mask key's root is l.", record(3, 17, channel.seal(3, 17, (order, pair[1])))),
            ("second-share-not-canonical", "The share of the self-mask's root is 2^256 - 1.",
             record(3, 17, channel.seal(3, 17, (pair[0], largest))))]:
        yield name, {**head(what, "SS-01" if "canonical" in name else "", "refused"), **found}
