// What `security.differential_privacy` of the operator's file asks for, and what it may not be combined with.

extension FederatedReader {
  func readPrivacy(_ section: ConfigSection, _ config: inout FederatedConfig) throws(FederationError) {
    config.privacy.enabled = try section.bool("enabled") ?? false
    config.privacy.epsilon = try section.double("epsilon", above: 0, most: 1000)
    config.privacy.delta = try section.double("delta", above: 0, below: 1)
    if let unit = try section.choice("unit", ["record", "site"]).flatMap(FederatedConfig.Privacy.Unit.init) { config.privacy.unit = unit }
    config.privacy.mechanism = try section.choice("mechanism", ["gaussian", "discrete_gaussian", "skellam"])
    config.privacy.clip = try section.double("clip", above: 0, most: 1e6)
    config.privacy.samplingRate = try section.double("sampling_rate", least: 1e-6, most: 1)
    config.privacy.clipQuantile = try section.double("clip_quantile", least: 0.01, most: 0.99)
    config.privacy.lotSize = try section.int("lot_size", in: 1...1_000_000)
    let forms = JobPlan.Privacy.Records.Form.allCases.map(\.rawValue)
    config.privacy.form = try section.choice("form", forms).flatMap(JobPlan.Privacy.Records.Form.init) ?? .local
    if config.privacy.enabled, config.privacy.unit == .record, config.privacy.form == .distributed { try readOneStep(section, &config) }
    guard config.privacy.enabled else { return }
    guard withoutPrivacy else {
      try requireBuilt(section, config)
      // Of more sites than the complete graph takes, some are drawn.
      if config.privacy.mechanism == "skellam" { config.aggregation.graph = .complete }
      return
    }
    config.privacyWaived = true
    config.warnings.append(
      "Differential privacy is asked for in \(document.file) and switched OFF by --without-privacy: no formal guarantee. "
        + "The server learns only sums, but what the sums and the models tell about single records is not bounded.")
  }

  /// Of privacy there is noise on the sums (unit `site`; unit `record`, form `distributed`) or in the trainers' steps (form `local`).
  private func requireBuilt(_ section: ConfigSection, _ config: FederatedConfig) throws(FederationError) {
    let instead = "or run with --without-privacy: then nothing but the masks protects a site, and every report says so"
    let mechanism = config.privacy.mechanism ?? "discrete_gaussian"
    guard ["discrete_gaussian", "skellam"].contains(mechanism) else {
      throw FederationError(
        .privacyNotBuilt, "this version adds discrete Gaussian or Skellam noise, no other", hint: "leave `mechanism` out, \(instead)",
        at: section.place("enabled"))
    }
    let isShared = config.privacy.unit == .site || config.privacy.form == .distributed
    guard mechanism != "skellam" || isShared else {
      throw section.conflict(
        "mechanism", "Skellam noise is what sites share, and in `form: local` a site's trainer adds the noise of its steps",
        hint: "leave `mechanism` out, or write `form: distributed`")
    }
    guard mechanism != "skellam" || config.aggregation.graph != .sparse else {
      throw section.conflict(
        "mechanism", "Skellam noise is taken out of sums over the complete graph only", hint: "leave `mechanism` out, or `graph: sparse`")
    }
    for key in ["sampling_rate", "clip_quantile", "lot_size", "form"] where config.privacy.unit == .site && section.has(key) {
      throw section.conflict(
        key, "`\(key)` is a setting of `unit: record`, and whole sites take part in every round",
        hint: "leave it out, or write `unit: record`")
    }
    for (key, value) in [("epsilon", config.privacy.epsilon), ("delta", config.privacy.delta)] where value == nil {
      throw section.conflict("enabled", "privacy without `\(key)`", hint: "write the most that the whole job may spend: epsilon and delta")
    }
    guard !config.training.validate else {
      throw section.conflict(
        "enabled", "with privacy the sites send no scores, and `training.validate` asks for them", hint: "set `validate: false`")
    }
    guard (config.training.freezeNormAfter ?? 0) == 0 else {
      throw section.conflict(
        "enabled", "with privacy the statistics of batch norms stay as they are, and `freeze_norm_after` trains them",
        hint: "leave it out, and begin with trained weights or a model with group norms")
    }
  }

  /// Where sites share the noise of gradients, a round is one step.
  private func readOneStep(_ section: ConfigSection, _ config: inout FederatedConfig) throws(FederationError) {
    guard config.privacy.clipQuantile == nil else {
      throw section.conflict(
        "clip_quantile", "in `form: distributed` the clip stays as it is", hint: "leave it out, or write `form: local`")
    }
    if section.document.root.mappingValue(["training", "local_epochs"]) == nil { config.training.localEpochs = 1 }
    guard config.training.localEpochs == 1, config.training.roundsPerEpoch == 1, config.training.optimizer == .sgd,
      config.training.serverMomentum == 0
    else {
      throw section.conflict(
        "form", "in `form: distributed` a round is one step of stochastic gradient descent with `momentum`",
        hint: "leave `local_epochs`, `rounds_per_epoch`, `optimizer` and `server_optimizer` out; `fed_rounds` is the number of steps")
    }
  }
}
