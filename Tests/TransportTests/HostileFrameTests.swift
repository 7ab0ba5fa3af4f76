// What a site that holds a good certificate may try: bytes that are no frames, frames that may not stand there, frames too large. Each is
// told why and dropped; the server goes on.
import GRPCCore
import Testing
import Transport
import TransportServer

@Suite(.timeLimit(.minutes(2))) struct HostileFrameTests {
  /// Sends raw frames as site 1 and returns the refusal's code; then shows that site 1 is still let in.
  private func refusal(
    _ frames: [[UInt8]], _ adjust: (inout TransportLimits) -> Void = { _ in }
  ) async throws -> String? {
    let bench = try await Consortium().start(adjust)
    let draining = Task { for await event in bench.server.events { if case .connected(2) = event { return } } }
    let answer = await RawClient.exchange(bench.endpoint, as: bench.consortium.sites[1], sending: frames)
    let honest = try bench.connect(2)
    await draining.value
    try bench.server.send(.welcome(job: "test", configuration: []), to: 2)
    #expect(try await honest.next() == .connected(job: "test", configuration: []))
    await honest.close()
    await bench.server.shutdown()
    return answer.refusal
  }

  @Test(arguments: [
    [0xff], [0x0a], [0x12, 0x05, 0x01], [0x0a, 0x02, 0x08], [0x00], [0x2a, 0x04, 0x0a, 0x02, 0xc3, 0x28], patterned(50),
  ])
  func bytesThatAreNoFrameAreRefused(bytes: [UInt8]) async throws {
    #expect(try await refusal([try RawClient.hello(1), bytes]) == "TR-07")
  }

  @Test func garbageBeforeTheHelloIsRefused() async throws {
    #expect(try await refusal([patterned(100)]) == "TR-07")
    #expect(try await refusal([[]]) == "TR-07")
  }

  @Test func anUnknownFieldIsRefused() async throws {
    // Field 15 of the frame, and field 3 inside a hello.
    #expect(try await refusal([try RawClient.hello(1), try RawClient.bytes(.message([1])) + [0x78, 0x01]]) == "TR-07")
    #expect(try await refusal([[0x0a, 0x06, 0x08, 0x01, 0x10, 0x01, 0x18, 0x01]]) == "TR-07")
  }

  @Test func theFirstFrameMustBeAHelloAndTheOnlyOne() async throws {
    #expect(try await refusal([try RawClient.bytes(.message([1]))]) == "TR-18")
    #expect(try await refusal([try RawClient.hello(1), try RawClient.hello(1)]) == "TR-18")
  }

  @Test func anotherVersionIsRefused() async throws {
    #expect(try await refusal([try RawClient.bytes(.hello(site: 1, protocolVersion: 2))]) == "TR-17")
    #expect(try await refusal([try RawClient.bytes(.hello(site: 1, protocolVersion: 0))]) == "TR-17")
  }

  @Test func noHelloIsADeadline() async throws {
    #expect(try await refusal([]) { $0.handshakeTimeout = .seconds(2) } == "TR-09")
  }

  @Test func aPieceBeyondItsLimitIsRefused() async throws {
    let hello = try RawClient.hello(1)
    // input_chunk { index 0, count 1, data of 1 MiB + 1 }, written by hand because the encoder refuses it.
    let data = [UInt8](repeating: 1, count: FieldLimits.chunkBytesMax + 1)
    let inner = [0x10, 0x01, 0x1a] + varint(data.count) + data
    #expect(try await refusal([hello, [0x1a] + varint(inner.count) + inner]) == "TR-06")
    // count of 16,385
    let many: [UInt8] = [0x10] + varint(16_385) + [0x1a, 0x01, 0x07]
    #expect(try await refusal([hello, [0x1a] + varint(many.count) + many]) == "TR-06")
    // index = count
    #expect(try await refusal([hello, [0x1a, 0x07, 0x08, 0x02, 0x10, 0x02, 0x1a, 0x01, 0x07]]) == "TR-07")
    // a digest of 31 bytes
    #expect(try await refusal([hello, [0x22, 0x21, 0x0a, 0x1f] + patterned(31)]) == "TR-07")
  }

  @Test func aFrameBeyondEightMiBEndsTheSessionWithoutHarm() async throws {
    let large = [UInt8](repeating: 1, count: FieldLimits.frameBytesMax + 1)
    let bench = try await Consortium().start()
    let hello = try RawClient.hello(1)
    let answer = await RawClient.exchange(
      bench.endpoint, as: bench.consortium.sites[1], sending: [hello, [0x12] + varint(large.count) + large])
    #expect(answer.refusal == "TR-06" || answer.error != nil)
    #expect(answer.frames.count <= 1)
    // The stream may be torn down before its hello was looked at; if it was let in, it is out again before long.
    let honest = try bench.connect(2)
    var inside = 0
    var isHonestIn = false
    while inside > 0 || !isHonestIn {
      switch try await bench.next() {
      case .connected(2): isHonestIn = true
      case .connected(1): inside += 1
      case .disconnected(1, let error):
        inside -= 1
        #expect(error != nil)
      case let other: Issue.record("unexpected: \(other)")
      }
    }
    try bench.server.send(.welcome(job: "test", configuration: []), to: 2)
    #expect(try await honest.next() == .connected(job: "test", configuration: []))
    await honest.close()
    await bench.server.shutdown()
  }

  @Test func bothHalvesRefuseToSendWhatIsTooLarge() async throws {
    let bench = try await Consortium().start()
    let client = try bench.connect(1)
    try await bench.welcome(client)
    let long = [UInt8](repeating: 0, count: FieldLimits.messageBytesMax + 1)
    await #expect { try await client.connection.send(.message(long)) } throws: { ($0 as? TransportError)?.code == .tooLarge }
    await #expect { try await client.connection.send(.hello(site: 1, protocolVersion: 1)) } throws: {
      ($0 as? TransportError)?.code == .outOfOrder
    }
    #expect { try bench.server.send(.message(long), to: 1) } throws: { ($0 as? TransportError)?.code == .tooLarge }
    #expect { try bench.server.send(.message([1]), to: 77) } throws: { ($0 as? TransportError)?.code == .notConnected }
    // Nothing of it was sent: the next thing that arrives is what is sent now.
    try await client.connection.send(.message([1]))
    #expect(try await bench.next() == .frame(1, .message([1])))
    await client.close()
    await bench.server.shutdown()
  }
}

/// Protobuf's variable-length integer.
func varint(_ value: Int) -> [UInt8] {
  var rest = UInt64(value)
  var bytes: [UInt8] = []
  while rest >= 128 {
    bytes.append(UInt8(truncatingIfNeeded: rest) | 128)
    rest >>= 7
  }
  return bytes + [UInt8(rest)]
}
