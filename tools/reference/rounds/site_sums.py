"""A site of five from its input on: survivors, signatures, the end, and how the server may lie in them; and what goes well."""
import numpy as np

from secagg_site import messages as m
from secagg_site.encodings import SERVER, sites, text8, text16, u32

from .cases import five
from .faults import flipped
from .lies import COLLUDER, TARGET, added, body, by, instead, lie, list_lies, resigned, with_second, without
from .site_setup import earlier_reveal


def input_lies():
    """What is refused at the site itself."""
    right = lambda words: words
    larger = lambda words: [np.where(np.arange(words[0].size) == 4, 1 << 20, words[0]), *words[1:]]
    for name, what, code, behind in [
            ("section-missing", "The update lacks a section.", "SA-60", {"plan": [lambda words: words[:-1]]}),
            ("section-too-short", "A section of the update lacks a coordinate.", "SA-60",
             {"plan": [lambda words: [words[0][:-1], *words[1:]]]}),
            ("element-too-large", "An element of 20 bits is 2^20.", "SA-60", {"plan": [larger]}),
            ("second-input", "A second update, before the first is masked.", "SA-66", {"plan": [right], "key-list": [right]}),
            ("second-input-late", "A second update, behind the first's masked input.", "SA-66",
             {"plan": [right], "acknowledgement-list": [right]})]:
        yield lie(name, what, code, code, inputs_behind=behind)
    yield lie("survivors-before-input", "Survivors come while the site's update is not there yet.", "SA-71", "SA-71",
              {"acknowledgement-list": lambda f, raw: [raw, m.make("survivors", f.server.context, SERVER, bytes(2), f.cohort.server_key)]},
              inputs_behind={}, also=["SA-06"])


def survivor_lies():
    yield from list_lies("survivors", "survivor list", TARGET, COLLUDER, five)
    for name, what, code, change in [
            ("masked-for-others", "A survivor masked for another U2.", "SA-64", by(COLLUDER, body=lambda b: flipped(b, 0))),
            ("another-size", "A survivor's payload has another size.", "SA-62", by(COLLUDER, body=lambda b: flipped(b, 39))),
            ("input-trailing", "A byte stands behind a survivor's header.", "SA-01", by(COLLUDER, body=lambda b: b + b"\0")),
            ("too-few-survivors", "Three of five survivors, where t is four.", "SA-73", without(2, 7)),
            ("survivors-without-own", "A survivor set without this site.", "SA-71", without(TARGET)),
            ("own-digest-altered", "This site's own header with another digest (under its own key: a theft).", "SA-72",
             by(TARGET, body=lambda b: flipped(b))),
            ("second-survivors", "A second survivor set, without one site.", "SA-07", with_second(without(COLLUDER))),
            ("reveal-asked-early", "Signatures come where survivors are due.", "SA-06", instead("signature-list", bytes(2)))]:
        yield lie(name, what, code, code, {"survivors": change})
    yield lie("below-minimum", "The plan asks for five inputs, and the list has four.", "SA-73", "SA-73", {"survivors": without(COLLUDER)},
              cohort=five(5))
    header = lambda f: f.server.mask_set + f.server.payload_bytes.to_bytes(8, "big") + bytes(32)
    yield lie("survivor-outside-u2", "A site that is not in U2 survives.", "SA-70", "SA-70",
              {"survivors": added(COLLUDER, "masked-input", header)}, vanish={"shares": [COLLUDER]})
    yield lie("other-set-than-before", "The site has revealed for five survivors in an earlier attempt, and now there are four.", "SA-74",
              "SA-74", vanish={"masked_input": [0]}, records=earlier_reveal([0, 2, 3, 7, 9]))


def signature_lies():
    yield from list_lies("signature-list", "signature list", TARGET, COLLUDER, five)
    for name, what, code, change in [
            ("signature-over-others", "A colluder signs another survivor set.", "SA-81", by(COLLUDER, body=lambda b: flipped(b, 0))),
            ("too-few-signatures", "Three of five signatures, where t is four.", "SA-80", without(2, 7)),
            ("second-signatures", "A second list, without one site.", "SA-07", with_second(without(COLLUDER))),
            ("second-survivors-behind-reveal", "A second survivor set comes behind the reveal.", "SA-07",
             lambda f, raw: [raw, m.make("survivors", f.server.context, SERVER, bytes(2), f.cohort.server_key)]),
            ("closed-before-reveal", "The attempt is closed before the site has revealed.", "SA-06", instead("closed", bytes(34)))]:
        yield lie(name, what, code, code, {"signature-list": change})
    yield lie("signer-outside-u3", "A site that did not survive signs.", "SA-08", "SA-08",
              {"signature-list": added(COLLUDER, "consistency", lambda f: f.server.survivor_hash)}, vanish={"masked_input": [COLLUDER]})


def closed_lies():
    for name, what, code, change in [
            ("closed-trailing", "A byte behind the end.", "SA-01", body(lambda b: b + b"\0")),
            ("closed-truncated", "The end lacks its last byte.", "SA-01", body(lambda b: b[:-1])),
            ("closed-out-of-order", "Those who revealed are out of order.", "SA-01", body(lambda b: b[:34] + b[38:42] + b[34:38] + b[42:])),
            ("closed-with-stranger", "A site that is no survivor revealed.", "SA-08", body(lambda b: b[:32] + sites([0, 2, 3, 7, 11]))),
            ("closed-with-three", "Three reveals, where t is four.", "SA-80", body(lambda b: b[:32] + sites([0, 2, 3]))),
            ("closed-not-the-servers", "The end is signed by a site.", "SA-03", resigned(lambda f: f.cohort.keys[COLLUDER]))]:
        yield lie(name, what, code, code, {"closed": change})


def refusals():
    """The server ends the attempt, in every phase; the site says nothing to that."""
    says = lambda code, reason="", culprit=0xFFFFFFFF: text8(code) + text16(reason) + u32(culprit)
    ends = lambda code, *more: lambda f, raw: [m.make("refusal", f.server.context, SERVER, says(code, *more), f.cohort.server_key)]
    for name, message, code, more in [
            ("key-list", "key-list", "SA-30", ("too few keys",)), ("share-delivery", "share-delivery", "SA-40", ()),
            ("acknowledgement-list", "acknowledgement-list", "SA-52", ()), ("survivors", "survivors", "SA-73", ("ä" * 512, 7)),
            ("signature-list", "signature-list", "SA-90", ()), ("closed", "closed", "SA-85", ("a root", 9))]:
        yield lie(f"refused-in-place-of-{name}", f"The server ends the attempt where its {message} is awaited.", "", code,
                  {message: ends(code, *more)})
    for name, what, content in [
            ("refusal-of-unknown-code", "A refusal with a code that there is not.", says("SA-99")),
            ("refusal-too-long", "A refusal whose reason has 1,025 bytes.", says("SA-91", "x" * 1025)),
            ("refusal-trailing", "A byte behind a refusal.", says("SA-91") + b"\0"),
            ("refusal-not-utf-8", "A refusal whose reason is not UTF-8.", text8("SA-91") + b"\0\1\xff" + b"\xff" * 4)]:
        yield lie(name, what, "SA-01", "SA-01",
                  {"survivors": lambda f, raw, c=content: [m.make("refusal", f.server.context, SERVER, c, f.cohort.server_key)]})
    forged = lambda f, raw: [m.make("refusal", f.server.context, SERVER, says("SA-91"), f.cohort.keys[COLLUDER]), raw]
    yield lie("refusal-not-the-servers", "A refusal that a site signed.", "SA-03", "SA-03", {"survivors": forged})


def honest():
    """What goes well."""
    yield lie("no-dropout", "Five sites, nobody drops out.", "", "success")
    for site, which in ((0, "lowest"), (9, "highest")):
        yield lie(f"{which}-site", f"The site with the {which} index: the signs of its masks are all the same.", "MK-21", "success",
                  target=site)
    for phase in ("plan", "keys", "shares", "acknowledge", "masked_input", "consistency", "reveal"):
        yield lie(f"dropped-{phase.replace('_', '-')}", f"Another site vanishes in phase {phase}.", "", "success", vanish={phase: [7]})
    names = ("plan", "key-list", "share-delivery", "acknowledgement-list", "survivors", "signature-list")
    again = lambda f, raw: [raw, raw]
    yield lie("repeated-messages", "The server repeats each message: the answers are the same, byte for byte.", "SA-121", "success",
              dict.fromkeys(names, again))
    yield lie("late-update", "The update is there after U2 is.", "SA-110", "success",
              inputs_behind={"acknowledgement-list": [lambda words: words]})
    yield lie("own-signature-missing", "The signature list lacks this site's own; four others are there.", "", "success",
              {"signature-list": without(TARGET)})
    yield lie("one-signature-missing", "The signature list lacks one signature.", "", "success", {"signature-list": without(0)})
    yield lie("bound-to-the-same-set", "The site has revealed for the same survivors in an earlier attempt.", "SA-74", "success",
              records=earlier_reveal([0, 2, 3, 7, 9]))
