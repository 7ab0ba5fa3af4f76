// Own threads for the detector. Images are split between them; OpenBLAS itself stays on one thread, because threads inside
// its products are far slower on these shapes, and a CPU-bound job must not sit on Swift's shared pool. Idle workers sleep.

import COpenBLAS

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A fixed set of threads that run numbered shards. One caller at a time; the caller works too.
public final class WorkerPool: @unchecked Sendable {
  public let threads: Int

  // Invariant: everything below is read and written under `mutex`, except `body`, which workers call while `run` waits.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let done = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var workers: [pthread_t] = []
  private var body: ((Int) -> Void)?
  private var shards = 0
  private var next = 0
  private var unfinished = 0
  private var isStopping = false

  /// - Parameter threads: total number of threads including the caller's; at least 1.
  public init(threads: Int) {
    precondition(threads >= 1)
    self.threads = threads
    openblas_set_num_threads(1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
    pthread_cond_init(done, nil)
    for _ in 1..<max(threads, 1) {
      #if canImport(Glibc)
        var thread = pthread_t()
      #else
        var thread: pthread_t?
      #endif
      let context = Unmanaged.passUnretained(self).toOpaque()
      let status = pthread_create(&thread, nil, workerMain, context)
      precondition(status == 0, "the system refuses another thread (\(status))")
      #if canImport(Glibc)
        workers.append(thread)
      #else
        if let thread { workers.append(thread) }
      #endif
    }
  }

  deinit {
    pthread_mutex_lock(mutex)
    isStopping = true
    pthread_cond_broadcast(wake)
    pthread_mutex_unlock(mutex)
    for worker in workers { pthread_join(worker, nil) }
    pthread_cond_destroy(wake)
    pthread_cond_destroy(done)
    pthread_mutex_destroy(mutex)
    wake.deallocate()
    done.deallocate()
    mutex.deallocate()
  }

  /// Calls `body` once for every shard in `0..<shards`, on all threads, and returns when all calls have.
  /// Not re-entrant: `body` must not call `run` of the same pool.
  public func run(_ shards: Int, _ body: (Int) -> Void) {
    guard threads > 1, shards > 1 else {
      for shard in 0..<max(shards, 0) { body(shard) }
      return
    }
    withoutActuallyEscaping(body) { escapable in
      pthread_mutex_lock(mutex)
      precondition(self.body == nil, "WorkerPool.run is not re-entrant")
      self.body = escapable
      self.shards = shards
      next = 0
      unfinished = shards
      pthread_cond_broadcast(wake)
      takeShards()
      while unfinished > 0 { pthread_cond_wait(done, mutex) }
      self.body = nil
      pthread_mutex_unlock(mutex)
    }
  }

  /// Works until no shard is left. Called and left with the mutex held.
  private func takeShards() {
    while body != nil, next < shards {
      let shard = next
      next += 1
      pthread_mutex_unlock(mutex)
      perform(shard)
      pthread_mutex_lock(mutex)
      unfinished -= 1
      if unfinished == 0 { pthread_cond_signal(done) }
    }
  }

  /// A function of its own, so that no reference to the closure outlives the call: `run` returns as soon as the last one
  /// ends, and the closure must not have escaped then.
  @inline(never)
  private func perform(_ shard: Int) { body?(shard) }

  fileprivate func work() {
    pthread_mutex_lock(mutex)
    while !isStopping {
      takeShards()
      if !isStopping { pthread_cond_wait(wake, mutex) }
    }
    pthread_mutex_unlock(mutex)
  }
}

private func workerMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  if let context { Unmanaged<WorkerPool>.fromOpaque(context).takeUnretainedValue().work() }
  return nil
}
