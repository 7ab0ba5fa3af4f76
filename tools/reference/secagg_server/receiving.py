"""What each message of a site must be before it counts (spec/03 "The server", spec/08 "The phases")."""
from secagg_site import envelopes as e, graph
from secagg_site.encodings import Reader, Refusal, sites
from secagg_site.joining import read_keys, shared
from secagg_site.messages import open_messages

SCALAR = bytes([8] + [0] * 31)  # any secret shows a key of small order


class Receiving:
    def near(self, site, members):
        """The holders of a site's shares among `members`, ascending: all of them, in the sparse graph its neighbours."""
        return [s for s in self.graph.neighbours(site) if s in members] if self.plan.is_sparse else list(members)

    def repeated(self, site, message):
        """A repeated message is ignored, but for the header of a payload that broke off: that starts anew (SA-113)."""
        if message.name == "masked-input" and site not in self.answers["masked_input"]:
            self.payloads[site] = []

    def read_accept(self, site, message):
        reader = Reader(message.body)
        commitment = reader.take(32) if self.plan.is_sparse else b""
        reader.end()
        return commitment

    def read_graph_nonce(self, site, message):
        reader = Reader(message.body)
        nonce = reader.take(32)
        reader.end()
        if graph.nonce_commitment(self.context, site, nonce) != self.answers["plan"][site]:
            raise Refusal("SA-23", "a nonce that does not open its commitment", site)
        return nonce

    def read_keys(self, site, message):
        seed = self.graph.seed if self.plan.is_sparse else None
        pair = read_keys(message, seed, {key for pair in self.answers["keys"].values() for key in pair})
        for key in pair:
            shared(SCALAR, key, site)
        return pair

    def hash_keys(self):
        if self.plan.is_sparse:
            self.keyed_hash = self.hash("keyed-set", self.graph.seed, sites(self.members))
        else:
            self.keyed_hash = self.hash("key-list-hash", self.list_of("keys", self.members))

    def read_shares(self, site, message):
        """{holder: (header message, header)} and {holder: envelope}."""
        reader = Reader(message.body)
        raw = reader.messages()
        envelopes = [reader.take(e.ENVELOPE_BYTES) for _ in range(reader.count16(e.ENVELOPE_BYTES))]
        reader.end()
        holders = self.near(site, self.members)
        lists, count = ([[h] for h in holders], 0) if self.plan.is_sparse else ([holders], self.plan.threshold)
        if len(raw) != len(lists):
            raise Refusal("SA-08", "another number of headers than one for each holder")
        found = open_messages(raw, "share-header", self.context, self.roster, [site])
        headers = [e.checked_header(item, self.keyed_hash, who, count) for item, who in zip(found, lists)]
        if len({h.root_hash for h in headers}) != 1:
            raise Refusal("SA-08", "headers with different roots", site)
        others = [h for h in holders if h != site]
        if len(envelopes) != len(others):
            raise Refusal("SA-08", "another number of envelopes than of holders")
        sealed = {**dict(zip(others, envelopes)), site: b""}
        of = {h: (raw[i], headers[i]) for i, who in enumerate(lists) for h in who}
        for holder, (_, header) in of.items():
            if e.envelope_hash(self.context, site, holder, sealed[holder]) != header.entries[holder].envelope:
                raise Refusal("SA-41", f"the envelope for site {holder} is not the one that was signed for")
        return of, sealed

    def hash_headers(self):
        if self.plan.is_sparse:
            self.transcript = self.hash("dealer-set", self.keyed_hash, sites(self.dealers))
        else:
            self.transcript = self.hash("transcript", self.list_of("keys", self.members), self.headers_for(self.dealers[0]))

    def read_acknowledge(self, site, message):
        reader = Reader(message.body)
        transcript, named = reader.take(32), reader.sites()
        reader.end()
        if transcript != self.transcript:
            raise Refusal("SA-50", "another transcript")
        if not set(named) <= set(self.near(site, self.dealers)) or (site not in named and not self.plan.is_sparse):
            raise Refusal("SA-08", "an acknowledgement of others than dealers, or without its sender")
        return named

    def hash_mask_set(self): self.mask_set = self.hash("mask-set", self.transcript, sites(self.masked))

    def read_masked_input(self, site, message):
        reader = Reader(message.body)
        mask_set, size, digest = reader.take(32), reader.u64(), reader.take(32)
        reader.end()
        if mask_set != self.mask_set:
            raise Refusal("SA-64", "an input masked for another set")
        if size != self.payload_bytes:
            raise Refusal("SA-62", "a payload of another size")
        self.payloads[site], self.digests[site] = [], digest

    def hash_survivors(self):
        signed = [self.digests[site] for site in self.survivors]
        self.survivor_hash = self.hash("survivor-set", sites(self.members), self.mask_set, sites(self.masked), sites(self.survivors),
                                       *signed)

    def read_consistency(self, site, message):
        if message.body != self.survivor_hash:
            raise Refusal("SA-81" if len(message.body) == 32 else "SA-01", "a signature over other sets")
        return message.body

    def read_reveal(self, site, message):
        """{dealer: share}, of exactly the members of U2 that the sender acknowledged."""
        reader = Reader(message.body)
        found = [(reader.u32(), reader.u8(), reader.take(32)) for _ in range(reader.count16(37))]
        reader.end()
        dealers = [dealer for dealer, _, _ in found]
        if any(kind not in (1, 2) for _, kind, _ in found) or dealers != sorted(dealers):
            raise Refusal("SA-01", "an unknown kind of share, or a list out of order")
        if len(set(dealers)) != len(dealers):
            raise Refusal("SA-82", "two shares of one dealer")
        if dealers != [d for d in self.masked if d in self.answers["acknowledge"][site]]:
            raise Refusal("SA-08", "shares of others than the sender acknowledged")
        for dealer, kind, share in found:
            if kind != (e.KIND_SELF_MASK if dealer in self.survivors else e.KIND_MASK_KEY):
                raise Refusal("SA-82", f"the kind of share of site {dealer} that must stay secret")
            header = self.answers["shares"][dealer][0][site][1]
            if not e.sharing.is_canonical(share) or e.share_hash(self.context, dealer, site, kind, share) != header.entries[site].of(kind):
                raise Refusal("SA-83", f"a share of site {dealer} that is not the dealt one")
        return {dealer: share for dealer, _, share in found}
