// site.yaml: what a site must say, what it may say, and how its own rules are read.
import Foundation
import Testing

@testable import Federation

private let bare = """
  server: aggregator.example.org:7443
  roster: roster.json
  consortium_key: consortium.pub
  identity: identity
  data: data.yaml

  """

@Suite struct SiteConfigTests {
  private func failure(_ text: String) -> FederationError? {
    do {
      _ = try SiteConfig.parse(text)
      return nil
    } catch { return error }
  }

  @Test func theShortestFileHasCarefulDefaults() throws {
    let config = try SiteConfig.parse(bare, folder: "/site")
    #expect(config.server == HostPort(host: "aggregator.example.org", port: 7443))
    #expect(config.data == "/site/data.yaml" && config.stateDirectory == "/site/state")
    #expect(config.policy.minimumSites == 3 && config.policy.minimumHonest == 3 && !config.policy.retryWithoutPrivacy)
    #expect(config.trainer.command == nil && config.encryption && !config.policy.epsilonMax.isSet)
  }

  @Test func theExampleFileIsTaken() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let config = try SiteConfig.load(root.appendingPathComponent("examples/site.yaml").path)
    #expect(config.policy.models == ["yolov5n", "yolov5s"] && config.policy.colludersMax == 2)
  }

  @Test func everyKnownKeyIsTaken() throws {
    let text =
      bare + """
        trainer: {command: [/usr/bin/python3, train.py], timeout: 60}
        state_directory: /var/lib/secagg
        threads: 2
        policy:
          min_sites: 5
          min_honest: 4
          max_colluders: 1
          max_epsilon: {round: 0.5, job: 4, lifetime: 8}
          delta: 1e-6
          units: [record, none]
          mechanisms: [skellam]
          models: [yolov5n]
          max_update_bytes: 1000000
          max_rounds: 10
          training_hours: "22:00-06:00"
          servers: [aggregator]
          retry_without_dp: true
        """
    let config = try SiteConfig.parse(text)
    #expect(config.trainer.command == ["/usr/bin/python3", "train.py"] && config.stateDirectory == "/var/lib/secagg")
    #expect(config.policy.epsilonMax.isSet && config.policy.epsilonMax.job == 4)
    #expect(config.policy.trainingHours == SiteConfig.Hours(from: 1320, until: 360))
    #expect(config.policy.retryWithoutPrivacy)
  }

  @Test(arguments: [(1320, true), (1439, true), (0, true), (359, true), (360, false), (720, false), (1319, false)])
  func hoursRunOverMidnight(minute: Int, inside: Bool) {
    #expect(SiteConfig.Hours(from: 1320, until: 360).contains(minute: minute) == inside)
  }

  @Test(arguments: ["server", "roster", "consortium_key", "identity", "data"])
  func everyNecessaryKeyIsMissed(key: String) throws {
    let text = bare.split(separator: "\n").filter { !$0.hasPrefix(key + ":") }.joined(separator: "\n")
    let error = try #require(failure(text))
    #expect(error.code == .missingKey && error.reason.contains("`\(key)`") && error.exitStatus == 78)
  }

  static let mistakes: [ConfigMistake] = [
    .init("polcy: {}", .unknownKey, 6, 1, hint: "did you mean `policy`?"),
    .init("max_epsilon: {}", .unknownKey, 6, 1, hint: "`max_epsilon` belongs under `policy`"),
    .init("policy: {max_epsilon: 3}", .wrongType, 6, 23),
    .init("policy: {max_epsilon: {total: 3}}", .unknownKey, 6, 24),
    .init("policy: {max_epsilon: {round: 0}}", .outOfRange, 6, 31),
    .init("policy: {min_sites: 2}", .outOfRange, 6, 21),
    .init("policy: {min_honest: 1}", .outOfRange, 6, 22),
    .init("policy: {min_sites: three}", .wrongType, 6, 21),
    .init("policy: {units: [patient]}", .outOfRange, 6, 17),
    .init("policy: {units: record}", .wrongType, 6, 17),
    .init("policy: {models: []}", .outOfRange, 6, 18),
    .init("policy: {models: [a, a]}", .outOfRange, 6, 18),
    .init("policy: {training_hours: \"6-22\"}", .outOfRange, 6, 26),
    .init("policy: {training_hours: \"25:00-26:00\"}", .outOfRange, 6, 26),
    .init("policy: {training_hours: \"06:00-06:00\"}", .outOfRange, 6, 26),
    .init("policy: {retry_without_dp: maybe}", .wrongType, 6, 28),
    .init("trainer: {command: python3 train.py}", .wrongType, 6, 20),
    .init("trainer: {command: []}", .outOfRange, 6, 20),
    .init("trainer: train.py", .wrongType, 6, 10),
    .init("threads: 0", .outOfRange, 6, 10),
    .init("encryption: false", .conflict, 6, 13),
    .init("data: other.yaml", .duplicateKey, 5, 1),
  ]

  @Test(arguments: mistakes) func everyMistakeHasItsPlace(_ mistake: ConfigMistake) throws {
    let error = try #require(failure(bare + mistake.text))
    #expect(error.code == mistake.code)
    #expect(error.place?.line == mistake.line && error.place?.column == mistake.column, "\(error)")
    if let hint = mistake.hint { #expect(error.hint.contains(hint)) }
  }

  @Test(arguments: [
    "", "host", "host:", ":7443", "host:0", "host:port", "host:99999", "ho st:1", "http://host:1", "[::1:1", "a:b:1", "host:+1", "höst:1",
  ])
  func addressesAreStrict(address: String) {
    let text = bare.replacingOccurrences(of: "aggregator.example.org:7443", with: "\"\(address)\"")
    #expect(failure(text) != nil)
  }

  @Test(arguments: [("127.0.0.1:1", true), ("[::1]:1", true), ("localhost:1", true), ("10.0.0.1:1", false), ("127.evil.org:1", false)])
  func loopbackIsKnown(address: String, loopback: Bool) { #expect(HostPort(address)?.isLoopback == loopback) }
}
