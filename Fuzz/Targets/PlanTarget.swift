// A plan and the mechanism inside it (spec/02, spec/04): what decodes encodes to the same bytes, what is valid has sizes that a driver may
// rely on.
import SecAgg

struct PlanTarget: Target {
  static let name = "plan"

  /// The first byte: 0 a plan, 1 a mechanism, 2 a mechanism inside the valid plan.
  func run(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let bytes = Array(input.dropFirst())
    switch first % 3 {
    case 0: if let plan = try? RoundPlan(decoding: bytes) { check(plan, bytes) }
    case 1: if let mechanism = try? Mechanism(decoding: bytes) { check(mechanism, bytes) }
    default:
      var plan = Cohort.complete.plan
      plan.mechanism = bytes
      switch try? Mechanism(decoding: bytes) {
      case .plain(let encoding): plan.sections = encoding.sections(parameters: 3, statistics: 1)
      case .noised(let encoding): plan.sections = encoding.sections
      case nil: break
      }
      check(plan, plan.encoded())
    }
  }

  private func check(_ plan: RoundPlan, _ bytes: [UInt8]) {
    require(plan.encoded() == bytes, "a plan has two encodings")
    // Drivers ask before the plan is checked.
    require(plan.payloadBytes >= 0, "a payload of less than nothing")
    guard (try? plan.validate()) != nil else { return }
    require(plan.payloadBytes > 0 && plan.threshold * 2 > plan.colluders, "a valid plan without a payload or a threshold")
    require(plan.context.count == 32, "ctx has 32 bytes")
    _ = try? plan.validate(against: Cohort.complete.roster)
  }

  private func check(_ mechanism: Mechanism, _ bytes: [UInt8]) {
    require(mechanism.encoded() == bytes, "a mechanism has two encodings")
    switch mechanism {
    case .plain(let encoding): check(encoding)
    case .noised(let encoding):
      require((try? encoding.validate()) != nil, "a decoded mechanism is not valid")
      require(encoding.paddedDimension >= encoding.dimension && encoding.sections[0].count > 0, "a vector without coordinates")
      // What it costs is a figure, whatever a server writes.
      if case .discreteGaussianSum(let event) = encoding.event(assured: 1) {
        require(event.l2 >= 1 && event.l1 >= event.l2 && event.variance > 3, "an account of impossible noise")
      }
      _ = encoding.assures(noiseMultiplier: 1, shares: 1)
    }
  }

  private func check(_ encoding: EncodingParameters) {
    require((try? encoding.validate()) != nil, "a decoded mechanism is not valid")
    require(encoding.scalarWords <= 2 * EncodingParameters.scalarsMax, "too many scalars")
    for bits in [encoding.parameterBits, encoding.statisticsBits] {
      let bound = EncodingParameters.bound(bits: bits, sites: encoding.sites)
      require(bound >= 1 && Int64(encoding.sites) * (bound + 1) < Int64(1) << Int64(bits - 1), "an honest sum could wrap")
    }
  }

  func seeds() -> [[UInt8]] {
    let plans = [Cohort.complete.plan, Cohort.sparse.plan]
    let noised = NoisedEncoding(
      sites: plans[0].sites.count, dimension: 100, bits: 20, clip: 1, resolution: 4000, blockBits: 6, coordinateBound: 3000,
      normSquaredMax: 16_100_000, variance: Fraction(5_400_000)!
    ).encoded()
    return plans.map { [0] + $0.encoded() } + (plans.map(\.mechanism) + [noised]).flatMap { [[1] + $0, [2] + $0] }
  }
}
