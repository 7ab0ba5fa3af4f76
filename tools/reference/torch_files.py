#!/usr/bin/env python3
"""Writes Tests/TorchWeightsTests/Vectors: checkpoints by PyTorch itself, and files that break one rule each.

good_NAME.pt has its tensors beside it as good_NAME.safetensors, in the order of PyTorch's state_dict; bad_CODE_NAME.pt must be refused
with the error CODE. The classes are this script's own: of YOLOv5 they have only the names. Needs torch and NumPy."""
import argparse
import datetime
import json
import pathlib
import pickle
import struct
import sys
import types
import zipfile
import zlib

import numpy as np
import torch

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "Tests/TorchWeightsTests/Vectors"
TYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64", torch.int64: "I64", torch.int32: "I32",
         torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL"}


class Package(types.ModuleType):
    """A Python module that makes up each class that a pickle asks it for."""
    def __getattr__(self, name):
        if not name[:1].isupper():
            raise AttributeError(name)
        made = type(name, (torch.nn.Module,), {"__module__": self.__name__, "forward": forward_of(name)})
        setattr(self, name, made)
        return made


def forward_of(name):
    def forward(self, x): return x
    forward.__qualname__ = f"{name}.forward"
    return forward


for package in ["models", "models.yolo", "models.common"]:
    sys.modules[package] = Package(package)
yolo, common = sys.modules["models.yolo"], sys.modules["models.common"]
yolo.Detect.forward.__module__ = "models.yolo"


def safetensors(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
        header[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def good(name, value, tensors, **options):
    torch.save(value, VECTORS / f"good_{name}.pt", **options)
    safetensors(VECTORS / f"good_{name}.safetensors", {k: v for k, v in tensors.items() if not k.endswith("anchor_grid")})


def convolution(inputs, outputs, activation):
    block = common.Conv()
    block.conv = torch.nn.Conv2d(inputs, outputs, 3, bias=False)
    block.bn = torch.nn.BatchNorm2d(outputs)
    block.act = activation
    return block


def network(seed, names):
    torch.manual_seed(seed)
    activation = torch.nn.SiLU()
    head = yolo.Detect()
    head.nc, head.f, head.detect = 2, [0, 1], yolo.Detect.forward
    head.register_buffer("anchors", torch.arange(12.0).reshape(2, 3, 2))
    head.register_buffer("anchor_grid", torch.zeros(2, 1, 3, 1, 1, 2))
    head.register_buffer("scratch", torch.zeros(5), persistent=False)
    head.register_buffer("absent", None)
    head.m = torch.nn.ModuleList([torch.nn.Conv2d(4, 21, 1), torch.nn.Conv2d(8, 21, 1)])
    model = yolo.DetectionModel()
    model.model = torch.nn.Sequential(convolution(3, 4, activation), convolution(4, 8, activation), head)
    model.twin = model.model[0].bn  # One module in two places has two names.
    model.yaml = {"nc": 2, "depth_multiple": 0.33, "width_multiple": 0.25, "anchors": [[10, 13, 16, 30], [30, 61, 62, 45]],
                  "backbone": [[-1, 1, "Conv", [64, 6, 2, 2]], [-1, 3, "C3", [128, False]]],
                  "head": [[[0, 1], 1, "Detect", ["nc", "anchors"]]], "ch": 3, "note": "a \"quoted\"\n\u00e9"}
    model.names, model.stride = names, torch.tensor([8.0, 16.0])
    return model.half()


def good_files():
    model, ema = network(1, {0: "red", 1: "b\nlue"}), network(2, {0: "red", 1: "b\nlue"})
    whole = {"epoch": 7, "best_fitness": np.array([0.625]), "model": model, "ema": ema, "updates": 1234,
             "optimizer": torch.optim.SGD(model.parameters(), 0.01, momentum=0.9).state_dict(),
             "opt": {"epochs": 24, "hyp": {"lr0": 0.01}, "rect": False, "evolve": None, "freeze": [0]},
             "date": "2026-11-22T20:44:42.456267"}
    good("module", whole, ema.state_dict())
    good("model_only", {**whole, "ema": None, "epoch": -1, "best_fitness": None}, model.state_dict())
    listed = network(3, ["red", "blue"])
    options = argparse.Namespace(save_dir=pathlib.PurePosixPath("runs/exp"), epochs=3)
    good("protocol4", {**whole, "ema": listed, "best_fitness": np.float64(0.25), "date": datetime.datetime(2026, 1, 2, 3, 4, 5, 6),
                       "opt": options}, listed.state_dict(), pickle_protocol=4)
    scalar = {"best_fitness": np.float32(0.5), "date": datetime.datetime(2026, 1, 2, 3, 4, 5)}
    good("protocol2_scalar", {**whole, **scalar}, ema.state_dict())
    good("bare_module", model, model.state_dict())
    state = listed.state_dict()
    good("state_dict", state, state)
    good("state_dict_model", {"epoch": 3, "model": state}, state)
    good("state_dict_key", {"state_dict": dict(state), "epoch": 3}, state)
    base = torch.arange(120.0).reshape(2, 3, 4, 5)
    views = {"base": base, "transposed": base.transpose(0, 3), "channels_last": base.contiguous(memory_format=torch.channels_last),
             "expanded": torch.tensor([1.5, -2.0]).expand(3, 2), "expanded_scalar": torch.tensor(7.0).expand(4, 4),
             "inner": base[1, :, 1:3, ::2], "row": base[1, 2], "column": base[:, 1, 2, 3], "one": base[1, 2, 3, 4],
             "scalar": torch.tensor(3.0), "empty": torch.zeros(0, 3), "ones": base.reshape(120, 1)[5:100:7],
             "half": torch.arange(6.0).half().reshape(2, 3).t(), "brain": torch.arange(5.0).bfloat16()[1:],
             "double": torch.arange(4.0).double()[::3], "long": torch.arange(9).reshape(3, 3).t(), "int": torch.arange(3).int(),
             "short": torch.arange(3).short()[1:], "char": torch.arange(-3, 3).char().reshape(2, 3).t(),
             "byte": torch.arange(250, 255).byte(), "bool": torch.tensor([True, False, True])[1:],
             "parameter": torch.nn.Parameter(torch.ones(2, 2).tril())}
    good("views", {**views, "complex": torch.zeros(2, dtype=torch.complex64), "count": 3, "nothing": None}, views)


# Pickles by hand. Raw is a piece of pickle program; everything else is encoded as pickle would.

class Raw(bytes):
    pass


def encode(x):
    if isinstance(x, Raw): return bytes(x)
    if x is None: return b"N"
    if isinstance(x, bool): return b"\x88" if x else b"\x89"
    if isinstance(x, int):
        if -2**31 <= x < 2**31: return b"J" + struct.pack("<i", x)
        digits = x.to_bytes(x.bit_length() // 8 + 1, "little", signed=True)
        return b"\x8a" + bytes([len(digits)]) + digits
    if isinstance(x, float): return b"G" + struct.pack(">d", x)
    if isinstance(x, str): return b"X" + struct.pack("<I", len(x.encode())) + x.encode()
    if isinstance(x, tuple): return b"(" + b"".join(map(encode, x)) + b"t"
    if isinstance(x, list): return b"](" + b"".join(map(encode, x)) + b"e"
    if isinstance(x, dict): return b"}(" + b"".join(encode(k) + encode(v) for k, v in x.items()) + b"u"
    raise TypeError(x)


def named(path): return Raw(b"c" + b"\n".join(path.rsplit(".", 1)[i].encode() for i in (0, 1)) + b"\n")
def call(path, *arguments): return Raw(named(path) + encode(arguments) + b"R")
def persistent(identity): return Raw(encode(identity) + b"Q")
def storage(key="0", count=4, kind="torch.FloatStorage"): return persistent(("storage", named(kind), key, "cpu", count))
def program(x): return b"\x80\x02" + encode(x) + b"."
def pairs(*items): return Raw(b"}(" + b"".join(encode(k) + encode(v) for k, v in items) + b"u")


def tensor(shape=(4,), strides=(1,), offset=0, source=None):
    return call("torch._utils._rebuild_tensor_v2", storage() if source is None else source, offset, shape, strides, False, pairs())


def module(name="models.yolo.DetectionModel", parameters=None, buffers=None, modules=None, **state):
    parts = {"_parameters": parameters or {}, "_buffers": buffers or {}, "_modules": modules or {}, **state}
    return Raw(named(name) + b")\x81" + encode(parts) + b"b")


def bomb():
    """Lists of the list before, twice: 2^78 values for whoever walks them as a tree."""
    steps = (b"q" + bytes([i]) + b"0](h" + bytes([i]) + b"h" + bytes([i]) + b"e" for i in range(2, 80))
    return Raw(b"]" + b"".join(steps))


def entries(data, storages=None):
    return [("a/data.pkl", data), ("a/byteorder", b"little")] + [(f"a/data/{k}", v) for k, v in (storages or {"0": bytes(16)}).items()]


def archive(files, method=0, flags=0, wide=False, crc=None, local_name=None, comment=b"", same_place=False):
    """A zip archive by hand; each argument is a fault or a form that zipfile does not write."""
    out, directory = b"", b""
    for name, data in files:
        place, check = (0 if same_place else len(out)), zlib.crc32(data) if crc is None else crc
        packed = zlib.compress(data)[2:-4] if method else data
        sizes = struct.pack("<II", len(packed), len(data))
        stored_as = (local_name or name).encode()
        out += struct.pack("<IHHHII", 0x04034b50, 20, flags, method, 0, check) + sizes
        out += struct.pack("<HH", len(stored_as), 0) + stored_as + packed
        extra = struct.pack("<HHIHHQQQ", 0xabcd, 4, 0, 1, 24, len(data), len(packed), place) if wide else b""
        sizes, where = (b"\xff" * 8, 0xffffffff) if wide else (sizes, place)
        directory += struct.pack("<IHHHHII", 0x02014b50, 20, 20, flags, method, 0, check) + sizes
        directory += struct.pack("<HHHHHII", len(name), len(extra), 0, 0, 0, 0, where) + name.encode() + extra
    count, size, start = len(files), len(directory), len(out)
    out += directory
    if wide:
        out += struct.pack("<IQHHIIQQQQ", 0x06064b50, 44, 45, 45, 0, 0, count, count, size, start)
        out += struct.pack("<IIQI", 0x07064b50, 0, start + size, 1)
        count, size, start = 0xffff, 0xffffffff, 0xffffffff
    return out + struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, count, count, size, start, len(comment)) + comment


def write(name, data): (VECTORS / f"{name}.pt").write_bytes(data)


def save(name, x, storages=None, **faults):
    body = x if isinstance(x, bytes) and not isinstance(x, Raw) else program(x)
    write(name, archive(entries(body, storages), **faults))


def good_by_hand():
    values = torch.arange(4.0)
    raw = {"0": values.numpy().tobytes()}
    deep = Raw(b"]" * 100_000 + b"a" * 99_999)
    cyclic = Raw(b"]q\x01h\x01a")
    cases = {"zip64": ({"w": tensor()}, {"wide": True}), "comment": ({"w": tensor()}, {"comment": b"PK\x05\x06 a comment"}),
             "deep_list_aside": ({"w": tensor(), "x": deep}, {}), "cyclic_list_aside": ({"w": tensor(), "x": cyclic}, {}),
             "memo_bomb_aside": ({"w": tensor(), "x": bomb()}, {})}
    for name, (value, form) in cases.items():
        save(f"good_{name}", value, raw, **form)
        safetensors(VECTORS / f"good_{name}.safetensors", {"w": values})


def bad_archives():
    ok = program({"w": tensor()})
    files = entries(ok)
    wide = archive(files, wide=True)
    for name, data in {
        "notACheckpoint_text": b"not a checkpoint at all", "notACheckpoint_empty": b"", "truncated_header": archive(files)[:30],
        "notACheckpoint_no_pickle": archive([("a/data/0", bytes(16))]), "notACheckpoint_no_folder": archive([("data.pkl", ok)]),
        "notACheckpoint_two_pickles": archive(files + [("b/data.pkl", ok)]),
        "notACheckpoint_torchscript": archive(files + [("a/constants.pkl", b"\x80\x02N.")]),
        "compressed_deflated": archive(files, method=8), "encrypted_entries": archive(files, flags=1),
        "encrypted_strong": archive(files, flags=65), "badChecksum_pickle": archive(files, crc=1),
        "badChecksum_storage": archive(files).replace(bytes(16), bytes(15) + b"\1", 1),
        "bigEndian_entry": archive([("a/data.pkl", ok), ("a/byteorder", b"big"), ("a/data/0", bytes(16))]),
        "malformedArchive_overlap": archive(files, same_place=True),
        "malformedArchive_same_name": archive(files + [("a/data.pkl", program({}))]),
        "malformedArchive_local_name": archive(files, local_name="b/data.pkl"),
        "malformedArchive_before": archive(files).replace(b"PK\x03\x04", b"PK\x03\x04PK\x03\x04", 1),
        "malformedArchive_directory_size": archive(files)[:-10] + struct.pack("<I", 7) + archive(files)[-6:],
        "malformedArchive_count": archive(files)[:-12] + struct.pack("<H", 2) + archive(files)[-10:],
        "malformedArchive_two_disks": archive(files)[:-18] + struct.pack("<HH", 1, 1) + archive(files)[-14:],
        "malformedArchive_zip64_count": wide[:-74] + struct.pack("<QQ", 2**60, 2**60) + wide[-58:],
        "missingEntry_storage": archive([("a/data.pkl", ok)]),
        "missingEntry_other_folder": archive([("a/data.pkl", ok), ("b/data/0", bytes(16))]),
    }.items():
        write(f"bad_{name}", data)
    torch.save({"w": torch.ones(2)}, VECTORS / "bad_legacyFormat_torch.pt", _use_new_zipfile_serialization=False)


def bad_pickles():
    body = program({"w": tensor()})
    for name, data in {
        "malformedPickle_empty": b"", "malformedPickle_protocol": b"\x80\x01N.",
        "malformedPickle_no_protocol": b"N.", "malformedPickle_no_stop": body[:-1],
        "malformedPickle_cut": body[:-20], "malformedPickle_trailing": body + b"N", "malformedPickle_two_values": b"\x80\x02NN.",
        "malformedPickle_underflow": b"\x80\x020.", "malformedPickle_below_mark": b"\x80\x02N(0t.",
        "malformedPickle_no_mark": b"\x80\x02Nt.", "malformedPickle_memo": b"\x80\x02h\x05.",
        "malformedPickle_memo_far": b"\x80\x02Nr\xff\xff\xff\xff.", "malformedPickle_odd_items": b"\x80\x02}(Nu.",
        "malformedPickle_append_to_dict": b"\x80\x02}Na.", "malformedPickle_text_length": b"\x80\x02X\xff\xff\xff\xffabc.",
        "malformedPickle_text_length8": b"\x80\x04\x8d" + b"\xff" * 8 + b"abc.",
        "malformedPickle_frame": b"\x80\x04\x95" + b"\xff" * 8 + b"N.", "malformedPickle_call_text": b"\x80\x02X\x01\x00\x00\x00a)R.",
        "malformedPickle_call_storage": b"\x80\x02ctorch\nFloatStorage\n)R.",
        "malformedPickle_arguments": b"\x80\x02ctorch\nSize\n]R.", "malformedPickle_state_of_list": b"\x80\x02]}b.",
        "malformedPickle_state_twice": b"\x80\x02cmodels.yolo\nDetect\n)\x81}b}b.", "malformedPickle_name": b"\x80\x02cmodels.yolo.",
        "malformedPickle_stack_name": b"\x80\x04NN\x93.", "malformedPickle_ordered_of": b"\x80\x02ccollections\nOrderedDict\n]\x85R.",
        "unsupportedOpcode_instance": b"\x80\x02(X\x02\x00\x00\x00idios\nsystem\n.", "unsupportedOpcode_extension": b"\x80\x02\x82\x01.",
        "unsupportedOpcode_text_int": b"\x80\x02I1\n.", "unsupportedOpcode_zero": b"\x80\x02\x00.",
        "unsupportedOpcode_persid": b"\x80\x02P0\n.",
    }.items():
        save(f"bad_{name}", data)
    class Evil:
        def __reduce__(self): return __import__("os").system, ("true",)
    save("bad_forbiddenGlobal_os_system", pickle.dumps({"model": Evil()}, 2))
    save("bad_forbiddenGlobal_os_system4", pickle.dumps({"model": Evil()}, 4))
    for path in [
        "builtins.eval", "__builtin__.exec", "builtins.__import__", "subprocess.Popen", "torch.load", "torch.hub.load",
        "torch.QInt8Storage", "models.yolo.parse_model", "models.hub.Detect", "models.yolo.os.Detect", "utils.general.check_requirements",
        "utils.downloads.Get", "ultralytics.nn.tasks.DetectionModel", "torch.nn.modules.linear", "torch.nn.modules..Linear",
        "numpy.core.multiarray.fromfile", "copyreg._reconstructor", "torch.nn.Linear", "torch.nn.modules.linear.torch._C",
    ]:
        save(f"bad_forbiddenGlobal_{path.replace('.', '_')}", {"model": Raw(named(path) + b")R")})
    method = call("builtins.getattr", named("models.yolo.Detect"), "forward")
    for name, owner in {"text": "text", "function": named("collections.OrderedDict"), "chain": method}.items():
        save(f"bad_forbiddenGlobal_getattr_{name}", {"model": call("builtins.getattr", owner, "__globals__")})


def bad_tensors():
    big = 2**62
    for name, value in {
        "huge_shape": tensor((2**31, 4), (0, 1)), "shape_overflow": tensor((2**40, 2**40), (0, 0)),
        "beside_zero": tensor((0, 2**40), (1, 1)), "stride_overflow": tensor((3,), (big,)), "sum_overflow": tensor((2, 2), (big, big)),
        "offset_overflow": tensor((2,), (1,), 2**63 - 1),
        "offset_beyond": tensor((4,), (1,), 1), "offset_negative": tensor((1,), (1,), -1), "stride_beyond": tensor((2, 2), (3, 1)),
        "stride_negative": tensor((2,), (-1,), 3), "shape_negative": tensor((-1,), (1,)), "scalar_beyond": tensor((), (), 4),
        "strides_missing": tensor((2, 2), (1,)), "shape_no_tuple": tensor(4, 1),
        "shape_wide": tensor((2**70,), (1,)), "many_dimensions": tensor((1,) * 33, (1,) * 33),
        "count_too_large": tensor(source=storage(count=5)), "count_too_small": tensor((2,), source=storage(count=2)),
        "count_negative": tensor((0,), (1,), source=storage(count=-4)), "count_overflow": tensor(source=storage(count=big)),
        "other_width": tensor(source=storage(kind="torch.DoubleStorage")),
        "storage_is_dtype": tensor(source=storage(kind="torch.float32")),
        "no_storage": tensor(source=Raw(b"N")), "persistent_text": tensor(source=persistent("0")),
        "persistent_short": tensor(source=persistent(("storage",))),
        "persistent_module": tensor(source=persistent(("module", named("torch.FloatStorage"), "0", "cpu", 4))),
        "no_arguments": call("torch._utils._rebuild_tensor_v2"),
    }.items():
        save(f"bad_inconsistentTensor_{name}", {"w": value})
    save("bad_missingEntry_key", {"w": tensor(source=storage(key="../data.pkl"))})
    save("bad_tooComplex_expanded", {"w": tensor((2**28,), (0,))})
    save("bad_tooComplex_many_views", {f"w{i}": tensor((2**16, 4), (0, 1)) for i in range(80)})


def bad_models():
    good_parts = {"w": tensor()}
    itself = Raw(named("models.yolo.Detect") + b")\x81q\x07" + encode({"_modules": {"a": Raw(b"h\x07")}}) + b"b")
    shared = module(parameters={})
    for i in range(10, 40):
        shared = Raw(shared + b"q" + bytes([i]) + b"0" + module(modules={"a": Raw(b"h" + bytes([i])), "b": Raw(b"h" + bytes([i]))}))
    deep = module()
    for _ in range(70): deep = module(modules={"a": deep})
    wide = Raw(b"](" + b"N" * 5000 + b"eq\x010](" + b"h\x01" * 5000 + b"e")
    parts_twice = pairs(("_parameters", good_parts), ("_parameters", {}))
    for name, value in {
        "tooComplex_module_in_itself": {"model": itself},
        "tooComplex_shared_modules": {"model": shared}, "tooComplex_deep_modules": {"model": deep},
        "tooComplex_yaml_deep": module(parameters=good_parts, yaml=Raw(b"]" * 1000 + b"a" * 999)),
        "tooComplex_yaml_cyclic": module(parameters=good_parts, yaml=Raw(b"]q\x01h\x01a")),
        "tooComplex_yaml_bomb": module(parameters=good_parts, yaml=bomb()),
        "tooComplex_yaml_wide": module(parameters=good_parts, yaml=wide),
        "tooComplex_options_bomb": {"model": module(parameters=good_parts), "opt": bomb()},
        "duplicateName_key": pairs(("w", tensor()), ("w", tensor())),
        "duplicateName_model": pairs(("model", good_parts), ("model", good_parts)),
        "duplicateName_path": module(parameters={"a.w": tensor()}, modules={"a": module(parameters=good_parts)}),
        "duplicateName_part": Raw(named("models.yolo.Model") + b")\x81" + parts_twice + b"b"),
        "malformedCheckpoint_none": None, "malformedCheckpoint_number": {"model": 3},
        "malformedCheckpoint_no_tensor": {"model": {"w": 3}},
        "malformedCheckpoint_empty": {}, "malformedCheckpoint_empty_module": module(),
        "malformedCheckpoint_no_state": Raw(named("models.yolo.Model") + b")\x81"),
        "malformedCheckpoint_parameters": module(parameters=[tensor()]), "malformedCheckpoint_parameter": module(parameters={"w": 3}),
        "malformedCheckpoint_modules": module(modules=[module()]), "malformedCheckpoint_child": module(modules={"a": {"w": tensor()}}),
        "malformedCheckpoint_reserved": {"__metadata__": tensor()},
        "malformedCheckpoint_number_key": {3: tensor()}, "malformedCheckpoint_empty_key": {"": tensor()},
        "malformedCheckpoint_control": {"a\nb": tensor()},
        "malformedCheckpoint_long_name": {"a" * 300: tensor()}, "malformedCheckpoint_tensor": tensor(),
    }.items():
        save(f"bad_{name}", value)


def names_of(path):
    """The state_dict's names of a real checkpoint, by PyTorch itself."""
    checkpoint = torch.load(path, weights_only=False)
    model = checkpoint.get("ema") or checkpoint["model"]
    return [name for name in model.state_dict() if not name.endswith("anchor_grid")]


if __name__ == "__main__":
    VECTORS.mkdir(parents=True, exist_ok=True)
    for old in [*VECTORS.glob("good_*"), *VECTORS.glob("bad_*")]: old.unlink()
    good_files()
    good_by_hand()
    bad_archives()
    bad_pickles()
    bad_tensors()
    bad_models()
    for path in VECTORS.glob("*-*.pt"):
        path.with_suffix(".names").write_text("\n".join(names_of(path)) + "\n")
