"""Cases of plan (spec/02 "The plan", spec/04 "Mechanism bytes", spec/08 "Which graph")."""
from rounds.cohort import Cohort
from secagg_site import mechanism as mechanisms, plan as plans
from secagg_site.encodings import u16

from .form import head

FIVE = [0, 2, 3, 7, 9]


def record(cohort, data, at="site", honest=3, site=None, **roster):
    """`at`: who checks, a site or the server."""
    who = {"site": cohort.sites[0] if site is None else site, "honest": honest} if at == "site" else {}
    known = {"digest": cohort.digest.hex(), "colluders": cohort.colluders, "sites": sorted(cohort.keys), "expired": []}
    return {**who, "roster": {**known, **roster}, "bytes": data.hex()}


def fields(data):
    p = plans.decode(data)
    hexed = lambda v: v.hex() if isinstance(v, bytes) else v
    return {"ctx": p.context.hex(), "fields": {k: hexed(v) for k, v in p._asdict().items() if k != "context"}}


def five(**options): return Cohort(FIVE, 1, 4, others=[8], **options)


def good():
    census = [mechanisms.Scalar("samples", True, 2.0**32)]
    for name, what, cohort, changes in [
            ("three-sites", "The smallest cohort, without colluders.", Cohort([0, 1, 5], 0, 2), {}),
            ("five-sites", "Five sites, one of whom colludes.", five(), {}),
            ("eight-sites", "Eight sites in a roster of ten.", Cohort(range(8), 1, 6, others=[8, 900_000]), {}),
            ("sixty-four-sites", "As many sites as the complete graph should have, a third of whom collude.", Cohort(range(64), 21, 43),
             {}),
            ("census", "A census: the section `scalars` alone.", five(sections=(0, 0), scalars=census), {"round": 0}),
            ("no-statistics", "A model without running statistics.", five(sections=(9, 0)), {}),
            ("job-of-256-bytes", "A job's name of 256 bytes, with letters of two.", five(), {"job": "größe-" + "x" * 248}),
            ("control-above-127", "U+0085 in the job's name, which is allowed.", five(), {"job": "a\u0085b"}),
            ("largest-numbers", "Round and attempt of 2^32 - 1, and a minimum of one.", five(),
             {"round": 2**32 - 1, "attempt": 2**32 - 1, "minimum": 1}),
            ("sparse-sixty-five", "65 sites on a ring, of whom one may be missing.", Cohort(range(65), 1, 64), {}),
            ("sparse-hundred", "100 sites, of whom 20 collude and 10 may be missing.", Cohort(range(0, 300, 3), 20, 90), {}),
            ("sparse-thousand", "1,000 sites, of whom 50 collude and 50 may be missing.", Cohort(range(1000), 50, 950), {})]:
        data = cohort.plan(**changes)
        yield name, {**head(what, "SA-102"), **record(cohort, data), **fields(data)}
    big = complete(128)
    data = big.plan(mechanism=big.mechanism._replace(scalars=(mechanisms.Scalar("weight", False, 1.0),)).encoded(),
                    sections=big.sections[:2] + [("scalars", 1, 32)])
    yield "complete-128", {**head("128 sites in the complete graph.", "SG-01"), **record(big, data), **fields(data)}
    cohort = five()
    data = cohort.plan(sites=[2, 3, 7, 8, 9])
    yield "at-the-server", {**head("What a server checks: it has no place in the cohort.", ""), **record(cohort, data, "server"),
                            **fields(data)}


def complete(n):
    """n sites in the complete graph, however many."""
    cohort = Cohort(range(n), 1, n - 1)
    cohort.neighbours, cohort.threshold = n - 1, plans.threshold(n, 1)
    return cohort


def malformed():
    cohort = five()
    data = cohort.plan()
    mechanism = cohort.mechanism.encoded()
    at = data.index(u16(5) + bytes(4))  # the sites
    many = cohort.plan(sections=[("parameters", 2**28 + 1, 20), *cohort.sections[1:]])
    for name, what, code, raw, also in [
            ("truncated", "The last byte is missing.", "SA-01", data[:-1], []), ("empty", "No bytes.", "SA-01", b"", []),
            ("half", "The second half is missing.", "SA-01", data[:len(data) // 2], []),
            ("trailing-byte", "A byte behind the plan.", "SA-01", data + b"\0", []),
            ("sites-out-of-order", "Two sites are exchanged.", "SA-01", cohort.plan(sites=[2, 0, 3, 7, 9]), []),
            ("site-twice", "A site stands there twice.", "SA-01", cohort.plan(sites=[0, 2, 2, 7, 9]), []),
            ("sites-count", "More sites than bytes.", "SA-01", data[:at] + b"\xff\xff" + data[at + 2:], []),
            ("job-not-utf-8", "The job's name is not UTF-8.", "SA-01", data.replace(b"vectors", b"vect\xffrs"), []),
            ("section-too-large", "A section of 2^28 + 1 coordinates.", "SA-01", many, ["SA-16"]),
            ("mechanism-too-long", "Mechanism bytes of 65,537.", "SA-01", cohort.plan(mechanism=mechanism + bytes(65_537 - len(mechanism))),
             ["SA-18"]),
            ("version-two", "Version 2.", "SA-02", u16(2) + data[2:], []), ("version-zero", "Version 0.", "SA-02", u16(0) + data[2:], []),
            ("another-suite", "Another suite.", "SA-02", data.replace(b"aes256ctr", b"chacha20x"), []),
            ("extensions", "An extension is announced.", "SA-02", data[:-2] + u16(1), []),
            ("extensions-with-bytes", "An extension of two bytes.", "SA-02", data[:-2] + u16(2) + bytes(2), [])]:
        yield name, {**head(what, code, code, also), **record(cohort, raw)}


def refused():
    cohort = five()
    p = cohort.plan
    sections, none = cohort.sections, bytes(32)
    with_ = lambda i, **change: [s if j != i else tuple({**dict(zip(("name", "count", "bits"), s)), **change}.values()) for j,
                                 s in enumerate(sections)]
    for name, what, code, data, more in [
            ("another-roster", "The digest is of another roster.", "SA-10", p(roster=none), {}),
            ("stranger", "A site is not in the roster.", "SA-11", p(sites=[0, 2, 3, 7, 11]), {}),
            ("expired", "A site's entry is past its end.", "SA-11", p(), {"expired": [7]}),
            ("not-invited", "The site that checks is not invited.", "SA-11", p(), {"site": 8}),
            ("threshold-lower", "t is one less.", "SA-13", p(threshold=3), {"honest": 2}),
            ("threshold-higher", "t is one more.", "SA-13", p(threshold=5), {}),
            ("four-honest", "t - n_C is 3, and the site insists on 4.", "SA-14", p(), {"honest": 4}),
            ("fewer-colluders", "n_C is less than the roster's.", "SA-15", p(colluders=0), {}),
            ("more-colluders", "n_C is more than the roster's.", "SA-15", p(colluders=2), {"honest": 2}),
            ("no-sections", "No sections.", "SA-16", p(sections=[]), {}),
            ("section-twice", "Two sections of one name.", "SA-16", p(sections=[*sections[:2], sections[1], sections[2]]), {}),
            ("seventeen-sections", "17 sections.", "SA-16", p(sections=[*sections, *((f"s{i}", 1, 20) for i in range(14))]), {}),
            ("section-missing", "A section that the mechanism prescribes is missing.", "SA-16", p(sections=sections[:2]), {}),
            ("section-unknown", "A section that the mechanism does not know.", "SA-16", p(sections=[*sections, ("more", 1, 32)]), {}),
            ("sections-out-of-order", "Two sections are exchanged.", "SA-16", p(sections=[sections[1], sections[0], sections[2]]), {}),
            ("section-bits", "Another number of bits than the mechanism's.", "SA-16", p(sections=with_(0, bits=21)), {}),
            ("section-one-bit", "A section of one bit.", "SA-16", p(sections=with_(0, bits=1)), {}),
            ("section-33-bits", "A section of 33 bits.", "SA-16", p(sections=with_(0, bits=33)), {}),
            ("section-empty", "A section without coordinates.", "SA-16", p(sections=with_(1, count=0)), {}),
            ("section-name", "A section's name with a capital.", "SA-16", p(sections=with_(0, name="Parameters")), {}),
            ("scalars-count", "Another number of scalars than the mechanism's.", "SA-16", p(sections=with_(2, count=4)), {}),
            ("too-many-coordinates", "2^28 + 1 coordinates together.", "SA-16", p(sections=with_(0, count=2**28 - 7)), {}),
            ("minimum-zero", "m_min is 0.", "SA-19", p(minimum=0), {}), ("minimum-above", "m_min is n + 1.", "SA-19", p(minimum=6), {}),
            ("too-many-neighbours", "k is n.", "SA-19", p(neighbours=5), {}),
            ("weights-digest", "A weights digest of 31 bytes.", "SA-19", p(weights=bytes(31)), {}),
            ("configuration-digest", "A configuration digest of 33 bytes.", "SA-19", p(configuration=bytes(33)), {}),
            ("job-empty", "No job name.", "SA-19", p(job=""), {}),
            ("job-too-long", "A job's name of 257 bytes.", "SA-19", p(job="x" * 257), {}),
            ("job-control", "U+001F in the job's name.", "SA-19", p(job="a\x1fb"), {}),
            ("job-delete", "U+007F in the job's name.", "SA-19", p(job="a\x7fb"), {})]:
        yield name, {**head(what, code, code), **record(cohort, data, **more)}
    two = Cohort([0, 1], 0, 1)
    yield "two-sites", {**head("Two sites.", "SA-11", "SA-11", ["SA-12"]), **record(two, two.plan(), honest=1)}
    all_bad = Cohort([0, 1, 2, 3, 4], 5, 4)
    yield "all-collude", {**head("As many colluders as sites.", "SA-15", "SA-15", ["SA-13", "SA-14"]),
                          **record(all_bad, all_bad.plan(), honest=1)}
    yield "below-five", {**head("A server's plan with a stranger.", "SA-11", "SA-11"),
                         **record(cohort, p(sites=[0, 2, 3, 7, 11]), "server")}


def mechanism():
    cohort = five()
    m, scalars = cohort.mechanism, cohort.mechanism.scalars
    scalar = mechanisms.Scalar

    def plan(given, sections=None):
        sections = given.sections(37, 5) if sections is None else sections
        return cohort.plan(mechanism=given.encoded(), sections=sections)
    encoded = m.encoded()
    raw = lambda data: cohort.plan(mechanism=data)
    count = encoded.index(u16(2) + b"\6weight")
    for name, what, code, data, also in [
            ("made-for-four", "The mechanism is for four sites.", "SA-17", plan(m._replace(sites=4)), []),
            ("two-bits", "Of two bits nothing is left for five sites.", "SA-17", plan(m._replace(parameter_bits=2)), []),
            ("statistics-unused", "Too few bits for statistics, which the plan has not.", "SA-17",
             plan(m._replace(statistics_bits=3), [cohort.sections[0], cohort.sections[2]]), []),
            ("mechanism-version", "Version 2 of the mechanism.", "SA-18", raw(b"\2" + encoded[1:]), []),
            ("noise", "A noise mechanism that there is not.", "SA-18", raw(encoded.replace(b"\4none", b"\4some")), []),
            ("mechanism-truncated", "The mechanism lacks its last byte.", "SA-18", raw(encoded[:-1]), []),
            ("mechanism-trailing", "A byte behind the mechanism.", "SA-18", raw(encoded + b"\0"), []),
            ("mechanism-empty", "No mechanism bytes.", "SA-18", raw(b""), []),
            ("scalars-missing", "More scalars are announced than there are.", "SA-18", raw(encoded[:count] + u16(3) + encoded[count + 2:]),
             []),
            ("no-sites", "A mechanism for no site.", "SA-18", raw(m._replace(sites=0).encoded()), ["SA-17"]),
            ("range-infinite", "An infinite range.", "SA-18", plan(m._replace(parameter_range=float("inf"))), []),
            ("range-not-a-number", "A range that is no number.", "SA-18", plan(m._replace(statistics_range=float("nan"))), []),
            ("range-zero", "A range of 0.", "SA-18", plan(m._replace(parameter_range=0.0)), []),
            ("range-negative", "A range of -1.", "SA-18", plan(m._replace(parameter_range=-1.0)), []),
            ("range-too-small", "A range of 2^-41.", "SA-18", plan(m._replace(parameter_range=2.0**-41)), []),
            ("range-too-large", "A range of 2^41.", "SA-18", plan(m._replace(statistics_range=2.0**41)), []),
            ("one-bit", "Parameters of one bit.", "SA-18", raw(m._replace(parameter_bits=1).encoded()), ["SA-16", "SA-17"]),
            ("33-bits", "Statistics of 33 bits.", "SA-18", raw(m._replace(statistics_bits=33).encoded()), ["SA-16"]),
            ("scalar-twice", "Two scalars of one name.", "SA-18", plan(m._replace(scalars=(*scalars, scalars[0]))), []),
            ("scalar-name", "A scalar's name with a space.", "SA-18", plan(m._replace(scalars=(*scalars, scalar("a b", False, 1.0)))), []),
            ("scalar-nameless", "A scalar without a name.", "SA-18", plan(m._replace(scalars=(*scalars, scalar("", False, 1.0)))), []),
            ("scalar-range", "A scalar with a range of 0.", "SA-18", plan(m._replace(scalars=(*scalars, scalar("x", False, 0.0)))), []),
            ("scalar-flag", "A scalar's flag is 2.", "SA-18", raw(encoded.replace(b"\7samples\1", b"\7samples\2")), []),
            ("count-not-whole", "A count with a range of 1.5.", "SA-18", plan(m._replace(scalars=(*scalars, scalar("x", True, 1.5)))), []),
            ("257-scalars", "257 scalars.", "SA-18", plan(m._replace(scalars=tuple(scalar(f"s{i}", False, 1.0) for i in range(257)))), [])]:
        yield name, {**head(what, code, code, also), **record(cohort, data)}
    big = complete(128)
    counts = big.mechanism._replace(scalars=(scalar("weight", False, 1.0), scalar("many", True, 2.0**40)))
    data = big.plan(mechanism=counts.encoded(), sections=counts.sections(37, 5))
    yield "count-could-wrap", {**head("128 counts up to 2^40 reach 2^31 in the high word.", "SA-17", "SA-17"), **record(big, data)}


def sparse():
    cohort = Cohort(range(65), 1, 64)
    p = cohort.plan
    for name, what, rule, code, data, also in [
            ("sparse-more-neighbours", "k is two more than the smallest.", "SG-02", "SA-19", p(neighbours=6), ["SA-13"]),
            ("sparse-fewer-neighbours", "k is two less: not connected.", "SG-02", "SA-19", p(neighbours=2), ["SA-13"]),
            ("sparse-odd", "k is odd.", "SG-01", "SA-19", p(neighbours=5), ["SA-13"]),
            ("sparse-no-neighbours", "k is 0.", "SG-01", "SA-19", p(neighbours=0), ["SA-13"]),
            ("sparse-threshold-lower", "t is one less.", "SG-01", "SA-13", p(threshold=2), []),
            ("sparse-threshold-higher", "t is one more.", "SG-01", "SA-13", p(threshold=4), ["SA-14"]),
            ("sparse-other-minimum", "m_min allows two dropouts, k and t one.", "SG-02", "SA-19", p(minimum=63), ["SA-13"])]:
        yield name, {**head(what, rule, code, also), **record(cohort, data)}
    yield "sparse-four-honest", {**head("k - t + 2 is 3, and the site insists on 4.", "SG-09", "SA-14"), **record(cohort, p(), honest=4)}
    high = Cohort(range(65), 1, 64, others=range(65, 100))
    rates = high.plan(sites=list(range(100)), minimum=70, colluders=40, mechanism=high.mechanism._replace(sites=100).encoded(),
                      neighbours=98,
                      threshold=80)
    yield "sparse-infeasible", {**head("No k is good enough: 40 of 100 sites may collude and 30 be missing.", "SG-02", "SA-19", ["SA-13"]),
                                **record(high, rates, colluders=40)}
    small = Cohort(range(64), 1, 63)
    yield "sparse-too-small", {**head("64 sites on a ring.", "SG-01", "SA-12", ["SA-13", "SA-19"]),
                               **record(small, small.plan(neighbours=4, threshold=3))}
    large = complete(129)
    yield "complete-too-large", {**head("129 sites in the complete graph.", "SG-01", "SA-12"), **record(large, large.plan())}


def plan():
    for family in (good, malformed, refused, mechanism, sparse):
        yield from family()
