"""Flaws of single entries; all signatures around them are right."""
import base64

from .cases import contents
from .story import Agreement
from .world import START, Consortium, Job, Round, b64, blake2b, data, sign, signature_list


def forms():
    def text(mark, *pairs): return lambda f: f.text(mark, *pairs)
    yield contents("empty", "an empty leaf", "LG-10", lambda f: f.replace("refused", b""))
    for name, what, pairs in [
            ("float", "a number with a fraction", [(b'"site":3', b'"site":3.0')]),
            ("exponent", "a number with an exponent", [(b'"site":3', b'"site":3e0')]),
            ("minus-zero", "a minus before a zero", [(b'"site":3', b'"site":-0')]),
            ("zero-before", "a zero in front of a number", [(b'"site":3', b'"site":03')]),
            ("large-number", "a number above 2^53 - 1", [(b'"site":3', b'"site":9007199254740992')]),
            ("null", "a null", [(b'"site":3', b'"site":null')]),
            ("key-twice", "a key that stands twice", [(b'"site":3', b'"site":3,"site":3')]),
            ("space", "a space", [(b'"site":3', b'"site": 3')]),
            ("keys-unsorted", "keys out of order", [(b'{"code":"SA-20",', b"{"), (b'"site":3', b'"site":3,"code":"SA-20"')]),
            ("escape", "an escape that need not be", [(b"SA-20", b"SA\\u002d20")]),
            ("not-utf8", "bytes that are no UTF-8", [(b"SA-20", b"SA-\xff0")]),
            ("behind-end", "something behind the end", [(b'"refused"}', b'"refused"}\n')]),
            ("surrogate", "half of a character", [(b"SA-20", b"\\ud800")])]:
        yield contents(name, what, "LG-11", text("refused", *pairs))
    for name, what, edit in [
            ("field-unknown", "a field that the schema does not have", lambda f: f.change("refused", note="x")),
            ("field-missing", "a field is missing", lambda f: f.change("refused", code=None)),
            ("type-unknown", "an unknown type", lambda f: f.change("refused", type="praised")),
            ("type-of-field", "a text where a number is due", lambda f: f.change("refused", site="3")),
            ("negative", "a negative number", lambda f: f.change("refused", site=-3)),
            ("hex-upper", "capital hexadecimal digits", lambda f: f.change("refused", ctx=f.copy("refused")["ctx"].upper())),
            ("reason-logged", "a refusal with words instead of a code", lambda f: f.change("refused", code="policy of site 3 forbids it")),
            ("decimal-zero", "a decimal figure with a zero at its end", lambda f: f.change("open", budget__epsilon="20.0")),
            ("decimal-exponent", "a decimal figure with an exponent", lambda f: f.change("open", budget__delta="1e-5")),
            ("base64-loose", "a second spelling of base64",
             lambda f: f.change("reserve_1", survivors=loosened(f.copy("reserve_1")["survivors"]))),
            ("long-inline", "a long value in its leaf", lambda f: f.change("reserve_1", survivors=b64(bytes(16_385)))),
            ("inner-unknown", "an unknown field inside of another", lambda f: f.change("release_1", cost__extra="1"))]:
        yield contents(name, what, "LG-12", edit)
    yield contents("time-back", "the time goes back", "LG-13", lambda f: f.change("release_1", time=START + 61))


def loosened(text):
    """Sets a bit behind the last byte."""
    for bytes_ in range(3):
        if text.endswith("="):
            break
        text = b64(base64.b64decode(text) + b"\0" * (bytes_ + 1))
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    place = len(text.rstrip("=")) - 1
    return text[:place] + digits[digits.index(text[place]) | 1] + text[place + 1:]


def attachments():
    part = lambda f: f.at["open_plain"] - 1

    def missing(f):
        del f.leaves[part(f)]
        return part(f)

    def swapped(f):
        f.leaves[part(f) - 1], f.leaves[part(f)] = f.leaves[part(f)], f.leaves[part(f) - 1]
        return part(f) - 1

    def altered(f):
        f.leaves[part(f)] = dict(f.leaves[part(f)])
        value = bytearray(base64.b64decode(f.leaves[part(f)]["bytes"]))
        value[3] ^= 1
        f.leaves[part(f)]["bytes"] = b64(bytes(value))
        return part(f)

    def unused(f):
        value = bytes(20_000)
        return 1 + f.insert("close", {"type": "attachment", "digest": blake2b(value).hex(), "part": 0, "parts": 1, "bytes": b64(value)})

    def short(f):
        return f.insert("close", {"type": "attachment", "digest": blake2b(b"short").hex(), "part": 0, "parts": 1, "bytes": b64(b"short")})

    yield contents("part-missing", "a part of a long value is missing", "LG-14", missing)
    yield contents("parts-swapped", "parts of a long value change places", "LG-14", swapped)
    yield contents("part-altered", "a long value with another hash", "LG-14", altered)
    yield contents("attached-unused", "a long value that no leaf names", "LG-14", unused)
    yield contents("attached-short", "a short value that is attached", "LG-14", short)
    yield contents("attached-nowhere", "a name without its value", "LG-14", lambda f: f.change("reserve_1", plan="attached:" + "0" * 64))


def rosters():
    def altered(f):
        record = bytearray(f.story.first)
        record[-1] ^= 1
        return f.change("roster", roster=b64(bytes(record)))

    def other(f, mark="roster", serial=1, count=5):
        record, signature = Consortium("another").roster(serial, count)
        return f.change(mark, roster=b64(record), signature=signature.hex())

    def self_made(f):
        """The server puts in keys of its own and signs with its log key."""
        record, _ = f.consortium.roster(2, 6)
        return f.change("roster_2", signature=sign(record, f.consortium.name, "log").hex())

    def agreement(who=range(4), **changes):
        return lambda f: f.change("roster_2", cosignatures=Agreement(f.consortium, f.story.first, f.story.second, who, **changes))

    def again(f, **changes):
        record, signature = f.consortium.roster(changes.pop("serial", 2), 6, **changes)
        return f.change("roster_2", roster=b64(record), signature=signature.hex(),
                        cosignatures=Agreement(f.consortium, f.story.first, record, range(4)))

    def none(f):
        del f.leaves[0]
        return 0

    yield contents("roster-none", "the ledger begins with a job", "LG-20", none)
    yield contents("roster-altered", "one bit of the first roster", "LG-20", altered)
    yield contents("roster-foreign", "the roster of another consortium", "LG-20", other)
    yield contents("roster-swapped", "a later roster of another consortium", "LG-20", lambda f: other(f, "roster_2", 2, 6))
    yield contents("roster-self-made", "a roster that the server signed itself", "LG-20", self_made)
    yield contents("roster-two-sites", "a roster of two sites", "LG-20", lambda f: f.change(
        "roster", roster=b64(f.consortium.roster(1, 2)[0]), signature=f.consortium.roster(1, 2)[1].hex()))
    yield contents("agreement-few", "three sites agreed to the new roster; four are needed", "LG-21", agreement(range(3)))
    yield contents("agreement-elsewhere", "an agreement for another place in the ledger", "LG-21", agreement(index=3))
    yield contents("agreement-other", "an agreement to another roster", "LG-21", agreement(over=b"another"))
    yield contents("agreement-newcomer", "an agreement by a site that was not in the roster", "LG-21", agreement([0, 1, 2, 5]))
    yield contents("agreement-first", "an agreement to the first roster", "LG-21", lambda f: f.change(
        "roster", cosignatures=b64(signature_list([(0, bytes(64))]))))
    yield contents("serial-back", "a serial number that does not grow", "LG-22", lambda f: again(f, serial=1))
    yield contents("roster-ended", "a roster that had ended", "LG-22", lambda f: again(f, until=START - 1, issued=START - 5000))
    yield contents("roster-future", "a roster of the future", "LG-22", lambda f: again(f, issued=START + 50_000))
    yield contents("server-renamed", "a roster that makes it another log", "LG-22", lambda f: again(f, server="server-2"))


def jobs():
    yield contents("job-name", "a job under another name than its record's", "LG-30", lambda f: f.change("open", job="mammographie"))
    yield contents("job-unit", "the unit is said to be a record", "LG-30", lambda f: f.change("open", unit="record"))
    yield contents("job-budget", "a larger budget than the record's", "LG-30", lambda f: f.change("open", budget__epsilon="30"))
    yield contents("job-delta", "a larger delta than the record's", "LG-30", lambda f: f.change("open", budget__delta="0.0001"))
    yield contents("job-roster", "a job of another roster", "LG-30", lambda f: f.change("open_plain", roster_serial=1))
    yield contents("job-garbage", "a record that is none", "LG-30", lambda f: f.change("open", record=b64(data("secagg/v1/job") + b"x")))
    yield contents("job-no-budget", "a private job without its budget", "LG-30", lambda f: f.change("open", budget=None))
    yield contents("job-twice", "a job that is opened twice", "LG-31", lambda f: f.insert("reserve_1", f.copy("open")))
    yield contents("round-after-end", "a round of a closed job", "LG-31", lambda f: f.insert(
        "open_records", f.story.reserved(Round(f.consortium, f.story.second, f.job, 4))))
    yield contents("job-unopened", "a round of a job that was never opened", "LG-31", lambda f: f.insert(
        "reserve_1", f.story.reserved(Round(f.consortium, f.story.first, Job("shadow", 3, "none"), 1))))
    yield contents("closed-twice", "a job that is closed twice", "LG-31", lambda f: f.insert("open_records", f.copy("close")))
    yield contents("closing-counts", "a closing leaf that hides an attempt", "LG-56", lambda f: f.change("close", reserved=4))
    yield contents("closing-epsilon", "a closing leaf with less epsilon", "LG-56", lambda f: f.change("close", total__epsilon="9.5"))
    yield contents("closing-delta", "a closing leaf at another delta", "LG-56", lambda f: f.change("close", total__delta="0.0001"))


def all_cases():
    for part in (forms, attachments, rosters, jobs):
        yield from part()


