// What travels between a site and the server: the frames of spec/proto/secagg/v1/aggregation.proto as plain values. Protocol messages are
// opaque bytes here; the transport neither reads nor signs them.

/// A frame from a site. Limits: ``TransportLimits``; a frame beyond them is refused on either side.
public enum SiteFrame: Sendable, Equatable {
  /// Opens a session; the connection sends it by itself. `site` is the permanent index in the roster.
  case hello(site: UInt32, protocolVersion: UInt32)
  /// A message of the aggregation protocol.
  case message([UInt8])
  /// Piece `index` of `count` of a packed, masked input.
  case inputChunk(index: UInt32, count: UInt32, bytes: [UInt8])
  /// Asks for the weights with this digest (32 bytes).
  case weightsRequest(digest: [UInt8])
  /// The site leaves of its own will.
  case goodbye(reason: String)
}

/// A frame from the server.
public enum ServerFrame: Sendable, Equatable {
  /// Accepts the session: the job's name and its configuration, opaque here.
  case welcome(job: String, configuration: [UInt8])
  /// A message of the aggregation protocol.
  case message([UInt8])
  /// Piece `index` of `count` of the weights file with this digest (32 bytes).
  case weightsChunk(digest: [UInt8], index: UInt32, count: UInt32, bytes: [UInt8])
  /// A round ended; its weights can be asked for by their digest (32 bytes).
  case released(round: UInt32, weightsDigest: [UInt8])
  /// The site broke a rule or cannot be served. The server ends the stream behind it.
  case refusal(code: String, reason: String)
  /// The job is over. The server ends the stream behind it.
  case finished(reason: String)
}

/// The version of the transport's rules that this code speaks.
public let transportProtocolVersion: UInt32 = 1

extension SiteFrame {
  /// What the frame holds in memory, for queue limits: its bytes and a small constant.
  package var cost: Int {
    switch self {
    case .message(let bytes), .inputChunk(_, _, let bytes): 256 + bytes.count
    case .hello, .weightsRequest, .goodbye: 1_280
    }
  }
}

extension ServerFrame {
  /// What the frame holds in memory, for queue limits: its bytes and a small constant.
  package var cost: Int {
    switch self {
    case .message(let bytes), .weightsChunk(_, _, _, let bytes), .welcome(_, let bytes): 256 + bytes.count
    case .released, .refusal, .finished: 1_280
    }
  }
}
