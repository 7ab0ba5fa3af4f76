// The configuration that the demo hands its server must be one that the server takes.

import Federation
import Foundation
import TestSupport
import Testing

@testable import Demo

@Suite struct ConsortiumTests {
  private func configuration(_ change: (inout DemoOptions) -> Void) throws -> FederatedConfig {
    try withTemporaryFolder { folder in
      var options = DemoOptions(outputFolder: folder, programFolder: folder)
      change(&options)
      let consortium = Consortium(options: options, plan: try DemoPlan.resolved(options), folder: DemoFolder(root: folder))
      let path = folder + "/federated.yaml"
      try consortium.federatedYAML(port: 7443, classes: ["top", "child's coat", "a: b"])
        .write(toFile: path, atomically: true, encoding: .utf8)
      return try FederatedConfig.load(path)
    }
  }

  @Test(arguments: [true, false]) func theServerTakesThePlan(quick: Bool) throws {
    let config = try configuration { $0.quick = quick }
    #expect(config.training.rounds == (quick ? 40 : 110) && config.training.localEpochs == 1)
    #expect(config.training.roundsPerEpoch == 2 && config.training.optimizer == .adamW)
    #expect(config.training.serverMomentum > 0 && config.training.batchNormRounds < config.training.rounds)
    #expect(config.model.classes == .names(["top", "child's coat", "a: b"]))
  }

  @Test func privacyOfRecordsReachesTheServerAndThatOfSitesIsRefused() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/federated.yaml"
      func file(_ unit: String) throws {
        try """
        training: {fed_rounds: 4, local_epochs: 1}
        security: {differential_privacy: {enabled: true, unit: \(unit), epsilon: 3, delta: 1e-6, clip: 0.5}}
        """.write(toFile: path, atomically: true, encoding: .utf8)
      }
      try file("record, sampling_rate: 0.05, lot_size: 9, clip_quantile: 0.6")
      let config = try configuration { $0.configuration = path }
      #expect(config.privacy == (try FederatedConfig.load(path)).privacy && config.privacy.enabled && config.privacy.lotSize == 9)
      try file("site")
      #expect(throws: FederationError.self) { try configuration { $0.configuration = path } }
    }
  }

  /// Everything that a user's own federated.yaml says of the training reaches the server.
  @Test func theTrainingSectionOfAUserIsTakenWhole() throws {
    let file = """
      training:
        fed_rounds: 12
        local_epochs: 3
        batch_size: 7
        nominal_batch: 21
        optimizer: adamw
        learning_rate: 0.003
        final_lr_fraction: 0.2
        cosine: true
        momentum: 0.85
        weight_decay: 0.002
        warmup_epochs: 2.5
        augment: false
        validate: true
        freeze_norm_after: 5
        server_optimizer: fedavgm
        server_momentum: 0.4

      """
    try withTemporaryFolder { folder in
      let path = folder + "/federated.yaml"
      try file.write(toFile: path, atomically: true, encoding: .utf8)
      var expected = try FederatedConfig.load(path).training
      expected.seed = 9
      let config = try configuration {
        $0.configuration = path
        $0.seed = 9
      }
      #expect(config.training == expected)
    }
  }

  /// Too short for rounds with frozen statistics, so for momentum too.
  @Test func oneRoundIsPlainAveraging() throws {
    let config = try configuration { $0.rounds = 1 }
    #expect(config.training.rounds == 1 && config.training.serverMomentum == 0)
  }
}
