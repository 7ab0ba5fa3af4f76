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
    #expect(config.training.rounds == (quick ? 40 : 60) && config.training.localEpochs == 1)
    #expect(config.training.roundsPerEpoch == (quick ? 2 : 1))
    #expect(config.training.serverMomentum > 0 && config.training.batchNormRounds < config.training.rounds)
    #expect(config.model.classes == .names(["top", "child's coat", "a: b"]))
  }

  /// Too short for rounds with frozen statistics, so for momentum too.
  @Test func oneRoundIsPlainAveraging() throws {
    let config = try configuration { $0.rounds = 1 }
    #expect(config.training.rounds == 1 && config.training.serverMomentum == 0)
  }
}
