"""Weights files (safetensors) and the flat vector: which tensor stands where in `parameters` and `statistics` (spec/04, "Layout")."""
import json
import struct

import numpy as np

from .encodings import blake2b, u32
from .roster import text

FLOATS = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2")}
HEADER_MAX = 16 << 20


class Weights:
    """A weights file of the server, with its digest checked by whoever asked for it."""

    def __init__(self, content):
        self.content = content
        (size,) = struct.unpack_from("<Q", content)
        if size > min(HEADER_MAX, len(content) - 8):
            raise ValueError("the weights are no safetensors file")
        header = json.loads(content[8:8 + size])
        header.pop("__metadata__", None)
        self.base = 8 + size
        entries = sorted(header.items(), key=lambda item: item[1]["data_offsets"][0])
        self.slots = [(name, entry) for name, entry in entries
                      if entry["dtype"] in FLOATS and not (name == "anchors" or name.endswith(".anchors"))]

    @staticmethod
    def is_statistic(name): return name.endswith((".running_mean", ".running_var"))

    def values(self, entry):
        begin, end = entry["data_offsets"]
        found = np.frombuffer(self.content, FLOATS[entry["dtype"]], offset=self.base + begin,
                              count=(end - begin) // FLOATS[entry["dtype"]].itemsize)
        if entry["dtype"] == "BF16":  # the upper half of a 32-bit float
            return (found.astype(np.uint32) << 16).view(np.float32)
        return found.astype(np.float32)

    def flat(self, statistics):
        found = [self.values(e) for name, e in self.slots if self.is_statistic(name) == statistics]
        return np.concatenate(found) if found else np.empty(0, np.float32)

    @property
    def layout_digest(self):
        out = text("secagg/v1/layout") + u32(len(self.slots))
        for name, entry in self.slots:
            section = "statistics" if self.is_statistic(name) else "parameters"
            out += text(name) + text(section) + u32(len(entry["shape"])) + b"".join(u32(n) for n in entry["shape"])
        return blake2b(out)

    def moments(self, statistics):
        """Every running variance v replaced by v + m^2 (spec/04, "Encoding"), rounded to a 32-bit float again."""
        slots, position = {}, 0
        for name, entry in self.slots:
            if self.is_statistic(name):
                count = int(np.prod(entry["shape"], dtype=np.int64))
                slots[name] = slice(position, position + count)
                position += count
        out = statistics.copy()
        for name, where in slots.items():
            mean = slots.get(name.removesuffix("running_var") + "running_mean")
            if name.endswith(".running_var") and mean:
                means = statistics[mean].astype(np.float64)
                out[where] = (statistics[where].astype(np.float64) + means * means).astype(np.float32)
        return out
