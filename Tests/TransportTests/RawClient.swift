// A client that keeps no rule of the transport: any certificate or none, any bytes as frames. What a hostile site could send.
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import TLSIdentity
import Transport

/// Sends bytes as they are.
struct RawSerializer: MessageSerializer {
  func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }
}

struct RawDeserializer: MessageDeserializer {
  func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] { bytes.withUnsafeBytes { Array($0) } }
}

enum RawClient {
  /// What came back, and how it ended.
  struct Answer: Sendable {
    var frames: [ServerFrame] = []
    var error: (any Error)?

    /// The code of the refusal that came last.
    var refusal: String? {
      if case .refusal(let code, _)? = frames.last { code } else { nil }
    }
  }

  /// Sends the frames, then waits for the server to end the stream.
  static func exchange(
    _ endpoint: ServerEndpoint, as credentials: TLSCredentials?, trusting root: PeerCertificate? = nil, sending frames: [[UInt8]]
  ) async -> Answer {
    let security: HTTP2ClientTransport.Posix.TransportSecurity =
      if let credentials {
        .mTLS(
          certificateChain: [.bytes(credentials.certificate.der, format: .der)], privateKey: .bytes(credentials.keyDER, format: .der)
        ) { tls in
          tls.serverCertificateVerification = root == nil ? .noVerification : .fullVerification
          if let root { tls.trustRoots = .certificates([.bytes(root.der, format: .der)]) }
        }
      } else {
        .tls { $0.serverCertificateVerification = .noVerification }
      }
    do {
      let transport = try HTTP2ClientTransport.Posix(
        target: .ipv4(address: endpoint.host, port: endpoint.port), transportSecurity: security)
      return try await withGRPCClient(transport: transport) { client in
        var options = CallOptions.defaults
        options.waitForReady = false
        let received = BoundedQueue<[UInt8]>(costMax: .max)
        do {
          try await client.bidirectionalStreaming(
            request: StreamingClientRequest<[UInt8]> { writer in
              for frame in frames { try await writer.write(frame) }
              // The stream stays open: only the server ends it.
              try await Task.sleep(for: .seconds(50))
            },
            descriptor: Secagg_V1_Aggregation.Method.Session.descriptor, serializer: RawSerializer(), deserializer: RawDeserializer(),
            options: options
          ) { response in
            for try await bytes in response.messages { received.force(bytes, cost: 1) }
          }
        } catch {
          return try await collect(received, error)
        }
        return try await collect(received, nil)
      }
    } catch {
      return Answer(error: error)
    }
  }

  private static func collect(_ queue: BoundedQueue<[UInt8]>, _ error: (any Error)?) async throws -> Answer {
    queue.finish()
    var answer = Answer(error: error)
    while let bytes = await queue.next() {
      answer.frames.append(try WireCodec.decode(Secagg_V1_ServerFrame(serializedBytes: bytes)))
    }
    return answer
  }

  static func bytes(_ frame: SiteFrame) throws -> [UInt8] { try WireCodec.encode(frame).serializedBytes() }
  static func hello(_ site: UInt32) throws -> [UInt8] { try bytes(.hello(site: site, protocolVersion: transportProtocolVersion)) }
}
