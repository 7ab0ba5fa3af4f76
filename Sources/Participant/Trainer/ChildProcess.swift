// One child process, held on a short leash: an environment of its own, no descriptor but its three, a process group that is killed as a
// whole on cancellation or deadline, and on Linux the kernel kills it when this process dies. Swift's `Process` offers neither the group
// nor a closed descriptor table.
import CProcess
import Foundation
import Synchronization

/// How a child ended.
struct ChildEnding: Sendable, Equatable {
  enum Cause: Sendable, Equatable {
    case exited(Int32)
    case signalled(Int32)
    case deadline, cancelled
  }
  let cause: Cause
  /// The last lines of its standard error.
  let errorLines: [String]
}

/// Why a child could not be started.
struct ChildStartError: Error, Equatable { let reason: String }

/// What to run.
struct ChildProcess: Sendable {
  /// Program (a path, or a name that is looked up in PATH) and arguments.
  var command: [String]
  var environment: [String: String]
  var folder: String
  var deadline: Duration
  /// From the polite signal to the other one.
  var patience: Duration = .seconds(2)

  static let errorLinesMax = 20
  static let lineBytesMax = 4_096

  /// Runs to the end. A cancelled task kills the child's whole group and still waits for it.
  /// - Parameter onLine: called for every line of standard output, on another thread.
  func run(onLine: @escaping @Sendable (String) -> Void) async throws(ChildStartError) -> ChildEnding {
    let leash = Leash()
    let outcome: Result<ChildEnding, ChildStartError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // The thread that starts the child stays until it ended: the kernel's parent-death signal is bound to it.
        let thread = Thread {
          do throws(ChildStartError) {
            let handle = try start()
            continuation.resume(returning: .success(watch(handle, leash, onLine)))
          } catch {
            continuation.resume(returning: .failure(error))
          }
        }
        thread.name = "child"
        thread.start()
      }
    } onCancel: {
      leash.cancel()
    }
    return try outcome.get()
  }

  /// Cancellation flag shared with the watching thread.
  private final class Leash: Sendable {
    private let isCancelled = Atomic<Bool>(false)
    func cancel() { isCancelled.store(true, ordering: .releasing) }
    var cancelled: Bool { isCancelled.load(ordering: .acquiring) }
  }

  private struct Handle {
    let process: pid_t
    let output: Int32
    let errors: Int32
  }

  /// The program's path; names without a slash are looked up as a shell would.
  static func resolve(_ program: String, searchPath: String) -> String? {
    if program.contains("/") { return access(program, X_OK) == 0 ? program : nil }
    for folder in searchPath.split(separator: ":") where access("\(folder)/\(program)", X_OK) == 0 { return "\(folder)/\(program)" }
    return nil
  }

  private func start() throws(ChildStartError) -> Handle {
    guard let name = command.first, let program = Self.resolve(name, searchPath: environment["PATH"] ?? "/usr/bin:/bin") else {
      throw ChildStartError(reason: "no program \(command.first ?? "") that may be executed")
    }
    let (output, outputEnd) = try Self.makePipe()
    let (errors, errorsEnd) = try Self.makePipe()
    defer {
      close(outputEnd)
      close(errorsEnd)
    }
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in arguments + variables { free(pointer) } }
    var process: pid_t = 0
    let cause = secagg_spawn(program, &arguments, &variables, folder, outputEnd, errorsEnd, &process)
    guard cause == 0 else {
      close(output)
      close(errors)
      throw ChildStartError(reason: "\(program) could not be started: \(String(cString: strerror(cause)))")
    }
    return Handle(process: process, output: output, errors: errors)
  }

  /// A pipe whose ends no other child inherits.
  private static func makePipe() throws(ChildStartError) -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw ChildStartError(reason: "no pipe: \(String(cString: strerror(errno)))") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  private func watch(_ child: Handle, _ leash: Leash, _ onLine: (String) -> Void) -> ChildEnding {
    var streams = [LineReader(child.output), LineReader(child.errors)]
    var lastErrors: [String] = []
    let begin = ContinuousClock.now
    var forced: ChildEnding.Cause?
    var killAt: ContinuousClock.Instant?
    var status: Int32 = 0
    while true {
      for line in streams[0].lines(waitMilliseconds: 100) { onLine(line) }
      lastErrors = (lastErrors + streams[1].lines(waitMilliseconds: streams[0].isOpen ? 0 : 100)).suffix(Self.errorLinesMax)
      let ended = waitpid(child.process, &status, WNOHANG)
      if ended == child.process || (ended < 0 && errno == ECHILD) { break }
      if forced == nil, leash.cancelled || begin.duration(to: .now) > deadline {
        forced = leash.cancelled ? .cancelled : .deadline
        kill(-child.process, SIGTERM)
        killAt = .now + patience
      }
      if let moment = killAt, .now > moment {
        kill(-child.process, SIGKILL)
        killAt = nil
      }
      if !streams[0].isOpen, !streams[1].isOpen { usleep(50_000) }
    }
    // What it left behind in its group dies with it; then its last words are read.
    kill(-child.process, SIGKILL)
    for line in streams[0].lines(waitMilliseconds: 50) { onLine(line) }
    lastErrors = (lastErrors + streams[1].lines(waitMilliseconds: 50)).suffix(Self.errorLinesMax)
    for stream in streams { stream.close() }
    let signal = status & 0x7f
    return ChildEnding(cause: forced ?? (signal == 0 ? .exited(status >> 8 & 0xff) : .signalled(signal)), errorLines: lastErrors)
  }
}

/// Lines out of a pipe; longer ones are cut, the rest of them dropped.
private struct LineReader {
  private let descriptor: Int32
  private var pending: [UInt8] = []
  private(set) var isOpen = true

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
  }

  /// What is there now, or within the wait if nothing is.
  mutating func lines(waitMilliseconds: Int32) -> [String] {
    guard isOpen else { return [] }
    var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&ready, 1, waitMilliseconds) > 0 else { return [] }
    var lines: [String] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    // Bounded, so that a child that never stops talking cannot keep the deadline from being looked at.
    for _ in 0..<64 {
      let got = Foundation.read(descriptor, &buffer, buffer.count)
      if got < 0, errno == EINTR { continue }
      if got < 0, errno == EAGAIN { break }
      guard got > 0 else {
        isOpen = false
        if !pending.isEmpty { lines.append(takeLine()) }
        break
      }
      for byte in buffer[..<got] {
        if byte == UInt8(ascii: "\n") {
          lines.append(takeLine())
        } else if pending.count < ChildProcess.lineBytesMax {
          pending.append(byte)
        }
      }
    }
    return lines
  }

  private mutating func takeLine() -> String {
    defer { pending.removeAll(keepingCapacity: true) }
    return String(decoding: pending, as: UTF8.self)
  }

  func close() { Foundation.close(descriptor) }
}
