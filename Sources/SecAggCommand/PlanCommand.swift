// `secagg plan`: what a job of this configuration would be, without anybody taking part: graph and threshold, bits and bytes, and with
// privacy the noise, what the rounds cost, and how much of an update the noise leaves. Refuses what the parties would refuse.

import ArgumentParser
import CommandLineKit
import DPAccountant
import Detector
import Federation
import Safetensors
import SecAgg
import Sodium

struct Plan: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Show what a federated job will cost in bytes and in privacy, before anybody takes part.",
    discussion: """
      secagg plan federated.yaml --sites 100
      secagg plan federated.yaml --sites 10 --colluders 2 --json

      Epsilon is that of all rounds up to each, one attempt a round; an attempt that fails after the inputs came costs as much as a round.
      """)

  @Argument(help: "The operator's configuration.") var file: String
  @Option(help: "Sites in each round; the file's min_sites where nothing is said.") var sites: Int?
  @Option(help: "Sites that may collude with the server; the file's, or a third of the sites.") var colluders: Int?
  @Option(help: "The weights that the job begins with; fresh ones of the file's model where nothing is said.") var weights: String?
  @Flag(help: "Print the result as JSON on standard output.") var json = false

  func validate() throws {
    guard sites.map({ (3...10_000).contains($0) }) != false else { throw ValidationError("--sites is 3 to 10000") }
    guard colluders.map({ (0...9_999).contains($0) }) != false else { throw ValidationError("--colluders is 0 to 9999") }
  }

  struct Report: Encodable {
    struct Privacy: Encodable {
      var unit: String
      /// Which noise; unit record: `form` says who adds it.
      var noise: String
      var form: String?
      var epsilon: Double
      var delta: Double
      var clip: Double
      var noiseMultiplier: Double
      /// Noise shares that are assured in a sum; unit site.
      var shares: Int?
      /// Grid steps that make the clip, and the deviation of one site's noise in steps.
      var resolution: Int
      var localDeviation: Double
      /// Grid steps that a coordinate is clamped to before noise; only of noised sums, which then wrap with a probability below 2^-30.
      var coordinateBound: Int?
      /// Norm of the noise in a mean update, or in a step's mean gradient, over the clip.
      var noiseToSignal: Double
      /// Probability with which an image is in a step, what the sum of gradients is divided by, and steps a round; unit record.
      var samplingRate: Double?
      var lotSize: Int?
      var stepsPerRound: Int?
      /// After each round.
      var epsilonByRound: [Double]

      enum CodingKeys: String, CodingKey {
        case unit, noise, form, epsilon, delta, clip, shares, resolution
        case coordinateBound = "coordinate_bound"
        case samplingRate = "sampling_rate"
        case lotSize = "lot_size"
        case stepsPerRound = "steps_per_round"
        case noiseMultiplier = "noise_multiplier"
        case localDeviation = "local_deviation"
        case noiseToSignal = "noise_to_signal"
        case epsilonByRound = "epsilon_by_round"
      }
    }
    var sites: Int
    var colluders: Int
    var graph: String
    var neighbours: Int
    var threshold: Int
    var minimumSurvivors: Int
    var rounds: Int
    var parameters: Int
    var bits: Int
    var bytesUpPerSiteRound: Int
    var privacy: Privacy?

    enum CodingKeys: String, CodingKey {
      case sites, colluders, graph, neighbours, threshold, rounds, parameters, bits, privacy
      case minimumSurvivors = "minimum_survivors"
      case bytesUpPerSiteRound = "bytes_up_per_site_round"
    }
  }

  func run() throws {
    let config = try FederatedConfig.load(file)
    let report = try report(config)
    if json { try JSONOutput.object(report) } else { show(report) }
  }

  private func report(_ config: FederatedConfig) throws -> Report {
    let n = sites ?? config.aggregation.minimumSites
    let colluding = colluders ?? config.aggregation.colluders ?? n / 3
    let (job, plan) = try plan(config, n, colluding)
    return Report(
      sites: n, colluders: colluding, graph: plan.isSparse ? "sparse" : "complete", neighbours: plan.neighbours, threshold: plan.threshold,
      minimumSurvivors: plan.inputsMin, rounds: job.rounds, parameters: job.parameterCount, bits: job.quantisation.bits,
      bytesUpPerSiteRound: plan.payloadBytes, privacy: try privacy(job, plan))
  }

  /// The job, and the plan of its rounds; checked as a server checks it.
  private func plan(_ config: FederatedConfig, _ n: Int, _ colluding: Int) throws -> (JobPlan, RoundPlan) {
    let layout = try layout(config)
    let digest = [UInt8](repeating: 0, count: RoundPlan.digestBytes)
    var job = JobPlan(
      name: config.job, model: config.model.name, classes: ["a"], imageSize: config.model.imageSize, rounds: config.training.rounds,
      parameterCount: layout.parameterCount, statisticCount: layout.statisticCount, layoutDigest: digest, initialWeightsDigest: digest)
    job.quantisation.bits = config.aggregation.bits
    job.quantisation.parameterRange = config.aggregation.parameterRange
    job.quantisation.statisticsRange = config.aggregation.statisticsRange
    job.validatesLocally = config.training.validate
    job.training.localEpochs = config.training.localEpochs
    job.training.roundsPerEpoch = config.training.roundsPerEpoch
    do throws(any Error) {
      if config.privacy.enabled { job.privacy = try JobPlan.Privacy.planned(config) }
      let ids = (0..<n).map { SiteID(UInt32($0)) }
      // Nobody signs anything here.
      let key = Ed25519.SigningKey().publicKey
      let roster = RosterView(
        digest: digest, colluders: colluding, siteKeys: Dictionary(uniqueKeysWithValues: ids.map { ($0, key) }), serverKey: key)
      var plan = RoundPlan(
        job: job.name, round: 1, attempt: 0, roster: roster, sites: ids, weightsDigest: digest, configurationDigest: digest,
        sections: [], mechanism: [])
      let mechanism = try job.mechanism(kind: .training, of: plan, samplesReference: 1)
      plan.sections = job.sections(kind: .training, mechanism: mechanism)
      plan.mechanism = mechanism.encoded()
      try plan.validate()
      return (job, plan)
    } catch let error as Refusal {
      throw CommandError(
        code: error.code.rawValue, what: "no plan for \(n) sites with \(colluding) colluders: \(error.reason)",
        hint: "fewer colluders, more sites, or more bits", exit: .configuration)
    } catch let error as AccountingError {
      throw CommandError(
        code: error.code.rawValue, what: error.reason, hint: "allow more epsilon, or fewer rounds", exit: .configuration)
    }
  }

  private func layout(_ config: FederatedConfig) throws -> WeightsLayout {
    if let path = weights ?? config.model.weights { return WeightsLayout(try SafetensorsFile.read(path: path)) }
    let classes = config.model.classes?.names.count ?? 80
    let fresh = Network(spec: try modelSpec(config.model.name, classes: classes), seed: 0, threads: 1).safetensors()
    return WeightsLayout(try SafetensorsFile(parsing: fresh.serialise()))
  }

  private func privacy(_ job: JobPlan, _ plan: RoundPlan) throws -> Report.Privacy? {
    guard let privacy = job.privacy, let charge = job.charge(for: plan) else { return nil }
    let epsilonByRound = (1...job.rounds).map { PrivacyAccount.epsilon(charge, count: $0, delta: privacy.delta) }
    guard let all = epsilonByRound.last, all <= privacy.epsilon else {
      throw CommandError(
        code: AccountingError.Code.targetOutOfReach.rawValue,
        what: "all rounds would cost \(epsilonByRound.last ?? .infinity), more than epsilon \(privacy.epsilon): the grid of "
          + "\(job.quantisation.bits) bits is too coarse",
        hint: "more bits (`security.aggregation.bits`), or fewer rounds", exit: .configuration)
    }
    if let records = privacy.records, let mechanism = job.recordMechanism {
      let deviation = mechanism.variance.squareRoot()
      return Report.Privacy(
        unit: privacy.unit.rawValue, noise: privacy.noise.rawValue, form: records.form.rawValue, epsilon: privacy.epsilon,
        delta: privacy.delta, clip: privacy.clip, noiseMultiplier: privacy.noiseMultiplier, resolution: Int(RecordMechanism.resolution),
        localDeviation: deviation,
        noiseToSignal: deviation * Double(job.parameterCount).squareRoot() / Double(RecordMechanism.resolution) / Double(records.lotSize),
        samplingRate: records.samplingRate, lotSize: records.lotSize, stepsPerRound: job.recordStepsPerRound, epsilonByRound: epsilonByRound
      )
    }
    guard case .noised(let encoding) = try Mechanism(decoding: plan.mechanism) else { return nil }
    let variance = Double(encoding.variance.numerator) / Double(encoding.variance.denominator)
    let n = Double(plan.sites.count)
    // A site's noise, and that of a sum in which nobody is missing.
    let (local, total): (Double, Double) =
      switch encoding.noise {
      case .discreteGaussian: (variance, variance * n)
      case .removableSkellam(let survivorsMin, let known): (variance / Double(survivorsMin - known), variance * n / (n - Double(known)))
      }
    let ratio = (total * Double(job.parameterCount)).squareRoot() / (n * Double(encoding.resolution))
    return Report.Privacy(
      unit: privacy.unit.rawValue, noise: privacy.noise.rawValue, form: privacy.records?.form.rawValue, epsilon: privacy.epsilon,
      delta: privacy.delta, clip: privacy.clip, noiseMultiplier: privacy.noiseMultiplier, shares: plan.noiseShares,
      resolution: Int(encoding.resolution),
      localDeviation: local.squareRoot(), coordinateBound: Int(encoding.coordinateBound),
      noiseToSignal: ratio / Double(privacy.records?.lotSize ?? 1), samplingRate: privacy.records?.samplingRate,
      lotSize: privacy.records?.lotSize, epsilonByRound: epsilonByRound)
  }

  private func show(_ report: Report) {
    Output.line("sites         \(report.sites), of which \(report.colluders) may collude with the server")
    Output.line(
      "graph         \(report.graph), \(report.neighbours) neighbours, threshold \(report.threshold), sums of at least "
        + "\(report.minimumSurvivors) sites")
    Output.line(
      "update        \(report.parameters) parameters of \(report.bits) bits: \(Text.bytes(report.bytesUpPerSiteRound)) a site and round")
    guard let privacy = report.privacy else { return Output.line("privacy       none: no formal guarantee") }
    Output.line(
      "privacy       unit \(privacy.unit): epsilon \(privacy.epsilon) at delta \(privacy.delta) over \(report.rounds) rounds; "
        + "clip \(privacy.clip)"
    )
    let ratio = privacy.noiseToSignal
    if let rate = privacy.samplingRate, let steps = privacy.stepsPerRound, let lot = privacy.lotSize {
      Output.line(
        "noise         \(Text.fixed(privacy.noiseMultiplier, 4)) × the clip in each of \(steps) steps a round, an image in a step with "
          + "probability \(rate)")
      Output.line(
        "in a step     noise of \(Text.fixed(ratio, ratio < 10 ? 2 : 0)) × the longest mean gradient of \(lot) images")
    } else {
      let kind = privacy.noise == "skellam" ? "Skellam noise, what is too much removed:" : "noise"
      Output.line(
        "noise         \(kind) \(Text.fixed(privacy.noiseMultiplier, 4)) × the clip in a sum, from \(privacy.shares ?? 0) shares; a site's "
          + "deviation is \(Text.fixed(privacy.localDeviation, 1)) steps of \(privacy.resolution) to the clip")
      if let bound = privacy.coordinateBound {
        Output.line(
          "wrapping      a sum wraps with a probability below 2^-30; coordinates are clamped to \(bound) steps before noise")
      }
      let what = privacy.lotSize.map {
        "mean gradient of lots of \($0) images, an image in a round with probability \(privacy.samplingRate ?? 1)"
      }
      Output.line(
        "in the mean   noise of \(Text.fixed(ratio, ratio < 10 ? 2 : 0)) × the longest \(what ?? "update")"
          + (ratio > 1 && privacy.lotSize == nil ? ": LARGER than what it hides; more sites, fewer parameters or more epsilon" : ""))
    }
    var table = Table([.init("rounds", .right), .init("epsilon", .right)])
    for round in Self.shown(report.rounds) { table.add(["\(round)", Text.fixed(privacy.epsilonByRound[round - 1], 4)]) }
    for line in table.rendered() { Output.line(line) }
  }

  /// The first, the last, and powers of two between them.
  static func shown(_ rounds: Int) -> [Int] {
    var chosen = sequence(first: 1) { $0 * 2 }.prefix { $0 < rounds }.map { $0 }
    chosen.append(rounds)
    return chosen
  }
}
