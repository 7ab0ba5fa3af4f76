// Who is let in: the pinned certificate, valid now, under the right name, on both sides; everyone else is refused in the handshake.
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import TLSIdentity
import Testing
import Transport
import TransportServer

@Suite(.timeLimit(.minutes(2))) struct IdentityTests {
  /// Nobody was let in: the next event is that of the honest site that comes now.
  private func nobodyCameIn(_ bench: Bench) async throws {
    let honest = try bench.connect(3)
    try await bench.welcome(honest)
    await honest.close()
    await bench.server.shutdown()
  }

  @Test func aServerWithAnotherCertificateIsRefused() async throws {
    let bench = try await Consortium().start()
    // The impostor has the same name, hosts and sites, but another key.
    let expected = try Consortium()
    var configuration = try expected.configuration(bench.endpoint, site: 1)
    configuration.reconnect.giveUpAfter = nil
    let client = Client(try SiteConnection(configuration, logger: quiet))
    let error = await client.outcome()
    #expect(error?.code == .serverIdentity)
    #expect(error?.exitStatus == 77)
    #expect(error?.reason.contains(bench.consortium.server.certificate.fingerprint.description) == true)
    try await nobodyCameIn(bench)
  }

  @Test func aServerCertificateForAnotherHostIsRefused() async throws {
    let bench = try await Consortium(hosts: ["elsewhere.example", "10.1.2.3"]).start()
    let error = await (try bench.connect(1)).outcome()
    #expect(error?.code == .serverIdentity)
    #expect(error?.hint.contains("elsewhere.example") == true)
    await bench.server.shutdown()
  }

  @Test func aStrangersCertificateIsRefusedInTheHandshake() async throws {
    let bench = try await Consortium().start()
    // Same name as site 1, minted by somebody else.
    let stranger = try TLSCredentials.mint(name: "site-1", role: .site)
    for _ in 0..<5 {
      let error = await (try bench.connect(1, as: stranger) { $0.reconnect.giveUpAfter = nil }).outcome()
      #expect(error?.code == .ownCertificateRefused)
      #expect(error?.exitStatus == 77)
    }
    try await nobodyCameIn(bench)
  }

  @Test func anExpiredSiteCertificateIsRefusedByBothSides() async throws {
    let now = Date()
    let expired = try TLSCredentials.mint(name: "site-9", role: .site, notBefore: now - 7_200, notAfter: now - 3_600)
    var consortium = try Consortium()
    consortium = Consortium(server: consortium.server, sites: consortium.sites.merging([9: expired]) { $1 })
    let bench = try await consortium.start()
    // This side does not even try …
    #expect(throws: TransportError.self) { try bench.connect(9) }
    // … and the server does not take it from a client that does.
    let answer = await RawClient.exchange(bench.endpoint, as: expired, sending: [try RawClient.hello(9)])
    #expect(answer.error != nil)
    #expect(answer.frames.isEmpty)
    try await nobodyCameIn(bench)
  }

  @Test func aSiteWithoutCertificateIsRefused() async throws {
    let bench = try await Consortium().start()
    let answer = await RawClient.exchange(bench.endpoint, as: nil, sending: [try RawClient.hello(1)])
    #expect(answer.error != nil)
    #expect(answer.frames.isEmpty)
    try await nobodyCameIn(bench)
  }

  @Test func aSiteCannotNameAnotherInItsHello() async throws {
    let bench = try await Consortium().start()
    let error = await (try bench.connect(2, as: bench.consortium.sites[1])).outcome()
    #expect(error?.code == .refused)
    #expect(error?.reason.contains("TR-16") == true)
    try await nobodyCameIn(bench)
  }

  /// A site in another language needs no code for pinning: a stock TLS library takes the pinned certificate as its only trust root.
  @Test func aStockClientTakesThePinnedCertificateAsItsTrustRoot() async throws {
    let bench = try await Consortium().start()
    let hello = try RawClient.hello(2)
    let own = bench.consortium.sites[1]
    // Trusted, it gets as far as the typed refusal of a wrong hello; with another root it never gets in.
    let trusted = await RawClient.exchange(bench.endpoint, as: own, trusting: bench.consortium.server.certificate, sending: [hello])
    #expect(trusted.refusal == "TR-16", "\(String(describing: trusted.error))")
    let other = try Consortium().server.certificate
    let untrusted = await RawClient.exchange(bench.endpoint, as: own, trusting: other, sending: [hello])
    #expect(untrusted.frames.isEmpty && untrusted.error != nil)
    try await nobodyCameIn(bench)
  }

  @Test func tls12IsRefused() async throws {
    let bench = try await Consortium().start()
    let own = try #require(bench.consortium.sites[1])
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.maximumTLSVersion = .tlsv12
    configuration.certificateVerification = .none
    configuration.certificateChain = [.certificate(try NIOSSLCertificate(bytes: own.certificate.der, format: .der))]
    configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: own.keyDER, format: .der))
    configuration.applicationProtocols = ["h2"]
    let context = try NIOSSLContext(configuration: configuration)
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: nil))
        }
      }
      .connect(host: bench.endpoint.host, port: bench.endpoint.port).get()
    try await channel.closeFuture.get()
    try await nobodyCameIn(bench)
  }

  @Test func anExpiredServerCertificateDoesNotStart() async throws {
    let now = Date()
    let expired = try TLSCredentials.mint(
      name: "server", role: .server(hosts: ["127.0.0.1"]), notBefore: now - 7_200, notAfter: now - 3_600)
    let listen = try ServerEndpoint(host: "127.0.0.1", port: 0)
    #expect(throws: TransportError.self) {
      try AggregationServer(.init(listen: listen, security: .mutualTLS(expired) { _ in nil }), logger: quiet)
    }
  }

  @Test func theServerCheckJudgesBytesDatesAndHosts() throws {
    let now = Date()
    let endpoint = try ServerEndpoint(host: "127.0.0.1", port: 7443)
    let right = try TLSCredentials.mint(name: "server", role: .server(hosts: ["127.0.0.1"]))
    let other = try TLSCredentials.mint(name: "server", role: .server(hosts: ["127.0.0.1"]))
    func chain(_ credentials: TLSCredentials...) throws -> [NIOSSLCertificate] {
      try credentials.map { try NIOSSLCertificate(bytes: $0.certificate.der, format: .der) }
    }
    func verdict(_ chain: [NIOSSLCertificate], at date: Date, host: ServerEndpoint? = nil) -> TransportError.Code? {
      do {
        try PeerVerification.checkServer(chain, pinned: right.certificate, endpoint: host ?? endpoint, now: date)
        return nil
      } catch {
        return error.code
      }
    }
    #expect(verdict(try chain(right), at: now) == nil)
    #expect(verdict([], at: now) == .serverIdentity)
    #expect(verdict(try chain(other), at: now) == .serverIdentity)
    #expect(verdict(try chain(other, right), at: now) == .serverIdentity)
    #expect(verdict(try chain(right), at: now + 826 * 86_400) == .serverIdentity)
    #expect(verdict(try chain(right), at: now - 3_600) == .serverIdentity)
    #expect(verdict(try chain(right), at: now, host: try ServerEndpoint(host: "127.0.0.2", port: 7443)) == .serverIdentity)
    #expect(verdict(try chain(right), at: now, host: try ServerEndpoint(host: "localhost", port: 7443)) == .serverIdentity)
  }
}

extension Consortium {
  init(server: TLSCredentials, sites: [UInt32: TLSCredentials]) {
    self.server = server
    self.sites = sites
  }
}
