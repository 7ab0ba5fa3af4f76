// Secret sharing: independent vectors, every subset for small cohorts, libsodium against GMP, and shares that must be
// refused or give another secret [SS-01] [SS-02] [SS-03] [SS-04] [SS-05].
import GMP
import Masking
import Sodium
import Testing

@Suite struct ShamirTests {
  @Test func splitsAsTheIndependentVectors() throws {
    for vector in try MaskingVectors.load().sharings {
      let scalars = try vector.coefficients.map { try Scalar(canonical: $0.bytes) }
      var rest = scalars.dropFirst().makeIterator()
      let shares = try ShamirShare.split(scalars[0], threshold: vector.threshold, count: vector.count) {
        rest.next() ?? Scalar(0)
      }
      #expect(shares.map(\.point) == (1...UInt8(vector.count)).map { $0 })
      for (point, bytes) in vector.shares {
        let index = try #require(Int(point)) - 1
        #expect(shares[index].value.exposed() == bytes.bytes, "\(vector.threshold) of \(vector.count), x = \(point)")
      }
      let last = Array(shares.suffix(vector.threshold))
      #expect(try rebuild(last) == vector.coefficients[0].bytes)
    }
  }

  @Test func everySubsetOfTheThresholdRebuildsAndNoSmallerOne() throws {
    for count in 1...7 {
      for threshold in 1...count {
        let secret = Scalar.random()
        let shares = try ShamirShare.split(secret, threshold: threshold, count: count)
        for subset in 1..<(1 << count) {
          let chosen = shares.indices.filter { subset >> $0 & 1 == 1 }.map { shares[$0] }
          let matches = try rebuild(chosen) == secret.exposed()
          #expect(matches == (chosen.count >= threshold), "\(threshold) of \(count), subset \(subset)")
        }
      }
    }
  }

  @Test func theOrderOfTheSharesDoesNotMatter() throws {
    let secret = Scalar.random()
    let shares = try ShamirShare.split(secret, threshold: 5, count: 9)
    #expect(try rebuild([8, 0, 3, 5, 1].map { shares[$0] }) == secret.exposed())
  }

  @Test func oneSetOfWeightsServesEverySecret() throws {
    let weights = try ShamirWeights(points: [2, 5, 7])
    for _ in 0..<20 {
      let secret = Scalar.random()
      let shares = try ShamirShare.split(secret, threshold: 3, count: 8)
      #expect(try weights.rebuild([shares[1], shares[4], shares[6]]).constantTimeEquals(secret))
    }
  }

  @Test func gmpAndLibsodiumAgreeOnTheField() throws {
    let order = BigInteger(bytes: Scalar.order, .littleEndian)
    #expect(order.decimal == "7237005577332262213973186563042994240857116359379907606001950938285454250989")
    for _ in 0..<50 {
      let (left, right) = (Scalar.random(), Scalar.random())
      let (x, y) = (integer(left), integer(right))
      #expect(try (x + y).modulo(order) == integer(left + right))
      #expect(try (x - y).modulo(order) == integer(left - right))
      #expect(try (x * y).modulo(order) == integer(left * right))
    }
  }

  @Test func aWrongShareGivesAWrongSecret() throws {
    let secret = Scalar.random()
    let shares = try ShamirShare.split(secret, threshold: 4, count: 6)
    for index in 0..<4 {
      var altered = Array(shares.prefix(4))
      altered[index] = try ShamirShare(point: altered[index].point, value: altered[index].value + Scalar(1))
      #expect(try rebuild(altered) != secret.exposed())
      altered[index] = try ShamirShare(point: 6, value: shares[index].value)
      #expect(try rebuild(altered) != secret.exposed(), "the right value at another point")
    }
  }

  @Test func sharesOfOneDealDiffer() throws {
    let shares = try ShamirShare.split(Scalar.random(), threshold: 3, count: 20)
    #expect(Set(shares.map { $0.value.exposed() }).count == 20)
    let secret = Scalar.random()
    let again = try (0..<2).map { _ in try ShamirShare.split(secret, threshold: 3, count: 3)[0].value.exposed() }
    #expect(again[0] != again[1], "a second deal uses fresh coefficients")
  }

  @Test(arguments: [(0, 3), (-1, 3), (4, 3), (1, 0), (0, 0), (2, 256), (256, 256), (1, -1)])
  func sharingParametersOutsideTheirRangeAreRefused(_ threshold: Int, _ count: Int) {
    #expect(code { _ = try ShamirShare.split(Scalar(1), threshold: threshold, count: count) } == .wrongShareCount)
  }

  @Test func badPointsAreRefused() throws {
    #expect(code { _ = try ShamirShare(point: 0, value: Scalar(1)) } == .badSharePoint)
    #expect(code { _ = try ShamirWeights(points: [1, 0, 2]) } == .badSharePoint)
    #expect(code { _ = try ShamirWeights(points: [1, 2, 1]) } == .badSharePoint)
    #expect(code { _ = try ShamirWeights(points: []) } == .wrongShareCount)
    #expect(code { _ = try ShamirWeights(points: [UInt8](repeating: 1, count: 256)) } == .wrongShareCount)
  }

  @Test func sharesThatDoNotBelongToTheWeightsAreRefused() throws {
    let shares = try ShamirShare.split(Scalar(5), threshold: 3, count: 4)
    let weights = try ShamirWeights(points: [1, 2, 3])
    #expect(code { _ = try weights.rebuild(Array(shares.prefix(2))) } == .wrongShareCount)
    #expect(code { _ = try weights.rebuild(shares) } == .wrongShareCount)
    #expect(code { _ = try weights.rebuild([]) } == .wrongShareCount)
    #expect(code { _ = try weights.rebuild([shares[0], shares[1], shares[3]]) } == .badSharePoint)
    #expect(code { _ = try weights.rebuild([shares[1], shares[0], shares[2]]) } == .badSharePoint)
    #expect(code { _ = try weights.rebuild([shares[0], shares[0], shares[2]]) } == .badSharePoint)
  }

  @Test func sharesOutsideTheFieldAreRefused() {
    let lengths = [0, 31, 33].map { [UInt8](repeating: 0, count: $0) }
    for bytes in [Scalar.order, [UInt8](repeating: 255, count: 32)] + lengths {
      #expect(code { _ = try ShamirShare(point: 1, canonical: SecretBytes(copying: bytes)) } == .scalarNotCanonical)
    }
    #expect(code { _ = try ShamirShare(point: 0, canonical: SecretBytes(count: 32)) } == .badSharePoint)
  }

  private func rebuild(_ shares: [ShamirShare]) throws -> [UInt8] {
    try ShamirWeights(points: shares.map(\.point)).rebuild(shares).exposed()
  }

  private func integer(_ scalar: Scalar) -> BigInteger { BigInteger(bytes: scalar.exposed(), .littleEndian) }

  private func code(_ body: () throws -> Void) -> MaskingError.Code? {
    do {
      try body()
      return nil
    } catch { return (error as? MaskingError)?.code }
  }
}
