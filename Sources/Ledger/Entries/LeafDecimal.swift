// Figures of a leaf: decimal text, never a float. One value has one spelling: no sign, no exponent, no zero in front or at the end.

public struct LeafDecimal: Hashable, Sendable {
  public let text: String
  /// The nearest double.
  public let value: Double

  static let digitsMax = 400

  init(_ text: String) throws(EncodingFault) {
    let bytes = Array(text.utf8)
    let point = bytes.firstIndex(of: UInt8(ascii: ".")) ?? bytes.count
    let (whole, fraction) = (bytes[..<point], bytes[min(point + 1, bytes.count)...])
    let digits = bytes.count - (point < bytes.count ? 1 : 0)
    guard digits <= Self.digitsMax, !whole.isEmpty, whole.count == 1 || whole.first != UInt8(ascii: "0"),
      (point == bytes.count) == fraction.isEmpty, fraction.last != UInt8(ascii: "0"),
      (whole + fraction).allSatisfy({ (48...57).contains($0) }), let value = Double(text)
    else { throw EncodingFault("\"\(text.prefix(40))\" is no plain decimal number") }
    (self.text, self.value) = (text, value)
  }

  /// The shortest decimal text whose nearest double is `value`.
  /// - Precondition: finite, not negative.
  public init(shortest value: Double) {
    precondition(value.isFinite && value >= 0, "a figure of a leaf is finite and not negative")
    let parts = "\(value)".lowercased().split(separator: "e")
    let digits = parts[0].split(separator: ".")
    let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    let fraction = digits.count > 1 && digits[1] != "0" ? String(digits[1]) : ""
    var all = String(digits[0]) + fraction
    let places = fraction.count - exponent
    if places <= 0 {
      all += String(repeating: "0", count: -places)
      all = String(all.drop { $0 == "0" })
      (self.text, self.value) = (all.isEmpty ? "0" : all, value)
      return
    }
    if all.count <= places { all = String(repeating: "0", count: places + 1 - all.count) + all }
    let whole = all.dropLast(places).drop { $0 == "0" }
    let tail = String(all.suffix(places).reversed().drop { $0 == "0" }.reversed())
    (self.text, self.value) = ((whole.isEmpty ? "0" : String(whole)) + (tail.isEmpty ? "" : "." + tail), value)
  }
}
