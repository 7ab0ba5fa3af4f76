"""How a server lies to one site, with a colluding site that signs whatever is asked of it."""
from secagg_site import messages as m
from secagg_site.encodings import SERVER

from .bodies import relisted, signed, versioned
from .cases import Case, five
from .faults import Fault
from .memory import Federation

TARGET, COLLUDER = 3, 9  # of the five


class Lie(Fault):
    """`lies` maps a message's name to a function of (federation, message) that gives what the target receives: a message or a list.
    `inputs_behind` maps a name to the updates that it is given behind that message. Everything else is as in a Fault."""

    def __init__(self, target, lies, inputs_behind=None, **faults):
        super().__init__(**faults)
        self.target, self.lies, self.inputs_behind = target, lies, inputs_behind

    def to_site(self, federation, site, raw):
        name = m.decode(raw).name
        if site != self.target or name not in self.lies:
            return [raw]
        found = self.lies[name](federation, raw)
        return [found] if isinstance(found, bytes) else found

    def inputs(self, federation, site, name):
        if site == self.target and self.inputs_behind is not None:
            return [change(federation.cohort.words(site)) for change in self.inputs_behind.get(name, [])]
        return super().inputs(federation, site, name)


def lie(name, what, rule, code, lies=None, *, cohort=None, target=TARGET, also=(), inputs_behind=None, faults=None, behind=None,
        vanish=None,
        silent=None, **options):
    """A case from the view of `target`; `lies` as above. `code` is the refusal that it is about, or "success"."""
    script = Lie(target, lies or {}, inputs_behind, faults=faults, behind=behind, vanish=vanish, silent=silent)
    return Case(name, what, rule, code, Federation(cohort or five(), script, **options), target, tuple(also))


# MARK: changes of the server's message

def body(change): return lambda f, raw: signed(raw, f.cohort.server_key, body=change)
def resigned(key_of, **changes): return lambda f, raw: signed(raw, key_of(f), **changes)
def with_second(change): return lambda f, raw: [raw, change(f, raw)]


def instead(name, content=b""):
    """Another message of the server, before the right one."""
    return lambda f, raw: [m.make(name, f.server.context, SERVER, content, f.cohort.server_key), raw]


# MARK: changes of the lists inside

def listed(change, target=TARGET):
    """`change` of the Listed, given the federation too."""
    return lambda f, raw: relisted(f.cohort, raw, target, lambda found: change(found, f))


def without(*gone, target=TARGET): return listed(lambda found, f: found.without(*gone), target)
def replaced(site, change, target=TARGET): return listed(lambda found, f: found.replaced(site, lambda raw: change(f, raw)), target)


def by(site, target=TARGET, **changes):
    """A list in which one site signs something else (a colluder with the server)."""
    return replaced(site, lambda f, raw: signed(raw, f.cohort.keys[site], **changes), target)


def swapped(target=TARGET):
    """The first two messages are exchanged, and their envelopes; neither is the target's own."""
    def change(found, f):
        for items in (found.messages, found.envelopes or [0, 0]):
            items[0], items[1] = items[1], items[0]
    return listed(change, target)


def twice(target=TARGET):
    def change(found, f):
        found.messages.insert(1, found.messages[0])
    return listed(change, target)


def added(site, name, content, target=TARGET, key=None):
    """A list with a further message of a site, in its place; `content` is a function of the federation."""
    def change(found, f):
        raw = m.make(name, f.server.context, site, content(f), f.cohort.keys[site if key is None else key])
        found.messages = sorted([*found.messages, raw], key=lambda r: m.decode(r).sender)
    return listed(change, target)


def list_lies(name, title, target, victim, cohort, prefix=""):
    """What can be wrong with every list: its bytes, its order, its messages' frames. `victim` is a site whose message is in it."""
    other = lambda f: f.cohort.keys[victim]
    flip = lambda f, raw: raw[:-1] + bytes([raw[-1] ^ 1])
    where = f"{prefix}{name}"
    for end, what, code, change in [
            ("trailing", f"A byte behind the {title}.", "SA-01", body(lambda b: b + b"\0")),
            ("truncated", f"The {title} lacks its last byte.", "SA-01", body(lambda b: b[:-1])),
            ("count", f"The {title} counts more messages than there are bytes.", "SA-01", body(lambda b: b"\xff\xff" + b[2:])),
            ("out-of-order", f"Two messages of the {title} are exchanged.", "SA-01", swapped(target)),
            ("twice", f"A message stands in the {title} twice.", "SA-01", twice(target)),
            ("not-the-servers", f"The {title} is signed by a site.", "SA-03", resigned(other)),
            ("from-a-site", f"The {title} names a site as its sender, which signed it.", "SA-05", resigned(other, sender=victim)),
            ("of-another-context", f"The {title} is of another context.", "SA-04",
             resigned(lambda f: f.cohort.server_key, context=bytes(32))),
            ("altered-inside", f"A signature in the {title} does not hold.", "SA-03", replaced(victim, flip, target)),
            ("forged-inside", f"A message in the {title} is signed by another than its sender.", "SA-03",
             replaced(victim, lambda f, raw: signed(raw, f.cohort.server_key), target)),
            ("replayed-inside", f"A message in the {title} is of another attempt.", "SA-04", by(victim, target, context=bytes(32))),
            ("wrong-type-inside", f"A message in the {title} is an accept.", "SA-06", by(victim, target, name="accept", body=b"")),
            ("version-inside", f"A message in the {title} has version 2.", "SA-02",
             replaced(victim, lambda f, raw: versioned(raw, f.cohort.keys[victim]), target)),
            ("unknown-inside", f"A message in the {title} is of a site that the roster does not know.", "SA-05",
             replaced(victim, lambda f, raw: signed(raw, f.cohort.keys[victim], sender=victim + 1), target))]:
        also = {"unknown-inside": ["SA-08", "SA-70"], "twice": ["SA-08"]}.get(end, [])
        yield lie(f"{where}-{end}", what, code, code, {name: change}, cohort=cohort(), target=target, also=also)
