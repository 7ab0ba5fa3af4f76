// JSON as leaves use it: objects, lists, texts and whole numbers. A leaf is canonical (RFC 8785): keys in ascending order, no spaces, one
// spelling of each text and number. Fractions, exponents, true, false and null are no part of it, so that a value never depends on how
// somebody prints a float.

public indirect enum JSONValue: Equatable, Sendable {
  /// In the order of the text; no key twice.
  case object([JSONMember])
  case list([JSONValue])
  case text(String)
  /// Within ±(2^53 − 1).
  case integer(Int64)

  /// The largest magnitude of a whole number that every reader of JSON keeps exactly.
  public static let integerMax: Int64 = (1 << 53) - 1

  subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// The canonical text: what is hashed.
  public var canonicalBytes: [UInt8] {
    var out: [UInt8] = []
    write(to: &out)
    return out
  }

  private func write(to out: inout [UInt8]) {
    switch self {
    case .object(let members):
      out.append(UInt8(ascii: "{"))
      for (index, member) in members.sorted(by: { JSONValue.ascends($0.key, $1.key) }).enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        JSONValue.write(member.key, to: &out)
        out.append(UInt8(ascii: ":"))
        member.value.write(to: &out)
      }
      out.append(UInt8(ascii: "}"))
    case .list(let values):
      out.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        value.write(to: &out)
      }
      out.append(UInt8(ascii: "]"))
    case .text(let text): JSONValue.write(text, to: &out)
    case .integer(let number): out += String(number).utf8
    }
  }

  /// RFC 8785 orders keys by their UTF-16 units.
  static func ascends(_ left: String, _ right: String) -> Bool { left.utf16.lexicographicallyPrecedes(right.utf16) }

  private static func write(_ text: String, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
      case 0x08: out += Array("\\b".utf8)
      case 0x09: out += Array("\\t".utf8)
      case 0x0A: out += Array("\\n".utf8)
      case 0x0C: out += Array("\\f".utf8)
      case 0x0D: out += Array("\\r".utf8)
      case 0..<0x20: out += Array("\\u00".utf8) + Array(Hex.text([byte]).utf8)
      default: out.append(byte)
      }
    }
    out.append(UInt8(ascii: "\""))
  }
}

public struct JSONMember: Equatable, Sendable {
  public let key: String
  public let value: JSONValue
  public init(_ key: String, _ value: JSONValue) { (self.key, self.value) = (key, value) }
}
