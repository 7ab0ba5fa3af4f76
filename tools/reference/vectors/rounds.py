"""Cases of rounds-server and rounds-site: attempts that rounds/ has run, written down from one party's view."""
from rounds import server_breaches, server_dropouts, server_sparse, site_setup, site_sparse, site_sums
from secagg_site import actions as act, messages as m, plan as plans
from secagg_site.encodings import blake2b

from .form import head

SERVER_FAMILIES = [
    server_dropouts.dropouts, server_dropouts.repeats, server_dropouts.too_few, server_breaches.frames, server_breaches.key_faults,
    server_breaches.dealing_faults, server_breaches.acknowledge_faults, server_breaches.input_faults, server_breaches.reveal_faults,
    server_sparse.sparse_dropouts, server_sparse.sparse_ends, server_sparse.sparse_breaches, server_sparse.sparse_dealing]
SITE_FAMILIES = [
    site_setup.plan_lies, site_setup.key_lies, site_setup.share_lies, site_setup.dealer_lies, site_setup.acknowledgement_lies,
    site_sums.input_lies, site_sums.survivor_lies, site_sums.signature_lies, site_sums.closed_lies, site_sums.refusals, site_sums.honest,
    site_sparse.graph_lies, site_sparse.sparse_keys, site_sparse.sparse_shares, site_sparse.sparse_acknowledgements,
    site_sparse.sparse_survivors, site_sparse.sparse_signatures, site_sparse.sparse_honest]


# MARK: the server's view

def event_record(event):
    if event[0] == "start":
        return {"start": True}
    if event[0] == "deadline":
        return {"deadline": event[1]}
    site, item = event
    if item[0] == "vanished":
        return {"vanished": site}
    if item[0] == "piece":
        return {"from": site, "index": item[1], "of": item[2], "chunk": item[3].hex()}
    return {"from": site, "message": item[1].hex()}


def is_whole(name): return name.startswith(("no-dropout", "vanished-"))


def outcome_record(outcome, whole):
    """Only what there is. Most cases tell what is sent by its hash, which keeps the files small."""
    sent = (lambda raw: {"message": raw.hex()}) if whole else (lambda raw: {"blake2b": blake2b(raw).hex()})
    out = {"send": [{"to": to, **sent(raw)} for to, raw in outcome.send],
           "refusals": [{"to": to, "code": code} for to, code in outcome.refusals],
           "refused": [{"site": site, "code": code} for site, code in outcome.refused], "dropped": outcome.dropped}
    return {key: value for key, value in out.items() if value}


def end_record(server):
    if server.aborted is not None:
        culprit = {} if server.aborted.culprit is None else {"culprit": server.aborted.culprit}
        return {"aborted": server.aborted.code, **culprit}
    return {"sum": {"sections": [words.astype(">u4").tobytes().hex() for words in server.sum], "survivors": server.survivors,
                    "revealers": server.revealed}}


def server_cases():
    for family in SERVER_FAMILIES:
        for case in family():
            federation = case.federation
            federation.run()
            cohort, server = federation.cohort, federation.server
            events = [{**event_record(event), "then": outcome_record(outcome, is_whole(case.name))} for event,
                      outcome in federation.server_log]
            yield case.name, {
                **head(case.what, case.rule, case.expect, case.also), "plan": server.raw.hex(), "roster": cohort.record(),
                "server_seed": bytes(cohort.server_key).hex(),
                **({"earlier": sorted(c.hex() for c in server.earlier)} if server.earlier else {}),
                "events": events, **end_record(server)}


# MARK: a site's view

def actions_record(actions):
    """What a site does, in the order of doing: records, messages, payload; and how it ends."""
    out = {"records": [a.kind for a in actions if isinstance(a, act.Persist)], "send": []}
    for action in actions:
        if isinstance(action, act.Send) and m.decode(action.message).name == "refusal":
            out["refusal"] = m.read_refusal(m.decode(action.message).body).code
        elif isinstance(action, act.Send):
            out["send"].append(action.message.hex())
        elif isinstance(action, act.SendInput):
            out["send"].append(action.header.hex())
            out["payload"] = action.payload.hex()
        elif isinstance(action, act.Aborted):
            out["then"] = f"aborted {action.refusal.code}"
        elif isinstance(action, act.Completed):
            out["then"] = "completed"
    return {key: value for key, value in out.items() if value}


def until_the_end(log):
    """What comes when the attempt is over for the site is no part of its case."""
    for entry in log:
        yield entry
        if any(isinstance(action, (act.Aborted, act.Completed)) for action in entry[2]):
            return


def site_cases():
    for family in SITE_FAMILIES:
        for case in family():
            federation, site = case.federation, case.target
            federation.run()
            cohort, attempt = federation.cohort, federation.sites[site]
            events = [{**({"receive": value.hex()} if kind == "receive" else {"input": [w.tolist() for w in value]}),
                       **actions_record(actions)}
                      for kind, value, actions in until_the_end(federation.site_logs[site])]
            raw = cohort.plan()
            yield case.name, {
                **head(case.what, case.rule, case.expect, case.also), "site": site, "identity": bytes(cohort.keys[site]).hex(),
                "honest": attempt.honest, "roster": cohort.record(), "plan": raw.hex(),
                "randomness": cohort.randomness(site).record(plans.decode(raw)),
                **({"records": federation.entries} if federation.entries else {}), "events": events}
