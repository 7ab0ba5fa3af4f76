// Evidence of the claim SA-93 for every site (spec/09-evidence.md, RF-03): so many sites destroyed their shares that no input of the
// attempt can be opened any more. The only reason for which a ledger takes a charge back.
import Sodium

struct RefundCertificate {
  private let plan: [UInt8]
  private let messages: [[UInt8]]

  init(_ bytes: [UInt8]) throws(EncodingFault) {
    var input = ByteInput(bytes)
    let label = protocolLabel("evidence")
    guard try input.fixed(label.count) == label, try input.text8() == "SA-93" else {
      throw EncodingFault("the certificate is no claim SA-93")
    }
    guard try input.integer() == UInt32.max else { throw EncodingFault("the certificate speaks of one site's input, not of all") }
    plan = try input.block32()
    var messages: [[UInt8]] = []
    for _ in 0..<(try input.u16()) { messages.append(try input.block32()) }
    self.messages = messages
    _ = try input.block32()
    try input.end()
  }

  /// - Throws: where it does not show that nobody can open an input of `attempt`.
  func check(_ attempt: LedgerPlan, keys: (UInt32) -> Ed25519.PublicKey?) throws(EncodingFault) {
    guard BLAKE2b.hash(protocolLabel("context") + plan) == attempt.context else {
      throw EncodingFault("the certificate is of another attempt")
    }
    guard !attempt.isSparse else { throw EncodingFault("in the sparse graph nothing is refunded") }
    var senders: Set<UInt32> = []
    for message in messages {
      var input = ByteInput(message)
      guard try input.u8() == 1, try input.u8() == 20, try input.fixed(32) == attempt.context else {
        throw EncodingFault("a message that is no `destroyed` of this attempt")
      }
      let sender: UInt32 = try input.integer()
      guard try input.u32() == 0, try input.u16() == 0 else { throw EncodingFault("a `destroyed` with a body") }
      let signature = try input.fixed(Ed25519.signatureBytes)
      try input.end()
      guard isSubset([sender], of: attempt.sites), let key = keys(sender), senders.insert(sender).inserted else {
        throw EncodingFault("a statement of a site that was not invited, or twice of one")
      }
      let signed = SiteFrame.signedBytes(type: 20, name: "destroyed", context: attempt.context, sender: sender, body: [])
      guard key.verify(signature, of: signed) else { throw EncodingFault("the statement of site \(sender) is not signed by it") }
    }
    let needed = attempt.sites.count - attempt.threshold + attempt.colluders + 1
    guard senders.count >= needed else { throw EncodingFault("\(senders.count) sites destroyed their shares; \(needed) are needed") }
  }
}
