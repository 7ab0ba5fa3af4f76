// Reads JSON without guessing: a key that stands twice, a fraction, a lone surrogate, bytes behind the end are refused, and nesting is
// bounded before the stack is. Spaces between values are allowed here; whether a leaf is canonical is decided by writing it again.

struct JSONReader {
  static let depthMax = 8

  private let bytes: [UInt8]
  private var position = 0

  /// - Throws: for anything but one value of the allowed kinds.
  static func read(_ bytes: [UInt8]) throws(EncodingFault) -> JSONValue {
    var reader = JSONReader(bytes: bytes)
    let value = try reader.value(depth: 0)
    reader.skipSpaces()
    guard reader.position == bytes.count else { throw EncodingFault("bytes behind the end of the JSON text") }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func fault(_ reason: String) -> EncodingFault { EncodingFault("\(reason) at byte \(position)") }

  private mutating func skipSpaces() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private mutating func expect(_ byte: UInt8) throws(EncodingFault) {
    skipSpaces()
    guard next == byte else { throw fault("no \(Character(UnicodeScalar(byte)))") }
    position += 1
  }

  /// Whether `byte` is next; then it is passed.
  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpaces()
    guard next == byte else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(EncodingFault) -> JSONValue {
    guard depth <= JSONReader.depthMax else { throw fault("nested too deep") }
    skipSpaces()
    switch next {
    case UInt8(ascii: "{"): return .object(try members(depth))
    case UInt8(ascii: "["): return .list(try elements(depth))
    case UInt8(ascii: "\""): return .text(try text())
    case .some(let byte) where byte == UInt8(ascii: "-") || (48...57).contains(byte): return .integer(try integer())
    default: throw fault("no object, list, text or whole number")
    }
  }

  private mutating func members(_ depth: Int) throws(EncodingFault) -> [JSONMember] {
    position += 1
    var members: [JSONMember] = []
    var keys: Set<String> = []
    guard !take(UInt8(ascii: "}")) else { return [] }
    repeat {
      skipSpaces()
      let key = try text()
      guard keys.insert(key).inserted else { throw fault("a key stands twice") }
      try expect(UInt8(ascii: ":"))
      members.append(JSONMember(key, try value(depth: depth + 1)))
    } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"))
    return members
  }

  private mutating func elements(_ depth: Int) throws(EncodingFault) -> [JSONValue] {
    position += 1
    var elements: [JSONValue] = []
    guard !take(UInt8(ascii: "]")) else { return [] }
    repeat { elements.append(try value(depth: depth + 1)) } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
    return elements
  }

  private mutating func integer() throws(EncodingFault) -> Int64 {
    let start = position
    let isNegative = next == UInt8(ascii: "-")
    if isNegative { position += 1 }
    let first = position
    var value: Int64 = 0
    while let byte = next, (48...57).contains(byte) {
      // Sixteen digits are more than 2^53 − 1 has.
      guard position - first < 16 else { throw fault("a number is out of range") }
      value = value * 10 + Int64(byte - 48)
      position += 1
    }
    guard position > first, !(position - first > 1 && bytes[first] == 48), !(isNegative && value == 0) else {
      throw fault("a number is not written as JSON has it")
    }
    if let byte = next, [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(byte) { throw fault("a number is not whole") }
    guard value <= JSONValue.integerMax else {
      position = start
      throw fault("a number is out of range")
    }
    return isNegative ? -value : value
  }

  private mutating func text() throws(EncodingFault) -> String {
    guard next == UInt8(ascii: "\"") else { throw fault("no text") }
    position += 1
    let start = position
    // Most texts have nothing to unescape: they are taken whole.
    while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
    var out = Array(bytes[start..<position])
    while true {
      guard let byte = next else { throw fault("a text without an end") }
      guard byte >= 0x20 else { throw fault("a control character") }
      position += 1
      if byte == UInt8(ascii: "\"") { break }
      if byte == UInt8(ascii: "\\") { try escape(into: &out) } else { out.append(byte) }
    }
    guard let text = String(validating: out, as: UTF8.self) else { throw fault("a text is not UTF-8") }
    return text
  }

  private mutating func escape(into out: inout [UInt8]) throws(EncodingFault) {
    guard let byte = next else { throw fault("a text without an end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "n"): out.append(0x0A)
    case UInt8(ascii: "f"): out.append(0x0C)
    case UInt8(ascii: "r"): out.append(0x0D)
    case UInt8(ascii: "u"):
      var unit = try hexadecimal()
      if (0xD800..<0xDC00).contains(unit) {
        guard bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else { throw fault("half of a character") }
        position += 2
        let low = try hexadecimal()
        guard (0xDC00..<0xE000).contains(low) else { throw fault("half of a character") }
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
      }
      guard let scalar = UnicodeScalar(unit) else { throw fault("half of a character") }
      out += String(Character(scalar)).utf8
    default: throw fault("an unknown escape")
    }
  }

  private mutating func hexadecimal() throws(EncodingFault) -> UInt32 {
    guard bytes.count - position >= 4 else { throw fault("a text without an end") }
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(UnicodeScalar(bytes[position])).hexDigitValue else { throw fault("no hexadecimal digit") }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
