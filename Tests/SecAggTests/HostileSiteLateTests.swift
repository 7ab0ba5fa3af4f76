// Hostile sites, continued: inputs, signatures and reveals.
import Masking
import Sodium
import Testing

@testable import SecAgg

extension HostileSiteTests {
  // MARK: Phase 3

  @Test("[SA-64] [SA-62] [SA-61] inputs for other masks, of another size, with another digest") func inputHeaders() throws {
    expectDropped(
      try world(InputHeaderBody.self) { _, body in
        InputHeaderBody(maskSet: BLAKE2b.hash([]), payloadBytes: body.payloadBytes, digest: body.digest)
      }, .otherMaskSet)
    expectDropped(
      try world(InputHeaderBody.self) { _, body in
        InputHeaderBody(maskSet: body.maskSet, payloadBytes: .max, digest: body.digest)
      }, .inputShape, shows: .inputShape)
    expectDropped(
      try world(InputHeaderBody.self) { _, body in
        InputHeaderBody(maskSet: body.maskSet, payloadBytes: body.payloadBytes, digest: BLAKE2b.hash([]))
      }, .inputDigest)
  }

  @Test(
    "[SA-113] [SA-61] [SA-62] an altered, short or long payload leaves no trace in the sum",
    arguments: [
      RefusalCode.inputDigest, .inputShape, .inputShape,
    ].enumerated().map { ($0.offset, $0.element) })
  func payloads(kind: Int, code: RefusalCode) throws {
    let world = try World(6)
    world.payload = { site, payload in
      guard site == HostileSiteTests.rogue else { return payload }
      switch kind {
      case 0: return payload.dropLast() + [payload.last.map { $0 ^ 1 } ?? 0]
      case 1: return payload.dropLast()
      default: return payload + [0]
      }
    }
    expectDropped(world, code)
  }

  @Test("[SA-62] padding that is not zero, though signed") func padding() throws {
    let world = try World(6)
    // 5 coordinates of 20 bits: 12.5 bytes.
    func dirty(_ payload: [UInt8]) -> [UInt8] {
      var payload = payload
      payload[12] |= 0x80
      return payload
    }
    world.payload = { site, payload in site == HostileSiteTests.rogue ? dirty(payload) : payload }
    world.toServer = { [unowned world] site, type, bytes in
      guard site == HostileSiteTests.rogue, type == .inputHeader,
        let header = try? SignedMessage(decoding: bytes).open(InputHeaderBody.self),
        let sending = world.siteActions[site]?.last(where: { if case .sendInput = $0 { true } else { false } }),
        case .sendInput(_, let payload) = sending
      else { return [bytes] }
      let digest = Transcript.input(world.plan.context, site, dirty(payload))
      return [
        world.siteMessage(InputHeaderBody(maskSet: header.maskSet, payloadBytes: header.payloadBytes, digest: digest), site).bytes
      ]
    }
    expectDropped(world, .inputShape)
  }

  @Test("[SA-63] pieces out of order, repeated, or of a changing count") func pieces() throws {
    for (index, count) in [(1, 4), (-1, 4), (0, 0), (0, -3), (4, 4), (0, 1 << 40), (Int.max, Int.max), (Int.min, 1)] {
      let world = try World(6)
      world.deathPhase[HostileSiteTests.rogue] = .maskedInput
      world.piecesBeforeDeath = 0
      world.perform(world.server.start())
      world.drain()
      let header = try #require(world.sites[HostileSiteTests.rogue]?.ownInput)
      world.perform(world.server.receive(header.bytes, from: HostileSiteTests.rogue))
      world.perform(world.server.receiveInput(chunk: [0], index: index, of: count, from: HostileSiteTests.rogue))
      world.drain()
      expectDropped(world, .chunkOrder)
    }
    let world = try World(6)
    world.deathPhase[HostileSiteTests.rogue] = .maskedInput
    world.piecesBeforeDeath = 1
    world.perform(world.server.start())
    world.drain()
    world.perform(world.server.receiveInput(chunk: [0], index: 1, of: 9, from: HostileSiteTests.rogue))
    world.drain()
    expectDropped(world, .chunkOrder)
  }

  @Test("[SA-65] what a dropped site sends is refused and destroyed: both halves of its masks cannot meet")
  func late() throws {
    let world = try World(6)
    var held: [[UInt8]] = []
    world.toServer = { site, type, bytes in
      guard site == HostileSiteTests.rogue, type == .inputHeader else { return [bytes] }
      held.append(bytes)
      return []
    }
    var payload: [UInt8] = []
    world.payload = { site, bytes in
      if site == HostileSiteTests.rogue { payload = bytes }
      return site == HostileSiteTests.rogue ? [] : bytes
    }
    world.perform(world.server.start())
    world.drain()
    #expect(world.server.phase == .maskedInput && held.count == 1)
    world.perform(world.server.deadlinePassed(.maskedInput))
    #expect(world.server.phase == .consistency)
    world.perform(world.server.receive(held[0], from: HostileSiteTests.rogue))
    world.perform(world.server.receiveInput(chunk: payload, index: 0, of: 1, from: HostileSiteTests.rogue))
    world.perform(world.server.reconnected(HostileSiteTests.rogue))
    #expect(world.refusals.count == 3 && world.refusals.allSatisfy { $0.1.code == .late && $0.0 == HostileSiteTests.rogue })
    #expect(world.server.uploads.isEmpty)
    world.drain()
    let sum = try #require(world.sum)
    #expect(sum.survivors.count == 5 && sum.sections == world.plainSum(sum.survivors))
    #expect(world.code(HostileSiteTests.rogue) == .silent)
  }

  // MARK: Phases 4 and 5

  @Test("[SA-81] a signature over other sets") func consistency() throws {
    expectDropped(
      try world(ConsistencyBody.self) { _, _ in ConsistencyBody(hash: BLAKE2b.hash([])) }, .signatureOnOtherSet, survivorsWithout: nil)
  }

  @Test("[SA-82] both shares of one site, or the one that must stay secret") func bothShares() throws {
    expectDropped(
      try world(RevealBody.self) { _, body in
        let first = body.entries[0]
        return RevealBody(entries: [first, .init(dealer: first.dealer, kind: .maskKey, share: first.share)] + body.entries.dropFirst())
      }, .bothShares, shows: .bothShares, survivorsWithout: nil)
    expectDropped(
      try world(RevealBody.self) { _, body in
        RevealBody(entries: body.entries.map { .init(dealer: $0.dealer, kind: .maskKey, share: $0.share) })
      }, .bothShares, shows: .bothShares, survivorsWithout: nil)
  }

  @Test("[SA-83] a share that was not dealt, or no scalar") func wrongShare() throws {
    for share in [Scalar.order, [UInt8](repeating: 0, count: 32), [UInt8](repeating: 0xff, count: 32)] {
      expectDropped(
        try world(RevealBody.self) { _, body in
          RevealBody(entries: [.init(dealer: body.entries[0].dealer, kind: body.entries[0].kind, share: share)] + body.entries.dropFirst())
        }, .wrongShare, shows: .wrongShare, survivorsWithout: nil)
    }
  }

  @Test("[SA-08] a reveal that leaves a dealer out") func withheldShare() throws {
    expectDropped(
      try world(RevealBody.self) { _, body in RevealBody(entries: Array(body.entries.dropFirst())) }, .wrongMembers,
      survivorsWithout: nil)
  }
}

/// Inputs that wait somewhere else than in memory, and a place that fails.
@Suite struct SpoolFailureTests {
  private struct Full: Error, CustomStringConvertible { let description = "no space left" }

  private final class BrokenSpool: InputSpool {
    private var bytes: [UInt8] = []
    let appends: Int
    let reads: Int
    private var (appended, wasRead) = (0, 0)

    init(appends: Int, reads: Int) { (self.appends, self.reads) = (appends, reads) }

    func append(_ bytes: [UInt8]) throws {
      appended += 1
      if appended > appends { throw Full() }
      self.bytes += bytes
    }

    func read(_ count: Int, at offset: Int) throws -> [UInt8] {
      wasRead += 1
      if wasRead > reads { throw Full() }
      return Array(bytes[offset..<offset + count])
    }
  }

  @Test("a server that cannot keep an input ends the attempt by name, and blames nobody", arguments: [(0, 9), (1, 0), (1, 3), (9, 4)])
  func failure(appends: Int, reads: Int) throws {
    let world = try World(6)
    world.server.makeSpool = { _ in BrokenSpool(appends: appends, reads: reads) }
    world.run()
    guard case .aborted(let refusal) = world.outcome else {
      Issue.record("no abort: \(String(describing: world.outcome))")
      return
    }
    #expect(refusal.code == .over && refusal.culprit == nil && refusal.reason.contains("no space left"))
    #expect(world.accusations.isEmpty)
  }

  @Test("[SA-113] the sum over inputs of many pieces and long sections is the plain sum")
  func longSections() throws {
    let world = try World(4, parameters: 150_001, statistics: 70_003)
    world.pieceBytes = 10_007
    world.run()
    let sum = try #require(world.sum)
    #expect(sum.sections == world.plainSum(sum.survivors))
  }
}
