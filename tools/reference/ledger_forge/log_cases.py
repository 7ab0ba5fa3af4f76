"""Flaws of files, tree, checkpoint and cosignatures."""
from ledger_audit import tree

from . import files
from .cases import case
from .story import Story, bound
from .world import Consortium, b64, public, sign


class Good:
    def __init__(self):
        self.story = Story()
        self.leaves, self.consortium, self.at = bound(self.story.leaves), self.story.consortium, self.story.at
        self.end = self.story.time + 30
        self.checkpoint = files.checkpoint(self.leaves, self.consortium, self.end, range(6))
        self.text = files.head(self.consortium.origin, self.leaves)
        self.log = files.log_line(self.text, self.consortium)
        self.lines = [files.cosignature(self.text, self.consortium, site, self.end) for site in range(6)]
        self.entries, self.hashes = tree.path("entries", 0, len(self.leaves)), tree.path("0", 0, len(self.leaves))

    def note(self, text=None, log=None, lines=None):
        return (text or self.text) + "\n" + (self.log if log is None else log) + "".join(self.lines if lines is None else lines)

    def signed(self, leaves, who=range(6), end=None):
        return files.checkpoint(leaves, self.consortium, end or self.end, who)

    def flipped(self, mark):
        leaf = bytearray(self.leaves[self.at[mark]])
        leaf[len(leaf) // 2] ^= 1
        return self.leaves[:self.at[mark]] + [bytes(leaf)] + self.leaves[self.at[mark] + 1:]


def good(g):
    first = g.leaves[:g.at["release_1"] + 1]
    older = g.signed(first, range(4), g.end - 5000)
    yield case("good", "nothing is wrong", None, None, g.leaves, g.checkpoint)
    yield case("good-pinned", "nothing is wrong, by the newest roster", None, None, g.leaves, g.checkpoint, roster=2)
    yield case("good-since", "it continues a checkpoint that was seen before", None, None, g.leaves, g.checkpoint, since=older)
    yield case("good-prefix", "a ledger of one round", None, None, first, g.signed(first, range(4)), roster=1)
    yield case("good-quorum", "five of six cosignatures, and one of a stranger", None, None, g.leaves,
               g.note(lines=g.lines[1:] + [files.line("witness.example/w1", 4, bytes(32), bytes(72))]))


def damaged(g):
    size = len(g.leaves)
    bad = g.flipped("reserve_1")
    yield case("bit-flip", "one bit of an entry, the tiles as they were", "LG-03", g.at["reserve_1"], bad, g.checkpoint,
               files={g.hashes: files.tiles(g.leaves)[g.hashes]})
    yield case("bit-flip-tiles", "one bit of an entry, tiles made anew", "LG-04", None, bad, g.checkpoint)
    fewer = g.leaves[:5] + g.leaves[6:]
    yield case("entry-removed", "an entry is missing, files named as before", "LG-02", None, g.leaves, g.checkpoint,
               files={g.entries: files.bundle(fewer)})
    yield case("entry-removed-resized", "an entry is missing, the checkpoint's size is lowered", "LG-04", None, fewer,
               g.checkpoint.replace(f"\n{size}\n", f"\n{size - 1}\n"))
    swapped = g.leaves[:1] + [g.leaves[2], g.leaves[1]] + g.leaves[3:]
    yield case("entries-swapped", "two entries change places", "LG-04", None, swapped, g.checkpoint)
    yield case("tile-wrong", "a tile disagrees with the entries", "LG-03", 7, g.leaves, g.checkpoint,
               files={g.hashes: files.tiles(g.leaves)[g.hashes][:7 * 32] + bytes(32) + files.tiles(g.leaves)[g.hashes][8 * 32:]})
    yield case("tile-missing", "a tile is missing", "LG-02", None, g.leaves, g.checkpoint, files={g.hashes: None})
    yield case("tile-short", "a tile is cut off", "LG-02", None, g.leaves, g.checkpoint,
               files={g.hashes: files.tiles(g.leaves)[g.hashes][:-1]})
    yield case("bundle-missing", "the entries are missing", "LG-02", None, g.leaves, g.checkpoint, files={g.entries: None})
    yield case("bundle-cut", "the entries are cut off", "LG-02", None, g.leaves, g.checkpoint,
               files={g.entries: files.bundle(g.leaves)[:-3]})
    yield case("bundle-longer", "an entry more than the bundle's name says", "LG-02", None, g.leaves, g.checkpoint,
               files={g.entries: files.bundle(g.leaves + g.leaves[-1:])})
    long = b'{"type":"refused","time":1,"code":"' + b"x" * 65_600 + b'"}'
    yield case("entry-too-long", "an entry that its length cannot say", "LG-02", None, g.leaves, g.checkpoint,
               files={g.entries: files.bundle(g.leaves[:-1] + [long])})
    yield case("size-larger", "the checkpoint promises an entry that is not there", "LG-02", None, g.leaves,
               g.checkpoint.replace(f"\n{size}\n", f"\n{size + 1}\n"))


def misformed(g):
    size = len(g.leaves)
    yield case("note-unsigned", "a checkpoint without signatures", "LG-01", None, g.leaves, g.text + "\n")
    yield case("note-no-blank", "no empty line between text and signatures", "LG-01", None, g.leaves, g.text + g.log)
    yield case("note-extension", "an extension line", "LG-01", None, g.leaves, g.note(text=g.text + "more\n"))
    yield case("note-zero", "a size with a zero in front", "LG-01", None, g.leaves, g.checkpoint.replace(f"\n{size}\n", f"\n0{size}\n", 1))
    yield case("note-control", "a control character", "LG-01", None, g.leaves, g.checkpoint.replace("\n", "\r\n", 1))
    yield case("note-root", "a root of 31 bytes", "LG-01", None, g.leaves, g.checkpoint.replace(g.text.split("\n")[2], b64(bytes(31))))
    yield case("note-hyphen", "a signature line that begins with a hyphen", "LG-01", None, g.leaves, g.checkpoint.replace("\u2014", "-", 1))


def logs(g):
    other = g.consortium.origin + "-2"
    yield case("origin-foreign", "the checkpoint of another log, signed by the same key", "LG-06", None, g.leaves,
               files.checkpoint(g.leaves, g.consortium, g.end, range(6), other))
    stranger = files.log_line(g.text, g.consortium, "stranger", "log")
    yield case("log-stranger", "signed by another key", "LG-07", None, g.leaves, g.note(log=stranger))
    blob = files.log_line(g.text, g.consortium).split(" ")[2]
    shifted = "AAAA" + blob[4:]
    yield case("log-key-id", "the right signature under another key id", "LG-07", None, g.leaves, g.note(log=g.log.replace(blob, shifted)))
    wrong = sign(g.text.encode() + b"x", g.consortium.name, "log")
    yield case("log-wrong", "the log's signature over another text", "LG-07", None, g.leaves,
               g.note(log=files.line(g.consortium.origin, 1, public(g.consortium.name, "log"), wrong)))


def cosigned(g):
    def with_line(site, line): return g.lines[:site] + [line] + g.lines[site + 1:]
    shorter = files.head(g.consortium.origin, g.leaves[:20])
    yield case("cosignature-wrong", "one bit of a cosignature", "LG-08", None, g.leaves,
               g.note(lines=with_line(2, g.lines[2][:60] + ("A" if g.lines[2][60] != "A" else "B") + g.lines[2][61:])))
    yield case("cosignature-stale", "a cosignature over an earlier checkpoint", "LG-08", None, g.leaves,
               g.note(lines=with_line(1, files.cosignature(shorter, g.consortium, 1, g.end))))
    yield case("cosignature-early", "a cosignature from before the newest entry", "LG-08", None, g.leaves,
               g.note(lines=with_line(0, files.cosignature(g.text, g.consortium, 0, g.end - 4000))))
    yield case("cosignature-twice", "two lines of one witness", "LG-08", None, g.leaves,
               g.note(lines=g.lines + [files.cosignature(g.text, g.consortium, 0, g.end + 1)]))
    foreign = Consortium("another")
    yield case("cosignatures-foreign", "cosigned by another consortium's sites", "LG-09", None, g.leaves,
               g.note(lines=[files.cosignature(g.text, foreign, site, g.end) for site in range(6)]))
    yield case("cosignatures-few", "four cosignatures of the five that are needed", "LG-09", None, g.leaves, g.note(lines=g.lines[:4]))
    yield case("cosignatures-none", "the log's signature alone", "LG-09", None, g.leaves, g.note(lines=[]))
    protocol = [files.cosignature(g.text, g.consortium, s, g.end, g.consortium.name, "site", s) for s in range(6)]
    yield case("cosignatures-protocol-key", "cosigned with protocol keys instead of witness keys", "LG-09", None, g.leaves,
               g.note(lines=protocol))
    borrowed = [files.line(g.consortium.witness(s), 4, bytes(32), bytes(72)) for s in range(2)] + g.lines[2:]
    yield case("cosignatures-borrowed", "names of two sites over keys that are not theirs", "LG-09", None, g.leaves, g.note(lines=borrowed))


def cut(g):
    """A server that hides what it had shown."""
    half = g.leaves[:g.at["refund"]]
    yield case("tail-cut", "the tail is cut off and the rest signed anew", "LG-09", None, half, g.signed(half, []))
    yield case("tail-cut-quorum", "the tail is cut off behind an earlier quorum; a site has seen more", "LG-05", None, half,
               g.signed(half, range(5)), since=g.checkpoint)
    yield case("roster-hidden", "a new roster is cut off with its tail; the auditor has it", "LG-23", None, half, g.signed(half, range(5)),
               roster=2)
    other = Story(epsilon=19.0)
    fork = bound(other.leaves)
    yield case("forked", "another history with every signature, seen by nobody else", "LG-05", None, fork, g.signed(fork),
               since=g.checkpoint)
    yield case("forked-prefix", "another history, longer than the checkpoint that was seen", "LG-05", None, fork, g.signed(fork),
               since=g.signed(g.leaves[:16], range(5)))
    elsewhere = Consortium("another")
    yield case("since-elsewhere", "the checkpoint that was seen is of another log", "LG-05", None, g.leaves, g.checkpoint,
               since=files.checkpoint(g.leaves, elsewhere, g.end, range(6)))
    one, other = g.story.leaves[1:3]
    swapped = bound([g.story.leaves[0], other | {"time": one["time"]}, one | {"time": other["time"]}] + g.story.leaves[3:13])
    text = files.head(g.consortium.origin, swapped)
    yield case("resigned", "two entries change places, signed anew with the old cosignatures", "LG-08", None, swapped,
               text + "\n" + files.log_line(text, g.consortium) + "".join(g.lines))


def all_cases():
    g = Good()
    for part in (good, damaged, misformed, logs, cosigned, cut):
        yield from part(g)
