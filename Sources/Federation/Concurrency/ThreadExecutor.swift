// A thread of one's own for work that computes or waits on the disk: on two cores a few such jobs on Swift's shared pool would keep
// every network callback waiting. Used as the executor of the actors that mask, unmask, decode, and sync files.
import Foundation

/// A serial executor on one dedicated thread, which lives as long as the process.
public final class ThreadExecutor: SerialExecutor, TaskExecutor, @unchecked Sendable {
  // Everything below is guarded by the condition.
  private let condition = NSCondition()
  private var jobs: [UnownedJob] = []
  private var head = 0
  private let name: String

  /// Starts the thread. Make few of them: they are never stopped.
  public init(name: String) {
    self.name = name
    let thread = Thread { self.work() }
    thread.name = name
    thread.stackSize = 8 << 20
    thread.start()
  }

  private func work() -> Never {
    while true {
      condition.lock()
      while head == jobs.count { condition.wait() }
      let job = jobs[head]
      head += 1
      if head == jobs.count {
        jobs.removeAll(keepingCapacity: true)
        head = 0
      }
      condition.unlock()
      job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }
  }

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    condition.lock()
    jobs.append(job)
    condition.signal()
    condition.unlock()
  }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
  public func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }
}
