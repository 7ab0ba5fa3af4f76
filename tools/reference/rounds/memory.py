"""Runs an attempt: the server's messages to the sites, their answers back, in the order in which they were sent."""
from collections import deque

from secagg_server.server import PHASES, Server
from secagg_site import actions as act, messages as m
from secagg_site.attempt import Attempt
from secagg_site.records import Records

from .cohort import NOW

PHASE_OF = {name: phase for phase, name in PHASES.items()}
PIECE = 64


class Script:
    """What goes otherwise than it should: nothing. `vanish` and `silent` name sites for a phase whose message they do not send. Where
    accept and keys come `apart`, all accepts come first."""

    def __init__(self, vanish=None, silent=None, apart=False):
        self.vanish, self.silent, self.apart, self.held = vanish or {}, silent or {}, apart, []

    def to_site(self, federation, site, raw):
        """The messages that arrive at a site in place of this one of the server."""
        return [raw]

    def from_site(self, federation, site, items):
        """The items that arrive at the server in place of these: ("message", bytes), ("piece", index, count, bytes) or ("vanished",)."""
        return items

    def inputs(self, federation, site, name):
        """What a site is given as its update behind a message of this name."""
        is_new = name == "plan" and not federation.sites[site].is_provided
        return [federation.cohort.words(site)] if is_new else []

    def when_idle(self, federation):
        """The events when nothing is on its way and the attempt is not over: ("deadline",) or (site, item)."""
        return [("deadline",)]


class Federation:
    def __init__(self, cohort, script=None, *, raw=None, honest=3, earlier=(), records=(), randomness=None, repeats=False):
        """`earlier` are the contexts that the server knows, `records` the entries that every site has of earlier attempts."""
        self.cohort, self.script, self.repeats, self.entries = cohort, script or Script(), repeats, records
        self.server = Server(raw or cohort.plan(), cohort.roster, cohort.server_key, earlier)
        self.sites = {s: Attempt(s, cohort.keys[s], cohort.roster, honest, lambda: NOW, (randomness or cohort.randomness)(s))
                      for s in cohort.sites}
        self.queue, self.apart, self.still = deque(), [], set()
        self.server_log = []  # (event, outcome)
        self.site_logs = {s: [] for s in self.sites}  # (kind, message or input, actions)
        self.persisted, self.refusals = {s: [] for s in self.sites}, {}

    def run(self):
        """The sum's sections, or nothing where the attempt ended otherwise."""
        self.record(("start",), self.server.start())
        while not self.server.is_over or self.queue:
            while self.queue:
                self.deliver(*self.queue.popleft())
                if self.server.phase != "plan":
                    apart, self.apart = self.apart, []
                    for late in apart:
                        self.upload(*late)
            if not self.server.is_over:
                for event in self.script.when_idle(self):
                    self.event(event)
        return self.server.sum

    def record(self, event, outcome):
        self.server_log.append((event, outcome))
        self.queue.extend(outcome.send)
        self.still.update(site for site, _ in outcome.refused)  # which then says nothing more, but for what a script lets arrive late

    # MARK: to the server

    def event(self, event):
        if self.server.is_over:
            return None
        if event[0] == "deadline":
            return self.record(("deadline", self.server.phase), self.server.deadline())
        site, item = event
        if item[0] == "vanished":
            self.still.add(site)
            return self.record(event, self.server.vanish(site))
        if item[0] == "piece":
            return self.record(event, self.server.receive_piece(site, *item[1:]))
        return self.record(event, self.server.receive(site, item[1]))

    def upload(self, site, item):
        """One thing that a site sends, unless it has vanished or is silent from this phase on."""
        phase = self.phase_of(item)
        if self.script.apart and phase == "keys" and self.server.phase == "plan":
            self.apart.append((site, item))
        elif site in self.still:
            self.script.held.append((site, item))
        elif site in self.script.vanish.get(phase, ()):
            self.event((site, ("vanished",)))
        elif site in self.script.silent.get(phase, ()):
            self.still.add(site)
            self.script.held.append((site, item))
        else:
            self.event((site, item))

    def phase_of(self, item):
        if item[0] != "message":
            return "masked_input"
        return next((phase for name, phase in PHASE_OF.items() if item[1][1:2] == bytes([m.TYPES[name]])), None)

    # MARK: to the sites

    def deliver(self, site, raw):
        if site in self.still:
            return
        for changed in self.script.to_site(self, site, raw):
            actions = self.arrive(site, changed)
            for item in self.script.from_site(self, site, [item for action in actions for item in items_of(action)]):
                self.upload(site, item)

    def arrive(self, site, raw):
        """What a site does with a message; it accepts every plan that it may, and then hands in its input."""
        attempt = self.sites[site]
        actions = attempt.receive(raw)
        if actions and isinstance(actions[0], act.Consider):
            actions = considered(attempt, self.entries)
        self.note(site, "receive", raw, actions)
        if self.repeats and not attempt.is_over:  # SA-121: identical, and nothing recorded again
            assert attempt.receive(raw) == [a for a in actions if not isinstance(a, act.Persist)], "a repeated message has another answer"
        name = next((n for n, t in m.TYPES.items() if raw[1:2] == bytes([t])), None)
        for words in self.script.inputs(self, site, name) if not attempt.is_over else []:
            more = attempt.provide(words)
            self.note(site, "input", words, more)
            actions = actions + more
        return actions

    def note(self, site, kind, value, actions):
        self.site_logs[site].append((kind, value, actions))
        for action in actions:
            if isinstance(action, act.Persist):
                self.persisted[site].append(action.kind)
            elif isinstance(action, act.Aborted):
                self.refusals[site] = action.refusal.code


def considered(attempt, entries):
    """Accepts a plan, or refuses it for what the records of earlier attempts say."""
    records = Records()
    for entry in entries:
        records.apply(entry)
    try:
        return attempt.accept(records.check(attempt.plan, can_repeat=True))
    except m.Refusal as error:
        return attempt.refuse(error)


def items_of(action):
    if isinstance(action, act.Send):
        return [("message", action.message)]
    if isinstance(action, act.SendInput):
        return [("message", action.header), *pieces(action.payload)]
    return []


def pieces(payload, size=PIECE):
    count = (len(payload) + size - 1) // size
    return [("piece", i, count, payload[i * size:(i + 1) * size]) for i in range(count)]
