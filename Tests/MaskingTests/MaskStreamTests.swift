// The mask stream: NIST's vectors, independent vectors, and every path of this machine against the reference
// [MK-10] [MK-11] [MK-12] [MK-13].
import Sodium
import TestSupport
import Testing

@testable import Masking

@Suite struct MaskStreamTests {
  // NIST SP 800-38A, F.5.5 (CTR-AES256.Encrypt): key, first counter block, output blocks.
  let nistKey = Hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4").bytes
  let nistPrefix = CounterPrefix(section: 0xf0f1_f2f3, chunk: 0xf4f5_f6f7_f8f9_fafb)
  let nistOutput = Hex(
    "0bdf7df1591716335e9a8b15c860c5025a6e699d536119065433863c8f657b94"
      + "1bc12c9c01610d5d0d8bd6a3378eca622956e1c8693536b1bee99c73a31576b6"
  ).bytes

  @Test(arguments: MaskPath.available)
  func givesTheOutputOfSP800_38A(_ path: MaskPath) {
    var words = [UInt32](repeating: 0, count: 16)
    let keys = path.expand(SecretBytes(copying: nistKey))
    words.withUnsafeMutableBufferPointer { words in
      path.apply(.add, keys, nistPrefix, firstBlock: 0xfcfd_feff, blocks: 4, to: words.baseAddress!)
    }
    #expect(words.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) } == nistOutput)
  }

  @Test(arguments: MaskPath.available)
  func givesTheIndependentVectors(_ path: MaskPath) throws {
    for vector in try MaskingVectors.load().streams {
      let stream = MaskStream(seed: SecretBytes(copying: vector.seed.bytes), path: path)
      var words = [UInt32](repeating: 0, count: vector.words.count)
      stream.apply(.add, section: vector.section, startingAt: vector.first, to: &words)
      #expect(words == vector.words, "\(vector.name)")
      stream.apply(.subtract, section: vector.section, startingAt: vector.first, to: &words)
      #expect(words.allSatisfy { $0 == 0 }, "\(vector.name)")
    }
  }

  @Test(arguments: MaskPath.available)
  func equalsTheReferenceOnRandomRanges(_ path: MaskPath) {
    var random = SeededGenerator(seed: 0x5eca66)
    for _ in 0..<300 {
      let seed = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
      let section = UInt32.random(in: 0...UInt32.max, using: &random)
      let chunk = Int.random(in: 0..<1 << 18, using: &random)
      let offset = Bool.random(using: &random) ? 0 : Int.random(in: -40..<40, using: &random)
      let first = max(0, chunk << 20 + offset)
      let start = (0..<Int.random(in: 0...300, using: &random)).map { _ in UInt32.random(in: 0...UInt32.max, using: &random) }
      let operation: MaskStream.Operation = Bool.random(using: &random) ? .add : .subtract
      #expect(
        masked(start, seed, path, operation, section, first) == masked(start, seed, .portable, operation, section, first))
    }
  }

  @Test func everyAvailablePathProvesItself() {
    for path in MaskPath.available { #expect(path.provesItself(), "\(path)") }
    #expect(MaskPath.available.contains(.portable))
    #expect(MaskPath.available.contains(MaskPath.preferred))
  }

  @Test(arguments: MaskPath.available)
  func anyCutGivesTheSameStream(_ path: MaskPath) {
    let seed = [UInt8](repeating: 3, count: 32)
    let first = MaskStream.chunkCoordinates - 37
    let whole = masked([UInt32](repeating: 5, count: 90), seed, path, .add, 1, first)
    for cut in 0...90 {
      let left = masked([UInt32](repeating: 5, count: cut), seed, path, .add, 1, first)
      let right = masked([UInt32](repeating: 5, count: 90 - cut), seed, path, .add, 1, first + cut)
      #expect(left + right == whole, "cut at \(cut)")
    }
  }

  @Test(arguments: MaskPath.available)
  func nothingOutsideTheRangeIsTouched(_ path: MaskPath) {
    for count in 0...70 {
      var words = [UInt32](repeating: 7, count: count + 32)
      let stream = MaskStream(seed: SecretBytes(count: 32), path: path)
      words.withUnsafeMutableBufferPointer { words in
        let part = UnsafeMutableBufferPointer(rebasing: words[16..<16 + count])
        stream.apply(.add, section: 0, startingAt: 2, to: part)
      }
      #expect(words.prefix(16).allSatisfy { $0 == 7 } && words.suffix(16).allSatisfy { $0 == 7 }, "\(count) words")
    }
  }

  @Test func severalStreamsAtOnceAreTheSameStreams() {
    let streams = (0..<3).map { MaskStream(seed: SecretBytes(copying: [UInt8](repeating: $0, count: 32))) }
    let masks = [(streams[0], MaskStream.Operation.add), (streams[1], .subtract), (streams[2], .subtract)]
    var together = [UInt32](repeating: 11, count: 50_001)
    var apart = together
    let first = MaskStream.chunkCoordinates - 20_001
    MaskStream.apply(masks.map { (stream: $0.0, operation: $0.1) }, section: 4, startingAt: first, to: &together)
    for (stream, operation) in masks { stream.apply(operation, section: 4, startingAt: first, to: &apart) }
    #expect(together == apart)
  }

  @Test func seedSectionAndPlaceAllMatter() {
    let zeros = [UInt32](repeating: 0, count: 64)
    let seed = [UInt8](repeating: 1, count: 32)
    let path = MaskPath.preferred
    let base = masked(zeros, seed, path, .add, 0, 0)
    #expect(base != masked(zeros, [2] + seed.dropFirst(), path, .add, 0, 0))
    #expect(base != masked(zeros, seed, path, .add, 1, 0))
    #expect(base != masked(zeros, seed, path, .add, 0, 1))
    #expect(base != masked(zeros, seed, path, .add, 0, MaskStream.chunkCoordinates))
    #expect(Set(base).count > 60, "the words of a stream hardly ever repeat")
  }

  private func masked(
    _ words: [UInt32], _ seed: [UInt8], _ path: MaskPath, _ operation: MaskStream.Operation, _ section: UInt32, _ first: Int
  ) -> [UInt32] {
    var words = words
    MaskStream(seed: SecretBytes(copying: seed), path: path)
      .apply(operation, section: section, startingAt: first, to: &words)
    return words
  }
}
