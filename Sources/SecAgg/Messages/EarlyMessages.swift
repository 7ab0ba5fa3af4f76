// Bodies of phases 0 to 2b: plan, acceptance, keys, shares, acknowledgement, and the server's lists of them (spec/03-phases.md).
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

  init() {}
  func write(to writer: inout ByteWriter) {}
  init(from reader: inout ByteReader) throws(Refusal) {}
}

/// A site's fresh public keys.
struct KeysBody: MessageBody {
  static let type = MessageType.keys
  let maskKey: X25519.PublicKey
  let channelKey: X25519.PublicKey

  init(maskKey: X25519.PublicKey, channelKey: X25519.PublicKey) {
    self.maskKey = maskKey
    self.channelKey = channelKey
  }

  func write(to writer: inout ByteWriter) {
    writer.fixed(maskKey.bytes)
    writer.fixed(channelKey.bytes)
  }

  init(from reader: inout ByteReader) throws(Refusal) {
    maskKey = try KeysBody.key(reader.fixed(X25519.keyBytes))
    channelKey = try KeysBody.key(reader.fixed(X25519.keyBytes))
  }

  private static func key(_ bytes: [UInt8]) throws(Refusal) -> X25519.PublicKey {
    do { return try X25519.PublicKey(bytes) } catch { throw Refusal(.malformed, error.reason) }
  }
}

/// U1: every site's signed keys.
struct KeyListBody: MessageBody {
  static let type = MessageType.keyList
  let keys: [SignedMessage]

  init(keys: [SignedMessage]) { self.keys = keys }
  func write(to writer: inout ByteWriter) { writer.messages(keys) }
  init(from reader: inout ByteReader) throws(Refusal) { keys = try reader.messages() }
}

/// What a dealer signs about its shares; everybody sees it.
struct ShareHeaderBody: MessageBody {
  struct Entry: Hashable, Sendable {
    let holder: SiteID
    let maskKeyShare: [UInt8]
    let selfMaskShare: [UInt8]
    let envelope: [UInt8]
  }

  static let type = MessageType.shareHeader
  static let hashBytes = 32
  /// Hash of the key list that the dealer saw.
  let keyList: [UInt8]
  /// Commitment to the root of the self-mask; the mask key's is its public key.
  let selfMaskRoot: [UInt8]
  /// One for each member of U1, the dealer included, ascending.
  let entries: [Entry]

  init(keyList: [UInt8], selfMaskRoot: [UInt8], entries: [Entry]) {
    self.keyList = keyList
    self.selfMaskRoot = selfMaskRoot
    self.entries = entries
  }

  func write(to writer: inout ByteWriter) {
    writer.fixed(keyList)
    writer.fixed(selfMaskRoot)
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

/// A dealer's header with the encrypted shares for every other member of U1, ascending by holder.
struct SharesBody: MessageBody {
  static let type = MessageType.shares
  /// Ciphertext and tag of two scalars.
  static let envelopeBytes = 2 * Scalar.byteCount + AEAD.tagBytes
  let header: SignedMessage
  let envelopes: [[UInt8]]

  init(header: SignedMessage, envelopes: [[UInt8]]) {
    self.header = header
    self.envelopes = envelopes
  }

  func write(to writer: inout ByteWriter) {
    writer.block32(header.bytes)
    writer.envelopes(envelopes)
  }

  init(from reader: inout ByteReader) throws(Refusal) {
    header = try reader.message()
    envelopes = try reader.envelopes()
  }
}

/// All dealers' headers, and the envelopes for one holder, ascending by dealer, none from itself.
struct ShareDeliveryBody: MessageBody {
  static let type = MessageType.shareDelivery
  let headers: [SignedMessage]
  let envelopes: [[UInt8]]

  init(headers: [SignedMessage], envelopes: [[UInt8]]) {
    self.headers = headers
    self.envelopes = envelopes
  }

  func write(to writer: inout ByteWriter) {
    writer.messages(headers)
    writer.envelopes(envelopes)
  }

  init(from reader: inout ByteReader) throws(Refusal) {
    headers = try reader.messages()
    envelopes = try reader.envelopes()
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

struct AcknowledgementListBody: MessageBody {
  static let type = MessageType.acknowledgementList
  let acknowledgements: [SignedMessage]

  init(acknowledgements: [SignedMessage]) { self.acknowledgements = acknowledgements }
  func write(to writer: inout ByteWriter) { writer.messages(acknowledgements) }
  init(from reader: inout ByteReader) throws(Refusal) { acknowledgements = try reader.messages() }
}

extension ByteWriter {
  fileprivate mutating func envelopes(_ envelopes: [[UInt8]]) {
    count16(envelopes.count)
    for envelope in envelopes { fixed(envelope) }
  }
}

extension ByteReader {
  fileprivate mutating func envelopes() throws(Refusal) -> [[UInt8]] {
    try list(elementBytesMin: SharesBody.envelopeBytes) { reader throws(Refusal) in try reader.fixed(SharesBody.envelopeBytes) }
  }
}
