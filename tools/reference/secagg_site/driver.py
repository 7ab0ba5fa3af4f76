"""Connects, keeps the journal, trains, and carries out what an attempt asks for, each record before what follows it."""
import queue
import random
import sys
import time
from typing import NamedTuple

from . import job as jobs, mechanism as mechanisms, messages, plan as plans
from .actions import Aborted, Completed, Consider, Persist, Send, SendInput
from .attempt import Attempt
from .encodings import Reader, Refusal, blake2b
from .journal import JournalError
from .transport import Session, TransportError
from .weights import Weights

# In which phase (docs/events.md) a site vanishes that leaves this message of the server unanswered.
UNANSWERED = {"plan": "plan", "graph-nonces": "keys", "key-list": "shares", "share-delivery": "acknowledge",
              "survivors": "consistency", "signature-list": "reveal"}
PHASES = ["plan", "keys", "shares", "acknowledge", "masked_input", "consistency", "reveal"]
# The words with which a server ends a job that succeeded (spec/proto/README.md, "Session").
FINISHED = "the job is done"


class Policy(NamedTuple):
    min_sites: int = 3
    min_honest: int = 3


class Dropped(Exception):
    """The test's own disconnection."""


class Driver:
    def __init__(self, *, frames, address, roster, site, identity, journal, trainer, policy, drop_in=None, recover=None, give_up_after=60,
                 recover_after=1.0):
        self.frames, self.address, self.roster, self.site, self.identity = frames, address, roster, site, identity
        self.journal, self.trainer, self.policy = journal, trainer, policy
        self.drop_in, self.recover, self.recover_after, self.give_up_after = drop_in, recover, recover_after, give_up_after
        self.inbox = queue.Queue(maxsize=64)
        self.session = self.job = None
        self.forget()

    def forget(self):
        """What a restart loses: everything in memory (SA-126)."""
        self.attempt = self.weights = self.wanted = self.partial = self.work = None
        self.strays = set()

    def log(self, words): print(f"{time.strftime('%H:%M:%S')} site {self.site}: {words}", file=sys.stderr, flush=True)

    # MARK: sessions

    def run(self):
        """Serves until the job ends; the exit code of docs/errors.md."""
        delay, last = 0.2, time.monotonic()
        while True:
            self.session = Session(self.frames, self.address, self.roster.server.certificate, self.identity, self.inbox)
            self.session.hello(self.site)
            welcomed = False
            try:
                while True:
                    session, kind, value = self.inbox.get()
                    if session is not self.session:
                        continue
                    if kind == "closed":
                        raise value
                    if kind not in ("welcome", "refusal") and not welcomed:
                        raise TransportError("TR-18", f"{kind} before welcome", False)
                    if kind == "welcome":
                        welcomed, delay = True, 0.2
                    code = getattr(self, "on_" + kind)(value)
                    if code is not None:
                        self.session.close(flush=True)
                        return code
            except Dropped as phase:
                self.session.close(flush=True)
                self.log(f"dropped out in phase {phase}, as asked")
                if not self.recover:
                    return 0
                if self.recover == "restart":
                    self.forget()
                time.sleep(self.recover_after)
                last = time.monotonic()
            except TransportError as error:
                self.session.close()
                last = time.monotonic() if welcomed else last
                self.log(f"not connected: {error}")
                if not error.again:
                    return 77 if error.code in ("TR-02", "TR-03", "TR-04", "TR-05", "TR-16") else 65
                if time.monotonic() - last > self.give_up_after:
                    return 69
                time.sleep(delay * random.uniform(0.5, 1.5))
                delay = min(30, 2 * delay)

    def on_welcome(self, welcome):
        try:
            job = jobs.decode(welcome.configuration)
        except Refusal as error:
            self.log(f"PA-09: the job's configuration is not understood: {error.reason}")
            return 65
        if job.name != welcome.job:
            self.log("PA-09: welcome and configuration name different jobs")
            return 65
        pin = [job.weights.hex(), job.digest.hex()]
        if self.journal.pins.get(job.name, pin) != pin:
            self.log("PA-10: the job came back with other first weights or another configuration")
            return 77
        self.job = job
        self.log(f"connected: job {job.name}, {job.model}, {job.rounds} rounds")
        if self.attempt and self.attempt.phase not in ("plan", "done") and not self.attempt.is_provided:
            self.begin_work(self.attempt.plan)  # weights on their way when the connection broke are asked for again
        return None

    def on_refusal(self, refusal):
        self.log(f"the server refuses this site: {refusal.code}: {refusal.reason}")
        if refusal.code == "TR-20":
            return None  # the stream ends; a later one may be taken
        return 77

    def on_finished(self, finished):
        self.log(f"the job ended: {finished.reason}")
        return 0 if finished.reason == FINISHED else 75

    def on_released(self, released):
        self.log(f"round {released.round} is released: {released.weights_digest.hex()[:16]}…")

    # MARK: messages

    def on_message(self, raw):
        message = self.understood(raw)
        if message is not None and message.name == "plan" and (self.attempt is None or message.context != self.attempt.context):
            self.attempt = Attempt(self.site, self.identity.protocol_key, self.roster, self.policy.min_honest, lambda: int(time.time()))
        if self.attempt is None or (self.attempt.is_over and message and message.context != self.attempt.context):
            return self.stray(message)
        if message is not None and message.name in UNANSWERED:
            self.drop_before(UNANSWERED[message.name], message)
        self.carry_out(self.attempt.receive(raw))
        return None

    def understood(self, raw):
        """The message if the server signed it, else nothing (the attempt then says what is wrong)."""
        try:
            message = messages.decode(raw)
            messages.verify(message, self.roster.server.key)
            return message
        except Refusal:
            return None

    def stray(self, message):
        """A message of an attempt that this process has no part in, after a restart: not due, and the server must not wait."""
        if message and message.name != "refusal" and message.context not in self.strays:
            self.strays.add(message.context)
            words = Refusal("SA-06", "this site has no part in the attempt any more")
            self.session.send(message=messages.refusal(words, message.context, self.site, self.identity.protocol_key))

    def drop_before(self, phase, message=None):
        """--drop-in: only in the first training round."""
        if self.drop_in != phase:
            return
        if self.attempt.plan is None:  # the plan itself: which round it is of stands in it
            round_ = plans.decode(Reader(message.body).block32()).round
        else:
            round_ = self.attempt.plan.round
        if round_ == 1:
            self.drop_in = None
            raise Dropped(phase)

    def carry_out(self, actions):
        attempt = self.attempt
        for action in actions:
            if isinstance(action, Persist):
                try:
                    self.persist(action, attempt)
                except JournalError as error:
                    self.log(str(error))
                    return self.carry_out(attempt.refuse(Refusal("SA-20", "the site's journal does not permit it")))
            elif isinstance(action, Send):
                self.session.send(message=action.message)
                if attempt.phase == "keys" and not attempt.plan.is_sparse:  # behind `accept`, before `keys`
                    self.drop_before("keys")
            elif isinstance(action, SendInput):
                self.send_input(action)
            elif isinstance(action, Consider):
                self.carry_out(self.considered(attempt))
                if not attempt.is_over:
                    self.begin_work(attempt.plan)
            elif isinstance(action, Completed):
                self.log(f"round {attempt.plan.round} is done with survivors {action.survivors}")
            elif isinstance(action, Aborted):
                which = f"round {attempt.plan.round} attempt {attempt.plan.attempt}" if attempt.plan else "an attempt"
                self.log(f"{which} is over for this site: {action.refusal}")
        return None

    def persist(self, action, attempt):
        if action.kind == "context" and self.job.name not in self.journal.pins:
            self.journal.record("job", job=self.job.name, weights=self.job.weights.hex(), configuration=self.job.digest.hex())
        self.journal.record(action.kind, context=attempt.context.hex(), **action.fields)

    def considered(self, attempt):
        """SA-20, SA-21 and what earlier attempts bind this site to (SA-74)."""
        plan = attempt.plan
        try:
            jobs.check_plan(plan, attempt.mechanism, self.job, self.policy)
            kept = self.work and self.work["key"] == self.work_key(plan) and self.work["encoded"].get(plan.mechanism)
            only = self.journal.check(plan, bool(kept))
        except Refusal as error:
            return attempt.refuse(error)
        self.log(f"round {plan.round} attempt {plan.attempt}: {len(plan.sites)} sites, threshold {plan.threshold}")
        return attempt.accept(only)

    def send_input(self, action):
        self.session.send(message=action.header)
        if self.drop_in == "masked_input" and self.attempt.plan.round == 1:
            self.session.send_payload(action.payload, part=0.5)
            self.drop_before("masked_input")
        self.session.send_payload(action.payload)
        self.log(f"round {self.attempt.plan.round}: masked input of {len(action.payload)} bytes sent")

    # MARK: weights and training

    def work_key(self, plan): return plan.round, plan.weights, plan.configuration
    def weights_are(self, digest): return self.weights is not None and self.weights[0] == digest

    def begin_work(self, plan):
        """The work belongs to the round and its weights: another attempt on them gets the same update."""
        if not self.work or self.work["key"] != self.work_key(plan):
            self.work = {"key": self.work_key(plan), "encoded": {}, "trained": None}
        if plan.round == 0 or self.weights_are(plan.weights):
            self.provide()
        else:
            self.wanted = plan.weights
            self.request_weights(plan.weights)

    def request_weights(self, digest):
        self.partial = None
        self.session.send(weights_request=self.frames.WeightsRequest(digest=digest))

    def on_weights_chunk(self, piece):
        if piece.digest != self.wanted:
            return
        if piece.index == 0:
            self.partial = (piece.count, len(piece.data), [])
        if self.partial is None:
            return  # the rest of a transfer that began on a connection that broke
        count, size, pieces = self.partial
        is_last = piece.index == count - 1
        if piece.count != count or piece.index != len(pieces) or (len(piece.data) > size if is_last else len(piece.data) != size):
            raise TransportError("TR-18", "pieces of weights out of order", False)
        pieces.append(piece.data)
        if not is_last:
            return
        content, self.partial = b"".join(pieces), None
        if blake2b(content) != self.wanted:
            raise TransportError("TR-19", "the weights do not have the digest of the plan", False)
        weights = Weights(content)
        if weights.layout_digest != self.job.layout:
            raise TransportError("TR-19", "the weights do not have the job's layout", False)
        self.weights, self.wanted = (blake2b(content), weights), None
        if self.attempt and not self.attempt.is_over and self.attempt.plan.round > 0:
            self.provide()

    def provide(self):
        attempt = self.attempt
        plan, work = attempt.plan, self.work
        if attempt.is_provided:
            return
        try:
            if plan.mechanism not in work["encoded"]:
                work["encoded"][plan.mechanism] = self.encoded(plan, attempt.mechanism)
        except (ValueError, KeyError) as error:
            self.log(f"no update for round {plan.round}: {error}")
            return self.carry_out(attempt.refuse(Refusal("SA-20", "this site has no update for the round")))
        self.carry_out(attempt.provide(work["encoded"][plan.mechanism]))

    def encoded(self, plan, mechanism):
        if plan.round == 0:
            return mechanisms.encode(mechanism, None, None, self.trainer.samples, {})
        weights = self.weights[1]
        parameters, statistics = weights.flat(False), weights.flat(True)
        if self.work["trained"] is None:
            self.work["trained"] = self.trainer.train(parameters, statistics, plan.round)
        local, metrics = self.work["trained"]
        return mechanisms.encode(mechanism, (local[0], weights.moments(local[1])), (parameters, weights.moments(statistics)),
                                 self.trainer.samples, metrics)
