// Protocol messages (spec/01): a frame, and behind it the body of its type and whatever messages lie in that. What decodes, encodes to
// the same bytes.
import SecAgg

struct MessageTarget: Target {
  static let name = "message"

  /// The first byte says whether a whole message follows, or (the type's number with the high bit) only its body.
  func run(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let rest = Array(input.dropFirst())
    let bytes = first < 128 ? rest : MessageTarget.frame(type: first - 128, rest)
    if let message = try? SignedMessage(decoding: bytes) { open(message, depth: 0) }
    _ = ServerSession.context(of: bytes)
  }

  /// A frame, by the definition.
  private static func frame(
    type: UInt8, _ body: [UInt8], context: [UInt8] = .init(repeating: 7, count: 32), sender: UInt32 = 3,
    signature: [UInt8] = .init(repeating: 0, count: 64)
  ) -> [UInt8] {
    let size = UInt32(body.count)
    let head = [SignedMessage.version, type] + context + withUnsafeBytes(of: sender.bigEndian) { Array($0) }
    return head + withUnsafeBytes(of: size.bigEndian) { Array($0) } + body + [0, 0] + signature
  }

  private func open(_ message: SignedMessage, depth: Int) {
    let again = MessageTarget.frame(
      type: message.type.rawValue, message.body, context: message.context, sender: message.sender.rawValue, signature: message.signature)
    require(again == message.bytes, "a frame has two encodings")
    open(message, message.type.body, depth)
  }

  private func open<Body: MessageBody>(_ message: SignedMessage, _ type: Body.Type, _ depth: Int) {
    guard let body = try? message.open(type) else { return }
    let again = Cohort.complete.sign(body, .server)
    require(again.body == message.body, "a \(message.type.name) body has two encodings")
    guard depth < 3 else { return }
    for inner in Embedded.messages(in: body) { open(inner, depth: depth + 1) }
  }

  func seeds() throws -> [[UInt8]] {
    var found: [MessageType: SignedMessage] = [:]
    for cohort in [Cohort.complete, Cohort.sparse] {
      for bytes in try World.run(cohort).log {
        let message = try SignedMessage(decoding: bytes)
        found[message.type] = found[message.type] ?? message
        for inner in Embedded.messages(in: message) { found[inner.type] = found[inner.type] ?? inner }
      }
    }
    let site = Cohort.complete.sites[0]
    found[.refusal] = Cohort.complete.sign(RefusalBody(Refusal(.policy, "größer", culprit: site)), site)
    let all = found.values.sorted { $0.type.rawValue < $1.type.rawValue }
    return all.map { [0] + $0.bytes } + all.map { [$0.type.rawValue + 128] + $0.body }
  }
}
