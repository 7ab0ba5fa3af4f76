// Bodies of phases 0 to 2b: plan, acceptance, keys, a dealer's header, acknowledgement (spec/03-phases.md).
import Sodium

struct PlanBody: MessageBody {
  static let type = MessageType.plan
  let plan: RoundPlan

  init(plan: RoundPlan) { self.plan = plan }
  func write(to writer: inout ByteWriter) { writer.block32(plan.encoded()) }
  init(from reader: inout ByteReader) throws(Refusal) { plan = try RoundPlan(decoding: reader.block32()) }
}

/// Says yes to the plan; the frame's ctx says to which.
struct AcceptanceBody: MessageBody {
  static let type = MessageType.acceptance
  /// H[nonce-commitment], in the sparse graph.
  let commitment: [UInt8]?

  init(commitment: [UInt8]? = nil) { self.commitment = commitment }
  func write(to writer: inout ByteWriter) { writer.fixed(commitment ?? []) }
  init(from reader: inout ByteReader) throws(Refusal) { commitment = reader.remaining == 0 ? nil : try reader.fixed(32) }
}

/// A site's fresh public keys.
struct KeysBody: MessageBody {
  static let type = MessageType.keys
  let maskKey: X25519.PublicKey
  let channelKey: X25519.PublicKey
  /// H[graph-seed], in the sparse graph.
  let graphSeed: [UInt8]?

  init(maskKey: X25519.PublicKey, channelKey: X25519.PublicKey, graphSeed: [UInt8]? = nil) {
    self.maskKey = maskKey
    self.channelKey = channelKey
    self.graphSeed = graphSeed
  }

  func write(to writer: inout ByteWriter) {
    writer.fixed(maskKey.bytes)
    writer.fixed(channelKey.bytes)
    writer.fixed(graphSeed ?? [])
  }

  init(from reader: inout ByteReader) throws(Refusal) {
    maskKey = try KeysBody.key(reader.fixed(X25519.keyBytes))
    channelKey = try KeysBody.key(reader.fixed(X25519.keyBytes))
    graphSeed = reader.remaining == 0 ? nil : try reader.fixed(32)
  }

  private static func key(_ bytes: [UInt8]) throws(Refusal) -> X25519.PublicKey {
    do { return try X25519.PublicKey(bytes) } catch { throw Refusal(.malformed, error.reason) }
  }
}

/// What a dealer signs about its shares; everybody sees it.
struct ShareHeaderBody: MessageBody {
  struct Entry: Hashable, Sendable {
    let holder: SiteID
    let maskKeyShare: [UInt8]
    let selfMaskShare: [UInt8]
    let envelope: [UInt8]
  }

  /// The encodings of two points; whether they are points is another question.
  struct Commitment: Hashable, Sendable {
    let maskKey: [UInt8]
    let selfMask: [UInt8]
  }

  static let type = MessageType.shareHeader
  static let hashBytes = 32
  /// Hash of the key list that the dealer saw.
  let keyList: [UInt8]
  /// Commitment to the root of the self-mask; the mask key's is its public key.
  let selfMaskRoot: [UInt8]
  /// Feldman's, one for each coefficient of both polynomials; none in the sparse graph.
  let commitments: [Commitment]
  /// One for each member of U1, the dealer included, ascending; in the sparse graph one for the header's holder.
  let entries: [Entry]

  init(keyList: [UInt8], selfMaskRoot: [UInt8], commitments: [Commitment], entries: [Entry]) {
    self.keyList = keyList
    self.selfMaskRoot = selfMaskRoot
    self.commitments = commitments
    self.entries = entries
  }

  func write(to writer: inout ByteWriter) {
    writer.fixed(keyList)
    writer.fixed(selfMaskRoot)
    writer.count16(commitments.count)
    for commitment in commitments {
      writer.fixed(commitment.maskKey)
      writer.fixed(commitment.selfMask)
    }
    writer.count16(entries.count)
    for entry in entries {
      writer.site(entry.holder)
      writer.fixed(entry.maskKeyShare)
      writer.fixed(entry.selfMaskShare)
      writer.fixed(entry.envelope)
    }
  }

  init(from reader: inout ByteReader) throws(Refusal) {
    let size = ShareHeaderBody.hashBytes
    keyList = try reader.fixed(size)
    selfMaskRoot = try reader.fixed(size)
    commitments = try reader.list(elementBytesMin: 2 * RistrettoPoint.byteCount) { reader throws(Refusal) in
      Commitment(maskKey: try reader.fixed(RistrettoPoint.byteCount), selfMask: try reader.fixed(RistrettoPoint.byteCount))
    }
    entries = try reader.list(elementBytesMin: 4 + 3 * size) { reader throws(Refusal) in
      Entry(
        holder: try reader.site(), maskKeyShare: try reader.fixed(size), selfMaskShare: try reader.fixed(size),
        envelope: try reader.fixed(size))
    }
    guard entries.map(\.holder).isStrictlyAscending else {
      throw Refusal(.malformed, "the holders of shares are not ascending and distinct")
    }
  }
}

/// The dealers whose shares opened and matched, and what exactly was seen of phases 1 and 2.
struct AcknowledgementBody: MessageBody {
  static let type = MessageType.acknowledgement
  let transcript: [UInt8]
  let dealers: [SiteID]

  init(transcript: [UInt8], dealers: [SiteID]) {
    self.transcript = transcript
    self.dealers = dealers
  }

  func write(to writer: inout ByteWriter) {
    writer.fixed(transcript)
    writer.sites(dealers)
  }

  init(from reader: inout ByteReader) throws(Refusal) {
    transcript = try reader.fixed(32)
    dealers = try reader.sites()
  }
}
