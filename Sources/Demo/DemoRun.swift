// The demo from its first file to its report: data, consortium, comparisons, the federated job, the figures. Everything that a consortium
// would do, it does through the same programs.
import CommandLineKit
import Detector
import Federation
import Foundation
import Safetensors

public struct DemoRun: Sendable {
  private let options: DemoOptions
  private let plan: DemoPlan
  private let folder: DemoFolder

  public init(_ options: DemoOptions) throws {
    guard (3...20).contains(options.sites) else { throw DemoError(.badOption, "--sites takes 3 to 20") }
    guard options.rounds.map({ (1...1000).contains($0) }) ?? true else { throw DemoError(.badOption, "--rounds takes 1 to 1000") }
    guard options.drop >= 0, options.drop <= 1 || options.drop < options.sites else {
      throw DemoError(.badOption, "--drop takes a number of sites, fewer than there are")
    }
    guard options.dataFolders.isEmpty || options.dataFolders.count >= 3 else {
      throw DemoError(.badOption, "--data wants one folder a site, at least three")
    }
    var options = options
    if !options.dataFolders.isEmpty { options.sites = options.dataFolders.count }
    self.options = options
    plan = try DemoPlan.resolved(options)
    folder = DemoFolder(root: URL(fileURLWithPath: options.outputFolder).standardizedFileURL.path)
  }

  /// Runs everything. Prints as it goes on standard error; the last lines name the report and the next command.
  public func run() async throws {
    let clock = ContinuousClock.now
    let interruption = Interruption()
    defer { interruption.end() }
    try checkPrograms()
    try folder.prepare()

    Output.note("data: \(plan.sites) sites, seed \(options.seed)")
    let sites = try makeData()
    try writeComparisonData(sites)
    try await writeInitialWeights()

    let curves = try await compare(sites)
    let start = try await startScore()
    let (rounds, drops) = try await federate(sites, centralised: curves[0].last)

    #if SECAGG_ORACLE
      try Self.compareSums()
    #endif

    let last = folder.server + "/state/weights/latest.safetensors"
    try FileManager.default.copyItem(
      atPath: URL(fileURLWithPath: last).resolvingSymlinksInPath().path, toPath: folder.federatedWeights)

    let seconds = (ContinuousClock.now - clock).components
    let total = Double(seconds.seconds) + Double(seconds.attoseconds) * 1e-18
    var summary = try summarise(sites, curves, rounds, drops, total)
    summary.start = start
    try summary.write(to: folder.summary)
    let report = DemoReport(
      summary: summary, plan: plan, rounds: rounds, drops: drops, centralised: curves[0], locals: Array(curves.dropFirst()),
      siteNames: sites.map(\.name))
    try report.html().write(toFile: folder.report, atomically: true, encoding: .utf8)
    conclude(summary)
  }

  #if SECAGG_ORACLE
    /// Test builds only, where the environment asks for it: every unmasked sum against the plain sum of its survivors' integers.
    private static func compareSums() throws {
      guard let oracle = SumOracle.fromEnvironment else { return }
      let verdicts = try oracle.verify()
      let differences = verdicts.reduce(0) { $0 + $1.differences }
      Output.note(
        "oracle: \(verdicts.count) sums of \(verdicts.reduce(0) { $0 + $1.coordinates }) words, \(differences) differ from the plain sums")
      guard differences == 0, !verdicts.isEmpty else { throw DemoError(.wrongSum, "\(differences) words of the sums are wrong") }
    }
  #endif

  private var secagg: String { options.programFolder + "/secagg" }

  private func checkPrograms() throws(DemoError) {
    for name in ["secagg", "secagg-server", "secagg-client", "secagg-trainer", "secagg-roster"] {
      guard FileManager.default.isExecutableFile(atPath: options.programFolder + "/" + name) else {
        throw DemoError(.missingProgram, "\(options.programFolder)/\(name) is not there")
      }
    }
  }
}

// MARK: - Data and comparisons

extension DemoRun {
  private func makeData() throws -> [SiteData] {
    guard !options.dataFolders.isEmpty else {
      return try GarmentScenes.write(
        to: folder.data, sites: plan.sites, training: plan.trainingScenes, validation: plan.validationScenes, seed: options.seed,
        leavesPublic: plan.privacy != nil)
    }
    return try options.dataFolders.enumerated().map { index, path in
      let yaml = URL(fileURLWithPath: path).standardizedFileURL.path + "/data.yaml"
      let training = try Dataset(yaml: yaml, split: .train)
      let bytes = training.imagePaths.reduce(0) { sum, image in
        sum + ((try? FileManager.default.attributesOfItem(atPath: image)[.size] as? Int) ?? nil ?? 0)
      }
      return SiteData(name: "site \(index + 1)", yaml: yaml, trainingImages: training.imagePaths.count, trainingBytes: bytes)
    }
  }

  /// pooled.yaml (all of everything) and local-i.yaml (one site's training images, everybody's validation images).
  private func writeComparisonData(_ sites: [SiteData]) throws {
    let described = try sites.map { try DatasetDescription(yaml: $0.yaml) }
    guard Set(described.map(\.names)).count == 1 else {
      throw DemoError(.dataMissing, "the sites' data.yaml files do not name the same classes")
    }
    let names = described[0].names
    let validation = described.flatMap(\.validationPaths)
    try GarmentScenes.yaml(train: described.flatMap(\.trainingPaths), val: validation, names: names)
      .write(toFile: folder.pooledData, atomically: true, encoding: .utf8)
    for (index, site) in described.enumerated() {
      try GarmentScenes.yaml(train: site.trainingPaths, val: validation, names: names)
        .write(toFile: folder.local(index + 1), atomically: true, encoding: .utf8)
    }
  }

  private func writeInitialWeights() async throws {
    if plan.privacy != nil, options.dataFolders.isEmpty { return try await trainOnPublicScenes() }
    let classes = try DatasetDescription(yaml: folder.pooledData).names.count
    var spec = ModelSpec.yolov5n(classes: classes)
    if plan.privacy != nil { spec.norm = .group }
    try Network(spec: spec, seed: options.seed, threads: 1).safetensors().write(path: folder.initialWeights)
  }

  /// Noise is less than learning from nothing costs: with privacy the job begins with weights of scenes that are nobody's secret.
  private func trainOnPublicScenes() async throws {
    Output.note("public: \(plan.publicScenes) scenes of garments that no site has, \(plan.publicEpochs) epochs, group norms")
    try GarmentScenes.writePublic(to: folder.data, scenes: plan.publicScenes, seed: options.seed)
    _ = try await ChildProcess.output(
      of: secagg,
      [
        "train", "--data", folder.publicData, "--weights", "", "--cfg", "yolov5n", "--norm", "group", "--img", "\(plan.imageSize)",
        "--epochs", "\(plan.publicEpochs)", "--batch-size", "8", "--nominal-batch", "8", "--optimizer", "AdamW", "--lr0", "0.002",
        "--momentum", "0.9", "--weight-decay", "0.01", "--seed", "\(options.seed)", "--noautoanchor", "--noplots",
        "--val-period", "\(plan.publicEpochs)", "--project", folder.root, "--name", "public-training",
      ], workFolder: folder.logs, atMost: .infinity)
    try FileManager.default.copyItem(atPath: folder.publicRun + "/weights/last.safetensors", toPath: folder.initialWeights)
  }

  private func compare(_ sites: [SiteData]) async throws -> [Curve] {
    let images = sites.reduce(0) { $0 + $1.trainingImages }
    Output.note("comparisons: \(images) training images, \(plan.epochs) epochs, once centrally and once at each site alone")
    let bar = ProgressBar("comparisons", total: plan.epochs * (plan.sites + 1))
    let baselines = Baselines(
      program: secagg, plan: plan, seed: options.seed, initialWeights: folder.initialWeights, folder: folder.baselines)
    let jobs =
      [BaselineJob(name: "centralised", data: folder.pooledData)]
      + (1...plan.sites).map { BaselineJob(name: "site-\($0)", data: folder.local($0)) }
    let box = ProgressBox(bar)
    let curves = try await baselines.run(jobs) { done, _, note in box.update(done, note) }
    bar.finish()
    for curve in curves {
      if let score = curve.last {
        Output.note("  \(curve.name): mAP@0.5 \(Text.fixed(score.map50, 3)), mAP@0.5:0.95 \(Text.fixed(score.map, 3))")
      }
    }
    return curves
  }
}

// MARK: - Federated

extension DemoRun {
  /// What the public weights score before any site has trained; nil without privacy, where the weights are random.
  private func startScore() async throws -> Score? {
    guard plan.privacy != nil else { return nil }
    let text = try await ChildProcess.output(
      of: secagg,
      [
        "val", "--weights", folder.initialWeights, "--data", folder.pooledData, "--img", "\(plan.imageSize)", "--batch-size", "32",
        "--json",
        "--project", folder.baselines, "--name", "start",
      ], workFolder: folder.logs)
    let score = try JSONDecoder().decode(Score.self, from: Data(text.utf8))
    Output.note("  weights of public scenes: mAP@0.5 \(Text.fixed(score.map50, 3))")
    return score
  }
}

extension DemoRun {
  private func federate(_ sites: [SiteData], centralised: Score?) async throws -> ([RoundRecord], [DropRecord]) {
    let consortium = Consortium(options: options, plan: plan, folder: folder)
    let commands = try await consortium.prepare(sites)
    Output.note(
      "federated: a server and \(plan.sites) sites, \(plan.rounds) rounds, \(plan.epochs) local epochs, over gRPC with mutual TLS")
    let run = FederatedRun(commands: commands, plan: plan, kill: victims(), centralised: centralised)
    let rounds = try await run.run()
    return (rounds, run.drops)
  }

  /// Which sites are killed, and in which rounds: spread over the middle of the job.
  private func victims() -> [(round: Int, site: Int)] {
    guard plan.rounds > 1 else { return [] }
    return (0..<options.drop).map { index in
      let round = max(1, plan.rounds * (index + 1) / (options.drop + 1))
      return (round: min(round, plan.rounds - 1), site: (2 + index) % plan.sites + 1)
    }
  }

  private func summarise(
    _ sites: [SiteData], _ curves: [Curve], _ rounds: [RoundRecord], _ drops: [DropRecord], _ total: Double
  ) throws -> Summary {
    guard let last = rounds.last, let federated = last.score, let centralised = curves[0].last else {
      throw DemoError(.dataMissing, "the job ended without a score")
    }
    let layout = try WeightsLayout(SafetensorsFile.read(path: folder.initialWeights))
    let locals = curves.dropFirst().compactMap(\.last)
    let masking = rounds.reduce(0) { $0 + $1.secureAggregationSeconds }
    return Summary(
      sites: plan.sites, rounds: rounds.count, localEpochs: plan.epochs(after: 1), seed: options.seed, quick: options.quick,
      dropped: rounds.reduce(0) { $0 + $1.dropped.count },
      drops: drops.map { .init(site: $0.site, round: $0.round, returnedInRound: $0.returnedInRound) },
      federated: federated, centralised: centralised, localOnly: .init(map50: locals.map(\.map50), map: locals.map(\.map)),
      bytes: .init(
        upPerSiteRound: Self.median(rounds.flatMap(\.bytesUp)), downPerSiteRound: Self.median(rounds.flatMap(\.bytesDown)),
        float32Update: 4 * (layout.parameterCount + layout.statisticCount), rawDataset: sites.reduce(0) { $0 + $1.trainingBytes }),
      seconds: .init(
        training: rounds.reduce(0) { $0 + $1.seconds } - masking, secureAggregation: masking, total: (total * 10).rounded() / 10),
      privacy: plan.privacy.map { .init(epsilon: last.epsilon, delta: $0.delta, unit: $0.unit.rawValue) })
  }

  private static func median(_ values: [Int]) -> Int {
    values.isEmpty ? 0 : values.sorted()[values.count / 2]
  }

  private func conclude(_ summary: Summary) {
    let best = summary.localOnly.map50.max() ?? 0
    Output.line("")
    Output.line(
      "federated mAP@0.5 \(Text.fixed(summary.federated.map50, 3)); centralised \(Text.fixed(summary.centralised.map50, 3)); "
        + "best site alone \(Text.fixed(best, 3))")
    if let privacy = summary.privacy, let epsilon = privacy.epsilon, let delta = privacy.delta {
      Output.line(
        "privacy of one image of one site: epsilon \(Text.fixed(epsilon, 3)) at delta \(delta) for what "
          + (plan.sharesNoise ? "the server learnt" : "its site sent") + "; the server keeps no ledger yet"
      )
    } else {
      Output.line("no formal guarantee: the demo adds no noise, and the server keeps no ledger yet")
    }
    Output.line("summary  \(folder.summary)")
    Output.line("report   \(folder.report)")
    Output.line(
      "next     \(secagg) val --weights \(folder.federatedWeights) --data \(folder.pooledData) --img \(plan.imageSize)")
  }
}

/// A progress bar that the comparison's callback may call: calls come one after the other.
private final class ProgressBox: @unchecked Sendable {
  private let bar: ProgressBar
  init(_ bar: ProgressBar) { self.bar = bar }
  func update(_ count: Int, _ note: String) { bar.update(count, note: note) }
}

/// While the demo runs, an interrupt ends its children first.
private final class Interruption {
  private var sources: [any DispatchSourceSignal] = []

  init() {
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        ChildProcess.killAll()
        _exit(128 + number)
      }
      source.resume()
      sources.append(source)
    }
  }

  func end() {
    ChildProcess.killAll()
    for source in sources { source.cancel() }
  }
}
