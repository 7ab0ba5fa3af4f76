// A job's plan, which a site takes from a server that it does not trust: what decodes encodes to the same bytes, and everything that is
// computed of it is.
import Federation
import SecAgg

struct JobTarget: Target {
  static let name = "job"

  func run(_ input: [UInt8]) {
    guard let plan = try? JobPlan.decode(input) else { return }
    require(plan.encoded() == input, "a job plan has two encodings")
    require(plan.digest.count == 32 && plan.totalEpochs >= 1 && !plan.metricNames.isEmpty, "a job plan without what follows from it")
    for (kind, sites) in [(RoundKind.census, 3), (.training, 3), (.training, 64), (.training, 10_000)] {
      _ = plan.serverMomentum(round: kind == .census ? 0 : .max)
      let encoding = plan.encoding(kind: kind, sites: sites, samplesReference: kind == .census ? 0 : 1000)
      guard (try? encoding.validate()) != nil else { continue }
      let sections = plan.sections(kind: kind, encoding: encoding)
      require((try? EncodingParameters(decoding: encoding.encoded())) == encoding, "a job's mechanism does not decode")
      require(sections.allSatisfy { $0.count > 0 && $0.packedBytes > 0 }, "a job's layout has empty sections")
    }
  }

  func seeds() -> [[UInt8]] {
    let digest = [UInt8](repeating: 9, count: 32)
    var plan = JobPlan(
      name: "garments", model: "yolov5n", classes: ["shirt", "größe"], imageSize: 64, rounds: 3, parameterCount: 100, statisticCount: 10,
      layoutDigest: digest, initialWeightsDigest: digest)
    let first = plan.encoded()
    plan.training.optimizer = .adamW
    plan.training.roundsPerEpoch = 4
    plan.validatesLocally = true
    return [first, plan.encoded()]
  }
}
