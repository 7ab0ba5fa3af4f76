"""An attempt's shares: dealing them, taking the others', and who is acknowledged (spec/03 "Keys", "Shares", "Acknowledge")."""
from . import envelopes as e, sharing
from .actions import Send
from .encodings import Reader, Refusal, messages, sites, u16, u32


class Dealing:
    def deal(self):
        """Splits both roots, seals an envelope for every other holder, and signs the header or headers (the `shares` message)."""
        plan = self.plan
        holders = [s for s in self.circle(self.members) if not plan.is_sparse or s != self.site]
        polynomials = [[root] + self.randomness.coefficients(kind, plan.threshold - 1) for kind, root in zip((1, 2), self.roots)]
        points = [1 + plan.sites.index(holder) for holder in (holders if plan.is_sparse else plan.sites)]
        dealt = [dict(zip(points, sharing.split(p, points))) for p in polynomials]
        shares = {holder: tuple(d[1 + plan.sites.index(holder)] for d in dealt) for holder in holders}
        sealed = {h: b"" if h == self.site else self.channels[h].seal(self.site, h, pair) for h, pair in shares.items()}
        root_hash = self.hash("root-hash", u32(self.site), sharing.to_bytes(self.roots[1]))
        if plan.is_sparse:
            headers = [e.make_header(self.context, self.site, self.keyed_hash, root_hash, None, {h: shares[h]}, sealed) for h in holders]
        else:
            headers = [e.make_header(self.context, self.site, self.keyed_hash, root_hash, polynomials, shares, sealed)]
            self.held[self.site] = shares[self.site]
        signed = [self.message("share-header", header.encoded()) for header in headers]
        self.own_header = signed[0]
        others = [sealed[h] for h in holders if h != self.site]
        return self.message("shares", messages(signed) + u16(len(others)) + b"".join(others))

    def receive_share_delivery(self, reader, message):
        plan = self.plan
        raw = reader.messages()
        envelopes = [reader.take(e.ENVELOPE_BYTES) for _ in range(reader.count16(e.ENVELOPE_BYTES))]
        whole = self.set_behind(reader)
        reader.end()
        found = self.opened(raw, "share-header", self.members)
        if not plan.is_sparse:
            self.expect_own(found, self.own_header, "SA-08")
        self.dealers = self.agreed([item.sender for item in found], whole, self.members, "SA-40", expects_own=False)  # D
        holders, count = ([self.site], 0) if plan.is_sparse else (self.members, plan.threshold)
        headers = {item.sender: e.checked_header(item, self.keyed_hash, holders, count) for item in found}
        others = [dealer for dealer in headers if dealer != self.site]
        if len(envelopes) != len(others):
            raise Refusal("SA-08", "another number of envelopes than of dealers")
        for dealer, envelope in zip(others, envelopes):
            if e.envelope_hash(self.context, dealer, self.site, envelope) != headers[dealer].entries[self.site].envelope:
                raise Refusal("SA-41", f"the envelope of site {dealer} is not the one that it signed for")
            pair = self.taken(dealer, envelope, headers[dealer])
            if pair:
                self.held[dealer] = pair
        if plan.is_sparse:
            self.transcript = self.hash("dealer-set", self.keyed_hash, sites(self.dealers))
        else:
            self.transcript = self.hash("transcript", messages(self.keys_raw), messages(raw))
        self.own_acknowledgement = self.message("acknowledge", self.transcript + sites(sorted(self.held)))
        self.phase = "acknowledge"
        return [Send(self.own_acknowledgement)]

    def taken(self, dealer, envelope, header):
        """The two shares, or nothing: then the dealer is not acknowledged."""
        pair, entry = self.channels[dealer].open(dealer, self.site, envelope), header.entries[self.site]
        if pair is None or any(e.share_hash(self.context, dealer, self.site, kind, share) != entry.of(kind)
                               for kind, share in zip((1, 2), pair)):
            return None
        return pair if header.fits(1 + self.plan.sites.index(self.site), pair) else None

    def receive_acknowledgement_list(self, reader, message):
        plan = self.plan
        raw = reader.messages()
        whole = self.set_behind(reader)
        reader.end()
        found = self.opened(raw, "acknowledge", self.dealers)
        self.expect_own(found, self.own_acknowledgement, "SA-08")
        named = dict.fromkeys(self.dealers, 0)
        for item in found:
            body = Reader(item.body)
            transcript, dealers = body.take(32), body.sites()
            body.end()
            if transcript != self.transcript:
                raise Refusal("SA-50", f"site {item.sender} saw other messages of phases 1 and 2")
            allowed = set(self.graph.neighbours(item.sender)) if plan.is_sparse else named
            for dealer in dealers:
                if dealer not in named or dealer not in allowed:
                    raise Refusal("SA-08", f"an acknowledgement of site {dealer}, which dealt it nothing", item.sender)
                named[dealer] += 1
        counted = None if plan.is_sparse else [dealer for dealer in self.dealers if named[dealer] >= plan.threshold]
        self.masked = self.agreed(counted, whole, self.dealers, "SA-51")  # U2
        if self.site not in self.masked or named[self.site] < plan.threshold:
            raise Refusal("SA-52", "this site's shares were not acknowledged by enough")
        self.mask_set = self.hash("mask-set", self.transcript, sites(self.masked))
        self.phase = "input"
        return self.masked_if_ready()
