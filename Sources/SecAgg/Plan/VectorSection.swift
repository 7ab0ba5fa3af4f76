// A named run of coordinates with its own ring width (spec/04-quantisation-and-wrap-bound.md).
import Masking

public struct VectorSection: Hashable, Sendable {
  /// 1 to 64 characters of a–z, 0–9, '-', '_'.
  public let name: String
  /// Coordinates.
  public let count: Int
  /// b: coordinates are integers modulo 2^b, 2 ≤ b ≤ 32.
  public let bits: Int

  public init(name: String, count: Int, bits: Int) {
    self.name = name
    self.count = count
    self.bits = bits
  }

  public static let bitsRange = 2...32
  public static let nameBytesMax = 64

  /// Bytes of the packed section; 0 for a layout that `validate` refuses, because drivers may ask before the plan was checked.
  public var packedBytes: Int {
    VectorSection.bitsRange.contains(bits) && (0...RoundPlan.coordinatesMax).contains(count)
      ? BitPacking.byteCount(count: count, bits: bits) : 0
  }

  static func isName(_ name: String) -> Bool {
    (1...nameBytesMax).contains(name.utf8.count)
      && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95 }
  }

  func validate() throws(Refusal) {
    guard VectorSection.isName(name) else { throw Refusal(.badLayout, "a section's name is 1 to 64 of a-z, 0-9, '-', '_'") }
    guard (1...RoundPlan.coordinatesMax).contains(count) else {
      throw Refusal(.badLayout, "section \(name) has \(count) coordinates")
    }
    guard VectorSection.bitsRange.contains(bits) else { throw Refusal(.badLayout, "section \(name) has \(bits) bits") }
  }
}
