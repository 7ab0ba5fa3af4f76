// Nobody misbehaves: the sum is the plain sum, bit for bit, whatever the cohort, the order and the resends.
import Masking
import TestSupport
import Testing

@testable import SecAgg

@Suite struct HonestRunTests {
  @Test(arguments: 3...8, [false, true]) func theSumIsThePlainSum(count: Int, late: Bool) throws {
    let world = try World(count)
    world.providesLate = late
    world.run()
    let sum = try #require(world.sum)
    #expect(sum.sections == world.plainSum(world.plan.sites))
    for set in [sum.invited, sum.keyed, sum.masked, sum.survivors, sum.revealers] { #expect(set == world.plan.sites) }
    #expect(sum.signatures.count == count && sum.inputDigests.count == count)
    #expect(world.phases == [.plan, .keys, .shares, .acknowledge, .maskedInput, .consistency, .reveal])
    #expect(world.ends.values.allSatisfy { $0 == .completed } && world.ends.count == count)
    #expect(world.refusals.isEmpty && world.dropped.isEmpty)
    #expect(sum.digest == Transcript.sum(world.plan.context, packed: try PackedSections.pack(sum.sections, world.plan.sections)))
  }

  @Test func aLargeCohortOfTheCompleteGraph() throws {
    let world = try World(RoundPlan.completeGraphUsualMax / 2, colluders: 10)
    world.deathPhase[Fixture.site(5)] = .maskedInput
    world.deathPhase[Fixture.site(30)] = .acknowledge
    world.run()
    let sum = try #require(world.sum)
    #expect(sum.survivors.count == 30 && sum.masked.count == 32)
    #expect(sum.sections == world.plainSum(sum.survivors))
  }

  @Test func aVectorBeyondOneChunkOfTheStream() throws {
    let world = try World(3, parameters: MaskStream.chunkCoordinates + 77, statistics: 1001)
    world.pieceBytes = 1 << 18
    world.run()
    let sum = try #require(world.sum)
    #expect(sum.sections == world.plainSum(world.plan.sites))
  }

  #if SECAGG_ORACLE
    @Test func theOracleSeesTheUnmaskedInputs() throws {
      let world = try World(5)
      world.run()
      let sum = try #require(world.sum)
      let plain = sum.survivors.compactMap { world.sites[$0]?.unmaskedInput }
      #expect(plain.count == 5 && sum.sections == Fixture.sum(plain, world.plan))
    }
  #endif

  /// [SA-110] What leaves is masked: no section of a payload is the packed plain input.
  @Test func payloadsAreNotInputs() throws {
    let world = try World(5)
    var payloads: [SiteID: [UInt8]] = [:]
    world.payload = { site, payload in
      payloads[site] = payload
      return payload
    }
    world.run()
    for (site, payload) in payloads {
      let input = try #require(world.inputs[site])
      let words = try BitPacking.unpack(Array(payload.prefix(13)), count: 5, bits: 20)
      #expect(zip(words, input[0]).allSatisfy { $0 != $1 })
    }
    #expect(payloads.count == 5)
  }

  /// [SA-120] Journal first: each record stands immediately before what it guards.
  @Test func recordsPrecedeWhatTheyGuard() throws {
    let world = try World(4)
    world.run()
    for site in world.plan.sites {
      let actions = try #require(world.siteActions[site])
      var guarded: [String] = []
      for (index, action) in actions.enumerated() {
        guard case .persist(let record) = action else { continue }
        let next = try #require(actions.dropFirst(index + 1).first)
        switch (record, next) {
        case (.contextUsed(let context), .send(let bytes)):
          #expect(context == world.plan.context && world.type(of: bytes) == .acceptance)
          guarded.append("context")
        case (.inputSent(_, let digest), .sendInput(let header, let payload)):
          #expect(digest == Transcript.input(world.plan.context, site, payload) && world.type(of: header) == .inputHeader)
          guarded.append("input")
        case (.survivorsSigned(_, let survivors, _), .send(let bytes)):
          #expect(survivors == world.plan.sites && world.type(of: bytes) == .consistency)
          guarded.append("survivors")
        case (.revealed, .send(let bytes)):
          #expect(world.type(of: bytes) == .reveal)
          guarded.append("reveal")
        default: Issue.record("a record before something else")
        }
      }
      #expect(guarded == ["context", "input", "survivors", "reveal"])
    }
  }

  /// [SA-121] A site that reconnects in any phase answers with identical bytes, and the sum is what it was.
  @Test(arguments: [MessageType.plan, .keyList, .shareDelivery, .acknowledgementList, .survivors, .signatureList])
  func aResendRepeatsIdenticalBytes(type: MessageType) throws {
    let world = try World(5)
    let site = Fixture.site(2)
    var isLost = true
    var answers: [[UInt8]] = []
    // The first answer to `type` is lost with the connection.
    world.toServer = { sender, sent, bytes in
      guard sender == site, let sent, sent.duePhase == type.answerPhase || (type == .plan && sent == .keys) else { return [bytes] }
      answers.append(bytes)
      return isLost ? [] : [bytes]
    }
    world.payload = { sender, payload in
      if sender == site, type == .acknowledgementList { answers.append(payload) }
      return payload
    }
    world.perform(world.server.start())
    if type == .acknowledgementList {
      // A header is lost; its pieces must be refused no more than ignored, so they are lost too.
      world.pieceBytes = 1 << 20
    }
    world.drainLosingChunks(of: site, while: { isLost && type == .acknowledgementList })
    #expect(world.outcome == nil)
    let first = answers
    isLost = false
    answers = []
    world.perform(world.server.reconnected(site))
    world.drain()
    #expect(!first.isEmpty && answers == first)
    let sum = try #require(world.sum)
    #expect(sum.sections == world.plainSum(world.plan.sites))
    #expect(world.dropped.isEmpty)
  }

  @Test func aHalfSentInputBeginsAnewAfterAReconnection() throws {
    let world = try World(5)
    let site = Fixture.site(0)
    world.deathPhase[site] = .maskedInput
    world.piecesBeforeDeath = 2
    world.perform(world.server.start())
    world.drain()
    #expect(world.outcome == nil && world.server.uploads[site]?.nextIndex == 2)
    world.deathPhase = [:]
    world.perform(world.server.reconnected(site))
    world.drain()
    #expect(try #require(world.sum).sections == world.plainSum(world.plan.sites))
  }

  @Test func repeatedMessagesChangeNothing() throws {
    let world = try World(5)
    world.toServer = { _, _, bytes in [bytes, bytes] }
    world.toSite = { _, _, bytes in [bytes, bytes] }
    world.pieceBytes = 1 << 20
    world.run()
    #expect(try #require(world.sum).sections == world.plainSum(world.plan.sites))
    #expect(world.dropped.isEmpty)
  }
}

extension MessageType {
  /// The phase of a site's answer to this message of the server.
  fileprivate var answerPhase: Phase? {
    switch self {
    case .plan: .plan
    case .keyList: .shares
    case .shareDelivery: .acknowledge
    case .acknowledgementList: .maskedInput
    case .survivors: .consistency
    case .signatureList: .reveal
    default: nil
    }
  }
}

extension World {
  /// Drains the queue; pieces of one site's payload are lost while the condition holds.
  func drainLosingChunks(of site: SiteID, while isLost: () -> Bool) {
    while let packet = next() {
      if case .chunk(site, _, _, _) = packet, isLost() { continue }
      deliver(packet)
    }
  }
}
