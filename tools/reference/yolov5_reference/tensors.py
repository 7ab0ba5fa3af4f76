"""Safetensors files: a header of JSON behind its length as u64, then the raw little-endian values."""
import json
import struct
from pathlib import Path

import torch

TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
         "I64": torch.int64, "I32": torch.int32, "U8": torch.uint8, "BOOL": torch.bool}
NAMES = {kind: name for name, kind in TYPES.items()}
Tensors = dict[str, torch.Tensor]


def read(path: str | Path) -> tuple[Tensors, dict[str, str]]:
    """The tensors by name, in their own types, and the file's metadata."""
    content = bytearray(Path(path).read_bytes())
    if len(content) < 8:
        raise ValueError(f"{path} is no safetensors file")
    (size,) = struct.unpack_from("<Q", content)
    if size > len(content) - 8:
        raise ValueError(f"{path} is no safetensors file")
    header = json.loads(content[8:8 + size])
    metadata = header.pop("__metadata__", {})
    found = {}
    for name, entry in header.items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        values = torch.frombuffer(bytearray(content[begin:end]), dtype=torch.uint8) if end > begin else torch.empty(0, dtype=torch.uint8)
        found[name] = values.view(TYPES[entry["dtype"]]).reshape(entry["shape"])
    return found, metadata


def write(path: str | Path, tensors: Tensors, metadata: dict[str, str] | None = None) -> None:
    """Writes the tensors in their own types; those with the widest elements first, so that every one is aligned."""
    header, parts, position = {}, [], 0
    if metadata:
        header["__metadata__"] = metadata
    for name, tensor in sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0])):
        values = tensor.detach().cpu().contiguous()
        raw = values.reshape(-1).view(torch.uint8).numpy().tobytes() if values.numel() else b""
        header[name] = {"dtype": NAMES[values.dtype], "shape": list(values.shape), "data_offsets": [position, position + len(raw)]}
        parts.append(raw)
        position += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))
