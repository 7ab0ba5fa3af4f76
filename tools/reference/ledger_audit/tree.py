"""RFC 6962 trees, signed notes, checkpoints, cosignatures and tiles."""
import base64
import hashlib

from .reading import Fault, Malformed, Reader, from_base64, verifies, well

NOTE_BYTES_MAX, LEAF_BYTES_MAX, WIDTH = 4 << 20, 65_535, 256


def sha256(data): return hashlib.sha256(data).digest()
def leaf_hash(leaf): return sha256(b"\0" + leaf)
def node(left, right): return sha256(b"\1" + left + right)


def root_of(hashes):
    """The tree's hash by its definition: split at the largest power of two below the number of leaves."""
    if not hashes:
        return sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return node(root_of(hashes[:split]), root_of(hashes[split:]))


def parse_note(data):
    """Text, and signature lines as (name, key id, bytes)."""
    well(len(data) <= NOTE_BYTES_MAX and data[-1:] == b"\n", "no note")
    well(all(b >= 0x20 or b == 0x0A for b in data), "a control character")
    text = Reader.text(data)
    head, found, tail = text.rpartition("\n\n")
    well(found and head and tail, "no text or no signatures")
    lines = []
    for line in tail.split("\n")[:-1]:
        parts = line.split(" ")
        well(len(parts) == 3 and parts[0] == "\u2014" and parts[1] and "+" not in parts[1], "a line that is no signature")
        well(not any(c.isspace() for c in parts[1]), "a name with spaces")
        blob = from_base64(parts[2])
        well(len(blob) > 4, "a short signature")
        lines.append((parts[1], blob[:4], blob[4:]))
    return head + "\n", lines


class Checkpoint:
    def __init__(self, data):
        self.text, self.lines = parse_note(data)
        lines = self.text.split("\n")
        well(len(lines) == 4 and not lines[3] and lines[0], "no checkpoint")
        self.origin = lines[0]
        well(lines[1].isascii() and lines[1].isdigit() and str(int(lines[1])) == lines[1], "no size")
        self.size, self.root = int(lines[1]), from_base64(lines[2])
        well(self.size <= 1 << 53 and len(self.root) == 32, "no size or root")

    def of_key(self, name, kind, key):
        key_id = sha256(name.encode() + b"\n" + bytes([kind]) + key)[:4]
        return [blob for n, i, blob in self.lines if n == name and i == key_id]

    def check_log(self, key):
        """LG-07."""
        found = self.of_key(self.origin, 1, key)
        if not found:
            raise Fault("LG-07", "no signature of the roster's log key")
        if not all(verifies(key, blob, self.text.encode()) for blob in found):
            raise Fault("LG-07", "the log's signature does not fit the checkpoint")

    def cosignature(self, name, key):
        """None, or the stated time and whether it holds."""
        found = self.of_key(name, 4, key)
        if not found:
            return None
        if len(found) != 1 or len(found[0]) != 72:
            return 0, False
        time = int.from_bytes(found[0][:8], "big")
        signed = f"cosignature/v1\ntime {time}\n{self.text}".encode()
        return time, time < 1 << 63 and verifies(key, found[0][8:], signed)


def path(kind, number, width):
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i:i + 3] for i in range(0, len(digits), 3)]
    name = "".join(f"x{g}/" for g in groups[:-1]) + groups[-1]
    return f"tile/{kind}/{name}" + (f".p/{width}" if width < WIDTH else "")


def held(source, kind, number, width, limit):
    """The file of a tile or bundle: the partial one, or the full one that took its place."""
    for size in [width] if width == WIDTH else [width, WIDTH]:
        found = source(path(kind, number, size))
        if found is not None:
            if len(found) > limit:
                raise Fault("LG-02", "a file that is too long")
            return found, size
    raise Fault("LG-02", f"tile/{kind} number {number} is missing")


def entries(source, size):
    """LG-02."""
    leaves = []
    for number in range(-(-size // WIDTH)):
        width = min(WIDTH, size - number * WIDTH)
        data, count = held(source, "entries", number, width, WIDTH * (LEAF_BYTES_MAX + 2))
        reader, found = Reader(data), []
        try:
            while reader.left:
                found.append(reader.block16())
        except Malformed:
            raise Fault("LG-02", "a bundle is cut off") from None
        if len(found) != count:
            raise Fault("LG-02", f"a bundle of {len(found)} entries")
        leaves += found[:width]
    return leaves


def compare_tiles(source, hashes):
    """LG-02, LG-03: level by level, each hash above that of 256 below."""
    level = 0
    while hashes:
        for number in range(-(-len(hashes) // WIDTH)):
            own = hashes[number * WIDTH:(number + 1) * WIDTH]
            data, count = held(source, str(level), number, len(own), 32 * WIDTH)
            if len(data) != 32 * count:
                raise Fault("LG-02", "a tile of another size")
            for place, value in enumerate(own):
                if data[32 * place:32 * place + 32] != value:
                    raise Fault("LG-03", "a tile disagrees with the entries", number * WIDTH + place if level == 0 else None)
        hashes = [root_of(hashes[i:i + WIDTH]) for i in range(0, len(hashes) - WIDTH + 1, WIDTH)]
        level += 1


def names(consortium_key):
    """Prefixes of the log's and the witnesses' names."""
    tag = hashlib.blake2b(consortium_key, digest_size=32).hexdigest()[:16]
    return f"secagg.ledger/{tag}/", f"secagg.witness/{tag}/"


def base64_text(data): return base64.b64encode(data).decode()
