"""An attempt from the masked input to its end (spec/03 "Masked input", "Consistency", "Reveal")."""
from . import masks
from .actions import Completed, Persist, Send, SendInput
from .encodings import Reader, Refusal, sites, u8, u16, u32, u64
from .envelopes import KIND_MASK_KEY, KIND_SELF_MASK


class Summing:
    def provide(self, words):
        """The update as integers, one array a section; once (SA-66)."""
        if self.is_over:
            return []
        try:
            if self.is_provided:
                raise Refusal("SA-66", "the input of an attempt is given once")
            if len(words) != len(self.plan.sections) or any(
                    w.size != count or int(w.max()) >> bits for w, (_, count, bits) in zip(words, self.plan.sections)):
                raise Refusal("SA-60", "the input does not have the plan's sections")
            self.is_provided, self.input = True, words
            return self.masked_if_ready()
        except Refusal as error:
            return self.refuse(error)

    def masked_if_ready(self):
        """SA-110, SA-111: masks with every other member of U2 (SG-08: every neighbour), and destroys what made the masks."""
        if self.phase != "input" or self.input is None:
            return []
        seeds = [(masks.self_seed(self.roots[1], self.context, self.site), 1)]
        for peer in self.circle(self.masked):
            if peer != self.site:
                pair = {i: self.mask_keys[i] for i in (self.site, peer)}
                seeds.append((masks.pair_seed(self.pair_shared[peer], self.context, pair), 1 if self.site < peer else -1))
        payload = masks.masked_payload(self.input, [bits for _, _, bits in self.plan.sections], seeds)
        self.input_digest = self.hash("input-digest", u32(self.site), payload)
        self.payload_bytes = len(payload)
        self.own_input = self.message("masked-input", self.mask_set + u64(len(payload)) + self.input_digest)
        self.input = self.roots = self.mask_secret = self.channel_secret = None
        self.pair_shared, self.channels = {}, {}
        self.phase = "consistency"
        send = SendInput(self.own_input, payload)
        self.answers["acknowledgement-list"] = (self.answers["acknowledgement-list"][0], [send])
        return [Persist("input", dict(digest=self.input_digest.hex())), send]

    def receive_survivors(self, reader, message):
        raw = reader.messages()
        whole = self.set_behind(reader)
        behind = [reader.take(32) for _ in whole or []]
        reader.end()
        found = self.opened(raw, "masked-input", self.masked, stranger="SA-70")
        digests = dict(zip(whole or [], behind))
        for item in found:
            body = Reader(item.body)
            mask_set, size, digest = body.take(32), body.u64(), body.take(32)
            body.end()
            if mask_set != self.mask_set:
                raise Refusal("SA-64", "an input masked for another set", item.sender)
            if size != self.payload_bytes:
                raise Refusal("SA-62", "a payload of another size", item.sender)
            if digests.setdefault(item.sender, digest) != digest and item.sender != self.site:
                raise Refusal("SA-08", f"another digest than that of site {item.sender}'s header")
        senders = [item.sender for item in found]
        survivors = self.agreed(senders, whole, self.masked, "SA-73", stranger="SA-70", absent="SA-71")
        if self.site not in senders:
            raise Refusal("SA-71", "a survivor set without this site")
        self.expect_own(found, self.own_input, "SA-72")
        if digests[self.site] != self.input_digest:
            raise Refusal("SA-08", "another digest than that of this site's header")
        if self.only_survivors is not None and survivors != self.only_survivors:
            raise Refusal("SA-74", "another survivor set than an earlier attempt on these weights allows")
        self.survivors = survivors  # U3
        signed = [digests[site] for site in survivors]
        self.survivor_hash = self.hash("survivor-set", sites(self.members), self.mask_set, sites(self.masked), sites(survivors), *signed)
        self.own_consistency = self.message("consistency", self.survivor_hash)
        self.phase = "reveal"
        return [Persist("survivors", dict(sites=survivors, hash=self.survivor_hash.hex())), Send(self.own_consistency)]

    def receive_signature_list(self, reader, message):
        raw = reader.messages()
        reader.end()
        found = self.opened(raw, "consistency", self.survivors)
        for item in found:
            if item.body != self.survivor_hash:
                raise Refusal("SA-81", "a signature over other sets", item.sender)
        counted = [item for item in found if not self.plan.is_sparse or item.sender != self.site]  # SG-08: its own does not count
        if len(counted) < self.plan.threshold:
            raise Refusal("SA-80", f"{len(counted)} signatures")
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
        if not set(revealed) <= set(self.survivors):
            raise Refusal("SA-08", "a site that revealed and is no survivor")
        if len(revealed) < self.plan.threshold:
            raise Refusal("SA-80", f"{len(revealed)} reveals")
        self.phase = "done"
        self.drop_secrets()
        self.answers = {}
        return [Completed(self.survivors)]
