// Waiting with an end: every wait of the transport passes through here or through a watchdog task.

/// Runs `body`; when it takes longer than `limit`, cancels it and throws `late`. `body` must heed cancellation.
package func withDeadline<Result: Sendable>(
  _ limit: Duration, late: @autoclosure @escaping @Sendable () -> TransportError, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  try await withThrowingTaskGroup(of: Result.self) { group in
    group.addTask(operation: body)
    group.addTask {
      try await Task.sleep(for: limit)
      throw late()
    }
    defer { group.cancelAll() }
    guard let result = try await group.next() else { throw CancellationError() }
    return result
  }
}
