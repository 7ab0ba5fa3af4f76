"""Evidence of a broken rule, and of an input that nobody can open (spec/09-evidence.md)."""
from dataclasses import dataclass

import nacl.bindings
import nacl.exceptions

from . import masks, messages as m, plan as plans, ristretto, sharing
from .encodings import NOBODY, SERVER, Reader, Refusal, ascending, block32, label, labelled_hash, messages, text8, u32

BYTES_MAX = 16 << 20
ONCE_BY_SITE = {"accept", "keys", "shares", "acknowledge", "masked-input", "consistency", "reveal", "graph-nonce"}
ONCE_BY_SERVER = {"closed", "graph-commitments", "graph-nonces"}
ONE_FOR_ALL = {"key-list", "acknowledgement-list", "survivors", "signature-list"}
# Claims that 09 has against sites alone. SA-31 depends on the message.
AGAINST_SITES = {"SA-23", "SA-32", "SA-41", "SA-42", "SA-52", "SA-62", "SA-82", "SA-83", "SA-85"}
LISTS = {"key-list", "shares", "share-delivery", "acknowledgement-list", "survivors", "signature-list"}


@dataclass
class Evidence:
    claim: str
    culprit: int
    plan: bytes
    messages: list
    preimage: bytes = b""

    def encoded(self):
        return (label("evidence") + text8(self.claim) + u32(self.culprit) + block32(self.plan) + messages(self.messages)
                + block32(self.preimage))


def decode(data):
    """EV-01."""
    require(len(data) <= BYTES_MAX, "SA-01", "too long")
    reader = Reader(data)
    require(reader.take(len(label("evidence"))) == label("evidence"), "SA-01", "no evidence")
    claim, culprit = reader.text8(), reader.u32()
    require(claim in m.CODES, "SA-01", "an unknown claim")
    found = Evidence(claim, culprit, reader.block32(), reader.messages(), reader.block32())
    reader.end()
    for raw in found.messages:
        m.decode(raw)
    return found


def require(holds, code="SA-92", reason="the messages do not show the claim"):
    if not holds:
        raise Refusal(code, reason)


# MARK: bodies

def read_header(body):
    reader = Reader(body)
    out = {"keys": reader.take(32), "root": reader.take(32)}
    out["commitments"] = [(reader.take(32), reader.take(32)) for _ in range(reader.count16(64))]
    out["entries"] = {}
    holders = []
    for _ in range(reader.count16(100)):
        holder = reader.u32()
        holders.append(holder)
        out["entries"][holder] = (reader.take(32), reader.take(32), reader.take(32))
    reader.end()
    ascending(holders)
    return out


def read_reveal(body):
    """[(dealer, kind, share)]; SA-82 for two of one dealer."""
    reader, out = Reader(body), []
    for _ in range(reader.count16(37)):
        dealer, kind = reader.u32(), reader.u8()
        require(kind in (1, 2), "SA-01", "an unknown kind")
        out.append((dealer, kind, reader.take(32)))
    reader.end()
    dealers = [d for d, _, _ in out]
    require(len(set(dealers)) == len(dealers), "SA-82", "two shares of one dealer")
    ascending(dealers)
    return out


def read_fixed(body, *sizes):
    reader = Reader(body)
    out = [reader.take(size) for size in sizes]
    reader.end()
    return out


def read_key(data):
    require(int.from_bytes(data, "little") & (2**255 - 1) < 2**255 - 19 and data[31] < 128, "SA-01", "no canonical key")


def inner(name, body, is_sparse):
    """The messages of a list, read with all that stands behind them."""
    reader = Reader(body)
    found = reader.messages()
    if name in ("shares", "share-delivery"):
        for _ in range(reader.count16(80)):
            reader.take(80)
    if is_sparse and name not in ("shares", "signature-list"):
        whole = reader.sites()
        if name == "survivors":
            for _ in whole:
                reader.take(32)
    reader.end()
    found = [m.decode(raw) for raw in found]
    if name != "shares":
        ascending([item.sender for item in found])
    return found


def read(message, is_sparse):
    """SA-01 where the body is not the encoding of its type."""
    name, body = message.name, message.body
    if name == "plan":
        reader = Reader(body)
        plans.decode(reader.block32())
        reader.end()
    elif name == "accept":
        read_fixed(body, *([32] if is_sparse else []))
    elif name == "keys":
        for key in read_fixed(body, 32, 32, *([32] if is_sparse else []))[:2]:
            read_key(key)
    elif name in LISTS:  # with or without the set behind it: whether it must be there is no matter of the encoding
        try:
            inner(name, body, False)
        except Refusal:
            inner(name, body, True)
    elif name == "share-header":
        read_header(body)
    elif name == "acknowledge":
        acknowledged(body)
    elif name == "masked-input":
        read_fixed(body, 32, 8, 32)
    elif name in ("consistency", "graph-nonce", "graph-commitments"):
        read_fixed(body, 32)
    elif name == "reveal":
        read_reveal(body)
    elif name == "closed":
        acknowledged(body)
    elif name == "refusal":
        m.read_refusal(body)
    elif name == "graph-nonces":
        reader = Reader(body)
        ascending([(reader.u32(), reader.take(32))[0] for _ in range(reader.count16(36))])
        reader.end()
    elif name == "destroyed":
        read_fixed(body)


def acknowledged(body):
    reader = Reader(body)
    out = reader.take(32), reader.sites()
    reader.end()
    return out


# MARK: the check

class Check:
    def __init__(self, evidence, roster):
        self.evidence, self.roster, self.culprit = evidence, roster, evidence.culprit
        self.plan = plans.decode(evidence.plan)
        check_plan(self.plan, roster)
        self.context = plans.context_of(evidence.plan)
        self.messages = [m.decode(raw) for raw in evidence.messages]
        require(self.culprit == NOBODY or self.culprit in self.plan.sites, reason="the culprit was not invited")

    def signed(self, message, sender):
        """EV-03."""
        require(message.sender == sender, "SA-05", "another sender")
        require(message.context == self.context, "SA-04", "another ctx")
        self.verify(message)
        return message

    def verify(self, message):
        if message.sender == SERVER:
            return m.verify(message, self.roster.server.key)
        require(message.sender in self.roster.sites, "SA-05", "a sender whom the roster does not know")
        return m.verify(message, self.roster.sites[message.sender].key)

    def mine(self, *names):
        """The evidence's messages, all by the culprit, of these types."""
        require(len(self.messages) == len(names), reason="another number of messages")
        for message, name in zip(self.messages, names):
            self.signed(message, self.culprit)
            require(name is None or message.name == name, "SA-06", "another type")
        return self.messages

    def run(self):
        require(self.culprit != SERVER or self.evidence.claim not in AGAINST_SITES, reason="a claim against sites")
        return {
            "SA-01": self.malformed, "SA-03": self.bad_entry, "SA-04": self.bad_entry, "SA-05": self.bad_entry, "SA-07": self.equivocation,
            "SA-23": self.nonce, "SA-31": self.one_key, "SA-32": self.weak_key, "SA-41": self.envelopes, "SA-42": self.commitments,
            "SA-52": self.unacknowledged, "SA-62": self.size, "SA-82": self.both, "SA-83": self.wrong_share, "SA-85": self.wrong_dealer,
            "SA-93": self.unopened}.get(self.evidence.claim, lambda: require(False))()

    def malformed(self):
        message, = self.mine(None)
        try:
            read(message, self.plan.is_sparse)
        except Refusal as error:
            return require(error.code == "SA-01")
        return require(False)

    def bad_entry(self):
        message, = self.mine(None)
        found = []
        for item in inner(message.name, message.body, self.plan.is_sparse) if message.name in LISTS else []:
            try:
                require(item.context == self.context, "SA-04")
                self.verify(item)
            except Refusal as error:
                found.append(error.code)
        return require(self.evidence.claim in found)

    def equivocation(self):
        one, two = self.mine(None, None)
        require(one.name == two.name and one.body != two.body)
        if one.name == "share-header" and self.culprit != SERVER:
            first, second = read_header(one.body), read_header(two.body)
            return require(not self.plan.is_sparse or first["keys"] != second["keys"] or first["root"] != second["root"]
                           or list(first["entries"]) == list(second["entries"]))
        of_server = ONCE_BY_SERVER | (set() if self.plan.is_sparse else ONE_FOR_ALL)
        return require(one.name in (of_server if self.culprit == SERVER else ONCE_BY_SITE))

    def nonce(self):
        accepted, shown = self.mine("accept", "graph-nonce")
        commitment, = read_fixed(accepted.body, 32)
        value, = read_fixed(shown.body, 32)
        require(commitment != labelled_hash("nonce-commitment", self.context, u32(self.culprit), value))

    def one_key(self):
        message, = self.mine("key-list" if self.culprit == SERVER else "keys")
        shown = inner("key-list", message.body, self.plan.is_sparse) if self.culprit == SERVER else [message]
        keys = []
        for item in shown:
            require(item.name == "keys", "SA-06", "another type")
            keys += [item.body[:32], item.body[32:64]]
        require(len(set(keys)) < len(keys))

    def weak_key(self):
        message, = self.mine("keys")
        read(message, self.plan.is_sparse)
        require(any(is_weak(message.body[at:at + 32]) for at in (0, 32)))

    def envelopes(self):
        message, = self.mine("shares")
        reader = Reader(message.body)
        entries = [(holder, entry[2]) for raw in reader.messages()
                   for holder, entry in read_header(self.signed(m.decode(raw), self.culprit).body)["entries"].items() if holder != self.culprit]
        found = [reader.take(80) for _ in range(reader.count16(80))]
        reader.end()
        of = lambda holder, data: labelled_hash("envelope-hash", self.context, u32(self.culprit), u32(holder), len(data).to_bytes(2, "big"), data)
        require(len(found) != len(entries) or any(of(holder, data) != said for (holder, said), data in zip(entries, found)))

    def commitments(self):
        message, = self.mine("share-header")
        shown = read_header(message.body)["commitments"]
        require(len(shown) != (0 if self.plan.is_sparse else self.plan.threshold) or not all(is_point(p) for pair in shown for p in pair))

    def transcript(self):
        """H[transcript] of the preimage, and the headers in it by their dealers."""
        require(not self.plan.is_sparse, reason="an acknowledgement of the sparse graph names no headers")
        reader = Reader(self.evidence.preimage)
        reader.messages()
        headers = [m.decode(raw) for raw in reader.messages()]
        reader.end()
        shown = {h.sender: read_header(self.signed(h, h.sender).body) for h in headers}
        return labelled_hash("transcript", self.context, self.evidence.preimage), shown

    def unacknowledged(self):
        seen, headers = self.transcript()
        require(self.culprit in headers)
        without = set()
        for message in self.messages:
            require(message.name == "acknowledge" and message.sender in self.plan.sites)
            transcript, dealers = acknowledged(self.signed(message, message.sender).body)
            require(transcript == seen)
            if message.sender != self.culprit and self.culprit not in dealers:
                without.add(message.sender)
        require(len(without) > self.plan.colluders)

    def size(self):
        message, = self.mine("masked-input")
        expected = sum(masks.packed_size(count, bits) for _, count, bits in self.plan.sections)
        require(int.from_bytes(read_fixed(message.body, 32, 8, 32)[1], "big") != expected)

    def both(self):
        if len(self.messages) == 1:
            message, = self.mine("reveal")
            try:
                read_reveal(message.body)
            except Refusal as error:
                return require(error.code == "SA-82")
            return require(False)
        signature, reveal = self.mine("consistency", "reveal")
        survivors = self.survivors(signature)
        return require(any(kind != (2 if dealer in survivors else 1) for dealer, kind, _ in read_reveal(reveal.body)))

    def survivors(self, signature):
        """U3 of the preimage that a `consistency` signs."""
        require(read_fixed(signature.body, 32)[0] == labelled_hash("survivor-set", self.context, self.evidence.preimage))
        reader = Reader(self.evidence.preimage)
        reader.sites(), reader.take(32), reader.sites()
        out = reader.sites()
        reader.take(32 * len(out))
        reader.end()
        return out

    def share_hash(self, dealer, holder, kind, share):
        if not sharing.is_canonical(share):
            return None
        return labelled_hash("share-hash", self.context, u32(dealer), u32(holder), bytes([kind]), share)

    def wrong_share(self):
        acknowledgement, reveal = self.mine("acknowledge", "reveal")
        seen, headers = self.transcript()
        transcript, dealers = acknowledged(acknowledgement.body)
        require(transcript == seen)
        require(any(self.share_hash(dealer, self.culprit, kind, share) != headers[dealer]["entries"][self.culprit][kind - 1]
                    for dealer, kind, share in read_reveal(reveal.body)
                    if dealer in dealers and dealer in headers and self.culprit in headers[dealer]["entries"]))

    def wrong_dealer(self):
        require(bool(self.messages))
        keys = self.signed(self.messages[0], self.culprit)
        require(keys.name == "keys", "SA-06", "another type")
        dealt, roots, shares = {}, set(), {}
        behind = [message.name for message in self.messages[1:]]
        require(behind == sorted(behind, key=lambda name: name == "reveal"), reason="a header behind a reveal")
        for message in self.messages[1:]:
            if message.name == "share-header":
                header = read_header(self.signed(message, self.culprit).body)
                roots.add(header["root"])
                dealt.update(header["entries"])
                continue
            require(message.name == "reveal", "SA-06", "another type")
            found = [e for e in read_reveal(self.signed(message, message.sender).body) if e[0] == self.culprit]
            require(bool(found) and message.sender in dealt and message.sender in self.plan.sites)
            _, kind, share = found[0]
            require(self.share_hash(self.culprit, message.sender, kind, share) == dealt[message.sender][kind - 1])
            shares.setdefault(kind, {})[self.plan.sites.index(message.sender) + 1] = share
        require(len(roots) == 1 and len(shares) == 1)
        (kind, points), = shares.items()
        require(len(points) == self.plan.threshold)
        root = sharing.rebuild(list(points.items()), self.plan.threshold)
        if kind == 2:
            return require(labelled_hash("root-hash", self.context, u32(self.culprit), sharing.to_bytes(root)) != roots.pop())
        return require(nacl.bindings.crypto_scalarmult_base(masks.mask_key(root, self.context, self.culprit)) != keys.body[:32])

    def unopened(self):
        """RF-02, RF-03."""
        require(not self.plan.is_sparse)
        senders = [self.signed(message, message.sender).sender for message in self.messages]
        require(len(set(senders)) == len(senders) and set(senders) <= set(self.plan.sites))
        names = {message.name for message in self.messages}
        require(names in ({"destroyed"}, {"consistency"}))
        if names == {"destroyed"}:
            for message in self.messages:
                read_fixed(message.body)
            return require(len(senders) >= len(self.plan.sites) - self.plan.threshold + self.plan.colluders + 1)
        require(self.culprit != NOBODY and len(senders) >= self.plan.threshold)
        return require(all(self.culprit not in self.survivors(message) for message in self.messages))


def is_weak(key):
    try:
        return not any(nacl.bindings.crypto_scalarmult(bytes([8] + [1] * 31), key))
    except (RuntimeError, nacl.exceptions.CryptoError):
        return True


def is_point(data): return ristretto.decode(data) is not None


def check_plan(plan, roster):
    """EV-02: what a server must not propose, but for the sites' own validity, whose time is over."""
    require(plan.roster == roster.digest, "SA-10", "another roster")
    require(len(plan.sites) >= plans.COHORT_MIN and set(plan.sites) <= set(roster.sites), "SA-11", "the cohort")
    require(plan.colluders == roster.colluders and plan.colluders < len(plan.sites), "SA-15", "the number of colluders")
    require(1 <= plan.minimum <= len(plan.sites), "SA-19", "the minimum of inputs")
    plans.check_graph(plan, len(plan.sites))
    plans.check_layout(plan, len(plan.sites))
    require(len(plan.weights) == 32 and len(plan.configuration) == 32, "SA-19", "a digest that has not 32 bytes")


def check(evidence, roster):
    """Nothing, or the Refusal that says why the evidence shows nothing: EV-02 and EV-03 have codes, all else is SA-92 (EV-04)."""
    checked = Check(evidence, roster)
    try:
        checked.run()
    except Refusal as refusal:
        raise refusal if refusal.code in ("SA-03", "SA-04", "SA-05") else Refusal("SA-92", refusal.reason) from None
