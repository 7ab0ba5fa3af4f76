// secagg-server run: checks everything that can be checked before a socket is opened, then serves until the job ends or a signal comes.
import ArgumentParser
import CommandLineKit
import Coordinator
import Federation
import Foundation
import Logging
import TLSIdentity
import Transport
import TransportServer

struct RunVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Serve a job until its rounds are done.",
    discussion: """
      Prints the address that it listens on. Stopped with SIGTERM or SIGINT, or killed, it goes on where it was when it is started again \
      with the same files. Ends with 0 when the job is done, 69 or 75 when it ends for a reason that another start may mend.
      """)

  @OptionGroup var files: ServerFiles
  @Flag(help: "Print the events as JSON lines on standard output.") var json = false
  @Flag(help: "Log more.") var verbose = false

  func run() async throws {
    let level: Logger.Level = verbose ? .debug : .notice
    LoggingSystem.bootstrap { label in
      var handler = StreamLogHandler.standardError(label: label)
      handler.logLevel = level
      return handler
    }
    let config = try files.load()
    if !config.warnings.isEmpty { Output.loudWarning(config.warnings) }
    let roster = try files.verifiedRoster(config)
    let identity = try PartyIdentity.load(config.server.identity)
    try identity.checkServer(of: roster.roster)
    guard let weights = config.model.weights else {
      throw CoordinatorError(
        .weights, "no initial weights are given",
        hint:
          "make some with `secagg init-weights --cfg \(config.model.name) --classes N --out initial.safetensors`, then --weights"
      )
    }
    let setup = try JobSetup(config, roster: roster, signingKey: identity.protocolKey, weightsPath: weights)
    try Self.makeFolder(config.server.stateDirectory)
    try await serve(setup, config: config, security: Self.security(config, roster, identity))
  }

  private static func privacy(_ plan: JobPlan, isWaived: Bool) -> String {
    guard let privacy = plan.privacy else { return isWaived ? "OFF: no formal guarantee" : "none configured: no formal guarantee" }
    return "\(privacy.guarantee); noise multiplier \(privacy.noiseMultiplier), clip \(privacy.clip)"
  }

  private func serve(_ setup: JobSetup, config: FederatedConfig, security: ServerSecurity) async throws {
    let logger = Logger(label: "secagg-server")
    let listen = try ServerEndpoint(host: config.communication.listen.host, port: config.communication.listen.port)
    let server = try AggregationServer(.init(listen: listen, security: security), logger: logger)
    let json = json
    let driver = try RoundDriver(setup, hub: server, logger: logger) { line in if json { Output.line(line) } }
    let bound = try await server.start()
    await driver.announce(host: bound.host, port: bound.port)
    if !json {
      Output.line("listening    \(bound)")
      Output.line(
        "job          \(setup.plan.name): \(setup.plan.rounds) rounds of \(setup.plan.model), \(setup.roster.siteKeys.count) sites")
      Output.line("events       \(setup.stateDirectory)/\(EventLog.fileName)")
      Output.line("privacy      \(Self.privacy(setup.plan, isWaived: config.privacyWaived))")
    }
    let signals = StopSignals { name in Task { await driver.stop(reason: "stopped by \(name)") } }
    let outcome = await driver.run(server.events)
    signals.end()
    await server.shutdown()
    switch outcome {
    case .finished:
      if !json { Output.line("done         \(setup.stateDirectory)/weights/latest.safetensors") }
    case .stopped(let reason): Output.note("\(reason); start the server again to go on")
    case .failed(let error): throw error
    }
  }

  private static func security(_ config: FederatedConfig, _ roster: VerifiedRoster, _ identity: PartyIdentity) -> ServerSecurity {
    let now = Date()
    let members = roster.roster.members.filter { $0.isValid(at: now) }
    guard config.communication.encryption else {
      let sites = Set(members.map(\.site.rawValue))
      return .plaintextLoopback { sites.contains($0) }
    }
    let byCertificate = Dictionary(uniqueKeysWithValues: members.map { ($0.certificate.fingerprint, $0) })
    return .mutualTLS(identity.tls) { shown in
      guard let member = byCertificate[shown.fingerprint], member.certificate == shown, member.isValid(at: Date()) else { return nil }
      return member.site.rawValue
    }
  }

  static func makeFolder(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    } catch {
      throw CoordinatorError(.file, "cannot make the directory \(path): \(error.localizedDescription)", hint: "check its permissions")
    }
  }
}
