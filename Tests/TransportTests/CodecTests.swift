// The wire format against the specification's limits, without sockets.
import SwiftProtobuf
import Testing
import Transport

@Suite struct CodecTests {
  // Arguments are indices: a test's log line must not print a megabyte.
  static let siteFrames: [SiteFrame] = [
    .hello(site: 0, protocolVersion: 1), .hello(site: .max, protocolVersion: .max), .message([0]), .message(patterned(5_000)),
    .inputChunk(index: 0, count: 1, bytes: [1]), .inputChunk(index: 16_383, count: 16_384, bytes: patterned(FieldLimits.chunkBytesMax)),
    .weightsRequest(digest: patterned(32)), .goodbye(reason: ""), .goodbye(reason: String(repeating: "é", count: 512)),
  ]
  static let serverFrames: [ServerFrame] = [
    .welcome(job: "j", configuration: []), .welcome(job: "garments", configuration: patterned(FieldLimits.configurationBytesMax)),
    .message(patterned(FieldLimits.messageBytesMax)), .weightsChunk(digest: patterned(32), index: 2, count: 3, bytes: [1]),
    .released(round: .max, weightsDigest: patterned(32)), .refusal(code: "SA-12", reason: "a share does not open"),
    .finished(reason: "done"),
  ]

  @Test(arguments: siteFrames.indices) func siteFramesSurviveTheWire(index: Int) throws {
    let frame = Self.siteFrames[index]
    let bytes: [UInt8] = try WireCodec.encode(frame).serializedBytes()
    #expect(bytes.count <= FieldLimits.frameBytesMax)
    #expect(try WireCodec.decode(Secagg_V1_SiteFrame(serializedBytes: bytes)) == frame)
  }

  @Test(arguments: serverFrames.indices) func serverFramesSurviveTheWire(index: Int) throws {
    let frame = Self.serverFrames[index]
    let bytes: [UInt8] = try WireCodec.encode(frame).serializedBytes()
    #expect(bytes.count <= FieldLimits.frameBytesMax)
    #expect(try WireCodec.decode(Secagg_V1_ServerFrame(serializedBytes: bytes)) == frame)
  }

  static let badSiteFrames: [SiteFrame] = [
    .message([]), .message([UInt8](repeating: 0, count: FieldLimits.messageBytesMax + 1)), .inputChunk(index: 0, count: 0, bytes: [1]),
    .inputChunk(index: 1, count: 1, bytes: [1]), .inputChunk(index: 0, count: 1, bytes: []),
    .inputChunk(index: 0, count: 16_385, bytes: [1]),
    .inputChunk(index: .max, count: .max, bytes: [1]), .inputChunk(index: 0, count: 1, bytes: patterned(FieldLimits.chunkBytesMax + 1)),
    .weightsRequest(digest: []), .weightsRequest(digest: patterned(31)), .weightsRequest(digest: patterned(33)),
    .goodbye(reason: String(repeating: "x", count: 1_025)),
  ]
  static let badServerFrames: [ServerFrame] = [
    .welcome(job: "", configuration: []), .welcome(job: String(repeating: "j", count: 257), configuration: []),
    .welcome(job: "j", configuration: patterned(FieldLimits.configurationBytesMax + 1)), .message([]),
    .weightsChunk(digest: patterned(31), index: 0, count: 1, bytes: [1]),
    .weightsChunk(digest: patterned(32), index: 1, count: 1, bytes: [1]),
    .weightsChunk(digest: patterned(32), index: 0, count: 1, bytes: []), .released(round: 0, weightsDigest: patterned(16)),
    .refusal(code: "", reason: ""), .refusal(code: "SA 12", reason: ""), .refusal(code: "SÄ-12", reason: ""),
    .refusal(code: String(repeating: "S", count: 33), reason: ""), .refusal(code: "SA-12", reason: String(repeating: "x", count: 1_025)),
    .finished(reason: String(repeating: "é", count: 513)),
  ]

  @Test(arguments: badSiteFrames.indices) func framesBeyondTheLimitsAreNotSent(index: Int) {
    let frame = Self.badSiteFrames[index]
    #expect(throws: TransportError.self) { try WireCodec.encode(frame) }
  }

  @Test(arguments: badServerFrames.indices) func serverFramesBeyondTheLimitsAreNotSent(index: Int) {
    let frame = Self.badServerFrames[index]
    #expect(throws: TransportError.self) { try WireCodec.encode(frame) }
  }

  @Test func anEmptyFrameIsMalformed() {
    #expect { try WireCodec.decode(Secagg_V1_SiteFrame()) } throws: { ($0 as? TransportError)?.code == .malformed }
    #expect { try WireCodec.decode(Secagg_V1_ServerFrame()) } throws: { ($0 as? TransportError)?.code == .malformed }
  }

  /// 20,000 mutated frames from a fixed seed: each is a frame within the limits or a typed refusal, never a trap.
  @Test func mutatedBytesAreFramesOrRefusals() throws {
    var state: UInt64 = 42
    func random(_ below: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % below
    }
    let seeds: [[UInt8]] =
      try Self.siteFrames.filter { $0.cost < 10_000 }.map { try WireCodec.encode($0).serializedBytes() }
      + Self.serverFrames.filter { $0.cost < 10_000 }.map { try WireCodec.encode($0).serializedBytes() }
    var accepted = 0
    for _ in 0..<20_000 {
      var bytes = seeds[random(seeds.count)]
      for _ in 0...random(3) {
        switch random(3) {
        case 0 where !bytes.isEmpty: bytes[random(min(bytes.count, 40))] = UInt8(random(256))
        case 1: bytes = Array(bytes.prefix(random(bytes.count + 1)))
        default: bytes.insert(UInt8(random(256)), at: random(min(bytes.count, 40) + 1))
        }
      }
      if let wire = try? Secagg_V1_SiteFrame(serializedBytes: bytes), let frame = try? WireCodec.decode(wire) {
        accepted += 1
        try WireCodec.check(frame)
      }
      if let wire = try? Secagg_V1_ServerFrame(serializedBytes: bytes), let frame = try? WireCodec.decode(wire) {
        try WireCodec.check(frame)
      }
    }
    #expect(accepted > 0)
  }

  @Test func longReasonsAreCutAtACharacter() {
    let short = WireCodec.shortened(String(repeating: "👍🏽", count: 400))
    #expect(short.utf8.count <= FieldLimits.reasonBytesMax)
    #expect(short.hasSuffix("…"))
    #expect(WireCodec.shortened("fine") == "fine")
  }
}

@Suite struct ChunkingTests {
  @Test(arguments: [1, 2, 9, 10, 11, 1_000, 1_001]) func piecesComeTogetherAgain(bytes: Int) throws {
    let payload = patterned(bytes)
    let pieces = try Chunking.pieces(of: payload, size: 10)
    #expect(pieces.count == Chunking.count(bytes: bytes, size: 10))
    var assembler = ChunkAssembler(bytesMax: bytes)
    for (index, piece) in pieces.enumerated() {
      let whole = try assembler.add(index: UInt32(index), count: UInt32(pieces.count), bytes: piece)
      #expect(whole == (index == pieces.count - 1 ? payload : nil))
    }
    // Complete is complete.
    #expect(throws: TransportError.self) { _ = try assembler.add(index: 0, count: 1, bytes: [1]) }
  }

  @Test func anEmptyPayloadHasNoPieces() throws { #expect(try Chunking.pieces(of: []).isEmpty) }

  @Test func tooManyPiecesAreRefused() {
    #expect(throws: TransportError.self) { try Chunking.pieces(of: patterned(16_385), size: 1) }
  }

  /// Sequences of (index, count, length), with a limit of 100 bytes, whose last piece must be refused.
  static let broken: [[(UInt32, UInt32, Int)]] = [
    [(1, 2, 4)], [(0, 0, 4)], [(0, 2, 0)], [(0, 2, 4), (0, 2, 4)], [(0, 3, 4), (2, 3, 4)], [(0, 2, 4), (1, 3, 4)], [(0, 3, 4), (1, 3, 3)],
    [(0, 2, 4), (1, 2, 5)], [(0, 16_385, 1)], [(0, 3, 50)], [(0, 1, 101)], [(0, 2, 60), (1, 2, 60)],
  ]

  @Test(arguments: broken.indices) func brokenSequencesAreRefused(case number: Int) throws {
    let pieces = Self.broken[number]
    var assembler = ChunkAssembler(bytesMax: 100)
    for (index, count, length) in pieces.dropLast() {
      #expect(try assembler.add(index: index, count: count, bytes: patterned(length)) == nil)
    }
    let (index, count, length) = try #require(pieces.last)
    #expect(throws: TransportError.self) { _ = try assembler.add(index: index, count: count, bytes: patterned(length)) }
    // After a refusal nothing is taken any more.
    #expect(throws: TransportError.self) { _ = try assembler.add(index: index, count: count, bytes: patterned(1)) }
  }

  @Test func theDigestDecides() throws {
    let sum: ([UInt8]) -> [UInt8] = { [$0.reduce(0, &+)] }
    try ChunkAssembler.check([1, 2], digest: [3], by: sum)
    #expect { try ChunkAssembler.check([1, 3], digest: [3], by: sum) } throws: { ($0 as? TransportError)?.code == .digestMismatch }
  }
}
