// The stream of a seed: its bytes are those of tools/reference/noise_samplers.py, however they are cut into calls.
import Testing

@testable import Sodium

@Suite struct RandomStreamTests {
  private let seed = [UInt8](0..<32)

  private func bytes(_ stream: inout RandomStream, _ count: Int) -> [UInt8] {
    var result = [UInt8](repeating: 0xaa, count: count)
    result.withUnsafeMutableBytes { stream.fill($0) }
    return result
  }

  private func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// [NS-01]
  @Test func aSeedFixesTheBytesAcrossRefills() throws {
    var stream = try RandomStream(seed: SecretBytes(copying: seed), index: 5)
    let found = bytes(&stream, 5000)
    #expect(
      hex(found.prefix(64)) == "04fd685de025fec2cf05b472c4626b63aff13af72427c9fd92b04738ac90a80c"
        + "2308960a4525473e8baa394825b530a39e3e8345f45801087435a7b114f479ca")
    #expect(hex(found.suffix(32)) == "7a36449615818b750cd994e4e2bd37417202e87dc12342f4325c6354e36b32f9")
  }

  @Test func theCutIntoCallsMakesNoDifference() throws {
    var whole = try RandomStream(seed: SecretBytes(copying: seed))
    var parts = try RandomStream(seed: SecretBytes(copying: seed))
    let expected = bytes(&whole, 20_000)
    var found: [UInt8] = []
    var size = 0
    while found.count < expected.count {
      found += bytes(&parts, min(size, expected.count - found.count))
      size = (size * 5 + 1) % 6007
    }
    #expect(found == expected)
  }

  @Test func seedsAndIndicesGiveOtherStreams() throws {
    var streams: Set<[UInt8]> = []
    for index in 0..<4 as Range<UInt64> {
      var stream = try RandomStream(seed: SecretBytes(copying: seed), index: index)
      streams.insert(bytes(&stream, 32))
    }
    for _ in 0..<4 {
      var fresh = RandomStream()
      streams.insert(bytes(&fresh, 32))
    }
    #expect(streams.count == 8)
  }

  @Test func aSeedHas32Bytes() {
    for count in [0, 31, 33] {
      #expect(throws: SodiumError(.wrongLength, "a seed has \(count) bytes instead of 32")) {
        _ = try RandomStream(seed: SecretBytes(count: count))
      }
    }
  }

  @Test func anEmptyBufferTakesNothing() throws {
    var left = try RandomStream(seed: SecretBytes(copying: seed))
    var right = try RandomStream(seed: SecretBytes(copying: seed))
    left.fill(UnsafeMutableRawBufferPointer(start: nil, count: 0))
    #expect(bytes(&left, 16) == bytes(&right, 16))
  }
}
