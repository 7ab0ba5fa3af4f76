// federated.yaml: the published file parses whole, every mistake has its place, and nothing is silently ignored.
import Foundation
import Testing

@testable import Federation

/// The file of the published article, as it stands there.
private let seed = """
  training:      {fed_rounds: 100, local_epochs: 5, batch_size: 32, learning_rate: 0.001}
  security:      {differential_privacy: {enabled: true, epsilon: 1.0, delta: 1e-5}}
  communication: {compression: true, encryption: true}

  """

/// One mistake, what it must be called and where it stands.
struct ConfigMistake: Sendable, CustomTestStringConvertible {
  var text: String
  var code: FederationError.Code
  var line: Int
  var column: Int
  var hint: String?
  init(_ text: String, _ code: FederationError.Code, _ line: Int, _ column: Int, hint: String? = nil) {
    (self.text, self.code, self.line, self.column, self.hint) = (text, code, line, column, hint)
  }
  var testDescription: String { text }
}

@Suite struct FederatedConfigTests {
  private func failure(_ text: String, withoutPrivacy: Bool = false) -> FederationError? {
    do {
      _ = try FederatedConfig.parse(text, withoutPrivacy: withoutPrivacy)
      return nil
    } catch { return error }
  }

  @Test func thePublishedFileParsesWhole() throws {
    let config = try FederatedConfig.parse(seed, withoutPrivacy: true)
    #expect(config.training.rounds == 100 && config.training.localEpochs == 5)
    #expect(config.training.batchSize == 32 && config.training.learningRate == 0.001)
    #expect(config.privacy.enabled && config.privacy.epsilon == 1 && config.privacy.delta == 1e-5 && config.privacy.unit == .record)
    #expect(config.communication.compression && config.communication.encryption)
    #expect(config.privacyWaived)
    #expect(config.warnings.count == 1 && config.warnings[0].contains("no formal guarantee"))
  }

  @Test func privacyIsRefusedWithItsLineUnlessWaived() throws {
    #expect(try FederatedConfig.parse(seed).privacy.unit == .record)
    let error = try #require(failure(seed.replacingOccurrences(of: "epsilon: 1.0", with: "epsilon: 1.0, mechanism: gaussian")))
    #expect(error.code == .privacyNotBuilt && error.exitStatus == 78)
    #expect(error.place?.line == 2 && error.place?.column == 49)
    #expect(error.place?.text.contains("differential_privacy") == true)
    #expect(error.hint.contains("--without-privacy"))
  }

  @Test func theExampleFileIsTheListOfDefaults() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let config = try FederatedConfig.load(root.appendingPathComponent("examples/federated.yaml").path)
    let bare = try FederatedConfig.parse("")
    #expect(config.training == bare.training && config.aggregation == bare.aggregation)
    #expect(config.communication == bare.communication && config.privacy == bare.privacy)
    #expect(config.server.roster == root.appendingPathComponent("examples/roster.json").path)
    #expect(config.warnings.isEmpty && !config.privacyWaived)
  }

  @Test func everyKnownKeyIsTaken() throws {
    let text = """
      job: run-1
      model: {name: yolov5s, weights: w.safetensors, classes: 3, image_size: 416}
      data: /data/data.yaml
      training: {optimizer: adamw, server_optimizer: fedavgm, prox: 0, seed: 9, momentum: 0.9, weight_decay: 0, warmup_epochs: 0.5,
        nominal_batch: 16, cosine: true, augment: false, validate: true, final_lr_fraction: 0.1,
        freeze_norm_after: 0, server_momentum: 0.5}
      security:
        differential_privacy: {enabled: false, unit: site, mechanism: skellam, clip: 1.5, sampling_rate: 0.02}
        aggregation: {min_sites: 4, colluders: 1, graph: sparse, dropout_rate: 0.1, bits: 24, parameter_range: 2, statistics_range: 0.5}
      communication: {listen: "[::1]:0", chunk_bytes: 4096, attempts: 1, deadlines: {join: 5, masked_input: 7.5}, encryption: false}
      selection: all
      server: {identity: id, roster: /r.json, consortium_key: c.pub, state_directory: s, threads: 2}
      """
    let config = try FederatedConfig.parse(text, folder: "/etc/x")
    #expect(config.model.weights == "/etc/x/w.safetensors" && config.model.classes?.names == ["class0", "class1", "class2"])
    #expect(config.server.roster == "/r.json" && config.server.identity == "/etc/x/id")
    #expect(config.communication.listen == HostPort(host: "::1", port: 0) && !config.communication.encryption)
    #expect(config.communication.deadlines.maskedInput == 7.5 && config.communication.deadlines.plan == 60)
    #expect(config.warnings.count == 1)
    #expect(config.privacy.unit == .site && config.aggregation.colluders == 1)
  }

  /// Half the rounds, rounded up, so that a job of one round never normalises with the statistics of fresh weights.
  @Test func normsAreFrozenAfterHalfTheRounds() throws {
    for (rounds, expected) in [(1, 1), (2, 1), (5, 3), (100, 50)] {
      #expect(try FederatedConfig.parse("training: {fed_rounds: \(rounds)}").training.batchNormRounds == expected)
    }
    #expect(try FederatedConfig.parse("training: {fed_rounds: 7, freeze_norm_after: 7}").training.batchNormRounds == 7)
  }

  @Test func noCompressionMeansWholeWords() throws {
    #expect(try FederatedConfig.parse("communication: {compression: false}").aggregation.bits == 32)
  }

  static let mistakes: [ConfigMistake] = [
    // unknown keys
    .init("trainin: {}", .unknownKey, 1, 1, hint: "did you mean `training`?"),
    .init("training:\n  fed_round: 3", .unknownKey, 2, 3, hint: "did you mean `fed_rounds`?"),
    .init("job: a\nbatch_size: 3", .unknownKey, 2, 1, hint: "`batch_size` belongs under `training`"),
    .init("training: {listen: 3}", .unknownKey, 1, 12, hint: "`listen` belongs under `communication`"),
    .init("training: {store: x}", .unknownKey, 1, 12, hint: "`store` belongs at the top of the file"),
    .init("security: {differential_privacy: {epsilonn: 1}}", .unknownKey, 1, 35, hint: "did you mean `epsilon`?"),
    .init("zzzzzz: 1", .unknownKey, 1, 1, hint: "known keys here"),
    .init("? [a, b]\n: 1", .unknownKey, 1, 3),
    .init("ttraning: 1", .unknownKey, 1, 1),
    // types
    .init("training: 5", .wrongType, 1, 11),
    .init("training: [1]", .wrongType, 1, 11),
    .init("training: {fed_rounds: ten}", .wrongType, 1, 24),
    .init("training: {fed_rounds: \"10\"}", .wrongType, 1, 24),
    .init("training: {fed_rounds: 1.5}", .wrongType, 1, 24),
    .init("training: {fed_rounds: 1e3}", .wrongType, 1, 24),
    .init("training: {fed_rounds: }", .wrongType, 1, 24),
    .init("training: {fed_rounds: [1]}", .wrongType, 1, 24),
    .init("training: {learning_rate: fast}", .wrongType, 1, 27),
    .init("training: {learning_rate: .nan}", .wrongType, 1, 27),
    .init("training: {learning_rate: inf}", .wrongType, 1, 27),
    .init("training: {learning_rate: 0x1p3}", .wrongType, 1, 27),
    .init("training: {learning_rate: 1e999}", .wrongType, 1, 27),
    .init("training: {cosine: yes}", .wrongType, 1, 20),
    .init("training: {cosine: 1}", .wrongType, 1, 20),
    .init("training: {cosine: \"true\"}", .wrongType, 1, 20),
    .init("job: ~", .wrongType, 1, 6),
    .init("job: \"\"", .wrongType, 1, 6),
    .init("job: {a: b}", .wrongType, 1, 6),
    .init("model: {classes: many}", .wrongType, 1, 18),
    .init("model: {classes: {a: 1}}", .wrongType, 1, 18),
    .init("security: {differential_privacy: true}", .wrongType, 1, 34),
    // ranges
    .init("training: {fed_rounds: 0}", .outOfRange, 1, 24),
    .init("training: {fed_rounds: -1}", .outOfRange, 1, 24),
    .init("training: {fed_rounds: 5, freeze_norm_after: 6}", .outOfRange, 1, 46),
    .init("training: {server_optimizer: fedavgm, server_momentum: 1}", .outOfRange, 1, 56),
    .init("training: {server_momentum: 0.5}", .conflict, 1, 29),
    .init("training: {rounds_per_epoch: 2, local_epochs: 2}", .conflict, 1, 30),
    .init("training: {rounds_per_epoch: 0}", .outOfRange, 1, 30),
    .init("training: {server_optimizer: fedavgm, fed_rounds: 1}", .conflict, 1, 30),
    .init("training: {fed_rounds: 99999999999999999999}", .outOfRange, 1, 24),
    .init("training: {learning_rate: 0}", .outOfRange, 1, 27),
    .init("training: {momentum: 1}", .outOfRange, 1, 22),
    .init("training: {seed: -1}", .outOfRange, 1, 18),
    .init("training: {optimizer: sgdd}", .outOfRange, 1, 23, hint: "did you mean `sgd`?"),
    .init("model: {image_size: 100}", .outOfRange, 1, 21, hint: "try 128"),
    .init("model: {name: yolov8n}", .outOfRange, 1, 15, hint: "did you mean `yolov5n`?"),
    .init("model: {classes: 0}", .outOfRange, 1, 18),
    .init("model: {classes: []}", .outOfRange, 1, 18),
    .init("model: {classes: [a, a]}", .outOfRange, 1, 18),
    .init("job: a/b", .outOfRange, 1, 6),
    .init("job: ../x", .outOfRange, 1, 6),
    .init("security: {differential_privacy: {delta: 1}}", .outOfRange, 1, 42),
    .init("security: {differential_privacy: {epsilon: 0}}", .outOfRange, 1, 44),
    .init("security: {differential_privacy: {unit: patient}}", .outOfRange, 1, 41),
    .init("security: {aggregation: {min_sites: 2}}", .outOfRange, 1, 37),
    .init("security: {aggregation: {graph: ring}}", .outOfRange, 1, 33),
    .init("security: {aggregation: {dropout_rate: 0.6}}", .outOfRange, 1, 40),
    .init("security: {aggregation: {bits: 33}}", .outOfRange, 1, 32),
    .init("communication: {listen: nowhere}", .outOfRange, 1, 25),
    .init("communication: {listen: \"h:70000\"}", .outOfRange, 1, 25),
    .init("communication: {chunk_bytes: 2000000}", .outOfRange, 1, 30),
    .init("communication: {deadlines: {plan: 0}}", .outOfRange, 1, 35),
    // not built yet
    .init("training: {prox: 0.1}", .notBuilt, 1, 18),
    .init("training: {optimizer: adam}", .notBuilt, 1, 23),
    .init("training: {server_optimizer: fedadam}", .notBuilt, 1, 30),
    .init("store: postgresql://db/x", .notBuilt, 1, 8),
    .init("dashboard: {port: 8080}", .notBuilt, 1, 12),
    .init("spool: /tmp", .notBuilt, 1, 8),
    .init("selection: random", .notBuilt, 1, 12),
    .init("model: {name: yolov5n-seg}", .notBuilt, 1, 15),
    // contradictions
    .init("communication: {listen: 0.0.0.0:1, encryption: false}", .conflict, 1, 48),
    .init("security: {aggregation: {bits: 20}}\ncommunication: {compression: false}", .conflict, 2, 30),
    // YAML
    .init("job: a\njob: b", .duplicateKey, 1, 1),
    .init("training: {seed: 1, seed: 2}", .duplicateKey, 1, 12),
    .init("a: [", .configSyntax, 2, 1),
    .init("a: b: c", .configSyntax, 1, 5),
    .init("\tjob: a", .configSyntax, 1, 1),
    .init("- a", .configSyntax, 1, 1),
    .init("just text", .configSyntax, 1, 1),
    .init("a: b\n---\nc: d", .configSyntax, 2, 1),
    .init("job: &x a", .forbiddenYAML, 1, 6),
    .init("job: *x", .forbiddenYAML, 1, 6),
    .init("a: &a [x]\nb: [*a,*a]", .forbiddenYAML, 1, 4),
  ]

  @Test(arguments: mistakes) func everyMistakeHasItsPlace(_ mistake: ConfigMistake) throws {
    let error = try #require(failure(mistake.text))
    #expect(error.code == mistake.code)
    #expect(error.exitStatus == 78)
    #expect(error.place?.line == mistake.line && error.place?.column == mistake.column, "\(error)")
    #expect(!error.hint.isEmpty)
    if let hint = mistake.hint { #expect(error.hint.contains(hint)) }
  }

  @Test func hugeAndDeepFilesAreRefused() {
    #expect(failure(String(repeating: "# comment\n", count: 10_000))?.code == .configUnreadable)
    #expect(failure("a: " + String(repeating: "[", count: 5000))?.code == .forbiddenYAML)
    #expect(failure(String(repeating: "- ", count: 5000) + "a")?.code == .forbiddenYAML)
    #expect(failure((0..<300).map { String(repeating: " ", count: $0) + "a:\n" }.joined())?.code == .forbiddenYAML)
  }

  @Test(arguments: [
    "\u{0}", "\u{FEFF}\u{FEFF}", "a: \u{7}", "%YAML 9.9\n---\na: b", "!!binary x", "\"", "'", "? ", ": ", "{", "}", "a: !!float x\n ? b",
  ])
  func brokenTextNeverTraps(text: String) { #expect(failure(text) != nil) }

  @Test func randomDamageNeverTraps() {
    var state: UInt64 = 7
    let base = Array(seed.utf8)
    let marks = Array("{}[]:,&*#\"'\n -|>!%@`a0".utf8)
    for _ in 0..<400 {
      var bytes = base
      for _ in 0..<4 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes[Int(state >> 33) % bytes.count] = marks[Int(state >> 40) % marks.count]
      }
      _ = failure(String(decoding: bytes, as: UTF8.self), withoutPrivacy: true)
    }
  }

  @Test func filesThatAreNoFilesAreRefused() {
    for path in ["/nonexistent/federated.yaml", "/dev/null/x", "/tmp", "/dev/zero"] {
      #expect(throws: FederationError.self) { try FederatedConfig.load(path) }
    }
  }

  @Test(arguments: [("fed_round", "fed_rounds"), ("learning-rate", "learning_rate"), ("Batch_Size", "batch_size"), ("sede", "seed")])
  func spellingFindsTheNeighbour(word: String, expected: String) {
    #expect(Spelling.nearest(to: word, among: FederatedKeys.training) == expected)
  }

  @Test(arguments: ["", "x", "completely_else", String(repeating: "z", count: 5000)])
  func spellingDoesNotGuess(word: String) { #expect(Spelling.nearest(to: word, among: FederatedKeys.training) == nil) }
}
