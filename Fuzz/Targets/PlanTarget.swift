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
    case 1: if let encoding = try? EncodingParameters(decoding: bytes) { check(encoding, bytes) }
    default:
      var plan = Cohort.complete.plan
      plan.mechanism = bytes
      if let encoding = try? EncodingParameters(decoding: bytes) {
        plan.sections = encoding.sections(parameters: 3, statistics: 1)
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

  private func check(_ encoding: EncodingParameters, _ bytes: [UInt8]) {
    require(encoding.encoded() == bytes, "a mechanism has two encodings")
    require((try? encoding.validate()) != nil, "a decoded mechanism is not valid")
    require(encoding.scalarWords <= 2 * EncodingParameters.scalarsMax, "too many scalars")
    for bits in [encoding.parameterBits, encoding.statisticsBits] {
      let bound = EncodingParameters.bound(bits: bits, sites: encoding.sites)
      require(bound >= 1 && Int64(encoding.sites) * (bound + 1) < Int64(1) << Int64(bits - 1), "an honest sum could wrap")
    }
  }

  func seeds() -> [[UInt8]] {
    let plans = [Cohort.complete.plan, Cohort.sparse.plan]
    return plans.map { [0] + $0.encoded() } + plans.flatMap { [[1] + $0.mechanism, [2] + $0.mechanism] }
  }
}
