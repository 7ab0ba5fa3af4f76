// Progress on standard error: one bar redrawn in place with the time left on a terminal, a quiet line now and then
// elsewhere. The clock is handed in, so tests fix the time instead of waiting for it.
import Foundation

/// A bar over a known number of steps. Not thread-safe: it belongs to the loop that it describes.
public final class ProgressBar {
  private let label: String
  private let total: Int
  private let live: Bool
  private let now: () -> Double
  private let emit: (String) -> Void
  private let start: Double
  private var done = 0
  private var lastShown = -Double.infinity
  private var finished = false

  /// - Parameters:
  ///   - total: number of steps; at least 1.
  ///   - live: redraw in place; by default whether standard error is a terminal.
  ///   - now: seconds on a monotonic clock.
  ///   - emit: receives raw text for standard error.
  public init(
    _ label: String, total: Int, live: Bool = Output.isTerminal(STDERR_FILENO),
    now: @escaping () -> Double = { ProcessInfo.processInfo.systemUptime },
    emit: @escaping (String) -> Void = { Output.write($0, to: FileHandle.standardError) }
  ) {
    (self.label, self.total, self.live, self.now, self.emit) = (label, max(1, total), live, now, emit)
    start = now()
  }

  /// Says that `count` steps are done, with an optional remark such as the current loss.
  public func update(_ count: Int, note: String = "") {
    guard !finished else { return }
    done = min(max(count, 0), total)
    let time = now()
    // Ten redraws a second are smooth; a log line every ten seconds is quiet, and the last one is `finish`'s.
    guard live ? time - lastShown >= 0.1 || done == total : time - lastShown >= 10 && done < total else { return }
    lastShown = time
    emit(live ? "\r\u{1B}[K" + bar(at: time, note: note) : plain(at: time, note: note) + "\n")
  }

  /// One more step is done.
  public func advance(note: String = "") { update(done + 1, note: note) }

  /// Ends the bar and leaves its last state on the screen.
  public func finish(note: String = "") {
    guard !finished else { return }
    let time = now()
    if live { emit("\r\u{1B}[K" + bar(at: time, note: note) + "\n") } else { emit(plain(at: time, note: note) + "\n") }
    finished = true
  }

  private func bar(at time: Double, note: String) -> String {
    let width = 28
    let eighths = done * width * 8 / total
    let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
    let filled = String(repeating: "█", count: eighths / 8) + partial
    let empty = String(repeating: "░", count: max(0, width - filled.count))
    let text = "\(label) \(filled)\(empty) \(done)/\(total) \(timing(at: time))" + (note.isEmpty ? "" : "  \(note)")
    return String(text.prefix(max(20, Output.columns - 1)))
  }

  private func plain(at time: Double, note: String) -> String {
    "\(label): \(done)/\(total) \(timing(at: time))" + (note.isEmpty ? "" : "  \(note)")
  }

  private func timing(at time: Double) -> String {
    let elapsed = time - start
    if done == total { return "in \(Duration.brief(seconds: elapsed))" }
    guard done > 0 else { return "" }
    return "\(Duration.brief(seconds: elapsed / Double(done) * Double(total - done))) left"
  }
}

extension Duration {
  /// `0.8 s`, `42 s`, `3 min 05 s`, `2 h 10 min`.
  public static func brief(seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0 else { return "?" }
    if seconds < 9.95 { return Text.fixed(seconds, 1) + " s" }
    guard seconds < 1e9 else { return "?" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(Text.padded(whole % 60, 2)) s" }
    return "\(whole / 3600) h \(Text.padded(whole / 60 % 60, 2)) min"
  }
}
