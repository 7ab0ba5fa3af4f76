// The consortium as its members would make it, through the same programs: an offline key, enrolment requests, a signed roster, and one
// configuration a party. Every site pins the consortium's key; nobody takes a key from the server.
import CommandLineKit
import Detector
import Foundation

struct Consortium: Sendable {
  let options: DemoOptions
  let plan: DemoPlan
  let folder: DemoFolder

  private var rosterFile: String { folder.consortium + "/roster.json" }
  private func program(_ name: String) -> String { options.programFolder + "/" + name }

  /// Makes keys, roster and configurations for `sites`, and says how each program is started.
  func prepare(_ sites: [SiteData]) async throws -> FederatedRun.Commands {
    let port = try FreePort.find()
    try await run("secagg-roster", ["init", "--directory", folder.consortium])
    try await run("secagg-server", ["init", "--directory", folder.server, "--port", "\(port)"])
    try await add("add-server", folder.server + "/server.request")
    for (index, site) in sites.enumerated() {
      let home = folder.site(index + 1)
      try await run(
        "secagg-client",
        ["enroll", "--name", "site-\(index + 1)", "--directory", home, "--server", "127.0.0.1:\(port)", "--data", site.yaml])
      try await add("add-site", home + "/site-\(index + 1).request")
    }
    try await run("secagg-roster", ["sign", "--roster", rosterFile, "--key", folder.consortium + "/consortium.key"])
    try distribute(sites.count)
    try federatedYAML(port: port, classes: DatasetDescription(yaml: folder.pooledData).names)
      .write(toFile: folder.server + "/federated.yaml", atomically: true, encoding: .utf8)
    for (index, site) in sites.enumerated() {
      try siteYAML(site, port: port).write(toFile: folder.site(index + 1) + "/site.yaml", atomically: true, encoding: .utf8)
    }
    return try await commands(sites.count)
  }

  private func run(_ name: String, _ arguments: [String]) async throws {
    _ = try await ChildProcess.output(of: program(name), arguments, workFolder: folder.logs)
  }

  private func add(_ verb: String, _ request: String) async throws {
    try await run("secagg-roster", [verb, request, "--roster", rosterFile])
  }

  /// Hands the signed roster and the consortium's public key to every party.
  private func distribute(_ sites: Int) throws {
    for home in [folder.server] + (1...sites).map(folder.site) {
      for name in ["roster.json", "consortium.pub"] {
        let target = home + "/" + name
        try? FileManager.default.removeItem(atPath: target)
        try FileManager.default.copyItem(atPath: folder.consortium + "/" + name, toPath: target)
      }
    }
  }

  /// Momentum needs rounds with frozen statistics, which a very short job does not have.
  private var serverOptimizer: String {
    plan.training.serverMomentum > 0 && plan.training.batchNormRounds < plan.rounds
      ? "server_optimizer: fedavgm\n  server_momentum: \(plan.training.serverMomentum)" : "server_optimizer: fedavg"
  }

  private var privacy: String {
    guard let privacy = plan.privacy, let epsilon = privacy.epsilon, let delta = privacy.delta else { return "enabled: false" }
    var parts = ["enabled: true", "unit: \(privacy.unit.rawValue)", "epsilon: \(epsilon)", "delta: \(delta)"]
    if let clip = privacy.clip { parts.append("clip: \(clip)") }
    if let rate = privacy.samplingRate { parts.append("sampling_rate: \(rate)") }
    if let quantile = privacy.clipQuantile { parts.append("clip_quantile: \(quantile)") }
    if privacy.form != .local { parts.append("form: \(privacy.form.rawValue)") }
    if let mechanism = privacy.mechanism { parts.append("mechanism: \(mechanism)") }
    if let lot = privacy.lotSize { parts.append("lot_size: \(lot)") }
    return parts.joined(separator: ", ")
  }

  func federatedYAML(port: Int, classes: [String]) -> String {
    let names = classes.map { "'" + $0.replacingOccurrences(of: "'", with: "''") + "'" }.joined(separator: ", ")
    let training = plan.training
    return """
      job: demo
      model:
        name: yolov5n
        weights: \(folder.initialWeights)
        image_size: \(plan.imageSize)
        classes: [\(names)]
      training:
        fed_rounds: \(training.rounds)
        local_epochs: \(training.localEpochs)
        rounds_per_epoch: \(training.roundsPerEpoch)
        batch_size: \(training.batchSize)
        nominal_batch: \(training.nominalBatch)
        optimizer: \(training.optimizer.rawValue)
        learning_rate: \(training.learningRate)
        final_lr_fraction: \(training.finalLearningRateFraction)
        cosine: \(training.cosine)
        momentum: \(training.momentum)
        weight_decay: \(training.weightDecay)
        warmup_epochs: \(training.warmupEpochs)
        augment: \(training.augment)
        validate: \(training.validate)
        \(plan.privacy == nil ? "freeze_norm_after: \(training.batchNormRounds)" : "# Norms keep their statistics.")
        \(serverOptimizer)
        seed: \(training.seed)
      security:
        differential_privacy: {\(privacy)}
        aggregation: {min_sites: 3}
      communication:
        listen: 127.0.0.1:\(port)
        compression: true
        encryption: true
      server:
        identity: identity
        roster: roster.json
        consortium_key: consortium.pub
        state_directory: state

      """
  }

  private func siteYAML(_ site: SiteData, port: Int) -> String {
    """
    server: 127.0.0.1:\(port)
    roster: roster.json
    consortium_key: consortium.pub
    identity: identity
    data: '\(site.yaml.replacingOccurrences(of: "'", with: "''"))'
    state_directory: state
    threads: 1
    policy:
      min_sites: 3
      min_honest: 3

    """
  }

  private func commands(_ sites: Int) async throws -> FederatedRun.Commands {
    let roster = try await siteIndices()
    var clients: [Int: (program: String, arguments: [String])] = [:]
    var numbers: [Int: Int] = [:]
    for number in 1...sites {
      guard let index = roster["site-\(number)"] else { throw DemoError(.missingProgram, "the roster does not name site-\(number)") }
      numbers[index] = number
      clients[number] = (program("secagg-client"), ["run", "--config", folder.site(number) + "/site.yaml"])
    }
    let (secagg, data, plan) = (program("secagg"), folder.pooledData, plan)
    return FederatedRun.Commands(
      server: (program("secagg-server"), ["run", "--config", folder.server + "/federated.yaml"]), clients: clients, numbers: numbers,
      evaluate: { weights in
        (
          secagg,
          ["val", "--weights", weights, "--data", data, "--img", "\(plan.imageSize)", "--batch-size", "32", "--threads", "1", "--json"]
        )
      },
      eventLog: folder.server + "/state/events.jsonl", stateFolder: folder.server + "/state", logFolder: folder.logs)
  }

  /// Index in the roster by name.
  private func siteIndices() async throws -> [String: Int] {
    struct Shown: Decodable {
      struct Site: Decodable {
        let site: Int
        let name: String
      }
      let sites: [Site]
    }
    let text = try await ChildProcess.output(
      of: program("secagg-roster"), ["show", "--roster", rosterFile, "--consortium-key", folder.consortium + "/consortium.pub", "--json"],
      workFolder: folder.logs)
    let shown = try JSONDecoder().decode(Shown.self, from: Data(text.utf8))
    return Dictionary(shown.sites.map { ($0.name, $0.site) }, uniquingKeysWith: { first, _ in first })
  }
}

/// A port on loopback that nobody listens on at the moment.
enum FreePort {
  static func find() throws(DemoError) -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw DemoError(.cannotWrite, "no socket can be opened") }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard bound else { throw DemoError(.cannotWrite, "no port of this machine is free") }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}
