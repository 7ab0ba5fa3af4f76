"""Takes bodies apart and puts them together again otherwise, for those who lie."""
from secagg_site import messages as m
from secagg_site.encodings import SERVER, Reader, label, messages, sites, u8, u16


def signed(raw, key, **changes):
    """A message again, with other fields and a signature that fits: name, context, sender, body."""
    old = m.decode(raw)
    body = changes.get("body", old.body)
    return m.make(changes.get("name", old.name), changes.get("context", old.context), changes.get("sender", old.sender),
                  body(old.body) if callable(body) else body, key)


def versioned(raw, key, version=2):
    """The message with another version of the frame, and a signature over that."""
    message = m.decode(raw)
    head = u8(version) + raw[1:2]
    signature = key.sign(label(message.name) + message.context + head + raw[34:-64]).signature
    return head + raw[2:-64] + signature


class Listed:
    """The body of one of the server's lists: messages, envelopes, and in the sparse graph the set and the digests behind."""

    def __init__(self, name, body, is_sparse):
        self.name, reader = name, Reader(body)
        self.messages = reader.messages()
        self.envelopes = [reader.take(80) for _ in range(reader.u16())] if name == "share-delivery" else None
        self.sites = reader.sites() if is_sparse and name != "signature-list" else None
        self.digests = [reader.take(32) for _ in self.sites] if is_sparse and name == "survivors" else None
        reader.end()

    def encoded(self):
        out = messages(self.messages)
        if self.envelopes is not None:
            out += u16(len(self.envelopes)) + b"".join(self.envelopes)
        if self.sites is not None:
            out += sites(self.sites)
        return out + b"".join(self.digests or [])

    def senders(self): return [m.decode(raw).sender for raw in self.messages]

    def without(self, *gone):
        """Without the messages of some sites, and with them their envelopes and places in the set."""
        senders = self.senders()
        if self.envelopes is not None:  # one for each other sender: the own message has none
            others = senders if len(senders) == len(self.envelopes) else [s for s in senders if s != self.own]
            self.envelopes = [c for s, c in zip(others, self.envelopes) if s not in gone]
        self.messages = [raw for s, raw in zip(senders, self.messages) if s not in gone]
        if self.sites is not None:
            if self.digests is not None:
                self.digests = [d for s, d in zip(self.sites, self.digests) if s not in gone]
            self.sites = [s for s in self.sites if s not in gone]
        return self

    def replaced(self, site, change):
        """With `change` of one site's message in its place."""
        self.messages = [change(raw) if s == site else raw for s, raw in zip(self.senders(), self.messages)]
        return self


def relisted(cohort, raw, own, change):
    """A list of the server again after `change` of its Listed, signed by the server."""
    message = m.decode(raw)
    listed = Listed(message.name, message.body, cohort.is_sparse)
    listed.own = own
    change(listed)
    return m.make(message.name, message.context, SERVER, listed.encoded(), cohort.server_key)
