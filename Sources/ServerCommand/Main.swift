// secagg-server: runs the rounds of a job. It holds the server's keys and sums; of one site alone it never has anything in clear.
import ArgumentParser
import CommandLineKit
import Coordinator
import Federation
import Foundation
import Logging
import TLSIdentity
import Transport

@main struct ServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "secagg-server",
    abstract: "Run federated training in which the server learns only sums.",
    discussion: """
      The server's way from nothing to a running job:

        secagg-server init --host server.example.org          makes its keys, a request for the consortium and federated.yaml
        (the consortium adds it and the sites to roster.json and signs it: see secagg-roster)
        secagg init-weights --cfg yolov5n --classes 10 --out initial.safetensors
        secagg-server run --config federated.yaml --weights initial.safetensors

      Events are described in docs/events.md, exit codes in docs/errors.md.
      """,
    version: "0.1.0",
    subcommands: [InitVerb.self, RunVerb.self, StatusVerb.self, DoctorVerb.self])

  static func main() async { await runCommand(ServerCommand.self, describe: describe) }

  /// The errors of the modules below as the user sees them.
  @Sendable static func describe(_ error: any Error) -> CommandError? {
    switch error {
    case let error as FederationError:
      let place = error.place.map { CommandError.Place(file: $0.file, line: $0.line, column: $0.column, width: $0.width, text: $0.text) }
      return made(error.code.rawValue, error.reason, error.hint, error.exitStatus, place)
    case let error as CoordinatorError: return made(error.code.rawValue, error.reason, error.hint, error.exitStatus)
    case let error as TransportError: return made(error.code.rawValue, error.reason, error.hint, error.exitStatus)
    case let error as TLSIdentityError: return made(error.code.rawValue, error.reason, error.hint, error.exitStatus)
    default: return nil
    }
  }

  private static func made(
    _ code: String, _ reason: String, _ hint: String, _ status: Int32, _ place: CommandError.Place? = nil
  ) -> CommandError {
    CommandError(code: code, what: reason, hint: hint, exit: ExitStatus(rawValue: status) ?? .internalError, place: place)
  }
}

/// Where the parts of a server are: the configuration, and options that outrank it.
struct ServerFiles: ParsableArguments {
  @Option(help: "The job's configuration.") var config = "federated.yaml"
  @Option(help: "The roster that the consortium signed (instead of server.roster in the file).") var roster: String?
  @Option(help: "The consortium's public key (instead of server.consortium_key).") var consortiumKey: String?
  @Option(help: "The directory with the server's keys (instead of server.identity).") var identity: String?
  @Option(help: "The directory for events, weights and the job's course (instead of server.state_directory).") var state: String?
  @Option(help: "The weights that the job begins with (instead of model.weights).") var weights: String?
  @Option(help: "Address and port to listen on (instead of communication.listen); port 0 takes a free one.") var listen: String?
  @Flag(help: "Run a configuration that asks for differential privacy without it: no formal guarantee.") var withoutPrivacy = false

  func load() throws -> FederatedConfig {
    var config = try FederatedConfig.load(config, withoutPrivacy: withoutPrivacy)
    if let roster { config.server.roster = roster }
    if let consortiumKey { config.server.consortiumKey = consortiumKey }
    if let identity { config.server.identity = identity }
    if let state { config.server.stateDirectory = state }
    // Events name files: they must mean the same to whoever reads them from elsewhere.
    if !config.server.stateDirectory.hasPrefix("/") {
      config.server.stateDirectory = FileManager.default.currentDirectoryPath + "/" + config.server.stateDirectory
    }
    if let weights { config.model.weights = weights }
    if let listen {
      guard let address = HostPort(listen) else { throw ValidationError("--listen is host:port, such as 127.0.0.1:7443") }
      guard config.communication.encryption || address.isLoopback else {
        throw ValidationError("--listen must be this machine's own address while `encryption: false`")
      }
      config.communication.listen = address
    }
    return config
  }

  func verifiedRoster(_ config: FederatedConfig) throws -> VerifiedRoster {
    let key = try KeyFile.readPublic(config.server.consortiumKey)
    return try RosterVerifier(consortiumKey: key).load(config.server.roster, highestSerialSeen: 0)
  }
}
