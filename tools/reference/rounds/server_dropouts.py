"""Attempts as a server sees them: who drops out, what is repeated, and when too few are left."""
from secagg_site import plan as plans

from .bodies import signed
from .cases import GOOD, case, eight, five
from .faults import Fault, dealing, flipped
from .memory import Script


def dropouts():
    yield case("no-dropout", "Five sites, nobody drops out.", "", GOOD)
    for phase in ("plan", "keys", "shares", "acknowledge", "masked_input", "consistency", "reveal"):
        yield case(f"vanished-{phase.replace('_', '-')}", f"One site vanishes before its message of phase {phase}.", "", GOOD,
                   Script(vanish={phase: [3]}, apart=True))
    for phase in ("plan", "keys", "shares", "acknowledge", "masked_input", "consistency", "reveal"):
        yield case(f"silent-{phase.replace('_', '-')}", f"One site is silent until the deadline of phase {phase}.", "SA-90", GOOD,
                   Script(silent={phase: [7]}, apart=phase == "keys"))
    gone = lambda *_: [("vanished",)]
    last = lambda f, s, i, n, d: [("vanished",)] if i == n - 1 else []
    yield case("vanished-behind-input", "A site vanishes when its whole input is there: it survives, and its self-mask is rebuilt.", "",
               GOOD,
               Fault(behind={(3, "piece"): last}))
    yield case("vanished-in-payload", "A site vanishes in the middle of its payload: nothing of it is in the sum.", "SA-113", GOOD,
               Fault(behind={(3, "piece"): lambda f, s, i, n, d: [("vanished",)] if i == 0 else []}))
    yield case("vanished-behind-signature", "A site vanishes when its signature is there, and does not reveal.", "", GOOD,
               Fault(behind={(3, "consistency"): gone}))
    yield case("vanished-behind-reveal", "A site vanishes when its reveal is there: the reveal counts.", "", GOOD,
               Fault(behind={(3, "reveal"): gone}))
    yield case("two-in-one-phase", "Eight sites, two vanish in phase shares.", "", GOOD, Script(vanish={"shares": [2, 12]}), eight())
    yield case("two-inputs-missing", "Eight sites, two vanish before their inputs: every remaining site masked with both.", "", GOOD,
               Script(vanish={"masked_input": [0, 20]}), eight())
    yield case("two-phases", "Eight sites, one vanishes before its input and one is silent in phase reveal.", "", GOOD,
               Script(vanish={"masked_input": [9]}, silent={"reveal": [11]}), eight())
    yield case("site-refuses", "A site sends a refusal and is dropped.", "", GOOD, Fault(
        {(9, "acknowledge"): lambda f, s, raw: signed(raw, f.cohort.keys[s], name="refusal", body=b"\5SA-41\0\0" + b"\xff" * 4)}))
    yield case("site-cannot-read-plan", "A site refuses the plan without a context.", "", GOOD, Fault(
        {(9, "accept"): lambda f, s, raw: signed(raw, f.cohort.keys[s], name="refusal", context=bytes(32),
                                                 body=b"\5SA-02\0\0" + b"\xff" * 4)},
        silent={"keys": [9]}))


def repeats():
    again = lambda f, s, raw: [("message", raw)]
    yield case("repeated-messages", "A site repeats messages, byte for byte: they are ignored.", "SA-07", GOOD, Fault(
        behind={(3, name): again for name in ("accept", "keys", "shares", "acknowledge", "consistency", "reveal")}))
    broken = lambda f, s, i, n, d: [("message", f.sites[s].own_input), ("piece", 0, n, d)] if i == 0 else []
    yield case("payload-anew", "A payload breaks off behind its first piece and comes anew, from its header on.", "SA-113", GOOD,
               Fault(behind={(3, "piece"): broken}))
    more = lambda f, s, i, n, d: [("piece", i, n, d)] if i == n - 1 else []
    yield case("piece-behind-the-whole", "A piece of an input that is whole is dropped without a word.", "", GOOD,
               Fault(behind={(3, "piece"): more}))
    context = plans.decode(five().plan(attempt=7)).context
    old = lambda f, s, raw: [("message", signed(raw, f.cohort.keys[s], context=context)), ("message", raw)]
    yield case("earlier-attempt", "A message of an earlier attempt of the job is ignored.", "SA-04", GOOD, Fault({(9, "accept"): old}),
               earlier=[context])


def too_few():
    for phase, code in (("plan", "SA-22"), ("keys", "SA-30"), ("shares", "SA-40"), ("acknowledge", "SA-51"), ("masked_input", "SA-73"),
                        ("consistency", "SA-80"), ("reveal", "SA-84")):
        yield case(f"too-few-{phase.replace('_', '-')}", f"Two of five sites vanish in phase {phase}: fewer than t are left.", code, code,
                   Script(vanish={phase: [7, 9]}, apart=True))
    yield case("too-few-silent", "Two of five sites are silent until the deadline of the masked input.", "SA-73", "SA-73",
               Script(silent={"masked_input": [0, 9]}))
    yield case("too-few-for-minimum", "The plan asks for five inputs and one is missing.", "SA-73", "SA-73",
               Script(vanish={"masked_input": [3]}), five(5))
    bad = lambda *holders: dealing(lambda dealt: [dealt.seal(h, dealt.pair(h), spoil=flipped) for h in holders] and dealt)
    yield case("dealer-outside-u2", "Two sites cannot open one dealer's envelopes: it is not in U2.", "SA-52", "SA-52",
               Fault({(9, "shares"): bad(0, 2)}))
    yield case("too-few-acknowledged", "Two dealers are acknowledged by three of five sites each: U2 is too small.", "SA-51", "SA-51",
               Fault({(9, "shares"): bad(0, 2), (7, "shares"): bad(0, 3)}))
    yield case("dealer-short-of-shares", "Of five reveals four are there, and one holder among them has no share of one dealer.", "SA-84",
               "SA-84",
               Fault({(9, "shares"): bad(0)}, vanish={"reveal": [2]}))
