// Scalars modulo ℓ: arithmetic against independent big integers (Python), canonical form at its edges.
import Sodium
import Testing

@Suite struct ScalarTests {
  let a = hex("47e10f4535a5200e4178aaef6b40f7b03e107add474e56aedd286349c0c03e04")
  let b = hex("526d99e98e0a3dd836d61e92910c05ab325af71a331b5b5aed62792332288d03")

  @Test func addsSubtractsAndMultiplies() throws {
    let (left, right) = (try Scalar(canonical: a), try Scalar(canonical: b))
    #expect((left + right).exposed() == hex("994ea92ec4af5de6774ec981fd4cfc5b716a71f87a69b108cb8bdc6cf2e8cb07"))
    #expect((left - right).exposed() == hex("f573765ba69ae3350aa28b5dda33f2050cb682c21433fb53f0c5e9258e98b100"))
    #expect((left * right).exposed() == hex("7349b798f5a2d0bb4c23a5885ccfdb1f5081659423a8993ef1e8e0b523a09d05"))
    #expect((left - left).isZero())
    #expect((left - right + right).constantTimeEquals(left))
    #expect(!left.constantTimeEquals(right))
  }

  @Test func aPolynomialIsEvaluatedByHorner() throws {
    let (left, right) = (try Scalar(canonical: a), try Scalar(canonical: b))
    var next = [right, left].makeIterator()
    let polynomial = ScalarPolynomial(constant: left, count: 3) { next.next() ?? Scalar(0) }
    for x in [UInt32(0), 1, 2, 255, 1 << 31] {
      let point = Scalar(x)
      let value = Scalar(at: 0, of: polynomial.values(at: [x]))
      #expect(value.constantTimeEquals(left + right * point + left * point * point))
    }
  }

  @Test func theLargestScalarIsAcceptedAndWrapsToZero() throws {
    var bytes = Scalar.order
    bytes[0] -= 1
    #expect((try Scalar(canonical: bytes) + Scalar(1)).isZero())
  }

  // ℓ itself, ℓ + 1, 2^255 − 1 and 2^256 − 1, and each power of two above ℓ.
  @Test func valuesOfTheOrderAndAboveAreRefused() {
    var next = Scalar.order
    next[0] += 1
    let large = [Scalar.order, next, [UInt8](repeating: 255, count: 31) + [0x7f], [UInt8](repeating: 255, count: 32)]
    for bytes in large + (253..<256).map({ power($0) }) {
      #expect { try Scalar(canonical: bytes) } throws: { ($0 as? SodiumError)?.code == .notCanonical }
    }
    // One more in any byte of ℓ is above ℓ, whatever the lower bytes are.
    for index in 0..<32 where Scalar.order[index] < 255 {
      var bytes = [UInt8](repeating: 0, count: index) + Scalar.order[index...]
      bytes[index] += 1
      #expect(throws: SodiumError.self) { try Scalar(canonical: bytes) }
    }
  }

  @Test func powersBelowTheOrderAreAccepted() throws {
    for exponent in 0...252 { #expect(try Scalar(canonical: power(exponent)).exposed() == power(exponent)) }
  }

  @Test(arguments: [0, 1, 31, 33, 64])
  func otherLengthsAreRefused(_ count: Int) {
    #expect { try Scalar(canonical: [UInt8](repeating: 0, count: count)) } throws: {
      ($0 as? SodiumError)?.code == .wrongLength
    }
  }

  @Test func randomScalarsAreCanonicalAndDiffer() throws {
    let made = (0..<64).map { _ in Scalar.random().exposed() }
    for bytes in made { _ = try Scalar(canonical: bytes) }
    #expect(Set(made).count == made.count)
  }

  private func power(_ exponent: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 32)
    bytes[exponent / 8] = 1 << UInt8(exponent % 8)
    return bytes
  }
}
