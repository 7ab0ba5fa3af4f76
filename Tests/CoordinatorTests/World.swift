// Five sites and a server in one process, with the real drivers and a trainer that is a shell script: it hands back a model of its own and
// a sample count, so that every mean is known beforehand.
import Federation
import Foundation
import Logging
import Safetensors
import SecAgg
import Sodium
import Testing
import Transport

@testable import Coordinator
@testable import Participant

/// A folder of one test, removed when the value goes.
final class TemporaryFolder: Sendable {
  let path: String
  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("secagg-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// One line of the event log.
struct Event: Decodable, Sendable {
  let event: String
  let round: Int?
  let attempt: Int?
  let phase: String?
  let site: Int?
  let survivors: [Int]?
  let dropped: [Int]?
  let samples: Int?
  let metrics: [String: Double]?
  let file: String?
  let outcome: String?
  let code: String?
  let reason: String?
  let resumed: Bool?
  let epsilon: Double?
}

/// The event log as it grows; a test waits for what must come.
actor EventTap {
  private(set) var all: [Event] = []
  private var read = 0
  private var waiting: [(Event) -> Bool] = []
  private var continuation: CheckedContinuation<Event, Never>?

  func add(_ line: String) {
    guard let event = try? JSONDecoder().decode(Event.self, from: Data(line.utf8)) else { return }
    all.append(event)
    resume()
  }

  private func resume() {
    guard let matches = waiting.first, let continuation else { return }
    while read < all.count {
      read += 1
      guard matches(all[read - 1]) else { continue }
      waiting = []
      self.continuation = nil
      return continuation.resume(returning: all[read - 1])
    }
  }

  /// The next event, behind those that were waited for before, that matches.
  func next(_ matches: @escaping @Sendable (Event) -> Bool) async -> Event {
    await withCheckedContinuation { continuation in
      waiting = [matches]
      self.continuation = continuation
      resume()
    }
  }

  func next(_ name: String, round: Int? = nil) async -> Event { await next { $0.event == name && (round == nil || $0.round == round) } }
}

final class World: Sendable {
  static let sites: [UInt32] = [0, 1, 2, 3, 4]
  let folder: TemporaryFolder
  let network = MemoryNetwork()
  let timers = ManualTimers()
  let keys: [UInt32: Ed25519.SigningKey]
  let serverKey = Ed25519.SigningKey()
  let roster: RosterView
  /// Of the server, from round 2 on.
  let momentum: Double
  let privacy: JobPlan.Privacy?

  init(momentum: Double = 0, privacy: JobPlan.Privacy? = nil) throws {
    (self.momentum, self.privacy) = (momentum, privacy)
    folder = try TemporaryFolder()
    let keys = Dictionary(uniqueKeysWithValues: Self.sites.map { ($0, Ed25519.SigningKey()) })
    self.keys = keys
    roster = RosterView(
      digest: BLAKE2b.hash([1, 2, 3]), colluders: 1,
      siteKeys: Dictionary(uniqueKeysWithValues: keys.map { (SiteID($0.key), $0.value.publicKey) }), serverKey: serverKey.publicKey)
    try Self.model(0).write(path: path("initial.safetensors"))
    for site in Self.sites {
      try FileManager.default.createDirectory(atPath: path("site-\(site)"), withIntermediateDirectories: true)
      try Self.model(Float(site + 1) / 16).write(path: path("site-\(site)/model.safetensors"))
      // 318 parameters, padded to a block.
      var sum = SafetensorsWriter()
      sum.add("gradient_sum", shape: [4096], int64s: (0..<4096).map { $0 % 2 == 0 ? Int64(site) : -1 })
      try sum.write(path: path("site-\(site)/gradient.safetensors"))
    }
  }

  func path(_ name: String) -> String { folder.path + "/" + name }

  /// 300 parameters and 4 statistics, all of one value.
  static func model(_ value: Float) -> SafetensorsWriter {
    var writer = SafetensorsWriter()
    writer.add("model.0.conv.weight", shape: [10, 30], floats: [Float](repeating: value, count: 300))
    writer.add("model.0.bn.running_mean", shape: [4], floats: [Float](repeating: value, count: 4))
    writer.add("model.0.bn.num_batches_tracked", shape: [], int64s: [7])
    writer.add("model.24.m.0.weight", shape: [18, 1], floats: [Float](repeating: value, count: 18))
    return writer
  }

  static func samples(_ site: UInt32) -> Int { 10 * (Int(site) + 1) }

  /// Σ w·x / Σ w over some sites, where site s has model (s+1)/16 and 10·(s+1) samples.
  static func mean(_ sites: [UInt32]) -> Double {
    let weights = sites.map { Double(samples($0)) }
    return zip(sites, weights).reduce(0) { $0 + $1.1 * Double($1.0 + 1) / 16 } / weights.reduce(0, +)
  }

  func plan(rounds: Int = 2) throws -> JobPlan {
    let bytes = try FileBytes.read(path: path("initial.safetensors"), bytesMax: 1 << 20)
    let layout = WeightsLayout(try SafetensorsFile(parsing: bytes))
    var plan = JobPlan(
      name: "garments", model: "yolov5n", classes: ["shirt"], imageSize: 64, rounds: rounds, parameterCount: layout.parameterCount,
      statisticCount: layout.statisticCount, layoutDigest: JobPlan.layoutDigest(layout), initialWeightsDigest: JobPlan.weightsDigest(bytes))
    (plan.training.batchNormRounds, plan.training.serverMomentum) = (privacy == nil ? 1 : 0, momentum)
    plan.privacy = privacy
    return plan
  }

  // MARK: the server

  func server(rounds: Int = 2, tap: EventTap) throws -> RoundDriver {
    try FileManager.default.createDirectory(atPath: path("server"), withIntermediateDirectories: true)
    let setup = JobSetup(
      plan: try plan(rounds: rounds), roster: roster, siteNames: [:], signingKey: serverKey, settings: RoundSettings(minimumSites: 3),
      stateDirectory: path("server"), weightsPath: path("initial.safetensors"))
    let (lines, queue) = AsyncStream<String>.makeStream()
    Task { for await line in lines { await tap.add(line) } }
    return try RoundDriver(setup, hub: network, timers: timers.source, logger: Self.quiet) { queue.yield($0) }
  }

  static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  // MARK: a site

  /// What a site's trainer does in a round: `ok`, `fail`, `hang`, or `hold` until it is something else.
  func setMode(_ mode: String, site: UInt32, round: Int) throws {
    try Data(mode.utf8).write(to: URL(fileURLWithPath: path("site-\(site)/mode-\(round)")), options: .atomic)
  }

  private func script(_ site: UInt32) -> String {
    let home = path("site-\(site)")
    return """
      mode='\(home)/mode-'${1##*-}
      while [ "$(cat "$mode" 2>/dev/null)" = hold ]; do sleep 0.05; done
      if [ "$(cat "$mode" 2>/dev/null)" = fail ]; then echo 'label 3 is outside' >&2; exit 65; fi
      if [ "$(cat "$mode" 2>/dev/null)" = hang ]; then exec sleep 1000; fi
      result=model
      if grep -q gradient_sum "$1/job.json"; then result=gradient; fi
      if ! grep -q census "$1/job.json"; then
        cp "\(home)/$result.safetensors" "$1/result.safetensors"; echo s > "$1/optimizer.state"; echo x >> '\(home)/trainings'
      fi
      metrics='{"box_loss": 0.5, "obj_loss": 0.25, "cls_loss": 2}'
      noised=''
      if [ "$(cat "$mode" 2>/dev/null)" != forget ] && grep -q noise_multiplier "$1/job.json"; then noised=', "noised_steps": 50'; fi
      echo '{"sample_count": \(Self.samples(site)), "metrics": '"$metrics"', "seconds": 1'"$noised"'}' > "$1/result.json"
      """
  }

  func driver(_ site: UInt32, policy: SitePolicy = SitePolicy()) throws -> SiteDriver {
    let setup = SiteSetup(
      site: SiteID(site), identity: try #require(keys[site]), roster: roster, rosterSerial: 1, policy: policy,
      trainer: TrainerProcess(command: ["/bin/sh", "-c", script(site), "trainer"], deadline: .seconds(600)), data: "data.yaml",
      stateDirectory: path("site-\(site)/state"), threads: 1)
    return try SiteDriver(setup, link: MemoryLink(network: network, site: site), logger: Self.quiet)
  }

  /// Starts a site; the task ends with it. Cancelling it kills its trainer, as the end of its process would.
  func start(_ site: UInt32, policy: SitePolicy = SitePolicy()) throws -> Task<SiteOutcome, any Error> {
    let driver = try driver(site, policy: policy)
    let events = network.open(site)
    return Task { try await driver.run(events) }
  }

  func trainings(_ site: UInt32) -> Int {
    ((try? String(contentsOfFile: path("site-\(site)/trainings"), encoding: .utf8)) ?? "").count / 2
  }

  func weights(_ file: String) throws -> SafetensorsFile { try SafetensorsFile.read(path: file) }
}
