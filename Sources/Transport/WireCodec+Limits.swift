// The limits of single fields (spec/proto/secagg/v1/aggregation.proto), checked alike on what is sent and on what is received.

extension WireCodec {
  package static func check(_ frame: SiteFrame) throws(TransportError) {
    switch frame {
    case .hello: break
    case .message(let bytes): try checkMessage(bytes)
    case .inputChunk(let index, let count, let bytes): try checkPiece(index, count, bytes)
    case .weightsRequest(let digest): try checkDigest(digest)
    case .goodbye(let reason): try checkText("reason", reason, FieldLimits.reasonBytesMax)
    }
  }

  package static func check(_ frame: ServerFrame) throws(TransportError) {
    switch frame {
    case .welcome(let job, let configuration):
      guard !job.isEmpty else { throw malformed("a welcome without the job's name") }
      try checkText("job", job, FieldLimits.jobBytesMax)
      try checkSize("configuration", configuration.count, FieldLimits.configurationBytesMax)
    case .message(let bytes): try checkMessage(bytes)
    case .weightsChunk(let digest, let index, let count, let bytes):
      try checkDigest(digest)
      try checkPiece(index, count, bytes)
    case .released(_, let digest): try checkDigest(digest)
    case .refusal(let code, let reason):
      guard !code.isEmpty, code.utf8.allSatisfy({ (33...126).contains($0) }) else { throw malformed("a refusal without a code") }
      try checkText("code", code, FieldLimits.codeBytesMax)
      try checkText("reason", reason, FieldLimits.reasonBytesMax)
    case .finished(let reason): try checkText("reason", reason, FieldLimits.reasonBytesMax)
    }
  }

  private static func checkMessage(_ bytes: [UInt8]) throws(TransportError) {
    guard !bytes.isEmpty else { throw malformed("an empty protocol message") }
    try checkSize("message", bytes.count, FieldLimits.messageBytesMax)
  }

  private static func checkPiece(_ index: UInt32, _ count: UInt32, _ bytes: [UInt8]) throws(TransportError) {
    guard !bytes.isEmpty else { throw malformed("an empty piece") }
    guard count >= 1, index < count else { throw malformed("piece \(index) of \(count)") }
    guard count <= FieldLimits.chunkCountMax else {
      throw TransportError(
        .tooLarge, "a payload in \(count) pieces; at most \(FieldLimits.chunkCountMax) are allowed", hint: "check both sides' versions")
    }
    try checkSize("piece", bytes.count, FieldLimits.chunkBytesMax)
  }

  private static func checkDigest(_ digest: [UInt8]) throws(TransportError) {
    guard digest.count == FieldLimits.digestBytes else { throw malformed("a digest of \(digest.count) bytes") }
  }

  private static func checkText(_ name: String, _ text: String, _ max: Int) throws(TransportError) {
    try checkSize(name, text.utf8.count, max)
  }

  private static func checkSize(_ name: String, _ count: Int, _ max: Int) throws(TransportError) {
    guard count <= max else {
      throw TransportError(.tooLarge, "a \(name) of \(count) bytes; at most \(max) are allowed", hint: "check both sides' versions")
    }
  }

  static func malformed(_ what: String) -> TransportError {
    TransportError(.malformed, "\(what) is no frame of this protocol", hint: "check that both sides run the same version")
  }

  /// Text for people cut to what a frame may carry, at a character boundary.
  package static func shortened(_ text: String) -> String {
    guard text.utf8.count > FieldLimits.reasonBytesMax else { return text }
    var short = text.prefix(FieldLimits.reasonBytesMax)
    while short.utf8.count > FieldLimits.reasonBytesMax - 3 { short.removeLast() }
    return short + "…"
  }
}
