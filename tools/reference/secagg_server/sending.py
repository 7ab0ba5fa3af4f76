"""What the server sends, to each site in ascending order (spec/03 "Messages"; spec/08 "The phases")."""
from secagg_site.encodings import block32, messages, sites, u16, u32


class Sending:
    def send(self, members, name, body_of):
        for site in self.left(members):
            self.outcome.send.append((site, self.message(name, body_of(site))))

    def circle(self, site, members):
        """Whose messages a site is shown: everybody's, in the sparse graph its neighbours' and its own."""
        return sorted({*self.near(site, members), site} & set(members)) if self.plan.is_sparse else members

    def list_of(self, name, members): return messages([self.raws[s, name] for s in members])

    def whole(self, members):
        """The set that stands behind a list in the sparse graph."""
        return sites(members) if self.plan.is_sparse else b""

    def send_plan(self): self.send(self.plan.sites, "plan", lambda _: block32(self.raw))
    def send_commitments(self): self.send(self.accepted, "graph-commitments", lambda _: self.commitment_list)

    def send_nonces(self, nonces):
        body = u16(len(nonces)) + b"".join(u32(s) + nonces[s] for s in sorted(nonces))
        self.send(self.accepted, "graph-nonces", lambda _: body)

    def send_key_lists(self):
        self.send(self.members, "key-list", lambda to: self.list_of("keys", self.circle(to, self.members)) + self.whole(self.members))

    def headers_for(self, holder):
        """In the sparse graph each neighbour's header for this holder, else the one of every dealer."""
        return messages([self.answers["shares"][d][0][holder][0] for d in self.near(holder, self.dealers)])

    def send_deliveries(self):
        def body(to):
            sealed = [self.answers["shares"][d][1][to] for d in self.near(to, self.dealers) if d != to]
            return self.headers_for(to) + u16(len(sealed)) + b"".join(sealed) + self.whole(self.dealers)
        self.send(self.dealers, "share-delivery", body)

    def send_acknowledgements(self):
        self.send(self.masked, "acknowledgement-list",
                  lambda to: self.list_of("acknowledge", self.circle(to, self.givers)) + self.whole(self.masked))

    def send_survivors(self):
        behind = b"".join(self.digests[s] for s in self.survivors) if self.plan.is_sparse else b""
        self.send(self.survivors, "survivors",
                  lambda to: self.list_of("masked-input", self.circle(to, self.survivors)) + self.whole(self.survivors) + behind)

    def send_signatures(self):
        self.send(self.survivors, "signature-list", lambda to: self.list_of("consistency", self.circle(to, self.answered("consistency"))))

    def send_closed(self):
        self.send(self.revealed, "closed", lambda _: self.hash("sum-digest", self.packed_sum()) + sites(self.revealed))
