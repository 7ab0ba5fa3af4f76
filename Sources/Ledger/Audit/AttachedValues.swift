// Values that are too long for a leaf, put together again from the attachments before it (LG-14): in order, of the prescribed sizes, with
// the hash by which the leaf names them, and none that no leaf names.
import Sodium

/// Attachments since the last leaf of another type.
struct AttachedValues: Sendable {
  private var whole: [[UInt8]: [UInt8]] = [:]
  private var digest: [UInt8] = []
  private var parts = 0
  private var pieces: [[UInt8]] = []

  mutating func add(_ attachment: Attachment) throws(AuditFault) {
    func require(_ holds: Bool, _ reason: String) throws(AuditFault) { guard holds else { throw AuditFault(.attachment, reason) } }
    if pieces.isEmpty {
      try require(whole[attachment.digest] == nil, "a value is attached twice")
      (digest, parts) = (attachment.digest, attachment.parts)
    }
    try require(attachment.digest == digest && attachment.parts == parts, "an attachment begins before another is complete")
    try require(parts >= 1 && attachment.part == pieces.count, "part \(attachment.part) of \(parts) where part \(pieces.count) is due")
    let isLast = attachment.part + 1 == parts
    try require(
      isLast ? (1...Blob.partBytesMax).contains(attachment.bytes.count) : attachment.bytes.count == Blob.partBytesMax,
      "a part of \(attachment.bytes.count) bytes")
    if isLast {
      let value = Array((pieces + [attachment.bytes]).joined())
      try require(value.count > Blob.inlineBytesMax, "a short value is attached")
      try require(BLAKE2b.hash(value) == digest, "an attached value has another hash")
      whole[digest] = value
      pieces = []
    } else {
      pieces.append(attachment.bytes)
    }
  }

  /// The values for a leaf that names `blobs`.
  func taken(by blobs: [Blob]) throws(AuditFault) -> LongValues {
    guard pieces.isEmpty else { throw AuditFault(.attachment, "an attached value is not complete") }
    var named: Set<[UInt8]> = []
    for case .attached(let digest) in blobs {
      guard whole[digest] != nil else { throw AuditFault(.attachment, "the leaf names a value that is not attached before it") }
      named.insert(digest)
    }
    guard named.count == whole.count else { throw AuditFault(.attachment, "a value is attached that the next leaf does not name") }
    return LongValues(whole)
  }
}

/// What the blobs of one leaf stand for.
struct LongValues: Sendable {
  private let values: [[UInt8]: [UInt8]]
  init(_ values: [[UInt8]: [UInt8]]) { self.values = values }

  func bytes(_ blob: Blob) -> [UInt8] {
    switch blob {
    case .bytes(let bytes): bytes
    case .attached(let digest): values[digest] ?? []
    }
  }
}

extension LedgerEntry.Body {
  var isRoster: Bool { if case .rosterChanged = self { true } else { false } }

  /// The values that may be attached.
  var blobs: [Blob] {
    switch self {
    case .rosterChanged(let body): [body.roster, body.cosignatures]
    case .jobOpened(let body): [body.record]
    case .roundReserved(let body): [body.plan, body.survivors]
    case .roundReleased(let body): [body.signatures, body.revealed]
    case .refund(let body): [body.certificate]
    case .attachment, .roundAborted, .refused, .jobClosed: []
    }
  }
}
