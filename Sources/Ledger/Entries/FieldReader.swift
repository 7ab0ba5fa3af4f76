// Takes the fields of one JSON object: every key that is there must be known, every field that is read must have its type and its one
// spelling.

struct FieldReader {
  private let members: [String: JSONValue]

  /// - Throws: where `value` is no object, or has a key that is not among `known`.
  init(_ value: JSONValue, _ known: [String]) throws(EncodingFault) {
    guard case .object(let list) = value else { throw EncodingFault("a text or number stands where an object is due") }
    for member in list where !known.contains(member.key) {
      throw EncodingFault("the field \(member.key.prefix(40)) is not known here")
    }
    members = Dictionary(list.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
  }

  func has(_ key: String) -> Bool { members[key] != nil }

  func value(_ key: String) throws(EncodingFault) -> JSONValue {
    guard let value = members[key] else { throw EncodingFault("the field \(key) is missing") }
    return value
  }

  func text(_ key: String) throws(EncodingFault) -> String {
    guard case .text(let text) = try value(key) else { throw EncodingFault("the field \(key) is no text") }
    return text
  }

  /// A whole number from 0.
  func natural(_ key: String, max: Int = Int(JSONValue.integerMax)) throws(EncodingFault) -> Int {
    guard case .integer(let number) = try value(key), number >= 0, number <= Int64(max) else {
      throw EncodingFault("the field \(key) is no whole number from 0 to \(max)")
    }
    return Int(number)
  }

  func list(_ key: String) throws(EncodingFault) -> [JSONValue] {
    guard case .list(let values) = try value(key) else { throw EncodingFault("the field \(key) is no list") }
    return values
  }

  func hex(_ key: String, _ count: Int) throws(EncodingFault) -> [UInt8] {
    guard let bytes = Hex.bytes(try text(key), count: count) else {
      throw EncodingFault("the field \(key) is not \(2 * count) lower-case hexadecimal digits")
    }
    return bytes
  }

  func decimal(_ key: String) throws(EncodingFault) -> LeafDecimal { try LeafDecimal(text(key)) }

  /// Bytes in base64, or a name for bytes that stand in attachments before.
  func blob(_ key: String) throws(EncodingFault) -> Blob { try Blob(text: text(key), key: key) }

  func object<Value>(
    _ key: String, _ known: [String], _ read: (FieldReader) throws(EncodingFault) -> Value
  ) throws(EncodingFault) -> Value {
    try read(FieldReader(value(key), known))
  }
}
