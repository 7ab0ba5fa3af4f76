"""One attempt at a site: a state machine without files or sockets (spec/03-phases.md, "The site").

A message of the server goes in, actions come out; the driver carries them out in order. A repeated message gets the same answer
(SA-121), a different one of its type SA-07. Whatever is refused ends the attempt and drops its secrets.
"""
import secrets
from typing import NamedTuple

import nacl.bindings
import nacl.exceptions

from . import masks, plan as plans, sharing
from .actions import Aborted, Completed, Consider, Persist, Send, SendInput
from .encodings import (SERVER, Reader, Refusal, ascending, blake2b, block16, block32, label, labelled_hash, messages, sites, u8, u16,
                        u32, u64)
from .messages import NAMES, decode, make, open_list, read_refusal, refusal, verify

ENVELOPE_BYTES, KIND_MASK_KEY, KIND_SELF_MASK = 80, 1, 2
PRIME = 2**255 - 19


class Entry(NamedTuple):
    """What a dealer's header says of one holder."""
    mask_key: bytes
    self_mask: bytes
    envelope: bytes


class Header(NamedTuple):
    message: object
    root_hash: bytes
    entries: dict


def shared(secret, public, culprit):
    """X25519; a key that is not canonical or of small order is SA-32 (MK-04)."""
    if int.from_bytes(public, "little") >= PRIME:
        raise Refusal("SA-32", "an X25519 key that is not canonical", culprit)
    try:
        z = nacl.bindings.crypto_scalarmult(secret, public)
    except RuntimeError:
        z = bytes(32)
    if z == bytes(32):
        raise Refusal("SA-32", "a key of small order", culprit)
    return z


class Attempt:
    AWAITED = {"plan": "plan", "key-list": "keys", "share-delivery": "shares", "acknowledgement-list": "acknowledge",
               "survivors": "consistency", "signature-list": "reveal", "closed": "closed"}  # type: the phase that awaits it

    def __init__(self, site, key, roster, honest, clock):
        self.site, self.key, self.roster, self.honest, self.clock = site, key, roster, honest, clock
        self.phase = "plan"  # whose message of the server is awaited; "input" counts as awaiting the survivors
        self.plan = self.mechanism = self.context = self.only_survivors = None
        self.answers, self.survivors, self.is_provided = {}, None, False
        self.drop_secrets()

    def drop_secrets(self):
        """SA-122."""
        self.roots = self.channel_secret = self.mask_secret = self.input = None
        self.pair_shared, self.channel_shared, self.held = {}, {}, {}

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

    def accept(self, only_survivors=None):
        """Answers Consider: the record, then both messages. `only_survivors`: the one U3 that may be signed (SA-74)."""
        self.only_survivors = only_survivors
        self.roots = (sharing.root(), sharing.root())
        self.mask_secret = masks.mask_key(self.roots[0], self.context, self.site)
        self.channel_secret = secrets.token_bytes(32)
        public = nacl.bindings.crypto_scalarmult_base(self.mask_secret) + nacl.bindings.crypto_scalarmult_base(self.channel_secret)
        self.own_keys = self.message("keys", public)
        self.phase = "keys"
        actions = [Send(self.message("accept", b"")), Send(self.own_keys)]
        self.answers["plan"] = (self.answers["plan"][0], actions)
        fields = dict(job=self.plan.job, round=self.plan.round, attempt=self.plan.attempt, weights=self.plan.weights.hex())
        return [Persist("context", fields)] + actions

    def refuse(self, reason):
        """Ends the attempt and says why, once."""
        if self.is_over:
            return []
        words = refusal(reason, self.context, self.site, self.key)
        return [Send(words)] + self.end(reason)

    def provide(self, words):
        """The update as integers, one array a section; once (SA-66)."""
        if self.is_over:
            return []
        try:
            if self.is_provided:
                raise Refusal("SA-66", "the input of an attempt is given once")
            if len(words) != len(self.plan.sections) or any(
                    w.size != count or (bits < 32 and int(w.max()) >> bits) for w, (_, count, bits) in zip(words, self.plan.sections)):
                raise Refusal("SA-60", "the input does not have the plan's sections")
            self.is_provided, self.input = True, words
            return self.masked_if_ready()
        except Refusal as error:
            return self.refuse(error)

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
            raise Refusal("SA-06", f"a {name} message while {self.phase} is awaited")
        self.answers[name] = (message.bytes, [])
        reader = Reader(message.body)
        actions = getattr(self, "receive_" + name.replace("-", "_"))(reader, message)
        if name not in ("plan", "acknowledgement-list") and not self.is_over:
            repeated = [a for a in actions if not isinstance(a, Persist)]
            self.answers[name] = (message.bytes, repeated)
        return actions

    def receive_plan(self, reader, message):
        raw = reader.block32()
        reader.end()
        plan = plans.decode(raw)
        if plan.context != message.context:
            raise Refusal("SA-04", "the plan's frame has another context than the plan")
        self.plan, self.context = plan, plan.context
        self.mechanism = plans.check(plan, self.roster, self.site, self.honest, self.clock())
        return [Consider(plan)]

    def receive_key_list(self, reader, message):
        self.keys_raw = reader.messages()
        reader.end()
        found = open_list(self.keys_raw, "keys", self.context, self.roster, self.plan.sites)
        self.expect_own(found, self.own_keys, "SA-08")
        if len(found) < self.plan.threshold:
            raise Refusal("SA-30", f"{len(found)} keys")
        self.mask_keys, channel_keys, seen = {}, {}, set()
        for item in found:
            keys = Reader(item.body)
            self.mask_keys[item.sender], channel_keys[item.sender] = keys.take(32), keys.take(32)
            keys.end()
            for key in (self.mask_keys[item.sender], channel_keys[item.sender]):
                if key in seen:
                    raise Refusal("SA-31", "a key that appears twice", item.sender)
                seen.add(key)
        self.members = sorted(self.mask_keys)  # U1
        for peer in self.members:
            if peer != self.site:
                self.pair_shared[peer] = shared(self.mask_secret, self.mask_keys[peer], peer)
                self.channel_shared[peer] = shared(self.channel_secret, channel_keys[peer], peer)
        self.channel_keys = channel_keys
        self.key_list_hash = self.hash("key-list-hash", messages(self.keys_raw))
        self.phase = "shares"
        return [Send(self.deal())]

    def deal(self):
        """Splits both roots, seals an envelope for every other member, and signs the header (the `shares` message)."""
        plan = self.plan
        split = [sharing.split(root, plan.threshold, len(plan.sites)) for root in self.roots]
        entries, envelopes = [], []
        for holder in self.members:
            point = plan.sites.index(holder)
            pair = split[0][point], split[1][point]
            envelope = b""
            if holder == self.site:
                self.held[holder] = pair
            else:
                key, associated = self.envelope_key(self.site, holder)
                envelope = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(pair[0] + pair[1], associated, bytes(24), key)
                envelopes.append(envelope)
            hashes = [self.share_hash(self.site, holder, kind, share) for kind, share in zip((1, 2), pair)]
            entries.append(u32(holder) + hashes[0] + hashes[1] + self.envelope_hash(self.site, holder, envelope))
        root_hash = self.hash("root-hash", u32(self.site), sharing.to_bytes(self.roots[1]))
        body = self.key_list_hash + root_hash + u16(len(entries)) + b"".join(entries)
        self.own_header = self.message("share-header", body)
        return self.message("shares", block32(self.own_header) + u16(len(envelopes)) + b"".join(envelopes))

    def envelope_key(self, dealer, holder):
        """The key and the associated data of one envelope."""
        peer = holder if dealer == self.site else dealer
        who = self.context + u32(dealer) + u32(holder)
        keyed = label("channel-key") + who + self.channel_keys[dealer] + self.channel_keys[holder]
        return blake2b(keyed, key=self.channel_shared[peer]), label("envelope") + who

    def share_hash(self, dealer, holder, kind, share):
        return self.hash("share-hash", u32(dealer), u32(holder), u8(kind), share)

    def envelope_hash(self, dealer, holder, envelope):
        return self.hash("envelope-hash", u32(dealer), u32(holder), block16(envelope))

    def receive_share_delivery(self, reader, message):
        raw = reader.messages()
        envelopes = [reader.take(ENVELOPE_BYTES) for _ in range(reader.count16(ENVELOPE_BYTES))]
        reader.end()
        found = open_list(raw, "share-header", self.context, self.roster, self.members)
        self.expect_own(found, self.own_header, "SA-50")
        headers = {item.sender: self.read_header(item) for item in found}
        if len(headers) < self.plan.threshold:
            raise Refusal("SA-40", f"{len(headers)} dealers")
        others = [dealer for dealer in headers if dealer != self.site]
        if len(envelopes) != len(others):
            raise Refusal("SA-01", "another number of envelopes than of dealers")
        for dealer, envelope in zip(others, envelopes):
            if self.envelope_hash(dealer, self.site, envelope) != headers[dealer].entries[self.site].envelope:
                raise Refusal("SA-41", f"the envelope of site {dealer} is not the one that it signed for")
            pair = self.opened(dealer, envelope, headers[dealer].entries[self.site])
            if pair:
                self.held[dealer] = pair
        self.dealers = list(headers)  # D
        self.transcript = self.hash("transcript", messages(self.keys_raw), messages(raw))
        self.own_acknowledgement = self.message("acknowledge", self.transcript + sites(sorted(self.held)))
        self.phase = "acknowledge"
        return [Send(self.own_acknowledgement)]

    def read_header(self, item):
        body = Reader(item.body)
        key_list, root_hash = body.take(32), body.take(32)
        holders, entries = [], {}
        for _ in range(body.count16(100)):
            holders.append(body.u32())
            entries[holders[-1]] = Entry(body.take(32), body.take(32), body.take(32))
        body.end()
        ascending(holders)
        if key_list != self.key_list_hash:
            raise Refusal("SA-50", "a header over another key list", item.sender)
        if holders != self.members:
            raise Refusal("SA-50", "a header whose holders are not U1", item.sender)
        return Header(item, root_hash, entries)

    def opened(self, dealer, envelope, entry):
        """The two shares, or nothing: then the dealer is not acknowledged."""
        key, associated = self.envelope_key(dealer, self.site)
        try:
            plain = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(envelope, associated, bytes(24), key)
        except nacl.exceptions.CryptoError:
            return None
        pair = plain[:32], plain[32:]
        right = all(sharing.is_canonical(s) for s in pair) and [
            self.share_hash(dealer, self.site, kind, s) for kind, s in zip((1, 2), pair)] == [entry.mask_key, entry.self_mask]
        return pair if right else None

    def receive_acknowledgement_list(self, reader, message):
        raw = reader.messages()
        reader.end()
        found = open_list(raw, "acknowledge", self.context, self.roster, self.dealers)
        self.expect_own(found, self.own_acknowledgement, "SA-08")
        named = dict.fromkeys(self.dealers, 0)
        for item in found:
            body = Reader(item.body)
            transcript, dealers = body.take(32), body.sites()
            body.end()
            if transcript != self.transcript:
                raise Refusal("SA-50", f"site {item.sender} saw other messages of phases 1 and 2")
            for dealer in dealers:
                if dealer not in named:
                    raise Refusal("SA-08", f"an acknowledgement of site {dealer}, which is no dealer", item.sender)
                named[dealer] += 1
        self.masked = [dealer for dealer in self.dealers if named[dealer] >= self.plan.threshold]  # U2
        if len(self.masked) < self.plan.threshold:
            raise Refusal("SA-51", f"{len(self.masked)} acknowledged dealers")
        if self.site not in self.masked:
            raise Refusal("SA-52", "this site's shares were not acknowledged by enough")
        self.mask_set = self.hash("mask-set", self.transcript, sites(self.masked))
        self.phase = "input"
        return self.masked_if_ready()

    def masked_if_ready(self):
        """SA-110, SA-111: masks with every other member of U2, and destroys what made the masks."""
        if self.phase != "input" or self.input is None:
            return []
        seeds = [(masks.self_seed(self.roots[1], self.context, self.site), 1)]
        for peer in self.masked:
            if peer != self.site:
                pair = {i: self.mask_keys[i] for i in (self.site, peer)}
                seeds.append((masks.pair_seed(self.pair_shared[peer], self.context, pair), 1 if self.site < peer else -1))
        payload = masks.masked_payload(self.input, [bits for _, _, bits in self.plan.sections], seeds)
        self.input_digest = self.hash("input-digest", u32(self.site), payload)
        self.payload_bytes = len(payload)
        self.own_input = self.message("masked-input", self.mask_set + u64(len(payload)) + self.input_digest)
        self.input = self.roots = self.mask_secret = self.channel_secret = None
        self.pair_shared, self.channel_shared = {}, {}
        self.phase = "consistency"
        send = SendInput(self.own_input, payload)
        self.answers["acknowledgement-list"] = (self.answers["acknowledgement-list"][0], [send])
        return [Persist("input", dict(digest=self.input_digest.hex())), send]

    def receive_survivors(self, reader, message):
        raw = reader.messages()
        reader.end()
        found = open_list(raw, "masked-input", self.context, self.roster, self.masked, stranger="SA-70")
        digests = []
        for item in found:
            body = Reader(item.body)
            mask_set, size, digest = body.take(32), body.u64(), body.take(32)
            body.end()
            if mask_set != self.mask_set:
                raise Refusal("SA-64", "an input masked for another set", item.sender)
            if size != self.payload_bytes:
                raise Refusal("SA-62", "a payload of another size", item.sender)
            digests.append(digest)
        survivors = [item.sender for item in found]
        if len(survivors) < self.plan.survivors_min:
            raise Refusal("SA-73", f"{len(survivors)} inputs")
        if self.site not in survivors:
            raise Refusal("SA-71", "a survivor set without this site")
        self.expect_own(found, self.own_input, "SA-72")
        if self.only_survivors is not None and survivors != self.only_survivors:
            raise Refusal("SA-74", "another survivor set than an earlier attempt on these weights allows")
        self.survivors = survivors  # U3
        self.survivor_hash = self.hash("survivor-set", sites(self.members), self.mask_set, sites(self.masked), sites(survivors), *digests)
        self.own_consistency = self.message("consistency", self.survivor_hash)
        self.phase = "reveal"
        return [Persist("survivors", dict(sites=survivors, hash=self.survivor_hash.hex())), Send(self.own_consistency)]

    def receive_signature_list(self, reader, message):
        raw = reader.messages()
        reader.end()
        found = open_list(raw, "consistency", self.context, self.roster, self.survivors)
        self.expect_own(found, self.own_consistency, "SA-08")
        for item in found:
            if item.body != self.survivor_hash:
                raise Refusal("SA-81", "a signature over other sets", item.sender)
        if len(found) < self.plan.threshold:
            raise Refusal("SA-80", f"{len(found)} signatures")
        entries = []
        for dealer in self.masked:
            if dealer in self.held:
                kind = KIND_SELF_MASK if dealer in self.survivors else KIND_MASK_KEY  # SA-82: never both
                entries.append(u32(dealer) + u8(kind) + self.held[dealer][kind - 1])
        self.phase = "closed"
        self.held = {}
        return [Persist("reveal", {}), Send(self.message("reveal", u16(len(entries)) + b"".join(entries)))]

    def receive_closed(self, reader, message):
        reader.take(32)
        revealed = reader.sites()
        reader.end()
        if not set(revealed) <= set(self.survivors) or len(revealed) < self.plan.threshold:
            raise Refusal("SA-08", "those who revealed are not enough of the survivors")
        self.phase = "done"
        self.drop_secrets()
        self.answers = {}
        return [Completed(self.survivors)]

    # MARK: inside

    def expect_own(self, found, own, code):
        """A list has this site's own message, byte for byte."""
        if not any(item.bytes == own for item in found):
            raise Refusal(code, "a list without this site's own message, or with an altered one")

    def end(self, reason):
        self.phase = "done"
        self.drop_secrets()
        self.answers = {}
        return [Aborted(reason)]
