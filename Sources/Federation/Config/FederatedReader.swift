// Reading federated.yaml. A setting that the format knows and this version does not build is refused with its place; nothing is
// ever silently ignored.
import Yams

struct FederatedReader {
  let document: ConfigDocument
  let folder: String
  let withoutPrivacy: Bool

  func config() throws(FederationError) -> FederatedConfig {
    let top = try ConfigSection(document, document.root, path: "", keys: FederatedKeys.top, elsewhere: FederatedKeys.homes)
    var config = FederatedConfig(server: try server(top))
    if let job = try top.string("job", bytesMax: 128) {
      guard job.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._\-]*/) != nil else {
        throw top.rangeError("job", "letters, digits, '.', '_' and '-'", hint: "it names files: write it like garments-2026")
      }
      config.job = job
    }
    config.data = try top.string("data").map { resolved($0, in: folder) }
    try readModel(top, &config.model)
    try readTraining(top, &config.training)
    try readSecurity(top, &config)
    try readCommunication(top, &config)
    try refuseLater(top)
    return config
  }

  private func refuseLater(_ top: ConfigSection) throws(FederationError) {
    _ = try top.choice("selection", ["all"], later: ["random", "fraction", "available"])
    for (key, instead) in [
      ("store", "the files of `server.state_directory`: leave `store` out"), ("dashboard", "the event log: leave `dashboard` out"),
      ("spool", "none: leave `spool` out"),
    ] where top.has(key) {
      throw top.notBuilt(key, key, instead: instead)
    }
  }

  private func server(_ top: ConfigSection) throws(FederationError) -> FederatedConfig.Server {
    let section = try top.section("server", keys: FederatedKeys.server, elsewhere: FederatedKeys.homes)
    func path(_ key: String, _ standard: String) throws(FederationError) -> String {
      resolved(try section?.string(key) ?? standard, in: folder)
    }
    return FederatedConfig.Server(
      identity: try path("identity", "identity"), roster: try path("roster", "roster.json"),
      consortiumKey: try path("consortium_key", "consortium.pub"), stateDirectory: try path("state_directory", "state"),
      threads: try section?.int("threads", in: 1...1024))
  }

  private func readModel(_ top: ConfigSection, _ model: inout FederatedConfig.Model) throws(FederationError) {
    guard let section = try top.section("model", keys: FederatedKeys.model, elsewhere: FederatedKeys.homes) else { return }
    model.name = try section.choice("name", ["yolov5n", "yolov5s", "yolov5m", "yolov5l", "yolov5x"], later: Self.laterModels) ?? model.name
    model.weights = try section.string("weights").map { resolved($0, in: folder) }
    if let size = try section.int("image_size", in: 32...2048) {
      guard size % 32 == 0 else {
        throw section.rangeError(
          "image_size", "a multiple of 32", hint: "the coarsest grid has one cell for 32 pixels; try \(size / 32 * 32 + 32)")
      }
      model.imageSize = size
    }
    guard let node = section.value("classes") else { return }
    if case .sequence = node {
      let names = try section.strings("classes", countMax: 1000) ?? []
      guard !names.isEmpty, Set(names).count == names.count else {
        throw section.rangeError("classes", "at least one name, each once", hint: "list every class name once")
      }
      model.classes = .names(names)
    } else {
      model.classes = try section.int("classes", in: 1...1000).map(FederatedConfig.Model.Classes.count)
    }
  }

  private static let laterModels =
    ["n", "s", "m", "l", "x"].flatMap { ["yolov5\($0)-seg", "yolov5\($0)-cls"] }

  private func readTraining(_ top: ConfigSection, _ training: inout FederatedConfig.Training) throws(FederationError) {
    guard let section = try top.section("training", keys: FederatedKeys.training, elsewhere: FederatedKeys.homes) else { return }
    training.rounds = try section.int("fed_rounds", in: 1...100_000) ?? training.rounds
    try readEpochs(section, &training)
    training.batchSize = try section.int("batch_size", in: 1...4096) ?? training.batchSize
    training.nominalBatch = try section.int("nominal_batch", in: 1...65_536) ?? training.nominalBatch
    training.learningRate = try section.double("learning_rate", above: 0, most: 10) ?? training.learningRate
    training.momentum = try section.double("momentum", least: 0, below: 1) ?? training.momentum
    training.weightDecay = try section.double("weight_decay", least: 0, most: 1) ?? training.weightDecay
    training.warmupEpochs = try section.double("warmup_epochs", least: 0, most: 1000) ?? training.warmupEpochs
    training.finalLearningRateFraction =
      try section.double("final_lr_fraction", above: 0, most: 1) ?? training.finalLearningRateFraction
    training.cosine = try section.bool("cosine") ?? training.cosine
    training.augment = try section.bool("augment") ?? training.augment
    training.validate = try section.bool("validate") ?? training.validate
    training.freezeNormAfter = try section.int("freeze_norm_after", in: 0...training.rounds)
    training.seed = UInt64(try section.int("seed", in: 0...Int.max) ?? 0)
    let optimizer = try section.choice("optimizer", JobPlan.Optimizer.allCases.map(\.rawValue), later: ["adam"])
    training.optimizer = optimizer.flatMap(JobPlan.Optimizer.init(rawValue:)) ?? training.optimizer
    try readServerOptimizer(section, &training)
    if let prox = try section.double("prox", least: 0, most: 1000), prox > 0 {
      throw section.notBuilt("prox", "prox: \(prox)", instead: "`prox: 0`, which is FedAvg")
    }
  }

  private func readEpochs(_ section: ConfigSection, _ training: inout FederatedConfig.Training) throws(FederationError) {
    let epochs = try section.int("local_epochs", in: 1...10_000)
    training.roundsPerEpoch = try section.int("rounds_per_epoch", in: 1...1024) ?? training.roundsPerEpoch
    guard training.roundsPerEpoch == 1 || (epochs ?? 1) == 1 else {
      throw section.conflict(
        "rounds_per_epoch", "a round trains on whole epochs (`local_epochs`) or on a part of one (`rounds_per_epoch`), not on both",
        hint: "leave `local_epochs` out")
    }
    training.localEpochs = epochs ?? (training.roundsPerEpoch > 1 ? 1 : training.localEpochs)
  }

  private func readServerOptimizer(_ section: ConfigSection, _ training: inout FederatedConfig.Training) throws(FederationError) {
    let name = try section.choice("server_optimizer", ["fedavg", "fedavgm"], later: ["fedadagrad", "fedadam", "fedyogi"])
    let momentum = try section.double("server_momentum", above: 0, below: 1)
    guard name == "fedavgm" else {
      guard momentum == nil else {
        throw section.conflict(
          "server_momentum", "`server_momentum` is a setting of `server_optimizer: fedavgm`", hint: "write both, or leave both out")
      }
      return
    }
    guard training.batchNormRounds < training.rounds else {
      throw section.conflict(
        "server_optimizer", "the server's momentum acts in rounds with frozen statistics, and this job has none",
        hint: "let `freeze_norm_after` be below `fed_rounds`, or take `fedavg`")
    }
    training.serverMomentum = momentum ?? 0.9
  }

  private func readSecurity(_ top: ConfigSection, _ config: inout FederatedConfig) throws(FederationError) {
    guard let security = try top.section("security", keys: FederatedKeys.security, elsewhere: FederatedKeys.homes) else { return }
    if let section = try security.section("aggregation", keys: FederatedKeys.aggregation, elsewhere: FederatedKeys.homes) {
      try readAggregation(section, &config)
    }
    if let section = try security.section("differential_privacy", keys: FederatedKeys.privacy, elsewhere: FederatedKeys.homes) {
      try readPrivacy(section, &config)
    }
  }

  private func readAggregation(_ section: ConfigSection, _ config: inout FederatedConfig) throws(FederationError) {
    config.aggregation.minimumSites = try section.int("min_sites", in: 3...10_000) ?? config.aggregation.minimumSites
    config.aggregation.colluders = try section.int("colluders", in: 0...9_999)
    config.aggregation.bits = try section.int("bits", in: 8...32) ?? config.aggregation.bits
    config.aggregation.parameterRange = try section.double("parameter_range", above: 0, most: 1e6) ?? config.aggregation.parameterRange
    config.aggregation.statisticsRange = try section.double("statistics_range", above: 0, most: 1e6) ?? config.aggregation.statisticsRange
    if let graph = try section.choice("graph", FederatedConfig.Aggregation.Graph.allCases.map(\.rawValue)) {
      config.aggregation.graph = FederatedConfig.Aggregation.Graph(rawValue: graph) ?? .auto
    }
    config.aggregation.dropoutRate = try section.double("dropout_rate", above: 0, most: 0.5) ?? config.aggregation.dropoutRate
  }

  private func readCommunication(_ top: ConfigSection, _ config: inout FederatedConfig) throws(FederationError) {
    guard let section = try top.section("communication", keys: FederatedKeys.communication, elsewhere: FederatedKeys.homes) else { return }
    if let text = try section.string("listen") {
      guard let address = HostPort(text) else {
        throw section.rangeError("listen", "host:port", hint: "write it like 0.0.0.0:7443, [::]:7443 or 127.0.0.1:0")
      }
      config.communication.listen = address
    }
    config.communication.chunkBytes = try section.int("chunk_bytes", in: 4096...1_048_576) ?? config.communication.chunkBytes
    config.communication.attempts = try section.int("attempts", in: 1...100) ?? config.communication.attempts
    try readDeadlines(section, &config.communication.deadlines)
    if let compression = try section.bool("compression"), !compression {
      if section.document.root.mappingValue(["security", "aggregation", "bits"]) != nil, config.aggregation.bits != 32 {
        throw section.conflict(
          "compression", "`compression: false` sends whole 32-bit words, and `security.aggregation.bits` is \(config.aggregation.bits)",
          hint: "leave one of the two out")
      }
      (config.communication.compression, config.aggregation.bits) = (false, 32)
    }
    if let encryption = try section.bool("encryption"), !encryption {
      guard config.communication.listen.isLoopback else {
        throw section.conflict(
          "encryption", "`encryption: false` is for this machine alone, and the server listens on \(config.communication.listen)",
          hint: "listen on 127.0.0.1, or leave encryption on")
      }
      config.communication.encryption = false
      config.warnings.append("Encryption is OFF: every program on this machine can read and change what is sent. For experiments only.")
    }
  }

  private func readDeadlines(_ communication: ConfigSection, _ deadlines: inout FederatedConfig.Deadlines) throws(FederationError) {
    guard let section = try communication.section("deadlines", keys: FederatedKeys.deadlines, elsewhere: FederatedKeys.homes) else {
      return
    }
    func seconds(_ key: String, _ standard: Double) throws(FederationError) -> Double {
      try section.double(key, least: 0.1, most: 604_800) ?? standard
    }
    deadlines.join = try seconds("join", deadlines.join)
    deadlines.plan = try seconds("plan", deadlines.plan)
    deadlines.keys = try seconds("keys", deadlines.keys)
    deadlines.shares = try seconds("shares", deadlines.shares)
    deadlines.acknowledge = try seconds("acknowledge", deadlines.acknowledge)
    deadlines.maskedInput = try seconds("masked_input", deadlines.maskedInput)
    deadlines.consistency = try seconds("consistency", deadlines.consistency)
    deadlines.reveal = try seconds("reveal", deadlines.reveal)
  }
}
