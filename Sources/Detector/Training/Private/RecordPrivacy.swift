// What privacy for single images asks of a run (spec/13-record-privacy.md): the numbers of its mechanism, and what it rules out.

/// Training with privacy for single images (DP-SGD; Abadi et al. 2016): each gradient is clipped, their sum is noised.
public struct RecordPrivacy: Equatable, Sendable, Codable {
  /// C: the largest L2 norm of one image's gradient; where `clipQuantile` is set, its first value.
  public var clip: Double
  /// The share of gradients that the clip is moved to leave whole; nil: the clip stays.
  public var clipQuantile: Double?
  /// Deviation of the noise over the sensitivity.
  public var noiseMultiplier: Double
  /// Probability with which each image takes part in a step.
  public var samplingRate: Double
  /// What the noised sum of gradients is divided by: a public constant in the place of the number of images in the
  /// step, which stays secret.
  public var lotSize: Int

  public static let clipRange = 1e-6...1e6
  public static let lotSizeRange = 1...1_000_000

  public init(clip: Double, clipQuantile: Double? = nil, noiseMultiplier: Double, samplingRate: Double, lotSize: Int) {
    (self.clip, self.clipQuantile, self.noiseMultiplier) = (clip, clipQuantile, noiseMultiplier)
    (self.samplingRate, self.lotSize) = (samplingRate, lotSize)
  }

  /// Steps that stand for an epoch: 1/q, rounded up. Nothing here depends on the number of images.
  public var stepsPerEpoch: Int { Int((1 / samplingRate).rounded(.up)) }
}

extension TrainingOptions {
  /// - Throws: `TrainingError.badJob` where a setting would let one image change more than its own clipped gradient.
  func validatePrivacy() throws(TrainingError) {
    guard hidesImages else { return }
    func require(_ holds: Bool, _ what: String, _ hint: String) throws(TrainingError) {
      guard holds else { throw TrainingError(.badJob, "privacy by record: \(what)", hint: hint) }
    }
    try require(privacy == nil || sharedGradients == nil, "noise is added here or by others", "take one form")
    let clip = privacy?.clip ?? sharedGradients?.clip ?? 0
    try require(RecordPrivacy.clipRange.contains(clip), "the clip is not between 1e-6 and 1e6", "1 is usual")
    try require(
      privacy.map { RecordPrivacy.lotSizeRange.contains($0.lotSize) } ?? true, "the lot size is not between 1 and 1000000", "16 is usual")
    try require(
      norm != .batch, "batch norms mix the images of a batch", "take norm group, or frozen with weights whose statistics are public")
    try require(
      !isAugmented || (hyper.mosaic == 0 && hyper.mixup == 0), "mosaics and mix-ups show one image in the samples of others",
      "set mosaic and mixup to 0 in the hyper-parameters")
    try require(!isImageWeighted, "image weights depend on all images", "leave image weights out")
    try require(!isRectangular, "batches of one shape depend on all images", "leave rect out")
    try require(!isMultiScale, "it has no multi-scale training yet", "leave multi-scale out")
  }
}
