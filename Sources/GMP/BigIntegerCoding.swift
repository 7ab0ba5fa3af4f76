// Bytes and decimal text of integers. Both directions are exact and canonical: what prints parses back, and only that parses.
import CGMP

extension BigInteger {
  public enum ByteOrder: Sendable { case littleEndian, bigEndian }

  /// Longest decimal text that is read: parsing is quadratic for hostile lengths.
  public static let digitsMax = 20_000

  /// The non-negative integer of `bytes`; empty is zero.
  public convenience init(bytes: [UInt8], _ order: ByteOrder) {
    self.init()
    __gmpz_import(pointer, bytes.count, order == .bigEndian ? 1 : -1, 1, 0, 0, bytes)
  }

  /// Exactly `count` bytes, zero-padded.
  /// - Throws: `.outOfRange` where the value is negative or larger.
  public func bytes(count: Int, _ order: ByteOrder) throws(GMPError) -> [UInt8] {
    guard count >= 0, signum >= 0, (bitWidth + 7) / 8 <= count else {
      throw GMPError(.outOfRange, "the integer does not fit \(count) unsigned bytes")
    }
    // GMP writes least significant first, which is right-padded by the zeros already there.
    var result = [UInt8](repeating: 0, count: count)
    _ = __gmpz_export(&result, nil, -1, 1, 0, 0, pointer)
    if order == .bigEndian { result.reverse() }
    return result
  }

  /// Reads `-?(0|[1-9][0-9]*)`; "-0" is refused.
  public convenience init(decimal text: String) throws(GMPError) {
    let bytes = Array(text.utf8)
    let digits = bytes.first == UInt8(ascii: "-") ? bytes.dropFirst() : bytes[...]
    let isCanonical =
      !digits.isEmpty && digits.count <= BigInteger.digitsMax
      && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      && (digits.first != UInt8(ascii: "0") || bytes.count == 1)
    guard isCanonical else { throw GMPError(.malformedNumber, "not a canonical decimal integer") }
    self.init()
    let status = __gmpz_set_str(pointer, text, 10)
    precondition(status == 0, "the digits were checked")
  }

  /// The canonical decimal text.
  public var decimal: String {
    var buffer = [CChar](repeating: 0, count: __gmpz_sizeinbase(pointer, 10) + 2)
    _ = __gmpz_get_str(&buffer, 10, pointer)
    return buffer.withUnsafeBufferPointer { characters in
      String(decoding: characters.prefix { $0 != 0 }.lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}

extension BigInteger: CustomStringConvertible {
  public var description: String { decimal }
}
