// The allow-list: every class and function that a YOLOv5 checkpoint may name, and how the machine treats it. A name stands for an
// inert value; that it is allowed means only that reading goes on. Anything else ends the reading.

import Safetensors

/// A storage class of PyTorch: its elements' type, nil if safetensors has none.
struct StorageKind: Equatable, Sendable {
  let type: ElementType?
  /// Bytes per element.
  let width: Int
}

enum Global: Equatable, Sendable {
  case orderedDictionary, dictionary, list, set
  case rebuildTensor, rebuildParameter
  case storage(StorageKind)
  case size
  /// `getattr`, which YOLOv5 uses for one method of a layer; allowed on its classes only, and never looked up.
  case attribute
  case encode
  case numpyScalar, numpyRebuild, numpyType
  case date
  /// A class of a layer or model, by its full name.
  case module(String)
  /// A class or function whose results nothing reads.
  case ignored
  /// A value by itself, such as a data type.
  case constant

  /// True if a pickle may call or instantiate it.
  var isCallable: Bool {
    switch self {
    case .storage, .constant: false
    default: true
    }
  }

  init(module: String, name: String) throws(TorchWeightsError) {
    if let known = Self.exact["\(module) \(name)"] {
      self = known
    } else if module == "torch", Self.constants.contains(name) {
      self = .constant
    } else if Self.isModelClass(module, name) {
      self = .module("\(module).\(name)")
    } else {
      throw TorchWeightsError(
        .forbiddenGlobal, "the checkpoint asks for \"\(printable(module)).\(printable(name))\", which weights have no use for")
    }
  }

  /// Layers of YOLOv5 and of PyTorch. Classes begin with a capital; functions of the same Python modules do not and stay out.
  private static func isModelClass(_ module: String, _ name: String) -> Bool {
    let path = module.split(separator: ".", omittingEmptySubsequences: false)
    guard path.allSatisfy({ isIdentifier($0) }), let first = name.first, first.isASCII, first.isUppercase else { return false }
    // Newer protocols name a method with its class: "Detect.forward".
    guard name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ isIdentifier($0) }) else { return false }
    switch path.first {
    case "models": return path.count == 2 && ["yolo", "common", "experimental"].contains(path[1])
    case "utils": return path.count == 2 && ["activations", "autoanchor", "general", "loss", "torch_utils"].contains(path[1])
    default: return path.count >= 4 && path.starts(with: ["torch", "nn", "modules"])
    }
  }

  private static func isIdentifier(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return text.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: true
      default: false
      }
    }
  }

  private static let constants: Set<String> = [
    "float16", "bfloat16", "float32", "float64", "half", "float", "double", "int8", "uint8", "int16", "int32", "int64", "short",
    "int", "long", "bool", "complex64", "complex128", "strided", "contiguous_format", "channels_last", "preserve_format",
  ]

  private static let exact: [String: Global] = {
    var table: [String: Global] = [
      "collections OrderedDict": .orderedDictionary,
      "torch._utils _rebuild_tensor_v2": .rebuildTensor,
      "torch._utils _rebuild_parameter": .rebuildParameter,
      "torch._utils _rebuild_parameter_with_state": .rebuildParameter,
      "torch Size": .size, "torch device": .ignored,
      "_codecs encode": .encode,
      "numpy ndarray": .ignored, "numpy dtype": .numpyType,
      "argparse Namespace": .ignored, "datetime datetime": .date,
    ]
    for builtins in ["builtins", "__builtin__"] {
      table["\(builtins) set"] = .set
      table["\(builtins) list"] = .list
      table["\(builtins) dict"] = .dictionary
      for name in ["tuple", "frozenset", "bytes", "bytearray"] { table["\(builtins) \(name)"] = .ignored }
      table["\(builtins) getattr"] = .attribute
    }
    for numpy in ["numpy.core.multiarray", "numpy._core.multiarray"] {
      table["\(numpy) scalar"] = .numpyScalar
      table["\(numpy) _reconstruct"] = .numpyRebuild
    }
    for pathlib in ["pathlib", "pathlib._local"] {
      for name in ["Path", "PurePath", "PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath"] {
        table["\(pathlib) \(name)"] = .ignored
      }
    }
    let storages: [(String, ElementType)] = [
      ("Float", .f32), ("Half", .f16), ("BFloat16", .bf16), ("Double", .f64), ("Long", .i64), ("Int", .i32), ("Short", .i16),
      ("Char", .i8), ("Byte", .u8), ("Bool", .bool),
    ]
    for (name, type) in storages { table["torch \(name)Storage"] = .storage(StorageKind(type: type, width: type.size)) }
    table["torch ComplexFloatStorage"] = .storage(StorageKind(type: nil, width: 8))
    table["torch ComplexDoubleStorage"] = .storage(StorageKind(type: nil, width: 16))
    return table
  }()
}
