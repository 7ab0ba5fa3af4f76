"""The server's state machine: events go in (a message, a piece, a vanished site, a deadline), what they lead to comes out.

What the messages of each phase must be is in receiving.py, payloads and sum are in summing.py, what goes out is in sending.py.
"""
from typing import NamedTuple

from secagg_site import graph, messages as m, plan as plans
from secagg_site.encodings import SERVER, Refusal, labelled_hash

from .receiving import Receiving
from .sending import Sending
from .summing import Summing

# Which message a phase awaits of each site.
PHASES = {"plan": "accept", "nonces": "graph-nonce", "keys": "keys", "shares": "shares", "acknowledge": "acknowledge",
          "masked_input": "masked-input", "consistency": "consistency", "reveal": "reveal"}


class Outcome(NamedTuple):
    """What one event led to, each list in the order in which it happened."""
    send: list       # (site, message)
    refusals: list   # (site, code): a signed `refusal` message, whose text is free
    refused: list    # (site, code): a message that was refused; its sender is dropped
    dropped: list    # sites that are counted on no more for another reason


class Aborted(Exception):
    """The attempt ends: a code, and the culprit where evidence names one."""

    def __init__(self, code, culprit=None):
        super().__init__(code)
        self.code, self.culprit = code, culprit


class Server(Receiving, Sending, Summing):
    def __init__(self, raw, roster, key, earlier=()):
        """`raw` is the plan, `earlier` the contexts of earlier attempts of this job."""
        self.raw, self.roster, self.key, self.earlier = raw, roster, key, set(earlier)
        self.plan = plans.decode(raw)
        plans.check(self.plan, roster, None, 0, 1000)
        self.context = self.plan.context
        self.graph = None if self.plan.is_sparse else graph.Complete(self.plan.sites)
        self.phase, self.current = None, list(self.plan.sites)
        self.gone = set()  # dropped, whether refused, silent or vanished
        self.answers = {phase: {} for phase in PHASES}  # phase: {site: what its message says}
        self.raws = {}  # (site, message's name): its bytes
        self.payloads, self.aborted, self.sum = {}, None, None
        self.set_up_sums()
        self.outcome = Outcome([], [], [], [])

    def hash(self, name, *fields): return labelled_hash(name, self.context, *fields)

    @property
    def is_over(self): return self.aborted is not None or self.sum is not None

    # MARK: events

    def start(self): return self.event(self.begin)
    def receive(self, site, raw): return self.event(lambda: self.take(site, raw))
    def receive_piece(self, site, index, count, data): return self.event(lambda: self.take_piece(site, index, count, data))
    def vanish(self, site): return self.event(lambda: self.drop(site))

    def deadline(self):
        """Drops who is silent (SA-90)."""
        def silent():
            for site in self.awaited():
                self.outcome.refusals.append((site, "SA-90"))
                self.drop(site)
        return self.event(silent)

    def event(self, body):
        self.outcome = Outcome([], [], [], [])
        try:
            if not self.is_over:
                body()
                self.go_on()
        except Aborted as end:
            self.aborted = end
            self.outcome.refusals.extend((site, end.code) for site in self.left(self.plan.sites))
        return self.outcome

    def begin(self):
        self.phase = "plan"
        self.send_plan()

    # MARK: who is left

    def left(self, members): return [s for s in members if s not in self.gone]
    def answered(self, phase): return [s for s in sorted(self.answers[phase])]
    def awaited(self): return [s for s in self.left(self.current) if s not in self.answers[self.phase]]

    def drop(self, site):
        if site not in self.gone:
            self.gone.add(site)
            self.outcome.dropped.append(site)

    # MARK: messages

    def take(self, site, raw):
        """One message on the connection of `site`. Refused, it drops its sender; the others go on."""
        try:
            if self.is_statement(site, raw):
                return self.drop(site)
            if site in self.gone:
                raise Refusal("SA-65", "a message of a dropped site")
            message = m.decode(raw)
            if self.is_of_earlier(message):
                return
            self.take_message(site, message)
        except Refusal as error:
            self.outcome.refused.append((site, error.code))
            self.gone.add(site)
            if error.code == "SA-23":
                raise Aborted("SA-23", site) from None

    def is_statement(self, site, raw):
        """RF-03: a site's word that its shares are gone counts at any time, from whoever was invited."""
        try:
            message = m.decode(raw)
            m.verify(message, self.roster.sites[site].key)
        except (Refusal, KeyError):
            return False
        return message.name == "destroyed" and message.sender == site and message.context == self.context and not message.body \
            and not self.plan.is_sparse

    def is_of_earlier(self, message): return message.context in self.earlier

    def take_message(self, site, message):
        if message.sender != site or site not in self.roster.sites:
            raise Refusal("SA-05", "another sender than the connection's")
        is_unread = message.name == "refusal" and message.context == m.NO_CONTEXT and self.phase == "plan"
        if message.context != self.context and not is_unread:
            raise Refusal("SA-04", "a message of another context")
        m.verify(message, self.roster.sites[site].key)
        if message.name == "refusal":
            m.read_refusal(message.body)
            return self.drop(site)
        known = self.raws.get((site, message.name))
        if known is not None:
            if known != message.bytes:
                raise Refusal("SA-07", f"two different {message.name} messages")
            return self.repeated(site, message)
        self.take_due(site, message)
        self.raws[site, message.name] = message.bytes
        return None

    def take_due(self, site, message):
        phase = next((p for p, name in PHASES.items() if name == message.name), None)
        is_early = phase == "keys" and self.phase == "plan" and not self.plan.is_sparse and site in self.answers["plan"]
        if phase is None or site not in self.current or not (phase == self.phase or is_early):
            raise Refusal("SA-06", f"a {message.name} message in phase {self.phase}")
        found = getattr(self, "read_" + message.name.replace("-", "_"))(site, message)
        if phase != "masked_input":  # which is an answer when its payload is whole
            self.answers[phase][site] = found

    # MARK: phases

    def go_on(self):
        """Closes every phase that nobody is awaited in."""
        while not self.is_over and self.phase and not self.awaited():
            getattr(self, "close_" + self.phase)()

    def require(self, members, code, minimum=None):
        if len(members) < (self.plan.set_min if minimum is None else minimum):
            raise Aborted(code)

    def next(self, phase, members): self.phase, self.current = phase, members

    def close_plan(self):
        accepted = self.left(self.answered("plan"))
        self.require(accepted, "SA-22")
        if not self.plan.is_sparse:
            return self.next("keys", accepted)
        self.accepted = accepted
        self.commitment_list = graph.commitment_list(self.context, {s: self.answers["plan"][s] for s in accepted})
        self.next("nonces", accepted)
        return self.send_commitments()

    def close_nonces(self):
        nonces = {s: self.answers["nonces"].get(s) for s in self.accepted}
        if None in nonces.values():
            raise Aborted("SA-23")
        seed = graph.seed_of(self.context, self.commitment_list, nonces)
        self.graph = graph.Ring(self.context, seed, self.plan.sites, self.plan.neighbours)
        self.next("keys", self.left(self.accepted))
        self.send_nonces(nonces)

    def close_keys(self):
        self.members = self.left(self.answered("keys"))  # U1
        self.require(self.members, "SA-30")
        self.hash_keys()
        self.next("shares", self.members)
        self.send_key_lists()

    def close_shares(self):
        self.dealers = self.left(self.answered("shares"))  # D
        self.require(self.dealers, "SA-40")
        self.hash_headers()
        self.next("acknowledge", self.dealers)
        self.send_deliveries()

    def close_acknowledge(self):
        givers = self.left(self.answered("acknowledge"))
        self.require(givers, "SA-51", self.plan.threshold)
        named = {d: sum(d in self.answers["acknowledge"][g] for g in givers) for d in self.dealers}
        self.masked = [d for d in self.dealers if named[d] >= self.plan.threshold]  # U2
        self.require(self.masked, "SA-51")
        self.givers = givers
        self.hash_mask_set()
        for site in self.left([d for d in self.dealers if d not in self.masked]):
            self.outcome.refusals.append((site, "SA-52"))
            self.drop(site)
        self.next("masked_input", self.masked)
        self.send_acknowledgements()

    def close_masked_input(self):
        self.survivors = self.answered("masked_input")  # U3: a complete input counts also if its site vanished since
        self.require(self.survivors, "SA-73", self.plan.survivors_min)
        self.hash_survivors()
        self.next("consistency", self.survivors)
        self.send_survivors()

    def close_consistency(self):
        self.require(self.answered("consistency"), "SA-80", self.plan.threshold)
        self.next("reveal", self.survivors)
        self.send_signatures()

    def close_reveal(self):
        self.revealed = self.answered("reveal")  # U4
        self.require(self.revealed, "SA-84")
        roots = self.rebuilt_roots(Aborted)
        self.sum = self.unmasked(roots)
        self.send_closed()

    def message(self, name, body): return m.make(name, self.context, SERVER, body, self.key)
