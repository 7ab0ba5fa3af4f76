// Hostile bytes: random, truncated, flipped, and (worst) altered but rightly signed. Nothing traps; every refusal is typed.
// Seeds are fixed.
import Sodium
import TestSupport
import Testing

@testable import SecAgg

@Suite struct FuzzTests {
  /// One valid message of every type.
  static func validMessages() throws -> [SignedMessage] {
    let world = try World(5)
    world.run()
    let sparse = try World(66, colluders: 3)
    sparse.run()
    var messages: [MessageType: SignedMessage] = [:]
    for sent in world.log + sparse.log {
      let message = try SignedMessage(decoding: sent.bytes)
      messages[message.type] = messages[message.type] ?? message
    }
    if let shares = try messages[.shares]?.open(SharesBody.self) { messages[.shareHeader] = shares.headers[0] }
    messages[.refusal] = world.siteMessage(RefusalBody(Refusal(.policy, "größer", culprit: SiteID(3))), SiteID(3))
    messages[.destroyed] = world.siteMessage(DestroyedBody(), SiteID(3))
    return MessageType.allCases.compactMap { messages[$0] }
  }

  private func body(of message: SignedMessage) throws -> any MessageBody {
    try open(message, message.type.body)
  }

  private func open<Body: MessageBody>(_ message: SignedMessage, _ type: Body.Type) throws(Refusal) -> Body { try message.open(type) }

  private func read<Body: MessageBody>(_ type: Body.Type, _ bytes: [UInt8]) throws(Refusal) -> [UInt8] {
    var reader = ByteReader(bytes)
    let body = try Body(from: &reader)
    try reader.finish()
    var writer = ByteWriter()
    body.write(to: &writer)
    return writer.bytes
  }

  @Test func everyTypeHasAMessageAndABody() throws {
    #expect(MessageType.allCases.allSatisfy { $0.body.type == $0 })
    #expect(try FuzzTests.validMessages().map(\.type) == MessageType.allCases)
    #expect(Set(MessageType.allCases.map(\.name)).count == MessageType.allCases.count)
  }

  @Test("[SA-100] one value, one encoding: what decodes, encodes to the same bytes") func canonical() throws {
    for message in try FuzzTests.validMessages() {
      var writer = ByteWriter()
      try body(of: message).write(to: &writer)
      #expect(writer.bytes == message.body)
      #expect(try SignedMessage(decoding: message.bytes) == message)
    }
  }

  @Test("[SA-01] every truncation and every extension of a valid message is refused") func truncations() throws {
    for message in try FuzzTests.validMessages() {
      for length in 0..<message.bytes.count {
        #expect(throws: Refusal.self) { try SignedMessage(decoding: Array(message.bytes.prefix(length))) }
      }
      #expect(throws: Refusal.self) { try SignedMessage(decoding: message.bytes + [0]) }
      for type in MessageType.allCases.map(\.body) where type.type == message.type {
        for length in 0..<message.body.count {
          #expect(throws: Refusal.self) { try read(type, Array(message.body.prefix(length))) }
        }
        #expect(throws: Refusal.self) { try read(type, message.body + [0]) }
      }
    }
  }

  @Test("[SA-01] bit flips: refused, or another value with its own one encoding; never accepted as signed") func bitFlips() throws {
    let roster = try World(5).roster
    var random = SeededGenerator(seed: 31)
    for message in try FuzzTests.validMessages() {
      for _ in 0..<300 {
        var bytes = message.bytes
        bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        guard let altered = try? SignedMessage(decoding: bytes) else { continue }
        #expect(throws: Refusal.self) { try altered.verify(roster) }
      }
      for type in MessageType.allCases.map(\.body) where type.type == message.type && !message.body.isEmpty {
        for _ in 0..<300 {
          var bytes = message.body
          bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
          if let again = try? read(type, bytes) { #expect(again == bytes) }
        }
      }
    }
  }

  @Test("[SA-01] random bytes in every decoder") func randomBytes() throws {
    var random = SeededGenerator(seed: 32)
    for _ in 0..<3000 {
      let count = Int.random(in: 0...300, using: &random)
      // Small bytes reach deeper: lengths and counts then fit.
      let top: UInt8 = Bool.random(using: &random) ? 255 : 3
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...top, using: &random) }
      for type in MessageType.allCases.map(\.body) {
        if let again = try? read(type, bytes) { #expect(again == bytes) }
      }
      _ = try? SignedMessage(decoding: bytes)
      if let plan = try? RoundPlan(decoding: bytes) { #expect(plan.encoded() == bytes) }
      if let encoding = try? EncodingParameters(decoding: bytes) { #expect(encoding.encoded() == bytes) }
    }
  }

  @Test("[SA-01] counts and lengths beyond the message reserve nothing") func hugeCounts() throws {
    for bytes: [UInt8] in [[0xff, 0xff], [0xff, 0xff, 0, 0, 0, 1]] {
      var reader = ByteReader(bytes)
      #expect(throws: Refusal.self) { try reader.sites() }
      var again = ByteReader(bytes)
      #expect(throws: Refusal.self) { try again.messages() }
    }
    var block = ByteReader([0xff, 0xff, 0xff, 0xff, 1])
    #expect(throws: Refusal.self) { try block.block32() }
    var text = ByteReader([2, 0xc3, 0x28])
    #expect(throws: Refusal.self) { try text.text8() }
  }

  /// Alters the body of one message and signs it again, as a party with a key can.
  private func alter(_ message: SignedMessage, key: Ed25519.SigningKey, _ random: inout SeededGenerator) -> [UInt8] {
    var body = message.body
    switch Int.random(in: 0..<5, using: &random) {
    case 0 where !body.isEmpty: body[Int.random(in: 0..<body.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1 where !body.isEmpty: body.removeLast(Int.random(in: 1...body.count, using: &random))
    case 2: body.append(UInt8.random(in: 0...255, using: &random))
    case 3 where !body.isEmpty: body[Int.random(in: 0..<min(6, body.count), using: &random)] = .random(in: 0...255, using: &random)
    default: body = (0..<Int.random(in: 0...200, using: &random)).map { _ in .random(in: 0...3, using: &random) }
    }
    return SignedMessage(type: message.type, body: body, context: message.context, sender: message.sender, key: key).bytes
  }

  @Test(arguments: [MessageType.plan, .keyList, .shareDelivery, .acknowledgementList, .survivors, .signatureList, .closed])
  func aServerThatSignsNonsense(type: MessageType) throws {
    var random = SeededGenerator(seed: 40 + UInt64(type.rawValue))
    for _ in 0..<40 {
      let world = try World(3, parameters: 2, statistics: 1)
      let victim = Fixture.site(1)
      var isAltered = false
      world.toSite = { site, sent, bytes in
        guard site == victim, sent == type, let message = try? SignedMessage(decoding: bytes) else { return [bytes] }
        let altered = self.alter(message, key: Keys.server, &random)
        isAltered = altered != bytes
        return [altered]
      }
      world.run()
      // The end carries nothing that a site could check but its form.
      if isAltered, type != .closed { #expect(world.code(victim) != nil) }
      #expect(world.ends[victim] != nil)
      #expect(world.outcome != nil)
    }
  }

  @Test(arguments: [MessageType.acceptance, .keys, .shares, .acknowledgement, .inputHeader, .consistency, .reveal])
  func aSiteThatSignsNonsense(type: MessageType) throws {
    var random = SeededGenerator(seed: 60 + UInt64(type.rawValue))
    for _ in 0..<25 {
      let world = try World(4, parameters: 2, statistics: 1)
      let rogue = Fixture.site(3)
      world.toServer = { site, sent, bytes in
        guard site == rogue, sent == type, let message = try? SignedMessage(decoding: bytes), let key = Keys.sites[rogue] else {
          return [bytes]
        }
        return [self.alter(message, key: key, &random)]
      }
      world.run()
      // t = 3 of 4: the others always finish, whatever one site says.
      let sum = try #require(world.sum)
      #expect(sum.sections == world.plainSum(sum.survivors))
      #expect(world.refusals.allSatisfy { $0.0 == rogue })
    }
  }
}
