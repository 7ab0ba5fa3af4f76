"""One attempt at a site: a state machine without files or sockets (spec/03-phases.md, "The site"; spec/08-sparse-graph.md).

A message of the server goes in, actions come out; the driver carries them out in order. A repeated message gets the same answer
(SA-121), a different one of its type SA-07. Whatever is refused ends the attempt and drops its secrets. What each message means is in
joining.py (plan to key list), dealing.py (shares and acknowledgements) and summing.py (input to reveal).
"""
from .actions import Aborted, Persist, Send
from .dealing import Dealing
from .encodings import SERVER, Reader, Refusal, labelled_hash
from .joining import Joining
from .messages import NAMES, decode, make, open_list, read_refusal, refusal, verify
from .randomness import Randomness
from .summing import Summing


class Attempt(Joining, Dealing, Summing):
    AWAITED = {"plan": "plan", "graph-commitments": "commitments", "graph-nonces": "nonces", "key-list": "keys", "share-delivery": "shares",
               "acknowledgement-list": "acknowledge", "survivors": "consistency", "signature-list": "reveal",
               "closed": "closed"}  # type: the phase that awaits it

    def __init__(self, site, key, roster, honest, clock, randomness=None):
        self.site, self.key, self.roster, self.honest, self.clock = site, key, roster, honest, clock
        self.randomness = randomness or Randomness()
        self.phase = "plan"  # whose message of the server is awaited; "input" awaits the update, and then the survivors
        self.plan = self.mechanism = self.context = self.only_survivors = self.graph = None
        self.answers, self.survivors, self.is_provided = {}, None, False
        self.drop_secrets()

    def drop_secrets(self):
        """SA-122."""
        self.roots = self.channel_secret = self.mask_secret = self.input = self.nonce = None
        self.pair_shared, self.channels, self.held = {}, {}, {}

    @property
    def is_over(self): return self.phase == "done"

    def hash(self, name, *fields): return labelled_hash(name, self.context, *fields)
    def message(self, name, body): return make(name, self.context, self.site, body, self.key)

    # MARK: what goes in

    def receive(self, raw):
        if self.is_over:
            return []
        try:
            return self.process(decode(raw))
        except Refusal as error:
            return self.refuse(error)

    def refuse(self, reason):
        """Ends the attempt and says why, once."""
        if self.is_over:
            return []
        words = refusal(reason, self.context, self.site, self.key)
        return [Send(words)] + self.end(reason)

    def end(self, reason):
        # RF-01: whoever holds shares, and showed none, says that they are gone.
        is_unrevealed = self.phase not in ("plan", "closed") and not self.plan.is_sparse
        self.phase = "done"
        self.drop_secrets()
        self.answers = {}
        statement = [Send(self.message("destroyed", b""))] if is_unrevealed else []
        return statement + [Aborted(reason)]

    # MARK: one message

    def process(self, message):
        if message.sender != SERVER:
            raise Refusal("SA-05", "a message that does not name the server as its sender")
        if self.context is not None and message.context != self.context:
            raise Refusal("SA-04", "a message of another context")
        verify(message, self.roster.server.key)
        name = NAMES[message.type]
        if name == "refusal":
            return self.end(read_refusal(message.body))
        if name in self.answers:
            first, actions = self.answers[name]
            if first != message.bytes:
                raise Refusal("SA-07", f"two different {name} messages")
            return actions
        if self.AWAITED.get(name) != self.phase:
            if name == "survivors" and self.phase != "plan":
                raise Refusal("SA-71", "survivors before this site's own input has left")
            raise Refusal("SA-06", f"a {name} message while {self.phase} is awaited")
        self.answers[name] = (message.bytes, [])
        reader = Reader(message.body)
        actions = getattr(self, "receive_" + name.replace("-", "_"))(reader, message)
        if name not in ("plan", "acknowledgement-list") and not self.is_over:
            repeated = [a for a in actions if not isinstance(a, Persist)]
            self.answers[name] = (message.bytes, repeated)
        return actions

    # MARK: lists and their sets (SG-05, SG-06)

    def circle(self, members):
        """Whose messages this site sees of a set: everybody's, in the sparse graph its neighbours' and its own."""
        return [s for s in members if not self.plan.is_sparse or s == self.site or s in self.near]

    def set_behind(self, reader):
        """The whole set that stands behind a list in the sparse graph."""
        return reader.sites() if self.plan.is_sparse else None

    def opened(self, raw, name, members, stranger="SA-08"):
        found = open_list(raw, name, self.context, self.roster, members, stranger)
        shown = self.circle(members)
        if any(item.sender not in shown for item in found):
            raise Refusal("SA-08", "a message of a site that is no neighbour")
        return found

    def agreed(self, senders, whole, before, few, stranger="SA-08", absent="SA-08", expects_own=True):
        """The set that a list is about, out of the set `before`, with exactly its messages and enough members."""
        plan = self.plan
        if whole is None:
            members, close = senders, senders
        else:
            members, close = whole, [s for s in whole if s in self.near]
            if not set(members) <= set(before):
                raise Refusal(stranger, "a set that is no subset of the one before")
            if self.site not in members:
                raise Refusal(absent, "a set without this site")
            expected = sorted(close + [self.site]) if expects_own else close
            if senders is not None and senders != expected:
                raise Refusal("SA-08", "other messages than those of the neighbours")
        minimum = plan.survivors_min if few == "SA-73" else plan.set_min
        if len(members) < minimum or len(close) < plan.threshold:
            raise Refusal(few, f"{len(members)} members, {len(close)} of them near")
        return members

    def expect_own(self, found, own, code):
        """A list has this site's own message, byte for byte."""
        if not any(item.bytes == own for item in found):
            raise Refusal(code, "a list without this site's own message, or with an altered one")


