"""What a bad site sends: its own messages, made otherwise and signed by itself."""
from secagg_site import envelopes as e, messages as m
from secagg_site.encodings import Reader, messages, u16, u32

from .bodies import signed
from .memory import Script, pieces


class Fault(Script):
    """`faults` maps (site, name of a message) to a function of (federation, site, raw) that gives what is sent instead: bytes, or a list
    of items. `behind` maps the same to what follows the message."""

    def __init__(self, faults=None, behind=None, vanish=None, silent=None):
        super().__init__(vanish, silent)
        self.faults, self.behind = faults or {}, behind or {}

    def from_site(self, federation, site, items):
        out = []
        for item in items:
            name = m.decode(item[1]).name if item[0] == "message" else "piece"
            fault = self.faults.get((site, name))
            found = fault(federation, site, *item[1:]) if fault else item[1] if item[0] == "message" else [item]
            out += [("message", found)] if isinstance(found, bytes) else found
            more = self.behind.get((site, name))
            out += more(federation, site, *item[1:]) if more else []
        return out


class Repacked(Fault):
    """One site's payload is another, with a digest that fits; its header announces the plan's size."""

    def __init__(self, site, change):
        super().__init__()
        self.site, self.change = site, change

    def from_site(self, federation, site, items):
        if site != self.site or not any(item[0] == "piece" for item in items):
            return items
        payload = self.change(b"".join(item[3] for item in items if item[0] == "piece"))
        digest = federation.server.hash("input-digest", u32(site), payload)
        header = signed(items[0][1], federation.cohort.keys[site], body=lambda b: b[:40] + digest)
        return [("message", header), *pieces(payload)]


class Late(Fault):
    """Who was silent until the deadline sends everything afterwards."""

    def when_idle(self, federation):
        late, self.held = self.held, []
        return [("deadline",), *late]


def resigned(**changes):
    """The message with other fields, signed by its sender."""
    return lambda f, site, raw: signed(raw, f.cohort.keys[site], **changes)


def body(change): return resigned(body=change)


def flipped(data, place=-1):
    data = bytearray(data)
    data[place] ^= 1
    return bytes(data)


class Dealt:
    """A `shares` message, taken apart."""

    def __init__(self, federation, site, raw):
        self.f, self.site = federation, site
        reader = Reader(m.decode(raw).body)
        self.raw = reader.messages()
        self.headers = [e.read_header(m.decode(h)) for h in self.raw]
        self.envelopes = [reader.take(80) for _ in range(reader.u16())]
        self.holders = [h for header in self.headers for h in header.entries]
        self.others = [h for h in self.holders if h != site]

    def index(self, holder): return next(i for i, h in enumerate(self.headers) if holder in h.entries)

    def pair(self, holder):
        sealed = self.envelopes[self.others.index(holder)]
        return self.f.sites[self.site].channels[holder].open(self.site, holder, sealed)

    def change(self, **fields):
        """Other fields of every header."""
        self.headers = [h._replace(**{k: v(h) if callable(v) else v for k, v in fields.items()}) for h in self.headers]
        return self

    def entry(self, holder, **fields):
        i = self.index(holder)
        header = self.headers[i]
        self.headers[i] = header._replace(entries={**header.entries, holder: header.entries[holder]._replace(**fields)})

    def seal(self, holder, pair, hashed=True, spoil=None):
        """Another pair of shares in a holder's envelope; signed for with their own hashes, or with the right ones' (`hashed`). `spoil`
        changes the envelope before it is signed for."""
        sealed = self.f.sites[self.site].channels[holder].seal(self.site, holder, pair)
        sealed = spoil(sealed) if spoil else sealed
        self.envelopes[self.others.index(holder)] = sealed
        context = self.f.server.context
        self.entry(holder, envelope=e.envelope_hash(context, self.site, holder, sealed))
        if hashed:
            self.entry(holder, mask_key=e.share_hash(context, self.site, holder, 1, pair[0]),
                       self_mask=e.share_hash(context, self.site, holder, 2, pair[1]))
        return self

    def message(self, header_changes=None):
        """Everything again, signed by the dealer, who takes the new header for its own."""
        key, context = self.f.cohort.keys[self.site], self.f.server.context
        self.raw = [m.make("share-header", context, self.site, h.encoded(), key) for h in self.headers]
        if header_changes:
            self.raw = [signed(h, key, **header_changes) for h in self.raw]
        return self.wrapped()

    def wrapped(self):
        self.f.sites[self.site].own_header = self.raw[0]
        whole = messages(self.raw) + u16(len(self.envelopes)) + b"".join(self.envelopes)
        return m.make("shares", self.f.server.context, self.site, whole, self.f.cohort.keys[self.site])


def dealing(change):
    """A fault of `shares`: `change` of the Dealt."""
    def fault(f, site, raw):
        dealt = Dealt(f, site, raw)
        return (change(dealt) or dealt).message()
    return fault


def without_entry(holder):
    return lambda header: {h: entry for h, entry in header.entries.items() if h != holder}


class Revealed:
    """A `reveal` message, taken apart: [(dealer, kind, share)]."""

    def __init__(self, raw):
        reader = Reader(m.decode(raw).body)
        self.entries = [(reader.u32(), reader.u8(), reader.take(32)) for _ in range(reader.u16())]

    def body(self): return u16(len(self.entries)) + b"".join(u32(d) + bytes([kind]) + share for d, kind, share in self.entries)


def revealing(change):
    """A fault of `reveal`: `change` of its entries gives others."""
    def fault(f, site, raw):
        found = Revealed(raw)
        found.entries = change(f, site, found.entries)
        return signed(raw, f.cohort.keys[site], body=found.body())
    return fault
