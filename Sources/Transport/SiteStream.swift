// One session of a site: one TCP connection, one stream on it. Ends with a reason; SiteConnection decides what comes next.
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import NIOCore
import Synchronization

final class SiteStream: Sendable {
  private struct State {
    var welcomed = false
    /// A `refusal` or `finished` came, or this side closed: the end of the stream is expected.
    var ending = false
    var refusal: TransportError?
  }

  private let connection: SiteConnection
  private let outbound: BoundedQueue<SiteFrame>
  private let failure = FirstFailure()
  private let state = Mutex(State())

  private var configuration: SiteConnection.Configuration { connection.configuration }
  var wasWelcomed: Bool { state.withLock { $0.welcomed } }

  init(connection: SiteConnection) {
    self.connection = connection
    outbound = BoundedQueue(costMax: connection.configuration.limits.outboundBytesMax)
  }

  /// - Returns: nil when the session ended as it should, and why not otherwise.
  func run() async -> TransportError? {
    do {
      let open = try await ConnectionOpener.open(configuration, failure: failure)
      defer {
        outbound.discard()
        connection.closed()
      }
      try await serve(open)
    } catch {
      note(error)
      return refusalOr(failure.error ?? lost("\(error)"))
    }
    let (ending, refusal) = state.withLock { ($0.ending, $0.refusal) }
    if let refusal { return refusal }
    return ending ? nil : failure.error ?? lost("the server ended the session without a word")
  }

  /// A refusal explains the broken connection that follows from it.
  private func refusalOr(_ error: TransportError) -> TransportError? {
    let (ending, refusal) = state.withLock { ($0.ending, $0.refusal) }
    return refusal ?? (ending ? nil : error)
  }

  private func serve(_ open: OpenConnection) async throws {
    connection.canAbort { open.channel.close(promise: nil) }
    let client = GRPCClient(transport: open.transport)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await client.runConnections() }
      group.addTask { [self] in
        try await Task.sleep(for: configuration.welcomeTimeout)
        guard !wasWelcomed else { return }
        failure.record(
          TransportError(.deadline, "\(configuration.endpoint) sent no welcome in time", hint: "see the server's log for the cause"))
        open.channel.close(promise: nil)
      }
      do {
        // A cancelled task must not leave the connection behind, and a library that waits for a dead stream must not hold us up.
        try await withTaskCancellationHandler {
          try await exchange(client)
        } onCancel: {
          open.channel.close(promise: nil)
        }
        client.beginGracefulShutdown()
        open.channel.close(promise: nil)
      } catch {
        open.channel.close(promise: nil)
        group.cancelAll()
        while (try? await group.next()) != nil {}
        throw error
      }
      group.cancelAll()
      while (try? await group.next()) != nil {}
    }
  }

  private func exchange(_ client: GRPCClient<HTTP2ClientTransport.WrappedChannel>) async throws {
    var options = CallOptions.defaults
    options.maxRequestMessageBytes = FieldLimits.frameBytesMax
    options.maxResponseMessageBytes = FieldLimits.frameBytesMax
    try await Secagg_V1_Aggregation.Client(wrapping: client).session(options: options) { [self] writer in
      try await writer.write(WireCodec.encode(.hello(site: configuration.site, protocolVersion: transportProtocolVersion)))
      while let frame = await outbound.next() {
        do {
          try await withDeadline(configuration.limits.writeTimeout, late: self.slow()) {
            try await writer.write(WireCodec.encode(frame))
          }
        } catch {
          note(error)
          throw error
        }
      }
    } onResponse: { [self] response in
      defer { outbound.discard() }
      do {
        for try await wire in response.messages {
          guard try await take(WireCodec.decode(wire)) else { break }
        }
      } catch {
        note(error)
        throw error
      }
    }
  }

  /// - Returns: false when nothing more is to be read.
  private func take(_ frame: ServerFrame) async throws -> Bool {
    switch frame {
    case .welcome(let job, let bytes):
      guard
        state.withLock({ state in
          defer { state.welcomed = true }
          return !state.welcomed
        })
      else { throw outOfOrder("a second welcome") }
      guard connection.opened(outbound) else { return false }
      return await put(.connected(job: job, configuration: bytes), cost: frame.cost)
    case .refusal(let code, let reason):
      let error = TransportError(
        code == TransportError.Code.replaced.rawValue ? .replaced : .refused, "\(configuration.endpoint) refused (\(code)): \(reason)",
        hint: "the server's log has the same code and reason")
      state.withLock { $0.refusal = error }
      if wasWelcomed { _ = await put(.frame(frame), cost: frame.cost) }
      return false
    case .finished:
      guard wasWelcomed else { throw outOfOrder("a finish before the welcome") }
      state.withLock { $0.ending = true }
      _ = await put(.frame(frame), cost: frame.cost)
      return false
    case .message, .weightsChunk, .released:
      guard wasWelcomed else { throw outOfOrder("a frame before the welcome") }
      return await put(.frame(frame), cost: frame.cost)
    }
  }

  /// Keeps the cause before the closing connection reports its own end.
  private func note(_ error: any Error) {
    if let error = error as? TransportError { return failure.record(error) }
    guard let error = error as? RPCError else { return }
    switch error.code {
    case .invalidArgument: failure.record(WireCodec.malformed("what \(configuration.endpoint) sent"))
    case .resourceExhausted:
      failure.record(TransportError(.tooLarge, "a frame beyond the limit: \(error.message)", hint: "check both sides' versions"))
    case .unimplemented:
      failure.record(
        TransportError(
          .version, "\(configuration.endpoint) does not offer secagg.v1.Aggregation", hint: "check the address and the server's version"))
    default: break
    }
  }

  private func put(_ event: SiteConnectionEvent, cost: Int) async -> Bool { await connection.queue.put(event, cost: cost) }

  private func outOfOrder(_ what: String) -> TransportError {
    TransportError(.outOfOrder, "\(configuration.endpoint) sent \(what)", hint: "check that both sides run the same version")
  }
  private func slow() -> TransportError {
    TransportError(.deadline, "\(configuration.endpoint) stopped reading", hint: "the server may be overloaded")
  }
  private func lost(_ why: String) -> TransportError {
    TransportError(.connectionLost, "the connection to \(configuration.endpoint) broke: \(why.prefix(300))", hint: "it is tried again")
  }
}
