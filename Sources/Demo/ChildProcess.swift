// A child process of the demo: started in a process group of its own, its output in a log file, ended by its process id and never by name.
// The registry ends every child when the demo is interrupted, so that no server or trainer outlives it.
import Foundation
import Synchronization

/// What went wrong with a program that the demo started.
public struct ChildFailure: Error, Sendable {
  public let program: String
  public let reason: String
  /// The last lines that the program wrote, for the error message.
  public let lastLines: [String]
}

final class ChildProcess: Sendable {
  let name: String
  let identifier: pid_t
  let logPath: String
  private let status = Mutex<Int32?>(nil)

  private static let running = Mutex<[pid_t: ChildProcess]>([:])

  /// Starts `program` with `arguments`; standard output goes to `outputPath` (or the log), standard error to `logPath`.
  init(name: String, program: String, arguments: [String], environment: [String: String] = [:], outputPath: String? = nil, logPath: String)
    throws(ChildFailure)
  {
    self.name = name
    self.logPath = logPath
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, logPath, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    if let outputPath {
      posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    } else {
      posix_spawn_file_actions_adddup2(&actions, 2, 1)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    posix_spawnattr_setpgroup(&attributes, 0)

    let inherited = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = inherited.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    var child: pid_t = 0
    let code = posix_spawn(&child, program, &actions, &attributes, &argv, &envp)
    guard code == 0 else {
      throw ChildFailure(program: program, reason: "could not be started: \(String(cString: strerror(code)))", lastLines: [])
    }
    identifier = child
    Self.running.withLock { $0[child] = self }
  }

  /// The exit status if the process has ended: its exit code, or 128 plus the signal that ended it.
  func exitStatus() -> Int32? {
    status.withLock { known in
      if let known { return known }
      var raw: Int32 = 0
      guard waitpid(identifier, &raw, WNOHANG) == identifier else { return nil }
      Self.running.withLock { _ = $0.removeValue(forKey: identifier) }
      let signal = raw & 0x7f
      known = signal == 0 ? (raw >> 8) & 0xff : 128 + signal
      return known
    }
  }

  /// Waits for the end of the process, checking ten times a second, until `deadline` seconds are over (then nil).
  func wait(atMost deadlineSeconds: Double = .infinity) async throws -> Int32? {
    let start = ContinuousClock.now
    while true {
      if let code = exitStatus() { return code }
      if Double((ContinuousClock.now - start).components.seconds) >= deadlineSeconds { return nil }
      try await Task.sleep(for: .milliseconds(100))
    }
  }

  /// Waits for success; anything else is a `ChildFailure` with the program's last lines.
  func succeed(atMost deadlineSeconds: Double) async throws {
    guard let code = try await wait(atMost: deadlineSeconds) else {
      signal(SIGKILL)
      throw ChildFailure(program: name, reason: "did not finish within \(Int(deadlineSeconds)) s", lastLines: lastLines())
    }
    guard code == 0 else { throw ChildFailure(program: name, reason: "ended with status \(code)", lastLines: lastLines()) }
  }

  /// Sends a signal to the process and to what it started.
  func signal(_ number: Int32) {
    guard exitStatus() == nil else { return }
    kill(-identifier, number)
  }

  /// Asks it to stop, and insists after five seconds.
  func stop() async {
    signal(SIGTERM)
    if (try? await wait(atMost: 5)) ?? nil == nil {
      signal(SIGKILL)
      _ = try? await wait(atMost: 5)
    }
  }

  func lastLines(_ count: Int = 8) -> [String] {
    guard let text = try? String(contentsOfFile: logPath, encoding: .utf8) else { return [] }
    return text.split(separator: "\n").suffix(count).map(String.init)
  }

  /// Ends every child that still runs: called when the demo is interrupted.
  static func killAll() {
    for child in running.withLock({ Array($0.values) }) { kill(-child.identifier, SIGKILL) }
  }

  /// Runs `program` to its end and returns what it printed on standard output.
  /// - Parameter deadlineSeconds: a minute for what takes moments; training takes as long as it takes.
  static func output(
    of program: String, _ arguments: [String], workFolder: String, atMost deadlineSeconds: Double = 60
  ) async throws -> String {
    let name = (program as NSString).lastPathComponent
    let stamp = UUID().uuidString
    let (out, log) = (workFolder + "/\(name)-\(stamp).out", workFolder + "/\(name)-\(stamp).log")
    defer { for path in [out, log] { unlink(path) } }
    let child = try ChildProcess(name: name, program: program, arguments: arguments, outputPath: out, logPath: log)
    try await child.succeed(atMost: deadlineSeconds)
    return (try? String(contentsOfFile: out, encoding: .utf8)) ?? ""
  }
}
