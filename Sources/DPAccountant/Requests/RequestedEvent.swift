// The event that a request speaks of. What a mechanism needs must be there, what it has no use for must not: a parameter that was silently
// ignored would be a wrong account.

extension AccountingRequest {
  /// The relation that the request is about.
  var neighbours: NeighbourRelation { relation ?? (sampling == .withoutReplacement && isSampled ? .replace : .addOrRemove) }

  private var isSampled: Bool { samplingRate != nil || sampleSize != nil || populationSize != nil }

  /// All releases together. `noise` stands for the noise multiplier (the scale of Laplace noise) where that is looked for.
  /// - Throws: `.malformedRequest` where a parameter is missing or out of place, `.parameterOutOfRange`.
  func event(noise: Double? = nil) throws(AccountingError) -> NoiseEvent {
    .repeated(try sampled(try release(noise)), count: steps ?? 1)
  }

  /// One release.
  func oneStep() throws(AccountingError) -> NoiseEvent { try sampled(try release(nil)) }

  private func release(_ noise: Double?) throws(AccountingError) -> NoiseEvent {
    switch mechanism {
    case .gaussian:
      try allow("noise_multiplier")
      return .gaussian(noiseMultiplier: try need(noise ?? noiseMultiplier, "noise_multiplier"))
    case .laplace:
      try allow("scale", "noise_multiplier")
      return .laplace(noiseMultiplier: try need(noise ?? scale ?? noiseMultiplier, "scale"))
    case .treeAggregation:
      try allow("noise_multiplier", "step_counts")
      return .treeAggregation(
        noiseMultiplier: try need(noise ?? noiseMultiplier, "noise_multiplier"), stepCounts: try need(stepCounts, "step_counts"))
    case .bandedMatrixFactorisation:
      try allow("noise_multiplier", "matrix_steps", "coefficients", "separation", "participations", "groups")
      return .bandedMatrixFactorisation(
        BandedMatrixFactorisation(
          noiseMultiplier: try need(noise ?? noiseMultiplier, "noise_multiplier"), steps: try need(matrixSteps, "matrix_steps"),
          coefficients: try need(coefficients, "coefficients"), participation: try participation()))
    case .discreteGaussian:
      try allow("variance", "sensitivity")
      return .discreteGaussian(variance: try need(variance, "variance"), sensitivity: sensitivity ?? 1)
    case .discreteGaussianSum:
      try allow("variance", "count", "l2", "l1", "dimension")
      let (l2, dimension) = (try need(self.l2, "l2"), dimension ?? 1)
      return .discreteGaussianSum(
        DiscreteGaussianSum(
          variance: try need(variance, "variance"), count: count ?? 1, l2: l2, l1: l1 ?? largestL1(l2, dimension), dimension: dimension))
    case .skellam:
      try allow("variance", "l2", "l1", "dimension")
      let l2 = try need(self.l2, "l2")
      guard let l1 = l1 ?? dimension.map({ largestL1(l2, $0) }) else { throw AccountingError(.malformedRequest, "`l1` is missing") }
      return .skellam(SkellamNoise(variance: try need(variance, "variance"), l2: l2, l1: l1))
    }
  }

  /// Groups that are sampled, or steps far apart: one of both.
  private func participation() throws(AccountingError) -> BandedMatrixFactorisation.Participation {
    guard sampling == .poisson, sampleSize == nil, populationSize == nil else {
      throw AccountingError(.unsupportedEvent, "the groups of a banded matrix are accounted for with Poisson sampling only")
    }
    guard let groups else {
      guard samplingRate == nil else {
        throw AccountingError(.malformedRequest, "`sampling_rate` needs `groups` here: records are sampled within public groups")
      }
      return .separated(separation: try need(separation, "separation"), atMost: try need(participations, "participations"))
    }
    guard separation == nil, participations == nil else {
      throw AccountingError(.malformedRequest, "`groups` excludes `separation` and `participations`")
    }
    return .sampledGroups(groups: groups, samplingRate: try need(samplingRate, "sampling_rate"))
  }

  /// Δ₁ ≤ Δ₂·min(√d, Δ₂) for integer vectors, rounded up.
  private func largestL1(_ l2: Double, _ dimension: Int) -> Double {
    guard dimension > 0, l2.isFinite else { return l2 }
    return l2 * min(Double(dimension).squareRoot().nextUp, max(l2, 1)) * (1 + 4 * Double.ulpOfOne)
  }

  private func sampled(_ event: NoiseEvent) throws(AccountingError) -> NoiseEvent {
    // Its sampling is a part of it.
    if mechanism == .bandedMatrixFactorisation { return event }
    var rate = samplingRate
    if sampleSize != nil || populationSize != nil {
      guard rate == nil, sampling == .withoutReplacement else {
        throw AccountingError(
          .malformedRequest, "`sample_size` and `population_size` are for sampling without_replacement, without `sampling_rate`")
      }
      let (sample, population) = (try need(sampleSize, "sample_size"), try need(populationSize, "population_size"))
      guard sample >= 0, population > 0, sample <= population else {
        throw AccountingError(.parameterOutOfRange, "a sample is no larger than its population")
      }
      rate = min(1, (Double(sample) / Double(population)).nextUp)
    }
    guard let rate else { return event }
    switch sampling {
    case .poisson: return rate == 1 ? event : .poissonSampled(samplingRate: rate, event)
    case .withoutReplacement: return .sampledWithoutReplacement(samplingRate: rate, event)
    }
  }

  private func need<Value>(_ value: Value?, _ name: String) throws(AccountingError) -> Value {
    guard let value else { throw AccountingError(.malformedRequest, "`\(name)` is missing") }
    return value
  }

  /// Of the parameters that describe noise, only these may be given.
  private func allow(_ names: String...) throws(AccountingError) {
    let given: [(String, Bool)] = [
      ("noise_multiplier", noiseMultiplier != nil), ("scale", scale != nil), ("variance", variance != nil),
      ("sensitivity", sensitivity != nil), ("l2", l2 != nil), ("l1", l1 != nil), ("count", count != nil), ("dimension", dimension != nil),
      ("step_counts", stepCounts != nil), ("matrix_steps", matrixSteps != nil), ("coefficients", coefficients != nil),
      ("separation", separation != nil), ("participations", participations != nil), ("groups", groups != nil),
    ]
    for (name, isGiven) in given where isGiven && !names.contains(name) {
      throw AccountingError(.malformedRequest, "`\(name)` is no parameter of \(mechanism.rawValue)")
    }
  }
}
