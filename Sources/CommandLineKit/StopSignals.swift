// SIGTERM and SIGINT as a request to stop cleanly; a second one ends the process at once.
import Dispatch
import Foundation
import Synchronization

/// Watches for both signals from its creation to `end()`.
public final class StopSignals {
  private let sources: [any DispatchSourceSignal]

  /// - Parameter stop: called once, with the signal's name, on another thread.
  public init(_ stop: @escaping @Sendable (String) -> Void) {
    let count = Counter()
    sources = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")].map { number, name in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        guard count.next() == 1 else { _exit(128 + number) }
        stop(name)
      }
      source.resume()
      return source
    }
  }

  public func end() {
    for source in sources { source.cancel() }
  }

  private final class Counter: Sendable {
    private let value = Atomic(0)
    func next() -> Int { value.add(1, ordering: .relaxed).newValue }
  }
}
