// Sessions between real sockets: what is sent arrives, in order and whole; who leaves or is replaced is told and is told of.
import Foundation
import TLSIdentity
import Testing
import Transport
import TransportServer

@Suite(.timeLimit(.minutes(2))) struct SessionTests {
  @Test func framesTravelBothWaysOverMutualTLS() async throws {
    let bench = try await Consortium().start()
    let client = try bench.connect(2)
    try await bench.welcome(client)
    #expect(bench.server.connectedSites == [2])

    let fromSite: [SiteFrame] = [
      .message([1]), .inputChunk(index: 0, count: 2, bytes: [7, 8]), .weightsRequest(digest: patterned(32)), .message(patterned(70_000)),
    ]
    for frame in fromSite { try await client.connection.send(frame) }
    for frame in fromSite { #expect(try await bench.next() == .frame(2, frame)) }

    let fromServer: [ServerFrame] = [
      .message([9]), .weightsChunk(digest: patterned(32), index: 0, count: 1, bytes: [4]),
      .released(round: 3, weightsDigest: patterned(32)),
    ]
    for frame in fromServer { try bench.server.send(frame, to: 2) }
    for frame in fromServer { #expect(try await client.next() == .frame(frame)) }

    await client.connection.close(reason: "done")
    #expect(try await bench.next() == .frame(2, .goodbye(reason: "done")))
    #expect(try await bench.next() == .disconnected(2, nil))
    #expect(await client.outcome() == nil)
    await bench.server.shutdown()
  }

  @Test func eightMegabytesArriveInPiecesInBothDirections() async throws {
    let bench = try await Consortium().start { $0.outboundBytesMax = 2 << 20 }
    // Small queues, so that both directions are held back and go on again.
    let client = try bench.connect(1) {
      $0.limits.outboundBytesMax = 2 << 20
      $0.limits.inboundBytesMax = 2 << 20
    }
    try await bench.welcome(client)
    let payload = patterned(8_000_003)
    let pieces = try Chunking.pieces(of: payload)

    async let sent: Void = {
      for (index, piece) in pieces.enumerated() {
        try await client.connection.send(.inputChunk(index: UInt32(index), count: UInt32(pieces.count), bytes: piece))
      }
    }()
    var assembler = ChunkAssembler(bytesMax: 8_000_003)
    var whole: [UInt8]?
    while whole == nil {
      guard case .frame(1, .inputChunk(let index, let count, let bytes)) = try await bench.next() else { throw Missing(what: "a piece") }
      whole = try assembler.add(index: index, count: count, bytes: bytes)
    }
    try await sent
    #expect(whole == payload)

    let digest = patterned(32)
    async let paced: Void = {
      for (index, piece) in pieces.enumerated() {
        try await bench.server.sendPaced(
          .weightsChunk(digest: digest, index: UInt32(index), count: UInt32(pieces.count), bytes: piece), to: 1)
      }
    }()
    assembler = ChunkAssembler(bytesMax: 8_000_003)
    whole = nil
    while whole == nil {
      guard case .frame(.weightsChunk(digest, let index, let count, let bytes)) = try await client.next() else {
        throw Missing(what: "a piece")
      }
      whole = try assembler.add(index: index, count: count, bytes: bytes)
    }
    try await paced
    #expect(whole == payload)
    await client.close()
    await bench.server.shutdown()
  }

  @Test func eachSiteGetsItsOwnFrames() async throws {
    let bench = try await Consortium().start()
    var clients: [UInt32: Client] = [:]
    for site in [UInt32(1), 2, 3] {
      let client = try bench.connect(site)
      try await bench.welcome(client)
      clients[site] = client
    }
    for site in clients.keys { try bench.server.send(.message([UInt8(site)]), to: site) }
    for (site, client) in clients { #expect(try await client.next() == .frame(.message([UInt8(site)]))) }
    for client in clients.values { await client.close() }
    await bench.server.shutdown()
  }

  @Test func aNewerConnectionReplacesTheOlder() async throws {
    let bench = try await Consortium().start()
    let older = try bench.connect(1)
    try await bench.welcome(older)
    let newer = try bench.connect(1)
    guard case .disconnected(1, let error?) = try await bench.next() else { throw Missing(what: "the older one's end") }
    #expect(error.code == .replaced)
    try await bench.welcome(newer)
    #expect(await older.outcome()?.code == .replaced)
    try bench.server.send(.message([5]), to: 1)
    #expect(try await newer.next() == .frame(.message([5])))
    await newer.close()
    await bench.server.shutdown()
  }

  @Test func theSiteComesBackAfterTheServerWasAway() async throws {
    let consortium = try Consortium()
    let first = try await consortium.start()
    let client = try first.connect(1) { $0.reconnect.giveUpAfter = nil }
    try await first.welcome(client)
    await first.server.shutdown()
    guard case .disconnected(let error, retryIn: .some) = try await client.next() else { throw Missing(what: "the end of the session") }
    #expect(error.isTransient)
    await #expect(throws: TransportError.self) { try await client.connection.send(.message([1])) }

    let second = try await consortium.start(port: first.endpoint.port)
    #expect(try await second.next() == .connected(1))
    try second.server.send(.welcome(job: "again", configuration: []), to: 1)
    while true {
      let event = try await client.next()
      if case .disconnected = event { continue }
      #expect(event == .connected(job: "again", configuration: []))
      break
    }
    try await client.connection.send(.message([3]))
    #expect(try await second.next() == .frame(1, .message([3])))
    await client.close()
    await second.server.shutdown()
  }

  @Test func finishedEndsTheSessionAndTheConnection() async throws {
    let bench = try await Consortium().start()
    let client = try bench.connect(1)
    try await bench.welcome(client)
    try bench.server.send(.finished(reason: "all rounds done"), to: 1)
    #expect(try await client.next() == .frame(.finished(reason: "all rounds done")))
    #expect(await client.outcome() == nil)
    #expect(try await bench.next() == .disconnected(1, nil))
    await bench.server.shutdown()
  }

  @Test func aRefusalEndsTheSessionAndIsNotRetried() async throws {
    let bench = try await Consortium().start()
    let client = try bench.connect(1) { $0.reconnect.giveUpAfter = nil }
    try await bench.welcome(client)
    bench.server.refuse(1, code: "SA-12", reason: "a bad share")
    #expect(try await client.next() == .frame(.refusal(code: "SA-12", reason: "a bad share")))
    let error = await client.outcome()
    #expect(error?.code == .refused)
    #expect(error?.reason.contains("SA-12") == true)
    guard case .disconnected(1, let cause?) = try await bench.next() else { throw Missing(what: "the end") }
    #expect(cause.code == .refused)
    await bench.server.shutdown()
  }

  @Test func whatIsQueuedStillArrivesAtShutdown() async throws {
    let bench = try await Consortium().start()
    let client = try bench.connect(1)
    try await bench.welcome(client)
    for index in 0..<20 { try bench.server.send(.message([UInt8(index)] + patterned(100_000)), to: 1) }
    async let down: Void = bench.server.shutdown()
    for index in 0..<20 { #expect(try await client.next() == .frame(.message([UInt8(index)] + patterned(100_000)))) }
    await down
    #expect(throws: TransportError.self) { try bench.server.send(.message([1]), to: 1) }
    _ = await client.outcome()
  }

  @Test func aSiteThatDoesNotReadIsDroppedAndOthersAreServed() async throws {
    let bench = try await Consortium().start { $0.outboundBytesMax = 4 << 20 }
    let slow = try bench.connect(1) {
      $0.limits.inboundBytesMax = 1 << 20
      $0.limits.shutdownGrace = .milliseconds(200)
    }
    try await bench.welcome(slow)
    let other = try bench.connect(2)
    try await bench.welcome(other)
    let piece = patterned(FieldLimits.chunkBytesMax)
    var refused: TransportError?
    for index in 0..<200 where refused == nil {
      do {
        try bench.server.send(.weightsChunk(digest: patterned(32), index: UInt32(index), count: 200, bytes: piece), to: 1)
      } catch {
        refused = error
      }
    }
    #expect(refused?.code == .slowPeer)
    try bench.server.send(.message([1]), to: 2)
    #expect(try await other.next() == .frame(.message([1])))
    guard case .disconnected(1, let error?) = try await bench.next() else { throw Missing(what: "the slow site's end") }
    #expect(error.code == .slowPeer)
    await slow.close()
    await other.close()
    await bench.server.shutdown()
  }

  @Test func aFloodOfOneSiteDoesNotHoldUpAnother() async throws {
    let bench = try await Consortium().start { $0.inboundBytesMax = 1 << 20 }
    let flood = try bench.connect(1)
    try await bench.welcome(flood)
    let piece = patterned(FieldLimits.chunkBytesMax)
    let sending = Task {
      for index in 0..<64 { try await flood.connection.send(.inputChunk(index: UInt32(index), count: 64, bytes: piece)) }
    }
    // Its first frame is there and nobody takes it; the second site is still let in and heard.
    let other = try bench.connect(2)
    var seen = 0
    while true {
      let event = try await bench.next()
      if event == .connected(2) { break }
      seen += 1
    }
    #expect(seen < 64)
    sending.cancel()
    await flood.close()
    await other.close()
    await bench.server.shutdown()
  }

  @Test func plaintextWorksOnLoopback() async throws {
    let listen = try ServerEndpoint(host: "127.0.0.1", port: 0)
    let server = try AggregationServer(.init(listen: listen, security: .plaintextLoopback { $0 == 4 }), logger: quiet)
    let endpoint = try await server.start()
    let client = Client(
      try SiteConnection(.init(endpoint: endpoint, site: 4, security: .plaintextLoopback), logger: quiet))
    var events = server.events.makeAsyncIterator()
    #expect(await events.next() == .connected(4))
    try server.send(.welcome(job: "plain", configuration: []), to: 4)
    #expect(try await client.next() == .connected(job: "plain", configuration: []))

    let stranger = Client(try SiteConnection(.init(endpoint: endpoint, site: 5, security: .plaintextLoopback), logger: quiet))
    let error = await stranger.outcome()
    #expect(error?.code == .refused && error?.reason.contains("TR-16") == true)
    await client.close()
    await server.shutdown()
  }
}
