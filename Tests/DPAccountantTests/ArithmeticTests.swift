// The pieces that the accounts rest on, each against a readable reference: the transform against its definition, the periodic factor against
// big integers, the search against the whole table. [AC-14], [AC-18], [AC-24]
import Foundation
import GMP
import TestSupport
import Testing

@testable import DPAccountant

@Suite struct ArithmeticTests {
  /// [AC-24]
  @Test(arguments: [4, 8, 32, 128]) func transformIsItsDefinition(_ count: Int) {
    var generator = SeededGenerator(seed: UInt64(count))
    let (real, imaginary) = (
      (0..<count).map { _ in Double.random(in: -1...1, using: &generator) },
      (0..<count).map { _ in Double.random(in: -1...1, using: &generator) }
    )
    let transform = FourierTransform(count: count)
    var (x, y) = (real, imaginary)
    transform.forward(&x, &y)
    let allowed = transform.relativeError * zip(real, imaginary).reduce(0) { $0 + abs($1.0) + abs($1.1) }
    let bits = count.trailingZeroBitCount
    for frequency in 0..<count {
      var (a, b) = (CompensatedSum(), CompensatedSum())
      for index in 0..<count {
        let angle = -2 * Double.pi * Double(index * frequency % count) / Double(count)
        a.add(real[index] * cos(angle) - imaginary[index] * sin(angle))
        b.add(real[index] * sin(angle) + imaginary[index] * cos(angle))
      }
      let place = (0..<bits).reduce(0) { $0 | (frequency >> $1 & 1) << (bits - 1 - $1) }
      #expect(abs(x[place] - a.value) <= allowed && abs(y[place] - b.value) <= allowed)
      let negated = (count - frequency) % count
      let mirror = (0..<bits).reduce(0) { $0 | (negated >> $1 & 1) << (bits - 1 - $1) }
      #expect(FourierTransform.mirror(place) == mirror)
    }
    transform.backward(&x, &y)
    for index in 0..<count { #expect(abs(x[index] - real[index]) < 1e-14 && abs(y[index] - imaginary[index]) < 1e-14) }
  }

  /// [AC-24]
  @Test(arguments: [8, 16, 128]) func realTransformIsItsDefinition(_ count: Int) {
    var generator = SeededGenerator(seed: UInt64(count))
    let sequence = (0..<count).map { _ in Double.random(in: -1...1, using: &generator) }
    let transform = RealTransform(count: count)
    let allowed = transform.relativeError * sequence.reduce(0) { $0 + abs($1) }
    var spectrum = (real: [Double](repeating: .nan, count: count / 2 + 1), imaginary: [Double](repeating: .nan, count: count / 2 + 1))
    transform.forward(sequence) { (spectrum.real[$0], spectrum.imaginary[$0]) = ($1, $2) }
    let bits = count.trailingZeroBitCount - 1
    for frequency in 0...count / 2 {
      var (a, b) = (CompensatedSum(), CompensatedSum())
      for index in 0..<count {
        let angle = UnitAngle(-index * frequency, of: count)
        a.add(sequence[index] * angle.cosine)
        b.add(sequence[index] * angle.sine)
      }
      let place = frequency == count / 2 ? frequency : (0..<bits).reduce(0) { $0 | (frequency >> $1 & 1) << (bits - 1 - $1) }
      #expect(abs(spectrum.real[place] - a.value) <= allowed && abs(spectrum.imaginary[place] - b.value) <= allowed)
    }
    let back = transform.backward(spectrum)
    for index in 0..<count { #expect(abs(back[index] - sequence[index]) < 1e-14) }
  }

  /// [AC-14] Probabilities of the sum by squaring one big integer that packs those of a summand: no period, no factor.
  @Test(arguments: [(2, 0.25), (3, 0.4), (5, 1.0), (8, 0.0625), (16, 0.5)]) func factorIsTheConvolution(_ count: Int, _ variance: Double)
    throws
  {
    let (bits, slot, reach) = (UInt(400), UInt(1024), 30)
    // Weights to 400 bits are powers of e^{−1/2σ²}, which comes from its series in fractions.
    let unit = expNegative(variance, bits)
    var packed = BigInteger(0)
    for x in -reach...reach {
      let weight = (0..<(x * x)).reduce(BigInteger.powerOfTwo(bits)) { product, _ in shifted(product * unit, bits) }
      packed = packed + weight * BigInteger.powerOfTwo(UInt(x + reach) * slot)
    }
    var power = packed
    for _ in 1..<count { power = trimmed(power, packed, bits, slot, cells: 2 * reach * count + 1) }
    let sums = unpacked(power, slot, cells: 2 * reach * count + 1)
    let factor = try #require(LatticeFactor(count: count, variance: variance))
    let middle = reach * count
    let zero = logarithm(sums[middle])
    for x in -12...12 {
      let exact = logarithm(sums[middle + x]) - zero + Double(x) * Double(x) / (2 * factor.total)
      #expect(abs(factor.log(x) - exact) < 1e-12 * max(1, Double(x * x) / factor.total), "\(count) of \(variance) at \(x)")
    }
  }

  /// [AC-18] The search gives the very figure of the whole table.
  @Test func searchIsTheTable() throws {
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<300 {
      let sigma = exp(Double.random(in: -2.5...4, using: &generator))
      let rate = exp(Double.random(in: -12...0, using: &generator))
      let steps = Int(exp(Double.random(in: 0...18, using: &generator)))
      let delta = exp(Double.random(in: -40 ... -2, using: &generator))
      var accountant = try RenyiAccountant()
      try accountant.compose(.poissonSampled(samplingRate: rate, .gaussian(noiseMultiplier: sigma)), count: steps)
      if Bool.random(using: &generator) { try accountant.compose(.laplace(noiseMultiplier: 3), count: 2) }
      var start = Int.random(in: 0..<200, using: &generator)
      let found = try accountant.epsilon(delta: delta, rule: .improved, start: &start)
      #expect(found == (try accountant.curve.epsilon(delta: delta)), "sigma \(sigma), rate \(rate), \(steps) steps, delta \(delta)")
    }
  }

  @Test func searchFindsEveryValley() {
    for count in 1...12 {
      for bottom in 0..<count {
        for start in 0..<count {
          for infinite in bottom + 1...count {
            let values = (0..<count).map { $0 >= infinite ? Double.infinity : abs(Double($0 - bottom)) }
            #expect(OrderSearch.lowest(count: count, start: start) { values[$0] } == bottom)
          }
        }
      }
    }
  }

  /// Doubles of a product of 40 factors agree with exact fractions to the last unit.
  @Test func doubleDoubleKeepsItsDigits() throws {
    var (value, exact) = (DoubleDouble(1), Rational(1))
    for k in 1...40 {
      let factor = 1 + 1 / Double(3 * k)
      value = value * DoubleDouble(factor) / DoubleDouble(Double(k))
      exact = try (exact * Rational(exactly: factor)).divided(by: Rational(k))
    }
    #expect(value.double >= exact.doubleRoundedDown && value.double <= exact.doubleRoundedUp)
    let rest = try Rational(exactly: value.high) + Rational(exactly: value.low) - exact
    #expect(abs(try rest.divided(by: exact).doubleRoundedUp) < 1e-29)
    #expect(DoubleDouble.expNegative(DoubleDouble(0)).double == 1)
    #expect(DoubleDouble.expNegative(DoubleDouble(1)).double == 0.36787944117144233)
  }

  private func shifted(_ value: BigInteger, _ bits: UInt) -> BigInteger {
    (try? value.quotientAndRemainder(dividingBy: .powerOfTwo(bits)).0) ?? value
  }

  /// floor(2^bits · e^{−1/2σ²}).
  private func expNegative(_ variance: Double, _ bits: UInt) -> BigInteger {
    guard let double = try? Rational(exactly: 2 * variance), let x = try? Rational(1).divided(by: double) else { return BigInteger(0) }
    var (term, sum) = (Rational(1), Rational(0))
    for k in 1...300 {
      sum = sum + term
      term = (try? (-(term * x)).divided(by: Rational(k))) ?? term
    }
    return (try? (sum.numerator * BigInteger.powerOfTwo(bits)).quotientAndRemainder(dividingBy: sum.denominator).0) ?? BigInteger(0)
  }

  /// left · right cell by cell, each cell brought back to `bits` fractional bits.
  private func trimmed(_ left: BigInteger, _ right: BigInteger, _ bits: UInt, _ slot: UInt, cells: Int) -> BigInteger {
    unpacked(left * right, slot, cells: cells).enumerated().reduce(BigInteger(0)) { sum, cell in
      sum + shifted(cell.element, bits) * BigInteger.powerOfTwo(UInt(cell.offset) * slot)
    }
  }

  private func unpacked(_ value: BigInteger, _ slot: UInt, cells: Int) -> [BigInteger] {
    var rest = value
    return (0..<cells).map { _ in
      guard let (next, cell) = try? rest.quotientAndRemainder(dividingBy: .powerOfTwo(slot)) else { return BigInteger(0) }
      rest = next
      return cell
    }
  }

  /// ln of a positive integer.
  private func logarithm(_ value: BigInteger) -> Double {
    let extra = max(0, value.bitWidth - 900)
    return log(shifted(value, UInt(extra)).doubleTowardZero) + Double(extra) * log(2)
  }
}
