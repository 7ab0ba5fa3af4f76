// The job plan's canonical bytes against independent vectors, its limits, and the server's step.
import Foundation
import Testing

@testable import Federation

@Suite struct JobPlanTests {
  private func plan() -> JobPlan {
    var plan = JobPlan(
      name: "garments", model: "yolov5n", classes: ["top", "trouser", "dress", "footwear", "bag"], imageSize: 128, rounds: 8,
      parameterCount: 1_770_682, statisticCount: 9408, layoutDigest: [UInt8](repeating: 1, count: 32),
      initialWeightsDigest: [UInt8](repeating: 2, count: 32))
    plan.training.roundsPerEpoch = 5
    return plan
  }

  @Test func theVectorOfIndependentSoftwareIsReproduced() throws {
    let object = try #require(try JSONSerialization.jsonObject(with: Data(Fixtures.vector("job-plan.json"))) as? [String: Any])
    func bytes(_ key: String) throws -> [UInt8] {
      let text = try #require(object[key] as? String)
      return try #require(Hexadecimal.bytes(text, count: text.utf8.count / 2))
    }
    var plan = plan()
    (plan.layoutDigest, plan.initialWeightsDigest) = (try bytes("layout_digest"), try bytes("initial_weights_digest"))
    plan.training.nominalBatch = 16
    plan.training.optimizer = .adamW
    plan.training.cosine = true
    plan.training.batchNormRounds = 4
    plan.training.serverMomentum = 0.75
    plan.training.seed = (1 << 63) + 5
    plan.validatesLocally = true
    #expect(plan.encoded() == (try bytes("encoded")))
    #expect(plan.digest == (try bytes("digest")))
    #expect(try JobPlan.decode(bytes("encoded")) == plan)
    #expect(plan.totalEpochs == 2)
  }

  static let faults: [(String, @Sendable (inout JobPlan) -> Void)] = [
    ("no name", { $0.name = "" }), ("long name", { $0.name = String(repeating: "a", count: 257) }), ("no model", { $0.model = "" }),
    ("no classes", { $0.classes = [] }), ("many classes", { $0.classes = Array(repeating: "a", count: 1001) }),
    ("odd size", { $0.imageSize = 100 }), ("no size", { $0.imageSize = 0 }), ("large size", { $0.imageSize = 4128 }),
    ("no rounds", { $0.rounds = 0 }), ("no rounds in an epoch", { $0.training.roundsPerEpoch = 0 }),
    ("a part of five epochs", { ($0.training.localEpochs, $0.training.roundsPerEpoch) = (5, 2) }),
    ("no epochs", { $0.training.localEpochs = 0 }), ("no batch", { $0.training.batchSize = 0 }),
    ("no nominal batch", { $0.training.nominalBatch = 0 }), ("no rate", { $0.training.learningRate = 0 }),
    ("negative rate", { $0.training.learningRate = -1 }), ("large rate", { $0.training.learningRate = 11 }),
    ("momentum of one", { $0.training.momentum = 1 }), ("server's momentum of one", { $0.training.serverMomentum = 1 }),
    ("negative decay", { $0.training.weightDecay = -0.1 }),
    ("negative warm-up", { $0.training.warmupEpochs = -1 }), ("fraction", { $0.training.finalLearningRateFraction = 1.5 }),
    ("narrow ring", { $0.quantisation.bits = 7 }), ("wide ring", { $0.quantisation.bits = 33 }),
    ("no range", { $0.quantisation.parameterRange = 0 }), ("no statistics range", { $0.quantisation.statisticsRange = -1 }),
    ("no parameters", { $0.parameterCount = 0 }), ("short digest", { $0.layoutDigest = [1] }),
    ("no weights digest", { $0.initialWeightsDigest = [] }),
  ]

  @Test(arguments: faults.indices) func everyLimitHolds(index: Int) {
    var faulty = plan()
    Self.faults[index].1(&faulty)
    #expect(throws: JobPlanError.self, "\(Self.faults[index].0)") { try faulty.validate() }
    #expect(throws: JobPlanError.self, "\(Self.faults[index].0)") { try JobPlan.decode(faulty.encoded()) }
  }

  @Test func everyFieldEntersTheDigest() {
    let changes: [(inout JobPlan) -> Void] = [
      { $0.name = "b" }, { $0.model = "yolov5s" }, { $0.classes[0] = "x" }, { $0.classes.removeLast() }, { $0.imageSize = 160 },
      { $0.rounds = 9 }, { $0.training.localEpochs = 6 }, { $0.training.roundsPerEpoch = 2 }, { $0.training.batchSize = 8 },
      { $0.training.nominalBatch = 32 }, { $0.training.optimizer = .adamW },
      { $0.training.learningRate = 0.02 }, { $0.training.momentum = 0.9 }, { $0.training.weightDecay = 0 },
      { $0.training.warmupEpochs = 1 }, { $0.training.finalLearningRateFraction = 0.1 }, { $0.training.cosine.toggle() },
      { $0.training.augment.toggle() }, { $0.training.batchNormRounds = 3 },
      { $0.training.serverMomentum = 0.5 }, { $0.training.seed = 1 }, { $0.quantisation.bits = 21 }, { $0.quantisation.parameterRange = 2 },
      { $0.quantisation.statisticsRange = 2 }, { $0.parameterCount += 1 }, { $0.statisticCount += 1 }, { $0.layoutDigest[0] = 9 },
      { $0.initialWeightsDigest[31] = 9 }, { $0.validatesLocally.toggle() },
    ]
    var digests: Set<[UInt8]> = [plan().digest]
    for change in changes {
      var changed = plan()
      change(&changed)
      digests.insert(changed.digest)
    }
    #expect(digests.count == changes.count + 1)
  }

  @Test func truncationTrailingBytesAndDamageAreRefused() {
    let bytes = plan().encoded()
    for length in 0..<bytes.count { #expect(throws: JobPlanError.self) { try JobPlan.decode(Array(bytes[..<length])) } }
    #expect(throws: JobPlanError.self) { try JobPlan.decode(bytes + [0]) }
    #expect(throws: JobPlanError.self) { try JobPlan.decode([UInt8](repeating: 0, count: JobPlan.encodedBytesMax + 1)) }
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 0x80
      // Damage either is refused or gives another plan with its own one encoding.
      if let other = try? JobPlan.decode(damaged) { #expect(other.encoded() == damaged && other.digest != plan().digest) }
    }
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, -0.0])
  func numbersAreFiniteAndCanonical(value: Double) {
    var bytes = plan().encoded()
    let rate = Array(withUnsafeBytes(of: (0.01).bitPattern.bigEndian) { Array($0) })
    guard let at = bytes.indices.first(where: { bytes[$0...].starts(with: rate) }) else {
      Issue.record("the learning rate is not in the bytes")
      return
    }
    bytes.replaceSubrange(at..<at + 8, with: withUnsafeBytes(of: value.bitPattern.bigEndian) { Array($0) })
    #expect(throws: JobPlanError.self) { try JobPlan.decode(bytes) }
  }

  @Test func readersRefuseWhatWritersDoNotWrite() throws {
    var writer = CanonicalWriter(label: "a")
    writer.data([0xFF, 0xFE])
    var reader = try CanonicalReader(writer.bytes, label: "a")
    #expect(throws: CanonicalError.self) { try reader.string(limit: 10) }
    #expect(throws: CanonicalError.self) { try CanonicalReader(writer.bytes, label: "b") }
    #expect(throws: CanonicalError.self) { try CanonicalReader([0xFF, 0xFF, 0xFF, 0xFF], label: "a") }
    var flags = try CanonicalReader(CanonicalWriter(label: "a").bytes + [2], label: "a")
    #expect(throws: CanonicalError.self) { try flags.flag() }
    var counts = try CanonicalReader(CanonicalWriter(label: "a").bytes + [0xFF, 0xFF, 0xFF, 0xFF], label: "a")
    #expect(throws: CanonicalError.self) { try counts.data(limit: 1 << 20) }
  }

  private struct Averages: Decodable {
    var weights: [String]
    var updates: [String]
    var results: [String]
    enum CodingKeys: String, CodingKey {
      case weights = "weights_f32"
      case updates = "updates_f64"
      case results = "results_f32"
    }
  }

  @Test func theServersStepRoundsOnce() throws {
    let vector = try JSONDecoder().decode(Averages.self, from: Data(Fixtures.vector("fedavg.json")))
    func float(_ text: String) throws -> Float { Float(bitPattern: try #require(UInt32(text, radix: 16))) }
    func double(_ text: String) throws -> Double { Double(bitPattern: try #require(UInt64(text, radix: 16))) }
    let out = ServerOptimizer.step(try vector.weights.map(float), meanUpdate: try vector.updates.map(double))
    #expect(out.map(\.bitPattern) == (try vector.results.map(float).map(\.bitPattern)))
    #expect(out.count == 200)
  }

  /// With a constant mean update u, momentum m makes the steps u, u(1 + m), u(1 + m + m²) …
  @Test func momentumRepeatsTheLastStep() {
    var before: [Float]? = nil
    var weights: [Float] = [1, -2]
    var expected = 0.0
    for _ in 0..<40 {
      let next = ServerOptimizer.step(weights, before: before, momentum: 0.75, meanUpdate: [0.5, -0.25])
      expected = 0.5 + 0.75 * expected
      #expect(abs(Double(next[0] - weights[0]) - expected) < 1e-4 && abs(Double(next[1] - weights[1]) + expected / 2) < 1e-4)
      (before, weights) = (weights, next)
    }
    #expect(abs(expected - 2) < 1e-4)
  }

  @Test func momentumActsOnceStatisticsAreFrozen() {
    var plan = plan()
    (plan.training.batchNormRounds, plan.training.serverMomentum) = (3, 0.5)
    #expect((1...5).map { plan.serverMomentum(round: $0) } == [0, 0, 0, 0.5, 0.5])
  }

  @Test func aBegunEpochCountsWhole() {
    var plan = plan()
    (plan.rounds, plan.training.localEpochs, plan.training.roundsPerEpoch) = (7, 3, 1)
    #expect(plan.totalEpochs == 21)
    (plan.training.localEpochs, plan.training.roundsPerEpoch) = (1, 3)
    #expect(plan.totalEpochs == 3)
  }

  @Test func theSampleReferenceNeverOverflows() {
    #expect(JobPlan.samplesReference(total: 1000, sites: 5) == 800)
    #expect(JobPlan.samplesReference(total: 0, sites: 5) == 1)
    #expect(JobPlan.samplesReference(total: .max, sites: 5) == .max)
    #expect(JobPlan.samplesReference(total: 7, sites: 3) == 10)
  }
}
