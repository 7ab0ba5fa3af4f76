"""An attempt from its plan to the key list, and in the sparse graph the nonces between (spec/03 "Plan", "Keys"; spec/08 "The seed")."""
import nacl.bindings

from . import graph, masks, plan as plans
from .actions import Consider, Persist, Send
from .encodings import Reader, Refusal, ascending, messages, sites
from .envelopes import Channel

PRIME = 2**255 - 19


def canonical(public, culprit):
    """An X25519 key below 2^255 - 19."""
    if int.from_bytes(public, "little") >= PRIME:
        raise Refusal("SA-01", "an X25519 key that is not canonical", culprit)
    return public


def shared(secret, public, culprit):
    """X25519; a key of small order is SA-32 (MK-04)."""
    try:
        z = nacl.bindings.crypto_scalarmult(secret, public)
    except RuntimeError:
        z = bytes(32)
    if z == bytes(32):
        raise Refusal("SA-32", "a key of small order", culprit)
    return z


def read_keys(item, seed, seen):
    """Mask key and channel key of one `keys` message, neither `seen` before; `seed` is the sparse graph's."""
    body = Reader(item.body)
    pair = [canonical(body.take(32), item.sender) for _ in range(2)]
    if seed is not None and body.take(32) != seed:
        raise Refusal("SA-25", "keys for another graph", item.sender)
    body.end()
    for key in pair:
        if key in seen:
            raise Refusal("SA-31", "a key that appears twice", item.sender)
        seen.add(key)
    return pair


def read_nonces(reader):
    """The body of `graph-nonces`: {site: nonce}."""
    found = [(reader.u32(), reader.take(32)) for _ in range(reader.count16(36))]
    reader.end()
    ascending([site for site, _ in found])
    return dict(found)


class Joining:
    def receive_plan(self, reader, message):
        raw = reader.block32()
        reader.end()
        plan = plans.decode(raw)
        if plan.context != message.context:
            raise Refusal("SA-04", "the plan's frame has another context than the plan")
        self.plan, self.context = plan, plan.context
        self.mechanism = plans.check(plan, self.roster, self.site, self.honest, self.clock())
        return [Consider(plan)]

    def accept(self, only_survivors=None):
        """Answers Consider: the record, then what leaves. `only_survivors`: the one U3 that may be signed (SA-74)."""
        self.only_survivors = only_survivors
        self.roots = (self.randomness.root(1), self.randomness.root(2))
        self.mask_secret = masks.mask_key(self.roots[0], self.context, self.site)
        self.channel_secret = self.randomness.channel_key()
        if self.plan.is_sparse:
            self.nonce = self.randomness.nonce()
            actions = [Send(self.message("accept", graph.nonce_commitment(self.context, self.site, self.nonce)))]
            self.phase = "commitments"
        else:
            actions = [Send(self.message("accept", b"")), self.show_keys(graph.Complete(self.plan.sites))]
        self.answers["plan"] = (self.answers["plan"][0], actions)
        fields = dict(job=self.plan.job, round=self.plan.round, attempt=self.plan.attempt, weights=self.plan.weights.hex())
        return [Persist("context", fields)] + actions

    def show_keys(self, found):
        """Takes the graph, and sends `keys`, in the sparse graph with its seed (SG-04)."""
        self.graph, self.near = found, set(found.neighbours(self.site))
        public = [nacl.bindings.crypto_scalarmult_base(secret) for secret in (self.mask_secret, self.channel_secret)]
        self.own_keys = self.message("keys", b"".join(public) + (found.seed if found.is_sparse else b""))
        self.phase = "keys"
        return Send(self.own_keys)

    def receive_graph_commitments(self, reader, message):
        self.commitment_list = reader.take(32)
        reader.end()
        self.phase = "nonces"
        return [Send(self.message("graph-nonce", self.nonce))]

    def receive_graph_nonces(self, reader, message):
        plan = self.plan
        seed = graph.checked_seed(self.context, self.commitment_list, read_nonces(reader), plan.sites, self.site, self.nonce, plan.minimum)
        return [self.show_keys(graph.Ring(self.context, seed, plan.sites, plan.neighbours))]

    def receive_key_list(self, reader, message):
        self.keys_raw = reader.messages()
        whole = self.set_behind(reader)
        reader.end()
        found = self.opened(self.keys_raw, "keys", self.plan.sites)
        self.expect_own(found, self.own_keys, "SA-08")
        self.members = self.agreed([item.sender for item in found], whole, self.plan.sites, "SA-30")  # U1
        seed, seen = self.graph.seed if self.plan.is_sparse else None, set()
        keys = {item.sender: read_keys(item, seed, seen) for item in found}
        self.mask_keys = {site: pair[0] for site, pair in keys.items()}
        for peer in keys:
            if peer != self.site:
                self.pair_shared[peer] = shared(self.mask_secret, keys[peer][0], peer)
                z = shared(self.channel_secret, keys[peer][1], peer)
                self.channels[peer] = Channel(self.context, z, {i: keys[i][1] for i in (self.site, peer)})
        if self.plan.is_sparse:
            self.keyed_hash = self.hash("keyed-set", self.graph.seed, sites(self.members))
        else:
            self.keyed_hash = self.hash("key-list-hash", messages(self.keys_raw))
        self.phase = "shares"
        return [Send(self.deal())]
