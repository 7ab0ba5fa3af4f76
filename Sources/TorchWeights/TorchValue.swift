// The plain part of a checkpoint as a tree for callers: a model's description, the options of a training run. Invariant: bounded in
// depth, in number and in text, so that it may be walked and freed by recursion.

public enum TorchValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  /// A list, tuple or set.
  case list([TorchValue])
  /// In the file's order.
  case dictionary([Pair])
  /// A value of another kind (a path, a tensor), which stays out.
  case other

  public struct Pair: Equatable, Sendable {
    public let key: TorchValue
    public let value: TorchValue
  }

  /// The value of a dictionary's text key.
  public subscript(key: String) -> TorchValue? {
    guard case .dictionary(let pairs) = self else { return nil }
    return pairs.first { $0.key == .string(key) }?.value
  }
}

extension TorchValue {
  static let depthMax = 16
  private static let valuesMax = 20_000
  private static let textBytesMax = 128 << 10

  /// The value at `handle`.
  /// - Throws: `tooComplex` beyond the bounds; cyclic values end there too.
  init(_ reader: PickleReader, _ handle: Handle) throws(TorchWeightsError) {
    var budget = Budget()
    self = try Self.tree(reader, handle, 0, &budget)
  }

  private struct Budget {
    var values = TorchValue.valuesMax
    var textBytes = TorchValue.textBytesMax
  }

  private static func tree(
    _ reader: PickleReader, _ handle: Handle, _ depth: Int, _ budget: inout Budget
  ) throws(TorchWeightsError) -> TorchValue {
    budget.values -= 1
    guard depth <= depthMax, budget.values >= 0 else {
      throw TorchWeightsError(.tooComplex, "a description of more than \(depthMax) levels or \(valuesMax) values")
    }
    switch reader.pickle[handle] {
    case .none: return .null
    case .bool(let value): return .bool(value)
    case .int(let value): return .int(value)
    case .float(let value): return .double(value)
    case .text(_, let count):
      budget.textBytes -= Int(count)
      guard budget.textBytes >= 0 else { throw TorchWeightsError(.tooComplex, "a description of more than \(textBytesMax) bytes") }
      return .string(try reader.text(handle, bytesMax: textBytesMax) ?? "")
    case .dictionary:
      var pairs: [Pair] = []
      let flat = try reader.pairs(handle) ?? []
      for index in stride(from: 0, to: flat.count, by: 2) {
        pairs.append(
          Pair(key: try tree(reader, flat[index], depth + 1, &budget), value: try tree(reader, flat[index + 1], depth + 1, &budget)))
      }
      return .dictionary(pairs)
    default:
      var items = try reader.items(handle)
      if items == nil { items = try reader.members(handle) }
      guard let items else { return .other }
      var list: [TorchValue] = []
      for item in items { list.append(try tree(reader, item, depth + 1, &budget)) }
      return .list(list)
    }
  }

  /// The value as one line of JSON, nil if it has what JSON lacks: numbers that are not finite, keys that are no text, other kinds.
  var json: String? {
    switch self {
    case .null: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .int(let value): return String(value)
    case .double(let value): return value.isFinite ? "\(value)" : nil
    case .string(let text): return Self.quoted(text)
    case .list(let items):
      let parts = items.compactMap(\.json)
      return parts.count == items.count ? "[\(parts.joined(separator: ","))]" : nil
    case .dictionary(let pairs):
      var parts: [String] = []
      for pair in pairs {
        guard case .string(let key) = pair.key, let value = pair.value.json else { return nil }
        parts.append("\(Self.quoted(key)):\(value)")
      }
      return "{\(parts.joined(separator: ","))}"
    case .other: return nil
    }
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
