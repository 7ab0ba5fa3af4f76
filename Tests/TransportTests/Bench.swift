// A server and its sites on loopback sockets, for the tests of this folder. Ports are chosen by the system; every wait is on an event.
import Foundation
import Logging
import TLSIdentity
import Testing
import Transport
import TransportServer

/// Thrown where an expected event did not come.
struct Missing: Error { let what: String }

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A roster of test certificates.
struct Consortium: Sendable {
  let server: TLSCredentials
  let sites: [UInt32: TLSCredentials]

  init(sites: [UInt32] = [1, 2, 3], hosts: [String] = ["127.0.0.1", "localhost"]) throws {
    server = try TLSCredentials.mint(name: "server", role: .server(hosts: hosts))
    self.sites = try Dictionary(uniqueKeysWithValues: sites.map { ($0, try TLSCredentials.mint(name: "site-\($0)", role: .site)) })
  }

  /// The rule of the real server: the fingerprint decides, and the name must be the roster's.
  var authorise: @Sendable (PeerCertificate) -> UInt32? {
    let known = Dictionary(uniqueKeysWithValues: sites.map { ($1.certificate.fingerprint, ($0, $1.certificate.name)) })
    return { shown in known[shown.fingerprint].flatMap { $0.1 == shown.name ? $0.0 : nil } }
  }

  func start(port: Int = 0, _ adjust: (inout TransportLimits) -> Void = { _ in }) async throws -> Bench {
    var configuration = AggregationServer.Configuration(
      listen: try ServerEndpoint(host: "127.0.0.1", port: port), security: .mutualTLS(server, authorise: authorise))
    configuration.limits.shutdownGrace = .seconds(5)
    adjust(&configuration.limits)
    let running = try AggregationServer(configuration, logger: quiet)
    return Bench(consortium: self, server: running, endpoint: try await running.start())
  }

  func configuration(_ endpoint: ServerEndpoint, site: UInt32, as credentials: TLSCredentials? = nil) throws -> SiteConnection.Configuration
  {
    let own = try credentials ?? #require(sites[site])
    var configuration = SiteConnection.Configuration(
      endpoint: endpoint, site: site, security: .mutualTLS(own, server: server.certificate))
    configuration.reconnect.initial = .milliseconds(10)
    configuration.reconnect.giveUpAfter = .zero
    configuration.limits.shutdownGrace = .seconds(5)
    return configuration
  }
}

/// A running server.
struct Bench: Sendable {
  let consortium: Consortium
  let server: AggregationServer
  let endpoint: ServerEndpoint

  func connect(
    _ site: UInt32, as credentials: TLSCredentials? = nil, _ adjust: (inout SiteConnection.Configuration) -> Void = { _ in }
  ) throws -> Client {
    var configuration = try consortium.configuration(endpoint, site: site, as: credentials)
    adjust(&configuration)
    return Client(try SiteConnection(configuration, logger: quiet))
  }

  /// The server's next event.
  func next() async throws -> ServerEvent {
    var iterator = server.events.makeAsyncIterator()
    guard let event = await iterator.next() else { throw Missing(what: "an event of the server") }
    return event
  }

  /// Lets a site in: takes its `connected`, welcomes it and waits until it knows.
  func welcome(_ client: Client) async throws {
    let site = client.connection.configuration.site
    #expect(try await next() == .connected(site))
    try server.send(.welcome(job: "test", configuration: [1, 2, 3]), to: site)
    #expect(try await client.next() == .connected(job: "test", configuration: [1, 2, 3]))
  }
}

/// A site's connection that runs in the background.
struct Client: Sendable {
  let connection: SiteConnection
  let running: Task<TransportError?, Never>

  init(_ connection: SiteConnection) {
    self.connection = connection
    running = Task {
      do throws(TransportError) {
        try await connection.run()
        return nil
      } catch {
        return error
      }
    }
  }

  /// The connection's next event.
  func next() async throws -> SiteConnectionEvent {
    var iterator = connection.events.makeAsyncIterator()
    guard let event = await iterator.next() else {
      throw Missing(what: "an event of the site, which ended with \(String(describing: await running.value))")
    }
    return event
  }

  /// What ended `run`, nil for a good end.
  func outcome() async -> TransportError? { await running.value }

  func close() async {
    await connection.close(reason: "test over")
    _ = await running.value
  }
}

/// Bytes that depend on their position, from a fixed seed.
func patterned(_ count: Int, seed: UInt64 = 7) -> [UInt8] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 56)
  }
}
