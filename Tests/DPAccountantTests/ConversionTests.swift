// (ε, δ) from curves: against exact arithmetic, never below the mechanism's own exact figures; calibration; decimal text.
// [AC-03], [AC-18], [AC-25]
import DPAccountant
import Foundation
import Testing

@Suite struct ConversionTests {
  @Test func composedEpsilonsLieJustAboveTheExactOnes() throws {
    for vector in try RenyiVectors.load().composed {
      let accountant = try account(vector.sigma, vector.q, vector.steps)
      let delta = number(vector.delta)
      let bound = try accountant.epsilon(delta: delta)
      let exact = number(vector.rdp)
      let label = "sigma \(vector.sigma), q \(vector.q), \(vector.steps) steps, delta \(vector.delta)"
      #expect(bound.epsilon >= exact && bound.epsilon <= exact * (1 + 1e-9), "\(label): \(bound.epsilon) for \(exact)")
      #expect(bound.order == vector.order || exact == 0, "\(label)")
      if let mechanism = vector.exact { #expect(bound.epsilon >= number(mechanism), "\(label)") }
      if let classical = vector.classical {
        let value = try accountant.epsilon(delta: delta, rule: .classical).epsilon
        #expect(value >= number(classical) && value <= number(classical) * (1 + 1e-9), "\(label)")
        #expect(value >= bound.epsilon)
      }
    }
  }

  @Test func bothConversionsAgreeWithExactArithmetic() throws {
    for vector in try RenyiVectors.load().conversion {
      // D_α = ρα is a Gaussian of σ = 1 / √(2ρ).
      var accountant = try RenyiAccountant()
      try accountant.compose(.gaussian(noiseMultiplier: (1 / (2 * vector.rho)).squareRoot()))
      let improved = try accountant.epsilon(delta: vector.delta).epsilon
      let classical = try accountant.epsilon(delta: vector.delta, rule: .classical).epsilon
      #expect(abs(improved / number(vector.improved) - 1) < 1e-12)
      #expect(abs(classical / number(vector.classical) - 1) < 1e-12)
    }
  }

  @Test func noBoundUndercutsTheMechanismItself() throws {
    let vectors = try RenyiVectors.load()
    for vector in vectors.gaussianEpsilon {
      let bound = try gaussian(number(vector.mu)).epsilon(delta: number(vector.delta))
      #expect(bound.epsilon >= number(vector.exact), "mu \(vector.mu), delta \(vector.delta)")
    }
    for vector in vectors.gaussianDelta {
      let bound = try gaussian(number(vector.mu)).delta(epsilon: number(vector.eps))
      #expect(bound.delta >= number(vector.exact), "mu \(vector.mu), epsilon \(vector.eps)")
      #expect(bound.delta <= 1)
    }
    for vector in vectors.oneStep {
      let bound = try account(vector.sigma, vector.q, vector.steps).epsilon(delta: number(vector.delta))
      #expect(bound.epsilon >= number(vector.exact), "sigma \(vector.sigma), q \(vector.q)")
    }
  }

  @Test func deltaLiesJustAboveTheExactOneAndInvertsEpsilon() throws {
    for vector in try RenyiVectors.load().deltaForEpsilon {
      let accountant = try account(vector.sigma, vector.q, vector.steps)
      let delta = try accountant.delta(epsilon: number(vector.eps)).delta
      let exact = number(vector.exact)
      #expect(delta >= exact && delta <= exact * (1 + 1e-9))
      #expect(delta <= vector.library * (1 + 1e-9), "the peer's doubles err upward here")
      #expect(try accountant.epsilon(delta: delta).epsilon <= number(vector.eps) * (1 + 1e-9))
      #expect(try accountant.epsilon(delta: delta * 0.999).epsilon > number(vector.eps))
    }
  }

  @Test func nothingReleasedCostsNothingAndNoNoiseEverything() throws {
    var accountant = try RenyiAccountant()
    #expect(try accountant.epsilon(delta: 1e-9).epsilon == 0)
    #expect(try accountant.delta(epsilon: 0).delta == 0)
    try accountant.compose(.nonPrivate)
    #expect(try accountant.epsilon(delta: 0.5).epsilon == .infinity)
    #expect(try accountant.epsilon(delta: 0.5).order == nil)
    #expect(try accountant.delta(epsilon: 100).delta == 1)
  }

  @Test func aLargeDeltaNeedsNoEpsilon() throws {
    let bound = try gaussian(0.001).epsilon(delta: 0.01)
    #expect(bound.epsilon == 0)
  }

  @Test func targetsOutsideTheirRangeAreRefused() throws {
    let accountant = try RenyiAccountant()
    for delta in [0, 1, -1e-9, 2, .nan, .infinity] as [Double] {
      #expect(throws: AccountingError.self) { try accountant.epsilon(delta: delta) }
    }
    for epsilon in [-1, .nan, .infinity] as [Double] {
      #expect(throws: AccountingError.self) { try accountant.delta(epsilon: epsilon) }
    }
  }

  @Test func calibrationEndsOnTheSafeSide() throws {
    for vector in try RenyiVectors.load().calibration where vector.steps <= 10_000 {
      let (target, delta) = (number(vector.target), number(vector.delta))
      func event(_ sigma: Double) -> NoiseEvent { self.event(sigma, number(vector.q), vector.steps) }
      let sigma = try Calibration.noiseMultiplier(epsilon: target, delta: delta, event)
      #expect(abs(sigma / vector.library - 1) < 1e-4, "\(vector.q), \(vector.steps) steps, epsilon \(target)")
      if let exact = vector.exact { #expect(sigma >= number(exact)) }
      #expect(try epsilon(event(sigma), delta) <= target)
      #expect(try epsilon(event(sigma * (1 - 3e-6)), delta) > target, "a smaller multiplier would have done")
    }
  }

  /// [AC-25] One release more would pass the budget.
  @Test func stepsForABudgetAreTheMost() throws {
    for (sigma, rate, target, delta) in [(1.1, 0.01, 2.0, 1e-5), (4, 1, 3, 1e-6), (2, 1e-4, 1, 1e-9)] {
      let step = NoiseEvent.poissonSampled(samplingRate: rate, .gaussian(noiseMultiplier: sigma))
      let steps = try Calibration.steps(epsilon: target, delta: delta, step)
      #expect(steps > 0)
      #expect(try epsilon(.repeated(step, count: steps), delta) <= target)
      #expect(try epsilon(.repeated(step, count: steps + 1), delta) > target)
    }
    #expect { try Calibration.steps(epsilon: 0.1, delta: 1e-9, .gaussian(noiseMultiplier: 1)) } throws: {
      ($0 as? AccountingError)?.code == .targetOutOfReach
    }
    for target in [0, -1, .nan, .infinity] as [Double] {
      #expect(throws: AccountingError.self) { try Calibration.steps(epsilon: target, delta: 1e-5, .gaussian(noiseMultiplier: 9)) }
    }
  }

  /// Noise, rate, steps and δ each move ε: what was accounted with one of them a little better is not what was done.
  @Test func everyParameterCounts() throws {
    let base = try epsilon(event(1.1, 0.01, 1000), 1e-5)
    #expect(try epsilon(event(1.0999, 0.01, 1000), 1e-5) > base)
    #expect(try epsilon(event(1.1, 0.010001, 1000), 1e-5) > base)
    #expect(try epsilon(event(1.1, 0.01, 1001), 1e-5) > base)
    #expect(try epsilon(event(1.1, 0.01, 1000), 0.9999e-5) > base)
    #expect(try epsilon(.repeated(.gaussian(noiseMultiplier: 1.1), count: 1000), 1e-5) > base)
  }

  @Test func unreachableOrMalformedTargetsAreRefused() {
    for epsilon in [0, -1, .nan, .infinity] as [Double] {
      #expect(throws: AccountingError.self) {
        try Calibration.noiseMultiplier(epsilon: epsilon, delta: 1e-5) { .gaussian(noiseMultiplier: $0) }
      }
    }
    #expect { try Calibration.noiseMultiplier(epsilon: 1, delta: 1e-5) { _ in .nonPrivate } } throws: {
      ($0 as? AccountingError)?.code == .targetOutOfReach
    }
  }

  @Test(arguments: [
    (0, "0"), (1, "1"), (0.5, "0.5"), (1.0 / 3, "0.333334"), (2.0 / 3, "0.666667"), (1_234_567, "1234570"),
    (1_000_000, "1000000"), (999_999.5, "1000000"), (8.652404983982091e-3, "0.00865241"), (0.1, "0.100001"),
    (1e-9, "0.00000000100001"), (.infinity, "infinity"),
  ])
  func textIsNeverBelowTheValue(_ value: Double, _ text: String) {
    #expect(DecimalText.roundedUp(value) == text)
  }

  private func epsilon(_ event: NoiseEvent, _ delta: Double) throws -> Double {
    var accountant = try RenyiAccountant()
    try accountant.compose(event)
    return try accountant.epsilon(delta: delta).epsilon
  }

  private func event(_ sigma: Double, _ rate: Double, _ steps: Int) -> NoiseEvent {
    .repeated(.poissonSampled(samplingRate: rate, .gaussian(noiseMultiplier: sigma)), count: steps)
  }

  private func account(_ sigma: String, _ rate: String, _ steps: Int) throws -> RenyiAccountant {
    var accountant = try RenyiAccountant()
    try accountant.compose(event(number(sigma), number(rate), steps))
    return accountant
  }

  /// A single Gaussian whose two outputs are μ standard deviations apart.
  private func gaussian(_ mu: Double) throws -> RenyiAccountant {
    var accountant = try RenyiAccountant()
    try accountant.compose(.gaussian(noiseMultiplier: 1 / mu))
    return accountant
  }
}
