// Lower-case hexadecimal, the readable form of keys, digests and signatures in files; and the short form that people compare by voice.
import Sodium

/// Conversion between bytes and lower-case hexadecimal.
public enum Hexadecimal {
  public static func text(_ bytes: some Sequence<UInt8>) -> String {
    var out: [UInt8] = []
    let digits = Array("0123456789abcdef".utf8)
    for byte in bytes { out += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    return String(decoding: out, as: UTF8.self)
  }

  /// Exactly `count` bytes as lower-case digits; nil for anything else.
  public static func bytes(_ text: some Sequence<UInt8>, count: Int) -> [UInt8]? {
    var out: [UInt8] = []
    out.reserveCapacity(count)
    var high: UInt8?
    for digit in text {
      let value: UInt8
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
      default: return nil
      }
      if let first = high {
        guard out.count < count else { return nil }
        out.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return high == nil && out.count == count ? out : nil
  }

  public static func bytes(_ text: String, count: Int) -> [UInt8]? { bytes(text.utf8, count: count) }
}

/// What two people read to each other on the telephone: 128 bits of a hash, in eight groups of four digits.
public enum Fingerprint {
  /// - Parameter purpose: keeps fingerprints of different things apart, e.g. `consortium`.
  public static func text(of bytes: [UInt8], purpose: String) -> String {
    var input = CanonicalWriter(label: "secagg/v1/fingerprint")
    input.string(purpose)
    input.data(bytes)
    let digits = Array(Hexadecimal.text(BLAKE2b.hash(input.bytes, size: 16)))
    return stride(from: 0, to: digits.count, by: 4).map { String(digits[$0..<$0 + 4]) }.joined(separator: "-")
  }
}
