// A reader for the JSON header of a safetensors file. The grammar is fixed (an object of objects, no nesting beyond
// that), so the parser has no recursion, refuses everything else, and sees duplicate keys, which general JSON readers
// hide. Invariant: every advance is bounded by `bytes.count`.

/// One header entry before its offsets are checked against the others.
struct HeaderEntry {
  var name: String
  var type: ElementType
  var shape: [Int]
  var begin: Int
  var end: Int
}

struct HeaderParser {
  static let tensorsMax = 100_000
  static let dimensionsMax = 32

  private let bytes: ArraySlice<UInt8>
  private var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  /// Parses the whole header; anything after the closing brace but white space is refused.
  mutating func parse() throws(SafetensorsError) -> (entries: [HeaderEntry], metadata: [String: String]) {
    var entries: [HeaderEntry] = []
    var names: Set<String> = []
    var metadata: [String: String] = [:]
    try expect("{")
    if !take("}") {
      repeat {
        let name = try string()
        guard names.insert(name).inserted else {
          throw SafetensorsError(.duplicateName, "entry \"\(printable(name))\" appears twice")
        }
        guard names.count <= Self.tensorsMax else {
          throw SafetensorsError(.malformedHeader, "more than \(Self.tensorsMax) entries")
        }
        try expect(":")
        if name == "__metadata__" { metadata = try stringMap() } else { entries.append(try entry(name)) }
      } while take(",")
      try expect("}")
    }
    skipSpace()
    guard position == bytes.endIndex else { throw malformed("text after the end of the header") }
    return (entries, metadata)
  }

  private mutating func entry(_ name: String) throws(SafetensorsError) -> HeaderEntry {
    var type: ElementType?
    var shape: [Int]?
    var offsets: [Int]?
    try expect("{")
    repeat {
      let key = try string()
      try expect(":")
      switch key {
      case "dtype" where type == nil:
        let spelling = try string()
        guard let known = ElementType(rawValue: spelling) else {
          throw SafetensorsError(.unknownType, "tensor \"\(printable(name))\" has type \"\(printable(spelling))\"")
        }
        type = known
      case "shape" where shape == nil: shape = try integers(Self.dimensionsMax)
      case "data_offsets" where offsets == nil: offsets = try integers(2)
      default: throw malformed("tensor \"\(printable(name))\" has an unexpected or repeated key \"\(printable(key))\"")
      }
    } while take(",")
    try expect("}")
    guard let type, let shape, let offsets, offsets.count == 2 else {
      throw malformed("tensor \"\(printable(name))\" needs dtype, shape and two data_offsets")
    }
    return HeaderEntry(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
  }

  private mutating func stringMap() throws(SafetensorsError) -> [String: String] {
    var map: [String: String] = [:]
    try expect("{")
    if take("}") { return map }
    repeat {
      let key = try string()
      try expect(":")
      let value = try string()
      guard map.updateValue(value, forKey: key) == nil else {
        throw SafetensorsError(.duplicateName, "metadata key \"\(printable(key))\" appears twice")
      }
    } while take(",")
    try expect("}")
    return map
  }

  private mutating func integers(_ countMax: Int) throws(SafetensorsError) -> [Int] {
    var values: [Int] = []
    try expect("[")
    if take("]") { return values }
    repeat {
      guard values.count < countMax else { throw malformed("a list has more than \(countMax) numbers") }
      values.append(try integer())
    } while take(",")
    try expect("]")
    return values
  }

  /// A non-negative decimal integer without sign, leading zero, fraction or exponent.
  private mutating func integer() throws(SafetensorsError) -> Int {
    skipSpace()
    let start = position
    var value = 0
    while position < bytes.endIndex, case 0x30...0x39 = bytes[position] {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(Int(bytes[position] - 0x30))
      guard !overflow, !carry else { throw malformed("a number is too large") }
      value = sum
      position += 1
    }
    guard position > start, position - start == 1 || bytes[start] != 0x30 else {
      throw malformed("expected a non-negative integer")
    }
    return value
  }

  private mutating func string() throws(SafetensorsError) -> String {
    try expect("\"")
    var scalars: [UInt8] = []
    while position < bytes.endIndex {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: scalars, as: UTF8.self) else { throw malformed("a string is not UTF-8") }
        return text
      case UInt8(ascii: "\\"): try escape(into: &scalars)
      case 0..<0x20: throw malformed("a control character inside a string")
      default: scalars.append(byte)
      }
    }
    throw malformed("a string does not end")
  }

  private mutating func escape(into scalars: inout [UInt8]) throws(SafetensorsError) {
    guard position < bytes.endIndex else { throw malformed("a string does not end") }
    let kind = bytes[position]
    position += 1
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scalars.append(kind)
    case UInt8(ascii: "b"): scalars.append(0x08)
    case UInt8(ascii: "f"): scalars.append(0x0c)
    case UInt8(ascii: "n"): scalars.append(0x0a)
    case UInt8(ascii: "r"): scalars.append(0x0d)
    case UInt8(ascii: "t"): scalars.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hexadecimal()
      if code & 0xfc00 == 0xd800 {
        guard position + 1 < bytes.endIndex, bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
        else { throw malformed("half a surrogate pair") }
        position += 2
        let low = try hexadecimal()
        guard low & 0xfc00 == 0xdc00 else { throw malformed("half a surrogate pair") }
        code = 0x10000 + (code & 0x3ff) << 10 + (low & 0x3ff)
      }
      guard let scalar = Unicode.Scalar(code) else { throw malformed("half a surrogate pair") }
      scalars.append(contentsOf: Array(String(Character(scalar)).utf8))
    default: throw malformed("an unknown escape in a string")
    }
  }

  private mutating func hexadecimal() throws(SafetensorsError) -> UInt32 {
    guard bytes.endIndex - position >= 4 else { throw malformed("a string does not end") }
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else { throw malformed("a bad \\u escape") }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }

  private mutating func skipSpace() {
    while position < bytes.endIndex, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.endIndex, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(SafetensorsError) {
    guard take(character) else { throw malformed("expected '\(character)'") }
  }

  private func malformed(_ what: String) -> SafetensorsError {
    SafetensorsError(.malformedHeader, "\(what) (header byte \(position - bytes.startIndex))")
  }
}

/// A name from outside made safe to print: bounded, and without control characters.
func printable(_ text: String) -> String {
  String(String.UnicodeScalarView(text.unicodeScalars.prefix(80).map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 }))
}
