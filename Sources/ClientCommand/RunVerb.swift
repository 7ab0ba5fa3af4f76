// secagg-client run: takes part in the server's job until it ends, the connection is given up, or a signal comes.
import ArgumentParser
import CommandLineKit
import Federation
import Foundation
import Logging
import Participant
import Synchronization
import Transport

struct RunVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Take part in the server's job until it ends.",
    discussion: """
      Interrupted in any way, it can be started again at once: it misses the attempt that it was in and joins the next round. Ends with 0 \
      when the job is done, 69 when the server cannot be reached, 75 when the job failed, 77 when an identity or a policy was refused.
      """)

  @OptionGroup var file: SiteFile
  @Option(help: "Seconds without a session until the client gives up; 0 at the first failure.") var giveUpAfter = 300.0
  @Flag(help: "Log the trainer's lines and more.") var verbose = false

  func validate() throws {
    guard giveUpAfter.isFinite, (0...31_536_000).contains(giveUpAfter) else {
      throw ValidationError("--give-up-after is seconds, at most a year")
    }
  }

  func run() async throws {
    let level: Logger.Level = verbose ? .info : .notice
    LoggingSystem.bootstrap { label in
      var handler = StreamLogHandler.standardError(label: label)
      handler.logLevel = level
      return handler
    }
    let site = try Site(file.config)
    if !site.config.warnings.isEmpty { Output.loudWarning(site.config.warnings) }
    let logger = Logger(label: "secagg-client")
    let connection = try SiteConnection(site.connection(giveUpAfter: giveUpAfter), logger: logger)
    let driver = try SiteDriver(site.setup, link: connection, logger: logger)
    Output.line("site         \(site.member.name), index \(site.member.site.rawValue), server \(site.config.server)")
    let stopped = Stopped()
    let signals = StopSignals { name in
      stopped.set()
      Task { await connection.close(reason: "stopped by \(name)") }
    }
    defer { signals.end() }
    let running = Task { () -> TransportError? in
      do throws(TransportError) { try await connection.run() } catch { return error }
      return nil
    }
    let outcome = try await driver.run(connection.events)
    switch outcome {
    case .finished:
      await connection.close(reason: "the job is done")
      Output.line("done         the server ended the job")
    case .jobFailed(let reason):
      throw ParticipantError(.jobFailed, reason, hint: "ask the server's operator; nothing is wrong here")
    case .disconnected:
      if let error = await running.value, !stopped.isSet { throw error }
    }
  }
}

/// Whether a signal asked for the end.
private final class Stopped: Sendable {
  private let flag = Atomic(false)
  var isSet: Bool { flag.load(ordering: .acquiring) }
  func set() { flag.store(true, ordering: .releasing) }
}
