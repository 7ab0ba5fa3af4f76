// `secagg audit-privacy`: trains a run's recipe once more with canaries among its records, guesses from the noised sums which of them are
// in, and prints the lower bound on epsilon that so many right guesses prove, beside the upper bound that is claimed (spec/14-auditing.md).

import ArgumentParser
import CommandLineKit
import DPAccountant
import Detector
import Foundation

struct AuditPrivacy: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit-privacy", abstract: "Attack the privacy of a run's recipe, and compare with what it claims.",
    discussion: """
      FOLDER is that of a run that was trained with --dp-epsilon or --dp-noise-multiplier. Its recipe is trained once more, for as many \
      epochs unless stated, with canaries that take part or not by secret coins. The adversary sees every noised step. A lower bound above \
      the claim means that the noise is not what was accounted (exit status 1); one below it shows nothing but that this attack did not \
      find a fault.
      """)

  @Argument(help: "Folder of the run.") var folder: String
  @Option(help: "Canaries; half of them take part.") var canaries = 1000
  @Option(help: "Epochs to train; as many as the run's where nothing is said.") var epochs: Int?
  @Option(help: "Probability with which a lower bound that is printed holds.") var confidence = 0.95
  @Option(help: "Threads of the network.") var threads = min(max(ProcessInfo.processInfo.activeProcessorCount, 1), 16)
  @Flag(help: "Print the result as JSON on standard output.") var json = false

  func validate() throws {
    guard (10...1_000_000).contains(canaries) else { throw ValidationError("--canaries is 10 to 1000000") }
    guard epochs.map({ $0 >= 1 }) ?? true else { throw ValidationError("--epochs is at least 1") }
    guard confidence > 0.5, confidence < 1 else { throw ValidationError("--confidence is between 0.5 and 1") }
  }

  struct Report: Encodable {
    var epsilonLower: Double
    var epsilonLowerMost: Double
    var epsilonUpper: Double?
    var delta: Double
    var confidence: Double
    var canaries: Int
    /// How many guesses were to be tried, chosen before the secret coins were looked at, and what the best of them gave.
    var guessCounts: [Int]
    var guesses: Int
    var correct: Int
    var steps: Int
    var holds: Bool

    enum CodingKeys: String, CodingKey {
      case guessCounts = "guess_counts"
      case delta, confidence, canaries, guesses, correct, steps, holds
      case epsilonLower = "epsilon_lower"
      case epsilonLowerMost = "epsilon_lower_most"
      case epsilonUpper = "epsilon_upper"
    }
  }

  func run() throws {
    let found = try RunFolder(existing: folder)
    let claim = try RecordPrivacyReport.read(path: found.privacy)
    var settings = try TrainingSettings(ofRun: found, claim)
    settings.options.threads = threads
    if let epochs { settings.options.epochs = epochs }
    let training = try trained(settings)
    guard let mechanism = training.mechanism, let attack = training.canaries else { preconditionFailure("a recipe with privacy") }
    let steps = training.nextEpoch * training.batchesPerEpoch
    let upper = try? mechanism.epsilon(steps: steps, delta: claim.delta)
    let audit = try OneRunAudit(
      canaries: attack.canaries.map { ($0.score, $0.isIn) }, delta: claim.delta, confidence: confidence)
    let report = Report(
      epsilonLower: audit.lowerBound, epsilonLowerMost: audit.largestPossible, epsilonUpper: upper, delta: claim.delta,
      confidence: confidence, canaries: canaries, guessCounts: audit.guessCounts, guesses: audit.guesses, correct: audit.correct,
      steps: steps,
      holds: audit.lowerBound <= upper ?? .infinity)
    if json { try JSONOutput.object(report) } else { show(report) }
    guard report.holds else { throw ExitCode(ExitStatus.checkedFalse.rawValue) }
  }

  private func trained(_ settings: TrainingSettings) throws -> TrainingRun {
    let source = try DatasetTrainingSource(data: settings.data, options: settings.options)
    var model = ModelArguments()
    (model.weights, model.cfg, model.norm) = (settings.weights, settings.cfg, settings.options.norm)
    let network = try model.network(classes: source.classCount, seed: settings.options.seed, threads: threads)
    let training = try TrainingRun(network: network, source: source, options: settings.options, keepsAverage: false)
    guard let mechanism = training.mechanism, mechanism.dimension >= canaries else {
      throw ValidationError("--canaries is at most the number of trained values")
    }
    training.canaries = GradientCanaries(count: canaries, dimension: mechanism.dimension)
    let bar = ProgressBar("audit   ", total: settings.options.epochs * training.batchesPerEpoch)
    try training.train(
      epochs: settings.options.epochs, onBatch: { bar.update($0.done, note: "epoch \($0.epoch.epoch + 1)") }, onEpoch: { _ in })
    bar.finish(note: "\(canaries) canaries")
    return training
  }

  private func show(_ report: Report) {
    Output.line(
      "guessed       \(report.correct) of \(report.guesses) right, of \(report.canaries) canaries in \(report.steps) steps")
    Output.line(
      "lower bound   epsilon \(DecimalText.roundedDown(report.epsilonLower, digits: 3)) at delta \(report.delta), with "
        + "\(Text.fixed(report.confidence * 100, 1)) % "
        + "confidence; the audit could show \(Text.fixed(report.epsilonLowerMost, 2)) at most")
    Output.line("upper bound   epsilon " + (report.epsilonUpper.map { Text.fixed($0, 3) } ?? "without limit") + ", as accounted")
    Output.line(
      report.holds
        ? "the attack found nothing that contradicts the claim"
        : "THE CLAIM IS FALSE: more is known of the canaries than the accounted noise allows")
  }
}
