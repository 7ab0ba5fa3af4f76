"""Replays rounds-server against secagg_server and rounds-site against secagg_site. Gives how a case ended, or says where it differs."""
import nacl.signing
import numpy as np

from rounds.cohort import NOW, Fixed, roster_of
from rounds.memory import considered
from secagg_server.server import Server
from secagg_site import actions as act
from secagg_site.attempt import Attempt

from . import rounds


class Differs(Exception):
    pass


def same(found, expected, where):
    if found != expected:
        raise Differs(f"{where}: {str(found)[:200]} in place of {str(expected)[:200]}")


def roster(known):
    keys = {int(site): bytes.fromhex(key) for site, key in known["site_keys"].items()}
    return roster_of(bytes.fromhex(known["digest"]), known["colluders"], bytes.fromhex(known["server_key"]), keys)


def server(case):
    raw = bytes.fromhex
    found = Server(raw(case["plan"]), roster(case["roster"]), nacl.signing.SigningKey(raw(case["server_seed"])),
                   [raw(c) for c in case.get("earlier", [])])
    codes = []
    for i, event in enumerate(case["events"]):
        if "start" in event:
            outcome = found.start()
        elif "deadline" in event:
            same(found.phase, event["deadline"], f"event {i}")
            outcome = found.deadline()
        elif "vanished" in event:
            outcome = found.vanish(event["vanished"])
        elif "chunk" in event:
            outcome = found.receive_piece(event["from"], event["index"], event["of"], raw(event["chunk"]))
        else:
            outcome = found.receive(event["from"], raw(event["message"]))
        whole = any("message" in sent for sent in event["then"].get("send", []))
        same(rounds.outcome_record(outcome, whole), event["then"], f"event {i}")
        codes += [code for _, code in outcome.refused + outcome.refusals]
    same(rounds.end_record(found), {key: case[key] for key in ("sum", "aborted", "culprit") if key in case}, "the end")
    return case["expect"] if case["expect"] in [*codes, "success"] else "success"


def site(case):
    raw = bytes.fromhex
    attempt = Attempt(case["site"], nacl.signing.SigningKey(raw(case["identity"])), roster(case["roster"]), case["honest"], lambda: NOW,
                      Fixed(case["randomness"]))
    end = None
    for i, event in enumerate(case["events"]):
        if end is not None:
            raise Differs(f"event {i}: the attempt is over")
        if "input" in event:
            actions = attempt.provide([np.array(words, dtype=np.uint64) for words in event["input"]])
        else:
            actions = attempt.receive(raw(event["receive"]))
            if actions and isinstance(actions[0], act.Consider):
                actions = considered(attempt, case.get("records", []))
        same(rounds.actions_record(actions), {k: v for k, v in event.items() if k not in ("receive", "input")}, f"event {i}")
        end = event.get("then")
    if end is None or not attempt.is_over or attempt.held or attempt.roots:
        raise Differs("the attempt is not over, or keeps secrets")
    return "success" if end == "completed" else end.removeprefix("aborted ")
