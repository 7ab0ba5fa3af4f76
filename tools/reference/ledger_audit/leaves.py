"""Leaves: canonical JSON with the fields of spec/15-ledger.md, "Entries"."""
import json
import re

from .reading import Fault, Malformed, from_base64, from_hex, require, well
from .tree import LEAF_BYTES_MAX

INTEGER_MAX, INLINE_MAX, PART, PARTS_MAX, DEPTH_MAX = 2**53 - 1, 16_384, 32_768, 2_048, 8
DECIMAL = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]*[1-9])?")
PHASES = {"plan", "graph", "keys", "shares", "acknowledge", "masked-input", "consistency", "reveal"}
U32 = 2**32 - 1


def canonical(value):
    """RFC 8785 for texts, whole numbers, lists and objects."""
    if isinstance(value, dict):
        ordered = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
        return "{" + ",".join(canonical(k) + ":" + canonical(v) for k, v in ordered) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def check_kinds(value, depth=0):
    if depth > DEPTH_MAX or isinstance(value, bool) or value is None or isinstance(value, float):
        raise ValueError("a kind of value that leaves do not have")
    if isinstance(value, int) and abs(value) > INTEGER_MAX:
        raise ValueError("a number out of range")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        check_kinds(inner, depth + 1)


def once(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("a key stands twice")
    return dict(pairs)


def no_float(text): raise ValueError(f"no whole number: {text}")


def parse(leaf):
    """LG-10, LG-11, LG-12."""
    require(1 <= len(leaf) <= LEAF_BYTES_MAX, "LG-10", f"a leaf of {len(leaf)} bytes")
    try:
        text = leaf.decode("utf-8")
        value = json.loads(text, object_pairs_hook=once, parse_float=no_float, parse_constant=no_float)
        check_kinds(value)
        same = canonical(value).encode("utf-8") == leaf
    except (ValueError, RecursionError) as error:
        raise Fault("LG-11", str(error)) from None
    require(same, "LG-11", "not the canonical spelling")
    try:
        return read(value)
    except Malformed as error:
        raise Fault("LG-12", str(error)) from None


# MARK: kinds of fields

def text(value):
    well(isinstance(value, str), "no text")
    return value


def natural(limit=INTEGER_MAX):
    def check(value):
        well(isinstance(value, int) and 0 <= value <= limit, "no whole number in range")
        return value
    return check


def hexadecimal(size): return lambda value: from_hex(text(value), size)


def decimal(value):
    well(DECIMAL.fullmatch(text(value)) and len(value.replace(".", "")) <= 400, "no plain decimal number")
    return float(value)


def blob(value):
    """Bytes, or ("attached", digest)."""
    if text(value).startswith("attached:"):
        return "attached", from_hex(value[9:], 32)
    found = from_base64(value)
    well(len(found) <= INLINE_MAX, "a long value that is not attached")
    return found


def inline(value):
    found = blob(value)
    well(isinstance(found, bytes), "a value that stands in its leaf")
    return found


def one_of(choices):
    def check(value):
        well(text(value) in choices, "an unknown word")
        return value
    return check


def code(value):
    well(re.fullmatch(r"SA-[0-9]{2}", text(value), re.ASCII), "no refusal's code")
    return value


def part_bytes(value): return from_base64(text(value))


def group(**fields):
    def check(value):
        well(isinstance(value, dict), "no object")
        return fields_of(value, fields, {})
    return check


BUDGET = {"epsilon": decimal, "delta": decimal}
DIGEST, SITE = hexadecimal(32), natural(U32 - 1)

# Fields that must be there, and those that may.
FORMS = {
    "attachment": ({"digest": DIGEST, "part": natural(PARTS_MAX), "parts": natural(PARTS_MAX), "bytes": part_bytes}, {}),
    "roster_changed": ({"roster": blob, "signature": hexadecimal(64), "cosignatures": blob}, {}),
    "job_opened": ({"job": text, "record": blob, "roster_serial": natural(), "roster_digest": DIGEST,
                    "unit": one_of({"none", "site", "record"}), "survivors_min": natural(10_000)}, {"budget": group(**BUDGET)}),
    "round_reserved": ({"ctx": DIGEST, "plan": blob, "survivors": blob}, {"charge": group(mechanism=inline, shares=natural(U32))}),
    "round_released": ({"ctx": DIGEST, "signatures": blob, "revealed": blob, "sum_digest": DIGEST, "weights_digest": DIGEST,
                        "threshold": natural(10_000), "bits": natural(32)},
                       {"clip": decimal, "noise": group(shares=natural(U32), variance=text), "cost": group(round=decimal, **BUDGET)}),
    "round_aborted": ({"ctx": DIGEST, "job": text, "round": natural(U32), "attempt": natural(U32), "phase": one_of(PHASES), "code": code},
                      {"site": SITE}),
    "refused": ({"ctx": DIGEST, "site": SITE, "code": code}, {}),
    "refund": ({"ctx": DIGEST, "certificate": blob}, {}),
    "job_closed": ({"job": text, "reserved": natural(), "released": natural()}, {"total": group(**BUDGET)}),
}
# Which fields may name attachments.
BLOBS = {"roster_changed": ["roster", "cosignatures"], "job_opened": ["record"], "round_reserved": ["plan", "survivors"],
         "round_released": ["signatures", "revealed"], "refund": ["certificate"]}


def fields_of(value, needed, optional):
    known = needed | optional
    for key in value:
        well(key in known, f"the field {key} is not known here")
    for key in needed:
        well(key in value, f"the field {key} is missing")
    return {key: known[key](inner) for key, inner in value.items()}


def read(value):
    well(isinstance(value, dict) and isinstance(value.get("type"), str), "an entry without a type")
    well(value["type"] in FORMS, "an unknown type")
    needed, optional = FORMS[value["type"]]
    return fields_of(value, {"type": text, "time": natural()} | needed, optional)
