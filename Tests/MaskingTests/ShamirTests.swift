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
      let shares = try split(scalars[0], threshold: vector.threshold, count: vector.count) {
        rest.next() ?? Scalar(0)
      }
      #expect(shares.map(\.point) == (1...UInt16(vector.count)).map { $0 })
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
        let shares = try split(secret, threshold: threshold, count: count)
        for subset in 1..<(1 << count) {
          let chosen = shares.indices.filter { subset >> $0 & 1 == 1 }.map { shares[$0] }
          let matches = try rebuild(chosen) == secret.exposed()
          #expect(matches == (chosen.count >= threshold), "\(threshold) of \(count), subset \(subset)")
        }
      }
    }
  }

  @Test func pointsOfASparseGraphRebuildToo() throws {
    let secret = Scalar.random()
    let deal = try ShamirDeal(secret, threshold: 3, points: [10_000, 77, 4_000, 65_535], commits: true)
    #expect(try rebuild(Array(deal.shares().dropFirst())) == secret.exposed())
    #expect(deal.commitments[0] == RistrettoPoint.multipleOfBase(secret))
    #expect(deal.shares().allSatisfy { FeldmanCheck.holds($0.value, at: $0.point, deal.commitments) })
  }

  @Test("[SS-06] a share fits its dealer's commitments or is another")
  func feldman() throws {
    let deal = try ShamirDeal(.random(), threshold: 4, points: [1, 2, 3, 4, 5], commits: true)
    #expect(deal.commitments.count == 4)
    for share in deal.shares() {
      #expect(FeldmanCheck.holds(share.value, at: share.point, deal.commitments))
      #expect(!FeldmanCheck.holds(share.value + Scalar(1), at: share.point, deal.commitments))
      #expect(!FeldmanCheck.holds(share.value, at: share.point + 1, deal.commitments))
      #expect(!FeldmanCheck.holds(share.value, at: share.point, Array(deal.commitments.dropLast())))
    }
    let other = try ShamirDeal(.random(), threshold: 4, points: [1, 2, 3, 4], commits: true)
    #expect(!FeldmanCheck.holds(deal.share(0), at: 1, other.commitments))
    // The zero polynomial: every product is the neutral element.
    let zero = try ShamirDeal(Scalar(0), threshold: 2, points: [1, 2], commits: true) { Scalar(0) }
    #expect(zero.commitments == [.identity, .identity] && FeldmanCheck.holds(zero.share(1), at: 2, zero.commitments))
    #expect(!FeldmanCheck.holds(Scalar(1), at: 2, zero.commitments))
    // A constant: the identity stands among the commitments.
    let constant = try ShamirDeal(Scalar(9), threshold: 2, points: [3, 4]) { Scalar(0) }
    #expect(constant.commitments.isEmpty && FeldmanCheck.holds(constant.share(0), at: 3, [.multipleOfBase(Scalar(9)), .identity]))
    #expect(throws: SodiumError.self) { try RistrettoPoint([UInt8](repeating: 255, count: 32)) }
    #expect(throws: SodiumError.self) { try RistrettoPoint([1] + [UInt8](repeating: 0, count: 31)) }
    #expect(throws: SodiumError.self) { try RistrettoPoint([UInt8](repeating: 0, count: 31)) }
  }

  @Test func theOrderOfTheSharesDoesNotMatter() throws {
    let secret = Scalar.random()
    let shares = try split(secret, threshold: 5, count: 9)
    #expect(try rebuild([8, 0, 3, 5, 1].map { shares[$0] }) == secret.exposed())
  }

  @Test func oneSetOfWeightsServesEverySecret() throws {
    let weights = try ShamirWeights(points: [2, 5, 7])
    for _ in 0..<20 {
      let secret = Scalar.random()
      let shares = try split(secret, threshold: 3, count: 8)
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
    let shares = try split(secret, threshold: 4, count: 6)
    for index in 0..<4 {
      var altered = Array(shares.prefix(4))
      altered[index] = try ShamirShare(point: altered[index].point, value: altered[index].value + Scalar(1))
      #expect(try rebuild(altered) != secret.exposed())
      altered[index] = try ShamirShare(point: 6, value: shares[index].value)
      #expect(try rebuild(altered) != secret.exposed(), "the right value at another point")
    }
  }

  @Test func sharesOfOneDealDiffer() throws {
    let shares = try split(Scalar.random(), threshold: 3, count: 20)
    #expect(Set(shares.map { $0.value.exposed() }).count == 20)
    let secret = Scalar.random()
    let again = try (0..<2).map { _ in try split(secret, threshold: 3, count: 3)[0].value.exposed() }
    #expect(again[0] != again[1], "a second deal uses fresh coefficients")
  }

  @Test(arguments: [(0, 3), (-1, 3), (4, 3), (1, 0), (0, 0), (2, 256), (256, 256), (1, -1)])
  func sharingParametersOutsideTheirRangeAreRefused(_ threshold: Int, _ count: Int) {
    #expect(code { _ = try split(Scalar(1), threshold: threshold, count: count) } == .wrongShareCount)
  }

  @Test func badPointsAreRefused() throws {
    #expect(code { _ = try ShamirShare(point: 0, value: Scalar(1)) } == .badSharePoint)
    #expect(code { _ = try ShamirDeal(Scalar(1), threshold: 1, points: [1, 0]) } == .badSharePoint)
    #expect(code { _ = try ShamirDeal(Scalar(1), threshold: 1, points: [7, 7]) } == .badSharePoint)
    #expect(code { _ = try ShamirWeights(points: [1, 0, 2]) } == .badSharePoint)
    #expect(code { _ = try ShamirWeights(points: [1, 2, 1]) } == .badSharePoint)
    #expect(code { _ = try ShamirWeights(points: []) } == .wrongShareCount)
    #expect(code { _ = try ShamirWeights(points: [UInt16](repeating: 1, count: 256)) } == .wrongShareCount)
  }

  @Test func sharesThatDoNotBelongToTheWeightsAreRefused() throws {
    let shares = try split(Scalar(5), threshold: 3, count: 4)
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

  /// The shares of the points 1 to `count`.
  private func split(
    _ secret: Scalar, threshold: Int, count: Int, coefficient: () -> Scalar = { .random() }
  ) throws -> [ShamirShare] {
    try ShamirDeal(
      secret, threshold: threshold, points: (1...max(count, 1)).prefix(max(count, 0)).map { UInt16($0) }, coefficient: coefficient
    )
    .shares()
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
