// The flags of `secagg train` for privacy by record (DP-SGD; spec/13-record-privacy.md), and what they set.

import ArgumentParser
import CommandLineKit
import DPAccountant
import Detector

/// Privacy for single images. Without `--dp-epsilon` and `--dp-noise-multiplier` there is none.
struct PrivacyArguments: ParsableArguments {
  @Option(help: "Train with privacy for single images: the noise is chosen so that all epochs together cost this epsilon at --dp-delta.")
  var dpEpsilon: Double?
  @Option(help: "Train with privacy for single images: deviation of the noise over the clip.") var dpNoiseMultiplier: Double?
  @Option(help: "The delta at which epsilon is stated.") var dpDelta = RecordPrivacyReport.deltaUsual
  @Option(help: "Largest norm of one image's gradient; with --dp-clip-quantile its first value.") var dpClip = 1.0
  @Option(help: "Let the clip follow the gradients, so that this share of them stays whole. Costs up to 0.5 % more noise.")
  var dpClipQuantile: Double?
  @Option(help: "Probability with which each image takes part in a step; an epoch is 1/rate steps.") var dpSamplingRate = 0.02
  @Option(help: "What the noised sum of gradients is divided by, in the place of the secret number of images; --batch-size unless stated.")
  var dpLotSize: Int?

  var isAsked: Bool { dpEpsilon != nil || dpNoiseMultiplier != nil }

  func validate() throws {
    func require(_ holds: Bool, _ text: String) throws { guard holds else { throw ValidationError(text) } }
    try require(dpEpsilon == nil || dpNoiseMultiplier == nil, "give --dp-epsilon or --dp-noise-multiplier, not both")
    try require(dpEpsilon.map { $0 > 0 && $0 <= 1000 } ?? true, "--dp-epsilon is above 0 and at most 1000")
    try require(dpDelta > 0 && dpDelta < 1, "--dp-delta is between 0 and 1")
    try require(
      dpNoiseMultiplier.map(RecordMechanism.noiseMultiplierRange.contains) ?? true, "--dp-noise-multiplier is between 0.01 and 1024")
    try require(RecordMechanism.samplingRateRange.contains(dpSamplingRate), "--dp-sampling-rate is between 1e-6 and 1")
    try require(
      dpClipQuantile.map(RecordMechanism.clipQuantileRange.contains) ?? true, "--dp-clip-quantile is between 0.01 and 0.99")
    try require(RecordPrivacy.clipRange.contains(dpClip), "--dp-clip is between 1e-6 and 1e6")
    try require(dpLotSize.map(RecordPrivacy.lotSizeRange.contains) ?? true, "--dp-lot-size is between 1 and 1000000")
  }

  /// - Parameter ownHyper: the hyper-parameters come from a file, whose mosaics are not switched off in silence.
  func apply(to settings: inout TrainingSettings, ownHyper: Bool) throws {
    guard isAsked else { return }
    settings.delta = dpDelta
    settings.options.privacy = RecordPrivacy(
      clip: dpClip, clipQuantile: dpClipQuantile, noiseMultiplier: dpNoiseMultiplier ?? 1, samplingRate: dpSamplingRate,
      lotSize: dpLotSize ?? settings.options.batchSize)
    if settings.fitsAnchors {
      settings.fitsAnchors = false
      Output.note("privacy  the anchors stay as they are: fitting them would look at all images")
    }
    if !ownHyper, settings.options.isAugmented { (settings.options.hyper.mosaic, settings.options.hyper.mixup) = (0, 0) }
    guard let dpEpsilon else { return }
    let multiplier = try calibrated(dpEpsilon, settings)
    settings.options.privacy?.noiseMultiplier = multiplier
  }

  private func calibrated(_ epsilon: Double, _ settings: TrainingSettings) throws -> Double {
    let steps = settings.options.epochs * (settings.options.privacy?.stepsPerEpoch ?? 1)
    do {
      // How many values are trained makes no difference to one discrete Gaussian.
      return try RecordMechanism.calibrated(
        epsilon: epsilon, delta: dpDelta, steps: steps, samplingRate: dpSamplingRate, clipQuantile: dpClipQuantile, dimension: 1
      ).noiseMultiplier
    } catch {
      throw CommandError(
        code: error.code.rawValue, what: "no noise keeps \(steps) steps within epsilon \(epsilon): \(error.reason)",
        hint: "allow more epsilon, fewer epochs, or a smaller --dp-sampling-rate", exit: .configuration)
    }
  }
}
