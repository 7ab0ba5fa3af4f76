"""Flaws of rounds and of what they cost."""
from ledger_audit import cost

from .cases import contents
from .world import Round, b64, blake2b, digest, noise, plain_mechanism, rounded_up, sites


def first(f, **changes):
    """Round 1 made anew, over the first roster."""
    changes = {"weights": f.job.weights[0]} | changes
    number, attempt, dropped = changes.pop("number", 1), changes.pop("attempt", 0), changes.pop("dropped", ())
    return Round(f.consortium, f.story.first, f.job, number, attempt, dropped, **changes)


def reserved(f, mark="reserve_1", fields=None, **changes):
    leaf = f.story.reserved(first(f, **changes)) | {"time": f.leaves[f.at[mark]]["time"]}
    return f.replace(mark, leaf | (fields or {}))


def plans():
    def stranger(f):
        wider = f.consortium.roster(1, 6, colluders=1)[0]
        found = Round(f.consortium, wider, f.job, 1, roster_digest=blake2b(f.story.first), weights=f.job.weights[0])
        return f.replace("reserve_1", f.story.reserved(found) | {"time": f.leaves[f.at["reserve_1"]]["time"]})

    def old_roster(f):
        found = Round(f.consortium, f.story.first, f.job, 3, 2, weights=f.rounds["reserve_3c"].job.weights[2])
        return f.replace("reserve_3c", f.story.reserved(found) | {"time": f.leaves[f.at["reserve_3c"]]["time"]})

    yield contents("ctx-other", "a context that is not the plan's", "LG-40", lambda f: f.change("reserve_1", ctx=digest("ctx").hex()))
    yield contents("plan-threshold", "a threshold below the formula's", "LG-40", lambda f: reserved(f, threshold=3, least=4))
    yield contents("plan-colluders", "fewer colluders than the roster says", "LG-40", lambda f: reserved(f, colluders=0))
    yield contents("plan-stranger", "a site that is not in the roster", "LG-40", stranger)
    yield contents("plan-old-roster", "a plan of the roster before", "LG-40", old_roster)
    yield contents("plan-garbage", "a plan that is none", "LG-40", lambda f: f.change("reserve_1", plan=b64(b"plan")))
    yield contents("plan-noise-form", "a variance that is not in lowest terms", "LG-40",
                   lambda f: reserved(f, noise={"p": 10_800_000, "q": 2}))
    yield contents("plan-wraps", "noise that wraps the sum", "LG-40", lambda f: reserved(f, noise={"p": 5_400_000_000}))
    yield contents("plan-cohort", "a mechanism for another number of sites", "LG-40", lambda f: reserved(f, noise={"sites": 4}))
    yield contents("sigma-small", "less noise than the job's noise multiplier asks for", "LG-41",
                   lambda f: reserved(f, noise={"p": 5_000_000}))
    yield contents("clip-large", "a larger clip than the job's", "LG-41", lambda f: reserved(f, noise={"clip": 3.0}))
    yield contents("plan-config", "the configuration of another job", "LG-41", lambda f: reserved(f, configuration=digest("config")))
    yield contents("round-beyond", "a round beyond the job's last", "LG-41", lambda f: reserved(f, number=5))
    yield contents("noise-left-out", "a plan without noise in a noised job", "LG-41",
                   lambda f: reserved(f, mechanism=plain_mechanism(5), fields={"charge": f.copy("reserve_1")["charge"]}))
    def shared(f, **changes):
        found = Round(f.consortium, f.story.second, f.story.shared, 1, weights=f.story.shared.weights[0], noise={"p": 16_200_000} | changes)
        return f.replace("reserve_s1", f.story.reserved(found) | {"time": f.leaves[f.at["reserve_s1"]]["time"]})

    yield contents("skellam-small", "less Skellam noise than the job asks for", "LG-41", lambda f: shared(f, p=16_000_000))
    yield contents("skellam-survivors", "noise that is removed for fewer survivors", "LG-40", lambda f: shared(f, least=4))
    yield contents("skellam-known", "noise that counts on no colluders", "LG-40", lambda f: shared(f, known=1))
    yield contents("replayed", "a reservation comes a second time", "LG-42", lambda f: f.insert("abort_3", f.copy("reserve_2b")))
    yield contents("round-again", "a released round is reserved again", "LG-42", lambda f: f.insert(
        "reserve_2", f.story.reserved(first(f, attempt=5))))
    yield contents("attempt-twice", "another plan under the numbers of an attempt", "LG-42", lambda f: f.insert(
        "abort_2", f.story.reserved(first(f, number=2, least=5, weights=f.rounds["reserve_2"].job.weights[1]))))
    yield contents("weights-other", "a round that starts from other weights", "LG-49", lambda f: reserved(f, weights=digest("other")))
    yield contents("weights-later", "a release whose weights the next round does not start from", "LG-49",
                   lambda f: f.change("release_1", weights_digest=digest("poison").hex()) and f.at["reserve_2"])
    yield contents("census-weights", "a census that changes the weights", "LG-49",
                   lambda f: f.change("release_census", weights_digest=digest("poison").hex()))


def sets():
    def preimage(f, **changes): return f.change("reserve_2", survivors=b64(f.rounds["reserve_2"].preimage(**changes)))
    ten = [digest(i) for i in range(5)]
    yield contents("survivors-not-masked", "a survivor that is not in U2", "LG-43", lambda f: preimage(f, masked=[0, 1, 2, 3]))
    yield contents("masked-not-keyed", "a site in U2 that is not in U1", "LG-43", lambda f: preimage(f, keyed=[0, 1, 2, 4]))
    yield contents("survivors-few", "three survivors; four are needed", "LG-43",
                   lambda f: preimage(f, survivors=[0, 1, 2], digests=ten[:3]))
    yield contents("survivors-garbage", "sets that are none", "LG-43", lambda f: f.change("reserve_2", survivors=b64(b"\0\1\0\0")))
    yield contents("survivors-unsorted", "sets out of order", "LG-43", lambda f: preimage(f, survivors=[1, 0, 2, 4], digests=ten[:4]))

    def counted(f):
        """Site 3 had dropped out of round 2; the leaf counts it, the sites signed without it."""
        found = f.rounds["reserve_2b"]
        f.change("reserve_2b", survivors=b64(found.preimage(survivors=[0, 1, 2, 3, 4], digests=ten)))
        return f.at["release_2"]

    def digest_replaced(f):
        found = f.rounds["reserve_1"]
        f.change("reserve_1", survivors=b64(found.preimage(digests=[digest("forged")] + found.digests[1:])))
        return f.at["release_1"]

    def wrong(f, mark="release_1", **changes): return f.change(mark, signatures=b64(f.rounds["reserve_1"].signatures(**changes)))
    yield contents("signatures-few", "three signatures over the survivors", "LG-47", lambda f: wrong(f, who=[0, 1, 2]))
    yield contents("signatures-many", "more signatures than a release has", "LG-47", lambda f: wrong(f, who=range(5)))
    yield contents("signature-dropped", "the signature of a site that had dropped out", "LG-47",
                   lambda f: f.change("release_2", signatures=b64(f.rounds["reserve_2b"].signatures(who=[0, 1, 2, 3]))))
    yield contents("signature-bit", "one bit of a survivor's signature", "LG-57", lambda f: f.change(
        "release_1", signatures=b64(f.rounds["reserve_1"].signatures()[:-1] + b"\0")))
    yield contents("signature-elsewhere", "signatures over another attempt's survivors", "LG-57",
                   lambda f: f.change("release_2", signatures=b64(f.rounds["reserve_2"].signatures())))
    yield contents("dropped-counted", "a site is counted that had dropped out", "LG-57", counted)
    yield contents("digest-replaced", "the digest of an input is replaced", "LG-57", digest_replaced)
    yield contents("revealed-stranger", "a site revealed that is no survivor", "LG-48",
                   lambda f: f.change("release_2", revealed=b64(sites([0, 1, 2, 3]))))
    yield contents("revealed-few", "three sites revealed; four are needed", "LG-48",
                   lambda f: f.change("release_1", revealed=b64(sites([0, 1, 2]))))


def orders():
    def before(f):
        index = f.at["reserve_1"]
        one, other = f.leaves[index], f.leaves[index + 1]
        f.leaves[index], f.leaves[index + 1] = other | {"time": one["time"]}, one | {"time": other["time"]}
        return index

    def refunded(f):
        found = f.rounds["reserve_3"]
        leaf = f.copy("release_2") | {"ctx": found.context.hex(), "signatures": b64(found.signatures()), "revealed": b64(sites(range(5)))}
        return f.insert("roster_2", leaf)

    def unreserved(f):
        del f.leaves[f.at["reserve_1"]]
        return f.at["reserve_1"]

    yield contents("release-unreserved", "a release without its reservation", "LG-45", unreserved)
    yield contents("release-before", "a release before its reservation", "LG-45", before)
    yield contents("release-twice", "a round that is released twice", "LG-45", lambda f: f.insert("reserve_2", f.copy("release_1")))
    yield contents("release-refunded", "the release of a refunded attempt", "LG-45", refunded)
    yield contents("release-aborted", "the release of an aborted attempt", "LG-45", lambda f: f.insert(
        "reserve_2b", f.copy("release_2") | {"ctx": f.rounds["reserve_2"].context.hex()}))
    yield contents("abort-early-phase", "a reserved attempt that ends among the keys", "LG-55", lambda f: f.change("abort_2", phase="keys"))
    yield contents("abort-unreserved", "a reveal that nobody had reserved", "LG-55", lambda f: f.change("abort_3", phase="reveal"))
    yield contents("abort-other-round", "an abort with the numbers of another attempt", "LG-55", lambda f: f.change("abort_2", attempt=1))
    yield contents("abort-stranger", "an abort that names a stranger", "LG-55", lambda f: f.change("abort_3", site=9))
    yield contents("abort-twice", "an attempt that is aborted twice", "LG-55", lambda f: f.insert("reserve_2b", f.copy("abort_2")))
    yield contents("abort-released", "an abort of a released attempt", "LG-55", lambda f: f.insert(
        "reserve_2", f.copy("abort_2") | {"ctx": f.rounds["reserve_1"].context.hex(), "round": 1}))
    yield contents("refused-stranger", "a refusal of a stranger", "LG-55", lambda f: f.change("refused", site=7))


def costs():
    def released(mark, **fields): return lambda f: f.change(mark, **fields)

    def invited(f):
        """Every site that was invited is counted, not those that are sure to be left less the colluders."""
        return f.change("reserve_1", charge__shares=4)

    def without_aborted(f):
        curves = [found.curve() for name, found in f.rounds.items() if name in ("reserve_1", "reserve_2b")]
        return f.change("release_2", cost__epsilon=rounded_up(cost.epsilon([sum(v) for v in zip(*curves)], f.job.delta)))

    def down(f):
        value = f.copy("release_1")["cost"]["round"]
        return f.change("release_1", cost__round=value[:-1] + str(int(value[-1]) - 1) if value[-1] != "0" else value[:-2])

    def mechanism(f): return f.change("reserve_1", charge__mechanism=b64(noise(f.job, 5, p=6_000_000)[0]))
    yield contents("shares-invited", "noise of the invited instead of the survivors less the colluders", "LG-44", invited)
    yield contents("charge-other", "a charge for more noise than the plan's", "LG-44", mechanism)
    yield contents("charge-missing", "an attempt that is not paid for", "LG-44", lambda f: f.change("reserve_1", charge=None))
    yield contents("charge-unasked", "a charge in a job without noise", "LG-44",
                   lambda f: f.change("census", charge={"mechanism": "", "shares": 1}))
    yield contents("steps-fewer", "fewer steps than the trainers took", "LG-44", lambda f: f.change("reserve_r1", charge__shares=19))
    yield contents("threshold-field", "another threshold than the plan's", "LG-46", released("release_1", threshold=5))
    yield contents("bits-field", "another number of bits than the plan's", "LG-46", released("release_1", bits=18))
    yield contents("clip-field", "another clip than the job's", "LG-46", released("release_1", clip="1"))
    yield contents("variance-field", "more variance than is assured", "LG-46", released("release_1", noise__variance="27000000"))
    yield contents("noise-shares-field", "more shares than are assured", "LG-46", released("release_1", noise__shares=5))
    yield contents("noise-missing", "a release that leaves its noise out", "LG-46", released("release_1", noise=None))
    yield contents("cost-unasked", "a cost in a job without noise", "LG-46",
                   released("release_plain", cost={"round": "1", "epsilon": "1", "delta": "0.00001"}))
    yield contents("step-variance", "more noise in a step than was drawn", "LG-46", released("release_r1", noise__variance="2773781135361"))
    yield contents("epsilon-false", "an epsilon of the round that is half of it", "LG-50", released("release_1", cost__round="2.1"))
    yield contents("epsilon-down", "an epsilon of the round that is rounded down", "LG-50", down)
    yield contents("epsilon-record", "an epsilon without its subsampling's true cost", "LG-50", released("release_r1", cost__round="0.5"))
    yield contents("total-false", "less epsilon so far than there was", "LG-51", released("release_2", cost__epsilon="5"))
    yield contents("total-aborted", "an aborted attempt is left out of the account", "LG-51", without_aborted)
    yield contents("total-high", "an epsilon that is stated too high", "LG-51", released("release_2", cost__epsilon="9"))
    yield contents("delta-other", "epsilon at another delta than the job's", "LG-52", released("release_1", cost__delta="0.001"))


def budgets():
    def exceeded(f):
        spent, index = f.story, None
        curves = []
        for mark in ("reserve_1", "reserve_2", "reserve_2b", "reserve_3"):
            curves.append(f.rounds[mark].curve())
            if index is None and cost.epsilon([sum(v) for v in zip(*curves)], f.job.delta) > f.job.epsilon:
                index = spent.at[mark]
        del f.leaves[index + 1:]
        return index

    def certificate(make): return lambda f: f.change("refund", certificate=b64(make(f)))

    def of_record(f):
        found = f.rounds["reserve_r1"]
        leaf = {"type": "refund", "ctx": found.context.hex(), "certificate": b64(found.destroyed(4))}
        return f.insert("reserve_r1b", leaf)

    def forged(f):
        good = f.rounds["reserve_3"].destroyed(3)
        return good[:-5] + bytes([good[-5] ^ 1]) + good[-4:]

    def one_site(f):
        good = f.rounds["reserve_3"].destroyed(3)
        return good.replace(b"\xff\xff\xff\xff", b"\0\0\0\1", 1)

    def of_released(f):
        found = f.rounds["reserve_1"]
        return f.insert("reserve_2", {"type": "refund", "ctx": found.context.hex(), "certificate": b64(found.destroyed(5))})

    yield contents("budget-exceeded", "an attempt beyond the job's budget", "LG-53", exceeded, epsilon=8.0)
    yield contents("refund-garbage", "a refund without a certificate", "LG-54", certificate(lambda f: b"please"))
    yield contents("refund-few", "a refund by two statements; three are needed", "LG-54",
                   certificate(lambda f: f.rounds["reserve_3"].destroyed(2)))
    yield contents("refund-elsewhere", "the certificate of another attempt", "LG-54",
                   certificate(lambda f: f.rounds["reserve_2"].destroyed(5)))
    yield contents("refund-forged", "a statement that its site did not sign", "LG-54", certificate(forged))
    yield contents("refund-one-site", "a certificate about one site's input", "LG-54", certificate(one_site))
    yield contents("refund-released", "a refund of a released round", "LG-54", of_released)
    yield contents("refund-twice", "an attempt that is refunded twice", "LG-54", lambda f: f.insert("roster_2", f.copy("refund")))
    yield contents("refund-record", "a refund of a training", "LG-54", of_record)


def all_cases():
    for part in (plans, sets, orders, costs, budgets):
        yield from part()
