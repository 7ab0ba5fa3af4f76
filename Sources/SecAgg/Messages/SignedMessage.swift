// The one frame of all messages (spec/01-notation-and-encodings.md, "Signed messages"): version ‖ type ‖ ctx ‖ sender ‖ body ‖
// extensions ‖ signature. The signature is over `secagg/v1/PHASE` ‖ 0x00 ‖ ctx ‖ everything else before it.
import Sodium

/// What a message says, apart from its frame.
package protocol MessageBody: Sendable {
  static var type: MessageType { get }
  func write(to writer: inout ByteWriter)
  init(from reader: inout ByteReader) throws(Refusal)
}

package struct SignedMessage: Hashable, Sendable {
  package let type: MessageType
  package let context: [UInt8]
  package let sender: SiteID
  package let body: [UInt8]
  package let signature: [UInt8]
  /// The whole message as it travels.
  package let bytes: [UInt8]

  package static let version: UInt8 = 1
  package static let contextBytes = 32
  /// Larger messages are refused unread; the payload of an input is not a message.
  package static let bytesMax = 4 << 20
  /// A frame around an empty body.
  package static let bytesMin = 2 + contextBytes + 4 + 4 + 2 + Ed25519.signatureBytes

  package init(_ body: some MessageBody, context: [UInt8], sender: SiteID, key: Ed25519.SigningKey) {
    var inner = ByteWriter()
    body.write(to: &inner)
    self.init(type: Swift.type(of: body).type, body: inner.bytes, context: context, sender: sender, key: key)
  }

  package init(type: MessageType, body: [UInt8], context: [UInt8], sender: SiteID, key: Ed25519.SigningKey) {
    self.type = type
    self.context = context
    self.sender = sender
    self.body = body
    let unsigned = SignedMessage.frame(type: type, context: context, sender: sender, body: body)
    signature = key.signature(of: SignedMessage.signedBytes(type, unsigned))
    bytes = unsigned + signature
    precondition(bytes.count <= SignedMessage.bytesMax, "cohorts are bounded so that every message fits")
  }

  /// - Throws: SA-01 or SA-02. The signature is not verified yet.
  package init(decoding bytes: [UInt8]) throws(Refusal) {
    guard bytes.count <= SignedMessage.bytesMax else {
      throw Refusal(.malformed, "a message of \(bytes.count) bytes; \(SignedMessage.bytesMax) are allowed")
    }
    var reader = ByteReader(bytes)
    guard try reader.u8() == SignedMessage.version else { throw Refusal(.unsupported, "a message of another version") }
    guard let type = MessageType(rawValue: try reader.u8()) else { throw Refusal(.malformed, "a message of an unknown type") }
    self.type = type
    context = try reader.fixed(SignedMessage.contextBytes)
    sender = try reader.site()
    body = try reader.block32()
    guard try reader.u16() == 0 else { throw Refusal(.unsupported, "a message has extensions, which this version does not know") }
    signature = try reader.fixed(Ed25519.signatureBytes)
    try reader.finish()
    self.bytes = bytes
  }

  private static func frame(type: MessageType, context: [UInt8], sender: SiteID, body: [UInt8]) -> [UInt8] {
    precondition(context.count == contextBytes, "ctx has 32 bytes")
    var writer = ByteWriter()
    writer.u8(version)
    writer.u8(type.rawValue)
    writer.fixed(context)
    writer.site(sender)
    writer.block32(body)
    writer.u16(0)
    return writer.bytes
  }

  /// label ‖ ctx ‖ version ‖ type ‖ sender ‖ body ‖ extensions: the frame with ctx moved to the front.
  private static func signedBytes(_ type: MessageType, _ frame: [UInt8]) -> [UInt8] {
    let context = frame[2..<2 + contextBytes]
    return Transcript.label(type.name) + context + frame[..<2] + frame[(2 + contextBytes)...]
  }

  /// - Throws: SA-05 for a sender whom the roster does not know, SA-03 for a signature that is not the sender's.
  package func verify(_ roster: RosterView) throws(Refusal) {
    guard let key = roster.key(of: sender) else { throw Refusal(.wrongSender, "\(sender) is not in the roster") }
    let unsigned = Array(bytes.dropLast(Ed25519.signatureBytes))
    guard key.verify(signature, of: SignedMessage.signedBytes(type, unsigned)) else {
      throw Refusal(.badSignature, "the signature of a \(type.name) message is not the sender's")
    }
  }

  /// - Throws: SA-04 for another context.
  package func expect(context: [UInt8]) throws(Refusal) {
    guard self.context == context else { throw Refusal(.wrongContext, "a \(type.name) message belongs to another attempt") }
  }

  /// The body, read to its last byte.
  /// - Throws: SA-06 for another type, SA-01 for a malformed body.
  package func open<Body: MessageBody>(_ expected: Body.Type) throws(Refusal) -> Body {
    guard type == Body.type else {
      throw Refusal(.unexpected, "a \(type.name) message where \(Body.type.name) is due")
    }
    var reader = ByteReader(body)
    let body = try Body(from: &reader)
    try reader.finish()
    return body
  }
}

extension ByteWriter {
  /// u16 count ‖ each message behind its u32 length.
  mutating func messages(_ messages: [SignedMessage]) {
    count16(messages.count)
    for message in messages { block32(message.bytes) }
  }
}

extension ByteReader {
  mutating func message() throws(Refusal) -> SignedMessage { try SignedMessage(decoding: block32()) }

  /// Messages in strictly ascending order of their senders.
  mutating func messages() throws(Refusal) -> [SignedMessage] {
    let messages = try list(elementBytesMin: 4 + SignedMessage.bytesMin) { reader throws(Refusal) in try reader.message() }
    guard messages.map(\.sender).isStrictlyAscending else {
      throw Refusal(.malformed, "messages are not in ascending order of distinct senders")
    }
    return messages
  }
}
