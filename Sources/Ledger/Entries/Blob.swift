// Long values of a leaf. Short ones stand in it as base64; what would not fit into a leaf is cut into `attachment` leaves before it and
// named by its hash. The length decides which, so that one value has one form.
import Sodium

public enum Blob: Equatable, Sendable {
  case bytes([UInt8])
  /// H of bytes that the attachments before the leaf hold.
  case attached(digest: [UInt8])

  /// Longer values are attached.
  public static let inlineBytesMax = 16_384
  /// A part of an attachment; all but the last one have exactly so many.
  public static let partBytesMax = 32_768
  /// 2^15 parts: 1 GiB would be more than any value of the protocol.
  public static let partsMax = 2_048
  private static let prefix = "attached:"

  init(text: String, key: String) throws(EncodingFault) {
    if text.hasPrefix(Self.prefix) {
      guard let digest = Hex.bytes(String(text.dropFirst(Self.prefix.count)), count: 32) else {
        throw EncodingFault("the field \(key) names an attachment that cannot be")
      }
      self = .attached(digest: digest)
      return
    }
    guard let bytes = Base64.bytes(text) else { throw EncodingFault("the field \(key) is no base64") }
    guard bytes.count <= Self.inlineBytesMax else { throw EncodingFault("the field \(key) is long: it belongs into attachments") }
    self = .bytes(bytes)
  }

  var text: String {
    switch self {
    case .bytes(let bytes): Base64.text(bytes)
    case .attached(let digest): Self.prefix + Hex.text(digest)
    }
  }

  /// The form that a value has in a leaf, with the leaves that must stand before it.
  public static func make(_ bytes: [UInt8], time: UInt64) -> (blob: Blob, attachments: [LedgerEntry]) {
    guard bytes.count > inlineBytesMax else { return (.bytes(bytes), []) }
    let digest = BLAKE2b.hash(bytes)
    let starts = Array(stride(from: 0, to: bytes.count, by: partBytesMax))
    let attachments = starts.enumerated().map { part, start in
      LedgerEntry(
        time: time,
        .attachment(
          Attachment(
            digest: digest, part: part, parts: starts.count, bytes: Array(bytes[start..<min(start + partBytesMax, bytes.count)]))))
    }
    return (.attached(digest: digest), attachments)
  }
}
