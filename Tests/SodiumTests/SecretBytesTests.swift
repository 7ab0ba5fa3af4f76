// Secret memory: starts as zeros, is taken and not left behind, compares, and prints nothing.
import Sodium
import Testing

@Suite struct SecretBytesTests {
  @Test func startsAsZeros() {
    let (fresh, empty) = (isZero(SecretBytes(count: 100)), bytes(SecretBytes(count: 0)))
    let random = isZero(SecretBytes(randomCount: 32))
    #expect(fresh)
    #expect(empty.isEmpty)
    #expect(!random)
  }

  @Test func takingWipesTheSource() {
    var source: [UInt8] = [1, 2, 3]
    let secret = SecretBytes(taking: &source)
    let taken = bytes(secret)
    #expect(taken == [1, 2, 3])
    #expect(source == [0, 0, 0])
  }

  @Test func duplicatesAreApart() {
    var first = SecretBytes(copying: [1, 2, 3])
    let second = first.duplicate()
    first.withUnsafeMutableBytes { $0[0] = 9 }
    let (left, right) = (bytes(first), bytes(second))
    #expect(left == [9, 2, 3])
    #expect(right == [1, 2, 3])
  }

  @Test func comparesEveryByte() {
    let secret: [UInt8] = [1, 2, 3, 4]
    #expect(equal(secret, [1, 2, 3, 4]))
    for other in [[0, 2, 3, 4], [1, 2, 3, 5], [1, 2, 3], [1, 2, 3, 4, 0], []] as [[UInt8]] {
      #expect(!equal(secret, other))
      #expect(!SodiumLibrary.constantTimeEqual(secret, other))
    }
    #expect(SodiumLibrary.constantTimeEqual([], []))
  }

  @Test func keysPrintNothing() throws {
    let seed = [UInt8](repeating: 0xab, count: 32)
    let signing = try Ed25519.SigningKey(seed: SecretBytes(copying: seed))
    let exchange = try X25519.SecretKey(derivedFrom: SecretBytes(copying: seed))
    for text in ["\(signing)", "\(exchange)", String(reflecting: signing), "\(Scalar(171))"] {
      #expect(!text.contains("171") && !text.lowercased().contains("abab"))
    }
  }

  @Test func randomBytesDifferAndStayBelowTheirBound() {
    #expect(RandomBytes.make(32) != RandomBytes.make(32))
    #expect(RandomBytes.make(0).isEmpty)
    for bound in [UInt32(1), 2, 7, 1000] {
      for _ in 0..<100 { #expect(RandomBytes.uniform(below: bound) < bound) }
    }
    var generator = SodiumRandomNumberGenerator()
    #expect(generator.next() != generator.next())
  }

  // `#expect` takes copyable values only.
  private func bytes(_ secret: borrowing SecretBytes) -> [UInt8] { secret.exposed() }
  private func isZero(_ secret: borrowing SecretBytes) -> Bool { secret.isZero() }
  private func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    SecretBytes(copying: left).constantTimeEquals(SecretBytes(copying: right))
  }
}
