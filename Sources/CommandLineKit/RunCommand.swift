// The one way a process of this project starts and ends: parse, run, and turn whatever was thrown into `error[CODE]`,
// a hint and an exit status of ExitStatus. An error that no converter knows is a fault of ours: 70, never a bare 1.
import ArgumentParser
import Foundation

/// Turns an error of a module below into what the user sees; nil if it does not know the error.
public typealias ErrorDescriber = @Sendable (any Error) -> CommandError?

/// Parses the command line as `root`, runs the chosen verb and ends the process.
///
/// - Parameter describe: converts typed errors of the modules that this command uses.
public func runCommand(_ root: any ParsableCommand.Type, describe: @escaping ErrorDescriber = { _ in nil }) async -> Never {
  do {
    var command = try root.parseAsRoot()
    if var asynchronous = command as? any AsyncParsableCommand {
      try await asynchronous.run()
    } else {
      try command.run()
    }
    exit(ExitStatus.success.rawValue)
  } catch {
    let ending = Ending(error, of: root, arguments: Array(CommandLine.arguments.dropFirst()), describe: describe)
    ending.print()
    exit(ending.status)
  }
}

/// What is printed and returned for one error; apart from `runCommand` so that tests can look at it.
struct Ending {
  var standardOutput: String?
  var standardError: String?
  var failure: CommandError?
  var status: Int32

  /// - Parameter arguments: the command line without the program's name.
  init(_ error: any Error, of root: any ParsableCommand.Type, arguments: [String], describe: ErrorDescriber) {
    if let known = error as? CommandError ?? describe(error) {
      failure = known
      status = known.exit.rawValue
      return
    }
    if let exit = error as? ExitCode {
      status = exit.rawValue
      return
    }
    let code = root.exitCode(for: error)
    if code.isSuccess {
      // `--help`, `--version` and completion scripts arrive as errors too; they are results.
      standardOutput = root.fullMessage(for: error)
      status = ExitStatus.success.rawValue
    } else if code == .validationFailure {
      failure = CommandError(
        code: "CL-01", what: root.message(for: error), hint: "see `\(Self.verb(arguments, of: root)) --help`", exit: .usage)
      status = ExitStatus.usage.rawValue
    } else {
      failure = CommandError(
        code: "CL-02", what: "unexpected failure: \(Self.brief(error))",
        hint: "this is a fault of the program; please report it with the command line and this message",
        exit: .internalError)
      status = ExitStatus.internalError.rawValue
    }
  }

  func print() {
    if let standardOutput { Output.line(standardOutput) }
    if let failure { Output.report(failure) }
    if let standardError { Output.note(standardError) }
  }

  /// The program and the verbs that the arguments begin with.
  private static func verb(_ arguments: [String], of root: any ParsableCommand.Type) -> String {
    var names = [root.configuration.commandName ?? ""]
    var command = root
    for argument in arguments {
      guard let next = command.configuration.subcommands.first(where: { $0.configuration.commandName == argument }) else { break }
      command = next
      names.append(argument)
    }
    return names.joined(separator: " ")
  }

  private static func brief(_ error: any Error) -> String {
    String(String(describing: error).prefix(300))
  }
}
