// The server's durable state: a directory serves one job, survives a kill at any byte, and damaged weights are named.
import Federation
import Foundation
import Safetensors
import Sodium
import Testing

@testable import Coordinator
@testable import SecAgg

@Suite struct StateTests {
  private static func digest(_ value: UInt8) -> [UInt8] { [UInt8](repeating: value, count: 32) }

  @Test func theCourseOfAJobSurvives() throws {
    let folder = try TemporaryFolder()
    do {
      let journal = try AttemptJournal(directory: folder.path)
      #expect(journal.job == nil && journal.nextAttempt(round: 0) == 0)
      try journal.record(.jobBegun(job: "a", configuration: Self.digest(1), weights: Self.digest(2)))
      try journal.record(.attemptBegun(round: 0, attempt: 0, context: Self.digest(3)))
      try journal.record(.censusFinished(samples: 150, survivors: 5))
      try journal.record(.attemptBegun(round: 1, attempt: 0, context: Self.digest(4)))
      try journal.record(.attemptBegun(round: 1, attempt: 1, context: Self.digest(5)))
      try journal.record(.roundFinished(round: 1, weights: Self.digest(6)))
      #expect { _ = try AttemptJournal(directory: folder.path) } throws: { ($0 as? CoordinatorError)?.code == .stateInUse }
    }
    let journal = try AttemptJournal(directory: folder.path)
    #expect(journal.job == .init(name: "a", configuration: Self.digest(1), weights: Self.digest(2)))
    #expect(journal.census?.samples == 150)
    #expect(journal.lastRound?.round == 1)
    #expect(journal.nextAttempt(round: 1) == 2)
    #expect(journal.nextAttempt(round: 2) == 0)
  }

  @Test func entriesRoundTripAndNothingElseIsAnEntry() {
    let entries: [AttemptJournal.Entry] = [
      .jobBegun(job: "a", configuration: Self.digest(1), weights: Self.digest(2)),
      .attemptBegun(round: 1, attempt: 2, context: Self.digest(3)),
      .censusFinished(samples: .max, survivors: 5), .roundFinished(round: 9, weights: Self.digest(4)),
    ]
    for entry in entries {
      let bytes = AttemptJournal.encode(entry)
      #expect(AttemptJournal.decode(bytes) == entry)
      #expect(AttemptJournal.decode(bytes + [0]) == nil)
      for count in 0..<bytes.count { #expect(AttemptJournal.decode(Array(bytes.prefix(count))) == nil) }
    }
  }

  @Test func aStateDirectoryServesOneJob() throws {
    let world = try World()
    do { _ = try world.server(rounds: 2, tap: EventTap()) }
    #expect { _ = try world.server(rounds: 3, tap: EventTap()) } throws: { ($0 as? CoordinatorError)?.code == .otherJob }
    #expect(throws: Never.self) { _ = try world.server(rounds: 2, tap: EventTap()) }
  }

  @Test func savedWeightsThatChangedAreRefused() throws {
    let world = try World()
    do { _ = try world.server(tap: EventTap()) }
    try World.model(0.5).write(path: world.path("server/weights/round-000.safetensors"))
    #expect { _ = try world.server(tap: EventTap()) } throws: { ($0 as? CoordinatorError)?.code == .stateDamaged }
  }

  @Test func truncatedOrForeignWeightsAreRefused() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/w.safetensors"
    let whole = World.model(1).serialise()
    for count in [0, 7, 8, 50, whole.count - 1] {
      try FileBytes.write(Array(whole.prefix(count)), path: path)
      #expect { _ = try JobWeights(path: path, folder: folder.path) } throws: { ($0 as? CoordinatorError)?.code == .weights }
    }
    #expect { _ = try JobWeights(path: folder.path + "/none", folder: folder.path) } throws: { ($0 as? CoordinatorError)?.code == .weights }
    try World.model(.nan).write(path: path)
    #expect { _ = try JobWeights(path: path, folder: folder.path) } throws: { ($0 as? CoordinatorError)?.code == .weights }
    try SafetensorsWriter().write(path: path)
    #expect { _ = try JobWeights(path: path, folder: folder.path) } throws: { ($0 as? CoordinatorError)?.code == .weights }
  }

  @Test func theStepAddsTheMeanAndKeepsTheRest() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/w.safetensors"
    try World.model(1).write(path: path)
    var weights = try JobWeights(path: path, folder: folder.path + "/weights")
    let before = weights.digest
    let update = MeanUpdate(
      parameters: [Double](repeating: 0.25, count: 318), statistics: [Double](repeating: -0.5, count: 4), weight: 1, counts: [:], means: [:]
    )
    try weights.apply(update, round: 3, job: "a")
    #expect(weights.digest != before)
    let file = try SafetensorsFile.read(path: folder.path + "/weights/latest.safetensors")
    #expect(try file.floats("model.0.conv.weight").allSatisfy { $0 == 1.25 })
    #expect(try file.floats("model.0.bn.running_mean").allSatisfy { $0 == 0.5 })
    #expect(try file.int64s("model.0.bn.num_batches_tracked") == [7])
    #expect(file.metadata["secagg.round"] == "3")
    let short = MeanUpdate(parameters: [1], statistics: [], weight: 1, counts: [:], means: [:])
    #expect(throws: CoordinatorError.self) { try weights.apply(short, round: 4, job: "a") }
    let bad = MeanUpdate(
      parameters: [Double](repeating: .infinity, count: 318), statistics: [Double](repeating: 0, count: 4), weight: 1, counts: [:],
      means: [:])
    #expect(throws: CoordinatorError.self) { try weights.apply(bad, round: 4, job: "a") }
  }

  @Test func sitesNeededFollowFromColludersAndHonesty() {
    var settings = RoundSettings(minimumSites: 3)
    #expect(settings.sitesNeeded(colluders: 0) == 3)
    // n = 4 has t = 3 and assures 2 honest sites only.
    #expect(settings.sitesNeeded(colluders: 1) == 5)
    #expect(settings.sitesNeeded(colluders: 3) == 7)
    settings.minimumSites = 20
    #expect(settings.sitesNeeded(colluders: 1) == 20)
  }

  @Test func moreThanSixtyFourSitesMaskAlongARing() {
    let sites = (0..<200).map { SiteID($0) }
    var settings = RoundSettings(minimumSites: 3)
    let all = settings.cohort(of: sites, colluders: 10)
    #expect(all.sites == sites && all.isSparse && all.minimumSurvivors == 190)
    let few = settings.cohort(of: Array(sites.prefix(64)), colluders: 10)
    #expect(few.sites.count == 64 && !few.isSparse && few.minimumSurvivors == nil)
    // Rates that no ring bears, or a complete graph that was asked for: 64 of them.
    for (graph, colluders) in [(FederatedConfig.Aggregation.Graph.auto, 190), (.complete, 10)] {
      settings.graph = graph
      let some = settings.cohort(of: sites, colluders: colluders)
      #expect(some.sites.count == 64 && !some.isSparse && Set(some.sites).isSubset(of: sites) && some.sites == some.sites.sorted())
    }
    settings.graph = .sparse
    #expect(settings.sitesNeeded(colluders: 1) == 65)
    settings.graph = .auto
    // Too many colluders for 64 sites to be honest enough; the ring needs more of them.
    #expect(settings.sitesNeeded(colluders: 63) > 64)
  }

  @Test func theSampleReferenceIsFourTimesTheMean() {
    #expect(JobPlan.samplesReference(total: 150, sites: 5) == 120)
    #expect(JobPlan.samplesReference(total: 1, sites: 5) == 1)
    #expect(JobPlan.samplesReference(total: 7, sites: 3) == 10)
    #expect(JobPlan.samplesReference(total: .max, sites: 3) == .max)
  }

  @Test func halfALineIsEndedBeforeTheNextEvent() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/events.jsonl"
    try Data("{\"event\":\"pha".utf8).write(to: URL(fileURLWithPath: path))
    try EventLog(path: path).write("job_started", ["job": "a", "n": .number(.nan), "list": .list([1, true, .null])])
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 2)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(lines[1].utf8)) as? [String: Any])
    #expect(object["event"] as? String == "job_started")
    #expect(object["n"] is NSNull)
    #expect((object["time"] as? String)?.hasSuffix("Z") == true)
  }
}
