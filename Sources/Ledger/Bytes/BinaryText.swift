// Bytes as text in leaves and notes: base64 (RFC 4648, section 4, with padding) for long values, lower-case hexadecimal for digests. One
// value has one spelling: whatever does not come out the same when it is written again is refused.

public enum Base64 {
  private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
    return values
  }()

  public static func text(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let left = min(3, bytes.count - index)
      let word = (0..<3).reduce(UInt32(0)) { $0 << 8 | ($1 < left ? UInt32(bytes[index + $1]) : 0) }
      for place in 0..<4 {
        out.append(place <= left ? digits[Int(word >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
      }
      index += 3
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// nil for anything but the one spelling of some bytes.
  public static func bytes(_ text: String) -> [UInt8]? {
    var text = text
    return text.withUTF8 { decode($0) }
  }

  private static func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    guard text.count.isMultiple(of: 4) else { return nil }
    let padding = text.isEmpty ? 0 : text[text.count - 1] != UInt8(ascii: "=") ? 0 : text[text.count - 2] == UInt8(ascii: "=") ? 2 : 1
    var out: [UInt8] = []
    out.reserveCapacity(text.count / 4 * 3)
    var (word, count): (UInt32, Int) = (0, 0)
    for index in 0..<text.count - padding {
      let value = values[Int(text[index])]
      guard value < 64 else { return nil }
      word = word << 6 | UInt32(value)
      count += 1
      if count == 4 {
        out.append(UInt8(truncatingIfNeeded: word >> 16))
        out.append(UInt8(truncatingIfNeeded: word >> 8))
        out.append(UInt8(truncatingIfNeeded: word))
        (word, count) = (0, 0)
      }
    }
    // Bits beyond the last byte are zero, or there would be a second spelling.
    if padding == 1 {
      guard word & 3 == 0 else { return nil }
      out += [UInt8(truncatingIfNeeded: word >> 10), UInt8(truncatingIfNeeded: word >> 2)]
    } else if padding == 2 {
      guard word & 15 == 0 else { return nil }
      out.append(UInt8(truncatingIfNeeded: word >> 4))
    }
    return out
  }
}

public enum Hex {
  private static let digits = Array("0123456789abcdef".utf8)

  public static func text(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(2 * bytes.count)
    for byte in bytes {
      out.append(digits[Int(byte >> 4)])
      out.append(digits[Int(byte & 15)])
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Exactly `count` bytes as lower-case digits; nil for anything else.
  public static func bytes(_ text: String, count: Int) -> [UInt8]? {
    let text = Array(text.utf8)
    guard text.count == 2 * count else { return nil }
    var out: [UInt8] = []
    out.reserveCapacity(count)
    for index in 0..<count {
      guard let high = digits.firstIndex(of: text[2 * index]), let low = digits.firstIndex(of: text[2 * index + 1]) else { return nil }
      out.append(UInt8(high << 4 | low))
    }
    return out
  }
}
