// What leaves the site: frames, the masked input with its pieces, a farewell. A frame that is lost with its connection is not an error
// here: the server repeats what it still waits for (spec/03-phases.md, "Reconnection").
import SecAgg
import Transport

#if SECAGG_ORACLE
  import Federation
#endif

extension SiteDriver {
  func send(_ frame: SiteFrame) async {
    do {
      try await link.send(frame)
    } catch {
      // The server repeats what it still waits for when the connection is back.
      logger.debug("a frame was not sent: \(error.reason)")
    }
  }

  func sendInput(_ header: [UInt8], _ payload: [UInt8], _ attempt: Attempt) async {
    #if SECAGG_ORACLE
      if let input = attempt.session.unmaskedInput {
        try? SumOracle.fromEnvironment?.recordInput(
          round: attempt.plan.round, attempt: attempt.plan.attempt, site: setup.site, sections: input)
      }
    #endif
    do {
      let send = try link.sender()
      try await send(.message(header))
      let count = Chunking.count(bytes: payload.count, size: setup.chunkBytes)
      for index in 0..<count where !attempt.isOver {
        let begin = index * setup.chunkBytes
        let piece = Array(payload[begin..<min(begin + setup.chunkBytes, payload.count)])
        try await send(.inputChunk(index: UInt32(index), count: UInt32(count), bytes: piece))
      }
      logger.notice("round \(attempt.plan.round): masked input of \(payload.count) bytes handed in")
    } catch {
      logger.notice("the masked input did not leave whole: \(error.reason)")
    }
  }

  func sayGoodbye(_ reason: String) async {
    saidGoodbye = true
    try? await link.send(.goodbye(reason: reason))
  }
}
