// The transport's frames, and payloads in pieces: what passes keeps every limit and comes out as it went in.
import Foundation
import SwiftProtobuf
import Transport

struct WireTarget: Target {
  static let name = "wire"

  /// The first byte: 0 a site's frame, 1 the server's, 2 pieces.
  func run(_ input: [UInt8]) {
    var source = Source(input)
    switch source.u8() % 3 {
    case 0:
      guard let wire = try? Secagg_V1_SiteFrame(serializedBytes: source.rest()), let frame = try? WireCodec.decode(wire) else { return }
      guard let again = try? WireCodec.encode(frame) else { fatalError("broken property: what was received cannot be sent") }
      require((try? WireCodec.decode(again)) == frame, "a frame changed")
      require(frame.cost >= 256, "a frame that costs nothing")
    case 1:
      guard let wire = try? Secagg_V1_ServerFrame(serializedBytes: source.rest()), let frame = try? WireCodec.decode(wire) else { return }
      guard let again = try? WireCodec.encode(frame) else { fatalError("broken property: what was received cannot be sent") }
      require((try? WireCodec.decode(again)) == frame, "a frame changed")
      require(frame.cost >= 256, "a frame that costs nothing")
    default: pieces(&source)
    }
  }

  private func pieces(_ source: inout Source) {
    let bytesMax = source.u16()
    var assembler = ChunkAssembler(bytesMax: bytesMax)
    var expected: [UInt8] = []
    var isBroken = false
    let usual = (count: UInt32(source.u8()), size: source.below(64))
    for index in 0..<UInt32(64) where !source.isAtEnd {
      let kind = source.u8()
      let place = kind & 1 == 0 ? index : UInt32(truncatingIfNeeded: source.u16() &* 0x1_0001)
      let count = kind & 2 == 0 ? usual.count : UInt32(truncatingIfNeeded: source.u16() &* 0x1_0001)
      let piece = [UInt8](repeating: kind, count: kind & 4 == 0 ? usual.size : source.u16())
      do {
        let whole = try assembler.add(index: place, count: count, bytes: piece)
        require(!isBroken, "an assembler goes on after a refusal")
        expected += piece
        require(expected.count <= bytesMax, "more than is taken")
        guard let whole else { continue }
        require(whole == expected && place + 1 == count, "a payload is not its pieces")
        isBroken = true
      } catch { isBroken = true }
    }
  }

  func seeds() throws -> [[UInt8]] {
    let digest = [UInt8](repeating: 5, count: 32)
    let site: [SiteFrame] = [
      .hello(site: 3, protocolVersion: 1), .message([1, 2, 3]), .inputChunk(index: 1, count: 3, bytes: [9]),
      .weightsRequest(digest: digest), .goodbye(reason: "größe"),
    ]
    let server: [ServerFrame] = [
      .welcome(job: "job", configuration: [1]), .message([7]), .weightsChunk(digest: digest, index: 0, count: 1, bytes: [4]),
      .released(round: 2, weightsDigest: digest), .refusal(code: "SA-01", reason: "no"), .finished(reason: "done"),
    ]
    let pieces: [[UInt8]] = [[2, 255, 255, 3, 9, 0, 0, 0], [2, 0, 20, 3, 9, 0, 0, 4, 0, 2], [2, 1, 0, 2, 9, 0, 1, 0, 1]]
    return try site.map { [0] + (try WireCodec.encode($0).serializedBytes() as [UInt8]) }
      + server.map { [1] + (try WireCodec.encode($0).serializedBytes() as [UInt8]) } + pieces
  }
}
