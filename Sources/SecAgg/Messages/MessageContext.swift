// Which attempt a message belongs to, before anything of it is believed (spec/01-notation-and-encodings.md, "Signed messages"). A server
// that began another attempt still gets messages of the one before; a driver sets those aside instead of blaming their senders.

extension ServerSession {
  /// ctx as the message claims it; nil for bytes that are no message. Nothing was verified.
  public static func context(of message: [UInt8]) -> [UInt8]? {
    (try? SignedMessage(decoding: message))?.context
  }
}
