import Masking
import Sodium
import TestSupport
import Testing

// Noised rounds (spec/12-noised-rounds.md): what a mechanism may say, that the norm holds whatever was trained, that the noise is
// there and is what is accounted for, and that sums decode to the mean.
@testable import DPAccountant
@testable import SecAgg

@Suite struct NoisedEncodingTests {
  static func constants(_ edit: (inout NoisedEncoding) -> Void = { _ in }) -> NoisedEncoding {
    var made = NoisedEncoding(
      sites: 5, dimension: 1000, bits: 20, clip: 1.5, resolution: 4000, blockBits: 6, coordinateBound: 3000, normSquaredMax: 16_100_000,
      variance: Fraction(5_400_000)!)
    edit(&made)
    return made
  }

  private func stream(_ seed: UInt8) throws -> RandomStream {
    try RandomStream(seed: SecretBytes(copying: [UInt8](repeating: seed, count: 32)))
  }

  struct Bad: Sendable, CustomTestStringConvertible {
    let code: RefusalCode
    let what: String
    let edit: @Sendable (inout NoisedEncoding) -> Void
    var testDescription: String { "[\(code.rawValue)] \(what)" }
  }

  static let bad: [Bad] = [
    Bad(code: .badMechanism, what: "one site") { $0.sites = 1 },
    Bad(code: .badMechanism, what: "10,001 sites") { $0.sites = 10_001 },
    Bad(code: .badMechanism, what: "no coordinates") { $0.dimension = 0 },
    Bad(code: .badMechanism, what: "too many coordinates") { $0.dimension = RoundPlan.coordinatesMax + 1 },
    Bad(code: .badMechanism, what: "too many coordinates after padding") { constants in
      constants.dimension = RoundPlan.coordinatesMax - 1
      constants.normSquaredMax = 1 << 50
      constants.blockBits = 0
      constants.dimension += 2
    },
    Bad(code: .badMechanism, what: "one bit") { $0.bits = 1 },
    Bad(code: .badMechanism, what: "33 bits") { $0.bits = 33 },
    Bad(code: .badMechanism, what: "no clip") { $0.clip = 0 },
    Bad(code: .badMechanism, what: "a negative clip") { $0.clip = -1 },
    Bad(code: .badMechanism, what: "an undefined clip") { $0.clip = .nan },
    Bad(code: .badMechanism, what: "an infinite clip") { $0.clip = .infinity },
    Bad(code: .badMechanism, what: "no grid") { $0.resolution = 0 },
    Bad(code: .badMechanism, what: "too fine a grid") { $0.resolution = (1 << 25) + 1 },
    Bad(code: .badMechanism, what: "an odd block") { $0.blockBits = 5 },
    Bad(code: .badMechanism, what: "a block of 2^18") { $0.blockBits = 18 },
    Bad(code: .badMechanism, what: "a negative block") { $0.blockBits = -2 },
    Bad(code: .badMechanism, what: "a clamp at zero") { $0.coordinateBound = 0 },
    Bad(code: .badMechanism, what: "a clamp above the clip") { $0.coordinateBound = 4001 },
    Bad(code: .badMechanism, what: "a norm that some updates could not be rounded within") { $0.normSquaredMax = 16_016_319 },
    Bad(code: .badMechanism, what: "a norm above 2^53") { $0.normSquaredMax = 1 << 53 + 1 },
    Bad(code: .badMechanism, what: "noise of less than two steps") { $0.variance = Fraction(399, 100)! },
    Bad(code: .wrapBound, what: "too many sites for the bits") { $0.sites = 200 },
    Bad(code: .wrapBound, what: "too much noise for the bits") { $0.variance = Fraction(1 << 60)! },
  ]

  @Test("[ND-01] [ND-03] constants out of range are refused, and so are their bytes", arguments: bad)
  func refused(row: Bad) {
    let constants = Self.constants(row.edit)
    let error = #expect(throws: Refusal.self) { try constants.validate() }
    #expect(error?.code == row.code)
    if (0...255).contains(constants.blockBits), (0...255).contains(constants.bits) {
      #expect(throws: Refusal.self) { try Mechanism(decoding: constants.encoded()) }
    }
  }

  @Test("a fraction has one form", arguments: [(0, 1), (1, 0), (2, 4), (6, 3), (0, 0)] as [(UInt64, UInt64)])
  func fractions(numerator: UInt64, denominator: UInt64) { #expect(Fraction(numerator, denominator) == nil) }

  @Test("[ND-01] cut, longer and altered bytes are refused or mean something else")
  func bytes() throws {
    let constants = Self.constants()
    try constants.validate()
    let bytes = constants.encoded()
    for count in 0..<bytes.count {
      let error = #expect(throws: Refusal.self) { try Mechanism(decoding: Array(bytes.prefix(count))) }
      #expect(error?.code == .badMechanism)
    }
    #expect(throws: Refusal.self) { try Mechanism(decoding: bytes + [0]) }
    for bit in 0..<bytes.count * 8 {
      var other = bytes
      other[bit / 8] ^= 1 << UInt8(bit % 8)
      guard let read = try? Mechanism(decoding: other) else { continue }
      #expect(read != .noised(constants) && read.encoded() == other)
    }
  }

  @Test("[ND-02] a plan fits its mechanism, and some noise is assured")
  func plans() throws {
    let constants = Self.constants()
    func plan(_ edit: (inout RoundPlan) -> Void) -> RoundPlan {
      var plan = Fixture.plan(5, roster: Fixture.roster(5, colluders: 1))
      (plan.sections, plan.mechanism) = (constants.sections, constants.encoded())
      edit(&plan)
      return plan
    }
    try plan { _ in }.validate()
    #expect(plan { _ in }.sections == [VectorSection(name: "parameters", count: 1024, bits: 20)])
    // t is 4; whoever looks knows its own share, also where nobody colludes.
    #expect(plan { _ in }.noiseShares == 3 && plan { $0.colluders = 0 }.noiseShares == 3 && plan { $0.colluders = 2 }.noiseShares == 2)
    #expect(plan { $0.minimumSurvivors = 5 }.noiseShares == 4)
    let bad: [(RefusalCode, (inout RoundPlan) -> Void)] = [
      (.badLayout, { $0.sections[0] = VectorSection(name: "parameters", count: 1000, bits: 20) }),
      (.badLayout, { $0.sections.append(VectorSection(name: "scalars", count: 1, bits: 32)) }),
      (.wrapBound, { $0.mechanism = Self.constants { $0.sites = 4 }.encoded() }),
      (.badMechanism, { $0.mechanism[0] = 2 }),
      (.badMechanism, { plan in plan.mechanism = [1, 7] + Array("laplace".utf8) + plan.mechanism.dropFirst(19) }),
    ]
    for (code, edit) in bad {
      let error = #expect(throws: Refusal.self) { try plan(edit).validate() }
      #expect(error?.code == code)
    }
  }

  @Test("[ND-04] integers never exceed the norm, whatever was trained", arguments: 1...6)
  func norms(seed: UInt64) throws {
    // What rounding keeps on average: about half of all roundings are drawn again.
    let most: UInt64 = 4000 * 4000 + 1024 / 4
    #expect(most < Self.constants().normSquaredMin)
    var random = SeededGenerator(seed: seed)
    var rounding = BoundedRounding(normSquaredMax: most)
    for kind in 0..<3 {
      var values = (0..<1024).map { _ in
        kind == 0 ? Double.random(in: -1...1, using: &random) : Double(Int.random(in: -3...3, using: &random)) + 0.5
      }
      if kind == 2 { values = values.enumerated().map { $0.offset == 17 ? 1e9 : $0.element } }
      let factor = 4000 / values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for index in values.indices { values[index] *= factor }
      var source = try stream(UInt8(seed))
      let whole = try #require(rounding.round(values, from: &source))
      #expect(whole.reduce(0) { $0 + UInt64(Int64($1) * Int64($1)) } <= most)
      for (integer, value) in zip(whole, values) { #expect(abs(Double(integer) - value) < 1) }
    }
    #expect(rounding.draws > 3)
  }

  @Test("[ND-04] where no rounding keeps the norm, nothing leaves")
  func impossibleNorm() throws {
    var rounding = BoundedRounding(normSquaredMax: 3)
    var source = try stream(1)
    #expect(rounding.round([2, -2], from: &source) == nil && rounding.draws == BoundedRounding.drawsMax)
  }

  @Test("rounding has no bias")
  func unbiased() throws {
    var rounding = BoundedRounding(normSquaredMax: 1 << 40)
    var source = try stream(2)
    for target in [0.3, -0.3, 1000.75, -2.5] {
      let count = 100_000
      let sum = try #require(rounding.round([Double](repeating: target, count: count), from: &source)).reduce(0) { $0 + Int64($1) }
      // Five standard errors of a Bernoulli mean: a false alarm in 1.7 million.
      #expect(abs(Double(sum) / Double(count) - target) < 5 * 0.5 / Double(count).squareRoot())
    }
  }

  /// Σ x²/σ² of `words`, less its mean, in its own standard deviations: normal for discrete Gaussian noise of variance σ² ≫ 1.
  private func excess(_ words: [UInt32], bits: Int, variance: Double) -> Double {
    let ring = Ring(bits: bits)
    let squares = words.reduce(0.0) { $0 + Double(ring.signed($1)) * Double(ring.signed($1)) } / variance
    return (squares - Double(words.count)) / (2 * Double(words.count)).squareRoot()
  }

  @Test("[ND-05] every coordinate carries fresh noise of the variance that is accounted for, padding too")
  func noise() throws {
    let constants = Self.constants {
      $0.dimension = 200_001
      $0.normSquaredMax = 16_900_000
    }
    let encoder = try NoisedUpdateEncoder(constants)
    let zeros = [Float](repeating: 0, count: constants.dimension)
    var source = try stream(3)
    let first = try encoder.encode(local: zeros, global: zeros, context: [1], from: &source).sections[0]
    let second = try encoder.encode(local: zeros, global: zeros, context: [1], from: &source).sections[0]
    #expect(first.count == constants.paddedDimension && first != second)
    guard case .discreteGaussianSum(let accounted) = constants.event(assured: 3) else {
      Issue.record("another event")
      return
    }
    // Five standard deviations: a false alarm in 1.7 million. A variance 3 % smaller is nine away.
    for words in [first, second] { #expect(abs(excess(words, bits: 20, variance: accounted.variance)) < 5) }
    let less = try NoisedUpdateEncoder(
      Self.constants {
        $0 = constants
        $0.variance = Fraction(5_400_000 / 100 * 97)!
      })
    let weaker = try less.encode(local: zeros, global: zeros, context: [1], from: &source).sections[0]
    #expect(excess(weaker, bits: 20, variance: accounted.variance) < -5)
    #expect(first.suffix(constants.paddedDimension - constants.dimension).contains { $0 != 0 })
  }

  @Test("the sum of noised updates decodes to the mean, with the noise that was planned")
  func sums() throws {
    let constants = try NoisedEncoding.planned(sites: 5, dimension: 20_000, bits: 24, clip: 2, noiseMultiplier: 0.05, assured: 3)
    let encoder = try NoisedUpdateEncoder(constants)
    var random = SeededGenerator(seed: 9)
    let context: [UInt8] = [7, 7]
    let global = (0..<20_000).map { _ in Float.random(in: -1...1, using: &random) }
    var mean = [Double](repeating: 0, count: 20_000)
    var inputs: [[[UInt32]]] = []
    for site in 0..<4 {
      // The third site's update is beyond the clip, the fourth has no update.
      let scale: Float = [0.001, 0.01, 1, 0][site]
      let local = global.map { $0 + Float.random(in: -scale...scale, using: &random) }
      let change = zip(local, global).map { Double($0) - Double($1) }
      let norm = change.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for (index, value) in change.enumerated() { mean[index] += value * min(1, norm > 0 ? 2 / norm : 1) / 4 }
      var source = try stream(UInt8(10 + site))
      let update = try encoder.encode(local: local, global: global, context: context, from: &source)
      #expect(update.saturated == 0)
      inputs.append(update.sections)
    }
    var plan = Fixture.plan(5, roster: Fixture.roster(5, colluders: 1))
    (plan.sections, plan.mechanism) = (constants.sections, constants.encoded())
    let found = try NoisedUpdateDecoder(constants).decode(sum: Fixture.sum(inputs, plan), survivors: 4, context: context)
    let errors = zip(found.parameters, mean).map { ($0 - $1) * ($0 - $1) }
    // Noise of four shares, and rounding's variance of up to 1/4 a share, over 4² as a mean.
    let step = constants.clip / Double(constants.resolution)
    let expected = 4 * (Double(constants.variance.numerator) / Double(constants.variance.denominator)) * step * step / 16
    let ratio = errors.reduce(0, +) / 20_000 / expected
    #expect(abs(ratio - 1) < 0.06)
  }

  @Test("what cannot be encoded is refused")
  func refusals() throws {
    let encoder = try NoisedUpdateEncoder(Self.constants())
    let zeros = [Float](repeating: 0, count: 1000)
    var source = try stream(4)
    for wrong: Float in [.nan, .infinity, -.infinity] {
      var local = zeros
      local[999] = wrong
      let error = #expect(throws: EncodingError.self) { try encoder.encode(local: local, global: zeros, context: [], from: &source) }
      #expect(error?.code == .notFinite)
    }
    for (local, global) in [(Array(zeros.dropLast()), zeros), (zeros, Array(zeros.dropLast())), ([], [])] {
      let error = #expect(throws: EncodingError.self) { try encoder.encode(local: local, global: global, context: [], from: &source) }
      #expect(error?.code == .wrongLength)
    }
  }

  @Test("[ND-08] the account takes the assured shares, and rounds what it pays for up")
  func account() {
    let constants = Self.constants()
    guard case .discreteGaussianSum(let event) = constants.event(assured: 3) else {
      Issue.record("another event")
      return
    }
    #expect(event.count == 3 && event.dimension == 1024)
    #expect(event.l2 * event.l2 >= 16_100_000 && event.l2 < 4012.49)
    #expect(event.l1 * event.l1 >= 16_100_000 * 1024 && event.l1 < 32 * 4012.49)
    #expect(event.variance <= 5_400_000 && event.variance > 5_399_999.99)
    // A few coordinates: the squared norm bounds the absolute one.
    guard case .discreteGaussianSum(let small) = Self.constants({ ($0.dimension, $0.blockBits) = (1, 0) }).event(assured: 1) else { return }
    #expect(small.l1 >= small.l2 && small.l1 < 4012.51)
  }

  @Test("[ND-08] the accountant's price follows noise, norm and shares")
  func price() throws {
    func epsilon(_ constants: NoisedEncoding, _ assured: Int) throws -> Double {
      var accountant = try RenyiAccountant()
      try accountant.compose(constants.event(assured: assured), count: 10)
      return try accountant.curve.epsilon(delta: 1e-5).epsilon
    }
    let planned = try epsilon(Self.constants(), 3)
    #expect(planned > 0)
    #expect(try epsilon(Self.constants(), 2) > planned)
    #expect(try epsilon(Self.constants { $0.variance = Fraction(5_300_000)! }, 3) > planned)
    #expect(try epsilon(Self.constants { $0.normSquaredMax = 16_400_000 }, 3) > planned)
  }

  @Test(
    "constants that are planned are valid, and the finest that fit",
    arguments: [(3, 100, 16), (5, 1_872_157, 20), (10, 50_000, 18), (100, 1_000_000, 20), (1000, 100_000, 24)] as [(Int, Int, Int)])
  func planning(sites: Int, dimension: Int, bits: Int) throws {
    let assured = sites * 2 / 3
    let found = try NoisedEncoding.planned(
      sites: sites, dimension: dimension, bits: bits, clip: 1, noiseMultiplier: 1, assured: assured)
    try found.validate()
    #expect(Double(found.variance.numerator) * Double(assured) >= Double(found.normSquaredMax))
    // A grid twice as fine does not fit.
    var finer = found
    finer.resolution *= 2
    finer.normSquaredMax *= 4
    finer.variance = Fraction(found.variance.numerator * 4)!
    finer.coordinateBound *= 2
    #expect(finer.mayWrap)
  }

  @Test("a request that nothing fulfils is refused")
  func impossiblePlans() {
    func code(_ sites: Int, _ bits: Int, _ multiplier: Double, _ assured: Int) -> RefusalCode? {
      do throws(Refusal) {
        _ = try NoisedEncoding.planned(
          sites: sites, dimension: 1000, bits: bits, clip: 1, noiseMultiplier: multiplier, assured: assured)
        return nil
      } catch { return error.code }
    }
    #expect(code(5, 20, 1, 3) == nil)
    #expect(code(5, 4, 1, 3) == .wrapBound)
    #expect(code(5, 20, 0, 3) == .badMechanism)
    #expect(code(5, 20, .nan, 3) == .badMechanism)
    #expect(code(5, 20, 1, 0) == .badMechanism)
    #expect(code(5, 20, 1, 6) == .badMechanism)
    #expect(code(1, 20, 1, 1) == .badMechanism)
  }
}
