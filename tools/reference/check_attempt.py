#!/usr/bin/env python3
"""Runs whole attempts of five Python sites in memory, with a small server written from spec/03 and 05, and compares the unmasked sum
with the plain one; then lies to a site in every phase and looks at its refusal. No network, no binaries: python3 check_attempt.py"""
import sys
from types import SimpleNamespace

import nacl.bindings
import nacl.signing
import numpy as np

from secagg_site import actions as act, attempt as attempts, encodings as e, masks, mechanism as m, messages, plan as plans
from secagg_site import roster as rosters, sharing

SITES, COLLUDERS, ROSTER_DIGEST = [0, 2, 3, 7, 9], 1, bytes(range(32))
KEYS = {site: nacl.signing.SigningKey.generate() for site in SITES}
SERVER_KEY = nacl.signing.SigningKey.generate()
SECTIONS = [("parameters", 1003, 20), ("statistics", 10, 32), ("scalars", 3, 32)]
SCALARS = (m.Scalar("weight", False, 1.0), m.Scalar("samples", True, 2.0**32))
MECHANISM = m.Mechanism(len(SITES), 1.0, 4.0, 20, 32, 100, SCALARS)
ROSTER = rosters.Roster(
    1, COLLUDERS, rosters.Server("server", SERVER_KEY.verify_key, b"", []),
    {s: rosters.Site(f"site-{s}", KEYS[s].verify_key, b"", 0, 2**40) for s in SITES}, ROSTER_DIGEST)


def plan_bytes(**changes):
    n = len(SITES)
    p = SimpleNamespace(job="memory", round=1, attempt=0, roster=ROSTER_DIGEST, sites=SITES, colluders=COLLUDERS,
                        threshold=plans.threshold(n, COLLUDERS), neighbours=n - 1, minimum=4, mechanism=MECHANISM.encoded(),
                        sections=SECTIONS)
    vars(p).update(changes)
    out = e.u16(1) + e.text8(plans.SUITE) + e.text16(p.job) + e.u32(p.round) + e.u32(p.attempt) + e.block16(p.roster) + e.sites(p.sites)
    out += e.u32(p.colluders) + e.u32(p.threshold) + e.u32(p.neighbours) + e.u32(p.minimum) + e.block16(bytes(32)) + e.block16(bytes(32))
    out += e.u16(len(p.sections)) + b"".join(e.text8(name) + e.u64(count) + e.u8(bits) for name, count, bits in p.sections)
    return out + e.block32(p.mechanism) + e.u16(0)


class Server:
    """Relays, adds, unmasks. `drop`: {phase: sites that vanish before they answer it}; `lie`: {message type: body -> body}."""

    def __init__(self, drop=None, lie=None, plan=None):
        self.drop, self.lie, self.raw = drop or {}, lie or {}, plan or plan_bytes()
        self.context = plans.context_of(self.raw)
        self.sites = {s: attempts.Attempt(s, KEYS[s], ROSTER, 3, lambda: 1000) for s in SITES}
        rng = np.random.default_rng(7)
        drawn = lambda: [rng.integers(0, 1 << bits, count, dtype=np.uint64).astype(np.uint32) for _, count, bits in SECTIONS]
        self.inputs = {s: drawn() for s in SITES}
        self.live, self.persisted, self.refusals, self.payloads = list(SITES), {s: [] for s in SITES}, {}, {}

    def step(self, phase, name, body_of, only=None):
        """Sends one message to whoever is left and gives the answers: {site: messages}."""
        self.live = [s for s in self.live if s not in self.drop.get(phase, ())]
        answers = {}
        for site in [s for s in self.live if only is None or s in only]:
            body = body_of(site)
            body = self.lie[name](body) if name in self.lie else body
            message = messages.make(name, self.context, e.SERVER, body, SERVER_KEY)
            actions = self.sites[site].receive(message)
            if name == "plan" and isinstance(actions[0], act.Consider):
                actions = self.sites[site].accept() + self.sites[site].provide(self.inputs[site])
            found = []
            for action in actions:
                if isinstance(action, act.Persist):
                    self.persisted[site].append(action.kind)
                elif isinstance(action, act.Aborted):
                    self.refusals[site] = action.refusal.code
                elif isinstance(action, act.SendInput):
                    found.append(action.header)
                    self.payloads[site] = action.payload
                elif isinstance(action, act.Send):
                    found.append(action.message)
            if site not in self.refusals and name != "closed":
                repeated = self.sites[site].receive(message)  # SA-121: identical, and nothing recorded again
                again = [a.header if isinstance(a, act.SendInput) else a.message for a in repeated]
                assert again == found, f"a repeated {name} message has another answer"
            answers[site] = found
        return answers

    def run(self):
        """The sum's sections and U3, or nothing where a site refused."""
        got = self.step("plan", "plan", lambda _: e.block32(self.raw))
        if self.refusals:
            return None
        keys = [got[s][1] for s in sorted(got)]
        got = self.step("shares", "key-list", lambda _: e.messages(keys))
        if self.refusals:
            return None
        headers, envelopes = [], {}
        members = [messages.decode(k).sender for k in keys]
        for dealer in sorted(got):
            reader = e.Reader(messages.decode(got[dealer][0]).body)
            headers.append(reader.block32())
            sealed = [reader.take(80) for _ in range(reader.u16())]
            envelopes.update({(dealer, h): c for h, c in zip([h for h in members if h != dealer], sealed)})
        dealers = sorted(got)
        deliver = lambda to: e.messages(headers) + e.u16(len(dealers) - 1) + b"".join(envelopes[d, to] for d in dealers if d != to)
        got = self.step("acknowledge", "share-delivery", deliver)
        if self.refusals:
            return None
        acknowledged = [got[s][0] for s in sorted(got)]
        got = self.step("masked_input", "acknowledgement-list", lambda _: e.messages(acknowledged))
        if self.refusals:
            return None
        masked, inputs = dealers, [got[s][0] for s in sorted(got)]
        survivors = sorted(got)
        got = self.step("consistency", "survivors", lambda _: e.messages(inputs), survivors)
        if self.refusals:
            return None
        signatures = [got[s][0] for s in sorted(got)]
        got = self.step("reveal", "signature-list", lambda _: e.messages(signatures), sorted(got))
        if self.refusals:
            return None
        shares = {}
        for holder in sorted(got):
            reader = e.Reader(messages.decode(got[holder][0]).body)
            for _ in range(reader.u16()):
                dealer, kind, share = reader.u32(), reader.u8(), reader.take(32)
                assert kind == (2 if dealer in survivors else 1), "SA-82"
                shares.setdefault(dealer, []).append((1 + SITES.index(holder), int.from_bytes(share, "little")))
        revealed = sorted(got)
        total = self.unmask(keys, masked, survivors, {d: rebuild(s[:4]) for d, s in shares.items()})
        self.step("closed", "closed", lambda _: bytes(32) + e.sites(revealed), revealed)
        return total, survivors

    def unmask(self, keys, masked, survivors, roots):
        public = {messages.decode(k).sender: messages.decode(k).body[:32] for k in keys}
        total = [sum(unpack(self.payloads[s], i).astype(np.uint32) for s in survivors) for i in range(len(SECTIONS))]
        for site in masked:
            if site in survivors:
                seeds = [(masks.self_seed(roots[site], self.context, site), -1)]
            else:
                secret = masks.mask_key(roots[site], self.context, site)
                assert nacl.bindings.crypto_scalarmult_base(secret) == public[site], "a rebuilt mask key is not the advertised one"
                seeds = []
                for i in survivors:
                    shared = nacl.bindings.crypto_scalarmult(secret, public[i])
                    seed = masks.pair_seed(shared, self.context, {j: public[j] for j in (site, i)})
                    seeds.append((seed, 1 if site < i else -1))
            for seed, sign in seeds:
                for index, words in enumerate(total):
                    words += np.uint32(sign & 0xFFFFFFFF) * masks.stream(seed, index, words.size)
        return [words & np.uint32((1 << bits) - 1) for words, (_, _, bits) in zip(total, SECTIONS)]


def rebuild(points):
    """SS-05, with Lagrange's weights."""
    total = 0
    for j, (x, share) in enumerate(points):
        weight = 1
        for k, (other, _) in enumerate(points):
            if k != j:
                weight = weight * other * pow(other - x, -1, sharing.ORDER) % sharing.ORDER
        total += weight * share
    return total % sharing.ORDER


def unpack(payload, section):
    begin = sum(masks.packed_size(count, bits) for _, count, bits in SECTIONS[:section])
    _, count, bits = SECTIONS[section]
    whole = int.from_bytes(payload[begin:begin + masks.packed_size(count, bits)], "little")
    return np.array([whole >> (bits * i) & ((1 << bits) - 1) for i in range(count)], dtype=np.uint32)


def check(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")
    print(f"ok  {what}")


def sums():
    for drop in [{}, {"shares": [2]}, {"acknowledge": [9]}, {"masked_input": [0]}, {"masked_input": [7]}, {"consistency": [3]},
                 {"reveal": [9]}, {"plan": [3]}]:
        server = Server(drop)
        total, survivors = server.run()
        plain = [sum(server.inputs[s][i].astype(np.uint64) for s in survivors) % (1 << bits) for i, (_, _, bits) in enumerate(SECTIONS)]
        check(all((a == b).all() for a, b in zip(total, plain)), f"the sum over {survivors}, vanished: {drop or 'nobody'}")
        for site in server.live:
            assert server.persisted[site] == ["context", "input", "survivors", "reveal"] and server.sites[site].is_over


def without(site):
    """A list of messages without one sender's."""
    def change(body):
        kept = [raw for raw in e.Reader(body).messages() if messages.decode(raw).sender != site]
        return e.messages(kept)
    return change


def signed_again(site, name, change):
    """A list in which one site signs something else (a colluder with the server)."""
    def lie(body):
        out = []
        for raw in e.Reader(body).messages():
            message = messages.decode(raw)
            out.append(raw if message.sender != site else messages.make(name, message.context, site, change(message.body), KEYS[site]))
        return e.messages(out)
    return lie


def flipped(body):
    return body[:-1] + bytes([body[-1] ^ 1])


def lies():
    swapped = lambda body: (lambda raw: e.messages([raw[1], raw[0], *raw[2:]]))(e.Reader(body).messages())
    small = (1).to_bytes(32, "little")
    cases = [
        ("bytes behind a body", {"key-list": lambda b: b + b"\0"}, "SA-01"),
        ("keys out of order", {"key-list": swapped}, "SA-01"),
        ("too few keys", {"key-list": lambda b: without(2)(without(3)(b))}, "SA-30"),
        ("an altered key", {"key-list": flipped}, "SA-03"),
        ("one key twice", {"key-list": signed_again(9, "keys", lambda b: b[:32] + b[:32])}, "SA-31"),
        ("a key of small order", {"key-list": signed_again(9, "keys", lambda b: small + b[32:])}, "SA-32"),
        ("an altered envelope", {"share-delivery": flipped}, "SA-41"),
        ("acknowledgements of another transcript",
         {"acknowledgement-list": signed_again(9, "acknowledge", lambda b: bytes(32) + b[32:])}, "SA-50"),
        ("too few acknowledgements", {"acknowledgement-list": lambda b: without(7)(without(9)(b))}, "SA-51"),
        ("a survivor that masked for another U2", {"survivors": signed_again(9, "masked-input", lambda b: bytes(32) + b[32:])}, "SA-64"),
        ("a survivor with another size", {"survivors": signed_again(9, "masked-input", lambda b: b[:32] + bytes(8) + b[40:])}, "SA-62"),
        ("too few survivors", {"survivors": lambda b: without(7)(without(9)(b))}, "SA-73"),
        ("signatures over another U3", {"signature-list": signed_again(9, "consistency", flipped)}, "SA-81"),
        ("too few signatures", {"signature-list": lambda b: without(7)(without(9)(b))}, "SA-80"),
    ]
    for what, lie, code in cases:
        server = Server(lie=lie)
        server.run()
        check(server.refusals.get(0) == code, f"{what}: {server.refusals.get(0)}")
        assert server.sites[0].is_over and not server.sites[0].held and server.sites[0].roots is None
    for what, changes, code in [
            ("another roster", {"roster": bytes(32)}, "SA-10"), ("two sites", {"sites": [0, 2]}, "SA-11"),
            ("a stranger", {"sites": [0, 2, 3, 7, 8]}, "SA-11"), ("a lower threshold", {"threshold": 3}, "SA-13"),
            ("fewer colluders", {"colluders": 0}, "SA-15"), ("another layout", {"sections": SECTIONS[:2]}, "SA-16"),
            ("a mechanism for fewer sites", {"mechanism": MECHANISM._replace(sites=4).encoded()}, "SA-17"),
            ("an infinite range", {"mechanism": MECHANISM._replace(parameter_range=float("inf")).encoded()}, "SA-18"),
            ("a sparse graph", {"neighbours": 3}, "SA-19")]:
        server = Server(plan=plan_bytes(**changes))
        server.run()
        check(server.refusals.get(0) == code, f"a plan with {what}: {server.refusals.get(0)}")
    lone = attempts.Attempt(0, KEYS[0], ROSTER, 3, lambda: 1000)
    raw = plan_bytes()
    plan_of = lambda key, context: messages.make("plan", context, e.SERVER, e.block32(raw), key)
    check(lone.receive(plan_of(KEYS[9], plans.context_of(raw)))[-1].refusal.code == "SA-03", "a plan that the server did not sign: SA-03")
    lone = attempts.Attempt(0, KEYS[0], ROSTER, 3, lambda: 1000)
    check(lone.receive(plan_of(SERVER_KEY, bytes(32)))[-1].refusal.code == "SA-04", "a plan under another context: SA-04")


if __name__ == "__main__":
    sums(), lies()
