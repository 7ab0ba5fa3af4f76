// Things that are not there or do not answer: each a typed error with its place, within its deadline.
import NIOCore
import NIOPosix
import TLSIdentity
import Testing
import Transport
import TransportServer

/// Answers every connection with some bytes, or with nothing.
private func listener(answering bytes: [UInt8]?) async throws -> (any Channel, ServerEndpoint) {
  let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
    .childChannelInitializer { child in
      child.eventLoop.makeCompletedFuture {
        if let bytes { child.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
      }
    }
    .bind(host: "127.0.0.1", port: 0).get()
  let port = try #require(channel.localAddress?.port)
  return (channel, try ServerEndpoint(host: "127.0.0.1", port: port))
}

@Suite(.timeLimit(.minutes(2))) struct FailureTests {
  @Test func aServerThatIsNotThereIsUnreachable() async throws {
    let consortium = try Consortium()
    // A port that was free a moment ago.
    let bench = try await consortium.start()
    await bench.server.shutdown()
    let error = await (try bench.connect(1)).outcome()
    #expect(error?.code == .unreachable)
    #expect(error?.exitStatus == 69)
    #expect(error?.reason.contains(bench.endpoint.description) == true)
    #expect(error?.hint.isEmpty == false)
  }

  @Test func aHostThatDoesNotExistIsUnreachable() async throws {
    let endpoint = try ServerEndpoint(host: "no-such-host.invalid", port: 7443)
    var configuration = try Consortium().configuration(endpoint, site: 1)
    configuration.connectTimeout = .seconds(5)
    let error = await Client(try SiteConnection(configuration, logger: quiet)).outcome()
    #expect(error?.code == .unreachable)
    #expect(error?.reason.contains("no-such-host.invalid:7443") == true)
  }

  @Test func retriesAreReportedUntilTheConnectionIsClosed() async throws {
    let bench = try await Consortium().start()
    await bench.server.shutdown()
    let client = try bench.connect(1) {
      $0.reconnect.initial = .milliseconds(1)
      $0.reconnect.max = .milliseconds(2)
      $0.reconnect.giveUpAfter = nil
    }
    for _ in 0..<3 {
      guard case .disconnected(let error, retryIn: .some(let delay)) = try await client.next() else { throw Missing(what: "a retry") }
      #expect(error.code == .unreachable)
      #expect(delay <= .milliseconds(3))
    }
    await client.connection.close(reason: "enough")
    #expect(await client.outcome() == nil)
  }

  @Test func givingUpIsTheLastEvent() async throws {
    let bench = try await Consortium().start()
    await bench.server.shutdown()
    let client = try bench.connect(1)
    var events: [SiteConnectionEvent] = []
    for await event in client.connection.events { events.append(event) }
    let outcome = try #require(await client.outcome())
    #expect(events == [.disconnected(outcome, retryIn: nil)])
  }

  @Test func closingEndsTheRetries() async throws {
    let bench = try await Consortium().start()
    await bench.server.shutdown()
    let client = try bench.connect(1) {
      $0.reconnect.initial = .seconds(3_600)
      $0.reconnect.max = .seconds(3_600)
      $0.reconnect.giveUpAfter = nil
    }
    guard case .disconnected = try await client.next() else { throw Missing(what: "a failed attempt") }
    await client.connection.close(reason: "enough")
    #expect(await client.outcome() == nil)
  }

  @Test func somethingElseOnThePortIsAHandshakeError() async throws {
    let (channel, endpoint) = try await listener(answering: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
    let error = await Client(try SiteConnection(try Consortium().configuration(endpoint, site: 1), logger: quiet)).outcome()
    #expect(error?.code == .handshake)
    #expect(error?.exitStatus == 77)
    try await channel.close()
  }

  @Test func aSilentServerIsADeadline() async throws {
    let (channel, endpoint) = try await listener(answering: nil)
    var configuration = try Consortium().configuration(endpoint, site: 1)
    configuration.limits.handshakeTimeout = .milliseconds(300)
    let error = await Client(try SiteConnection(configuration, logger: quiet)).outcome()
    #expect(error?.code == .deadline)
    #expect(error?.exitStatus == 75)
    try await channel.close()
  }

  @Test func aServerThatNeverWelcomesIsADeadline() async throws {
    let bench = try await Consortium().start()
    let error = await (try bench.connect(1) { $0.welcomeTimeout = .milliseconds(500) }).outcome()
    #expect(error?.code == .deadline)
    await bench.server.shutdown()
  }

  @Test func aFrameBeforeTheWelcomeIsRefused() async throws {
    let bench = try await Consortium().start()
    let client = try bench.connect(1)
    #expect(try await bench.next() == .connected(1))
    try bench.server.send(.message([1]), to: 1)
    #expect(await client.outcome()?.code == .outOfOrder)
    await bench.server.shutdown()
  }

  @Test func aPortInUseIsNamed() async throws {
    let consortium = try Consortium()
    let bench = try await consortium.start()
    await #expect { _ = try await consortium.start(port: bench.endpoint.port) } throws: { error in
      guard let error = error as? TransportError else { return false }
      return error.code == .portInUse && error.exitStatus == 69 && error.reason.contains("\(bench.endpoint.port)") && !error.hint.isEmpty
    }
    // The first server is none the worse for it.
    let client = try bench.connect(1)
    try await bench.welcome(client)
    await client.close()
    await bench.server.shutdown()
  }

  @Test func anAddressOfAnotherMachineCannotBeListenedOn() async throws {
    let credentials = try Consortium().server
    for host in ["192.0.2.1", "example.org"] {
      await #expect {
        let listen = try ServerEndpoint(host: host, port: 0)
        _ = try await AggregationServer(.init(listen: listen, security: .mutualTLS(credentials) { _ in nil }), logger: quiet).start()
      } throws: { ($0 as? TransportError)?.code == .unusableAddress }
    }
  }

  @Test func plaintextIsRefusedOutsideLoopback() throws {
    for host in ["0.0.0.0", "192.0.2.1", "::", "128.0.0.1"] {
      let endpoint = try ServerEndpoint(host: host, port: 7443)
      #expect { try SiteConnection(.init(endpoint: endpoint, site: 1, security: .plaintextLoopback), logger: quiet) } throws: {
        ($0 as? TransportError)?.code == .plaintextNotLoopback && ($0 as? TransportError)?.exitStatus == 78
      }
      #expect { try AggregationServer(.init(listen: endpoint, security: .plaintextLoopback { _ in true }), logger: quiet) } throws: {
        ($0 as? TransportError)?.code == .plaintextNotLoopback
      }
    }
  }

  @Test func connectionsBeyondTheLimitAreClosed() async throws {
    let bench = try await Consortium().start { $0.connectionsMax = 1 }
    let client = try bench.connect(1)
    try await bench.welcome(client)
    let extra = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .connect(host: bench.endpoint.host, port: bench.endpoint.port).get()
    try await extra.closeFuture.get()
    try bench.server.send(.message([1]), to: 1)
    #expect(try await client.next() == .frame(.message([1])))
    await client.close()
    await bench.server.shutdown()
  }

  @Test func aConnectionThatNeverShakesHandsIsClosed() async throws {
    let bench = try await Consortium().start { $0.handshakeTimeout = .milliseconds(300) }
    let idle = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .connect(host: bench.endpoint.host, port: bench.endpoint.port).get()
    try await idle.closeFuture.get()
    await bench.server.shutdown()
  }
}
