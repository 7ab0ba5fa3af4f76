// Frames to protobuf and back (spec/proto/secagg/v1/aggregation.proto). Invariant: what this file lets through, in either direction, keeps
// every limit of the specification, so nothing behind it has to look at sizes again.
import Foundation
import SwiftProtobuf

/// Converts and checks frames. Both directions refuse with `tooLarge` or `malformed`, and never trap on foreign bytes.
package enum WireCodec {
  // MARK: sites

  package static func encode(_ frame: SiteFrame) throws(TransportError) -> Secagg_V1_SiteFrame {
    try check(frame)
    var wire = Secagg_V1_SiteFrame()
    switch frame {
    case .hello(let site, let version):
      wire.hello = .with {
        $0.site = site
        $0.protocolVersion = version
      }
    case .message(let bytes): wire.message = Data(bytes)
    case .inputChunk(let index, let count, let bytes):
      wire.inputChunk = .with {
        $0.index = index
        $0.count = count
        $0.data = Data(bytes)
      }
    case .weightsRequest(let digest): wire.weightsRequest = .with { $0.digest = Data(digest) }
    case .goodbye(let reason): wire.goodbye = .with { $0.reason = reason }
    }
    return wire
  }

  package static func decode(_ wire: Secagg_V1_SiteFrame) throws(TransportError) -> SiteFrame {
    let frame: SiteFrame
    var unknown = wire.unknownFields.data.count
    switch wire.frame {
    case .hello(let hello):
      unknown += hello.unknownFields.data.count
      frame = .hello(site: hello.site, protocolVersion: hello.protocolVersion)
    case .message(let data): frame = .message(Array(data))
    case .inputChunk(let chunk):
      unknown += chunk.unknownFields.data.count
      frame = .inputChunk(index: chunk.index, count: chunk.count, bytes: Array(chunk.data))
    case .weightsRequest(let request):
      unknown += request.unknownFields.data.count
      frame = .weightsRequest(digest: Array(request.digest))
    case .goodbye(let goodbye):
      unknown += goodbye.unknownFields.data.count
      frame = .goodbye(reason: goodbye.reason)
    case nil: throw malformed("a frame without content")
    }
    guard unknown == 0 else { throw malformed("a frame with fields that this version does not know") }
    try check(frame)
    return frame
  }

  // MARK: server

  package static func encode(_ frame: ServerFrame) throws(TransportError) -> Secagg_V1_ServerFrame {
    try check(frame)
    var wire = Secagg_V1_ServerFrame()
    switch frame {
    case .welcome(let job, let configuration):
      wire.welcome = .with {
        $0.job = job
        $0.configuration = Data(configuration)
      }
    case .message(let bytes): wire.message = Data(bytes)
    case .weightsChunk(let digest, let index, let count, let bytes):
      wire.weightsChunk = .with {
        $0.digest = Data(digest)
        $0.index = index
        $0.count = count
        $0.data = Data(bytes)
      }
    case .released(let round, let digest):
      wire.released = .with {
        $0.round = round
        $0.weightsDigest = Data(digest)
      }
    case .refusal(let code, let reason):
      wire.refusal = .with {
        $0.code = code
        $0.reason = reason
      }
    case .finished(let reason): wire.finished = .with { $0.reason = reason }
    }
    return wire
  }

  package static func decode(_ wire: Secagg_V1_ServerFrame) throws(TransportError) -> ServerFrame {
    let frame: ServerFrame
    var unknown = wire.unknownFields.data.count
    switch wire.frame {
    case .welcome(let welcome):
      unknown += welcome.unknownFields.data.count
      frame = .welcome(job: welcome.job, configuration: Array(welcome.configuration))
    case .message(let data): frame = .message(Array(data))
    case .weightsChunk(let chunk):
      unknown += chunk.unknownFields.data.count
      frame = .weightsChunk(digest: Array(chunk.digest), index: chunk.index, count: chunk.count, bytes: Array(chunk.data))
    case .released(let released):
      unknown += released.unknownFields.data.count
      frame = .released(round: released.round, weightsDigest: Array(released.weightsDigest))
    case .refusal(let refusal):
      unknown += refusal.unknownFields.data.count
      frame = .refusal(code: refusal.code, reason: refusal.reason)
    case .finished(let finished):
      unknown += finished.unknownFields.data.count
      frame = .finished(reason: finished.reason)
    case nil: throw malformed("a frame without content")
    }
    guard unknown == 0 else { throw malformed("a frame with fields that this version does not know") }
    try check(frame)
    return frame
  }
}
