// `secagg plan` as a process, and `secagg-client budget` where nothing was spent: exit codes, JSON, and what is refused.

import Foundation
import TestSupport
import Testing

@Suite struct PlanCommandTests {
  private func plan(_ text: String, _ arguments: [String] = []) throws -> TrainerCommandTests.Ending {
    try withTemporaryFolder { folder in
      try text.write(toFile: folder + "/federated.yaml", atomically: true, encoding: .utf8)
      return try TrainerCommandTests.run("secagg", ["plan", folder + "/federated.yaml"] + arguments)
    }
  }

  private let noised = """
    model: {classes: 3}
    training: {fed_rounds: 6}
    security: {differential_privacy: {enabled: true, unit: site, epsilon: 8, delta: 1e-5}}
    """

  @Test func withoutPrivacyThereIsNoGuarantee() throws {
    let ending = try plan("model: {classes: 3}", ["--sites", "5"])
    #expect(ending.status == 0, "\(ending.errors)")
    #expect(ending.output.contains("4 neighbours, threshold 4") && ending.output.contains("1767976 parameters of 20 bits"))
    #expect(ending.output.contains("no formal guarantee"))
  }

  @Test func epsilonByRoundAndTheNoiseAreShown() throws {
    let ending = try plan(noised, ["--sites", "5", "--json"])
    #expect(ending.status == 0, "\(ending.errors)")
    let object = try #require(try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any])
    #expect(object["threshold"] as? Int == 4 && object["colluders"] as? Int == 1)
    let privacy = try #require(object["privacy"] as? [String: Any])
    let epsilons = try #require(privacy["epsilon_by_round"] as? [Double])
    #expect(epsilons.count == 6 && epsilons == epsilons.sorted() && epsilons[5] <= 8 && epsilons[5] > 7.99)
    // Five sites for a million parameters: the noise is hundreds of times the update, and the text says so.
    #expect(try #require(privacy["noise_to_signal"] as? Double) > 100)
    #expect(try plan(noised, ["--sites", "5"]).output.contains("LARGER than what it hides"))
  }

  @Test func whatIsUnsafeIsRefused() throws {
    #expect(try plan(noised, ["--sites", "5", "--colluders", "5"]).status == 78)
    #expect(try plan(noised + "\ntraining: {}", ["--sites", "5"]).status == 78)
    #expect(
      try plan(noised.replacingOccurrences(of: "unit: site", with: "unit: site, mechanism: gaussian")).errors.contains("error[CF-09]"))
    #expect(try plan(noised.replacingOccurrences(of: "delta: 1e-5", with: "delta: 1e-5}, aggregation: {bits: 8")).errors.contains("SA-17"))
    #expect(try plan("", ["--sites", "2"]).status == 64)
  }
}
