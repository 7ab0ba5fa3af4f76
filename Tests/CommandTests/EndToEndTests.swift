// The programs themselves, over gRPC with mutual TLS on loopback: five sites with a trainer that is a shell script, one of them killed in
// the middle of a round and back in the next; then the ways in which a server or a client must refuse to start, each with its exit status.
import Foundation
import Safetensors
import Testing

#if SECAGG_ORACLE
  import Federation
#endif

/// A program of this build that runs in the background.
final class Program {
  let process = Process()
  let output: String

  init(_ name: String, _ arguments: [String], output: String, environment: [String: String] = [:]) throws {
    self.output = output
    _ = FileManager.default.createFile(atPath: output, contents: nil)
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
    process.executableURL = Self.folder.appendingPathComponent(name)
    process.arguments = arguments
    process.standardOutput = handle
    process.standardError = handle
    process.standardInput = FileHandle.nullDevice
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    try process.run()
  }

  /// Test program and products lie in one folder.
  static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

  var text: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }

  func wait() -> Int32 {
    process.waitUntilExit()
    return process.terminationStatus
  }

  func kill() { Foundation.kill(process.processIdentifier, SIGKILL) }

  @discardableResult
  static func run(_ name: String, _ arguments: [String], in world: ConsortiumFolder) throws -> (status: Int32, text: String) {
    let program = try Program(name, arguments, output: world.path("out-\(UUID().uuidString)"))
    return (program.wait(), program.text)
  }
}

/// Keys, roster, configurations and data of a consortium, made with its own programs.
final class ConsortiumFolder {
  static let sites = 5
  let root = FileManager.default.temporaryDirectory.appendingPathComponent("secagg-e2e-\(UUID().uuidString)").path

  func path(_ name: String) -> String { root + "/" + name }

  init() throws {
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    try ok("secagg-roster", ["init", "--directory", path("consortium")])
    try ok("secagg-server", ["init", "--directory", path("server")])
    try ok("secagg-roster", ["add-server", path("server/server.request"), "--roster", path("consortium/roster.json")])
    for site in 1...Self.sites {
      let home = path("site-\(site)")
      try ok("secagg-client", ["enroll", "--name", "site-\(site)", "--directory", home])
      try ok("secagg-roster", ["add-site", "\(home)/site-\(site).request", "--roster", path("consortium/roster.json")])
    }
    try ok("secagg-roster", ["sign", "--roster", path("consortium/roster.json"), "--key", path("consortium/consortium.key")])
    for home in ["server"] + (1...Self.sites).map({ "site-\($0)" }) {
      for name in ["roster.json", "consortium.pub"] { try copy("consortium/\(name)", "\(home)/\(name)") }
    }
    try model(0).write(path: path("server/initial.safetensors"))
    try configure("server/federated.yaml")
    for site in 1...Self.sites {
      try model(Float(site) / 8).write(path: path("site-\(site)/model.safetensors"))
      try write(trainer, to: "site-\(site)/trainer.sh")
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  private func ok(_ name: String, _ arguments: [String]) throws {
    let (status, text) = try Program.run(name, arguments, in: self)
    try #require(status == 0, "\(name) \(arguments): \(text)")
  }

  func copy(_ from: String, _ to: String) throws { try FileManager.default.copyItem(atPath: path(from), toPath: path(to)) }
  func write(_ text: String, to name: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path(name))) }

  /// Large enough for several pieces of masked input.
  func model(_ value: Float) -> SafetensorsWriter {
    var writer = SafetensorsWriter()
    writer.add("model.0.conv.weight", shape: [1_000, 700], floats: [Float](repeating: value, count: 700_000))
    writer.add("model.0.bn.running_var", shape: [8], floats: [Float](repeating: 1 + value, count: 8))
    writer.add("model.24.m.0.weight", shape: [18, 2, 1, 1], floats: [Float](repeating: value, count: 36))
    return writer
  }

  /// Hands back the site's own model; waits where the test says so.
  private let trainer = """
    #!/bin/sh
    home=$1; job=$2
    if ! grep -q census "$job/job.json"; then
      if [ -e "$home/hang" ]; then exec sleep 1000; fi
      cp "$home/model.safetensors" "$job/result.safetensors"
    fi
    echo '{"sample_count": 10, "metrics": {"box_loss": 1, "obj_loss": 1, "cls_loss": 1}}' > "$job/result.json"
    """

  func configure(_ name: String, privacy: Bool = false, port: Int = 0) throws {
    try write(
      """
      job: end-to-end
      model: {weights: initial.safetensors, image_size: 64}
      training: {fed_rounds: 2, local_epochs: 1}
      security: {differential_privacy: {enabled: \(privacy), mechanism: gaussian, epsilon: 1.0, delta: 1e-5}}
      communication: {listen: "127.0.0.1:\(port)"}
      """, to: name)
  }

  func configureSite(_ site: Int, port: Int) throws {
    try write(
      """
      server: 127.0.0.1:\(port)
      roster: roster.json
      consortium_key: consortium.pub
      identity: identity
      data: data.yaml
      trainer: {command: [/bin/sh, '\(path("site-\(site)/trainer.sh"))', '\(path("site-\(site)"))']}
      """, to: "site-\(site)/site.yaml")
  }
}

private struct Line: Decodable {
  let event: String
  let round: Int?
  let port: Int?
  let site: Int?
  let phase: String?
  let survivors: [Int]?
  let outcome: String?
}

@Suite(.serialized, .timeLimit(.minutes(5))) struct EndToEndTests {
  /// The events so far; polling a file is what its readers do.
  private func events(_ world: ConsortiumFolder) -> [Line] {
    let text = (try? String(contentsOfFile: world.path("state/events.jsonl"), encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
  }

  private func wait(_ world: ConsortiumFolder, _ server: Program, for found: ([Line]) -> Bool) async throws {
    while !found(events(world)) {
      try #require(server.process.isRunning, "the server ended: \(server.text)")
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  @Test func fiveSitesOneKilledAndBack() async throws {
    let world = try ConsortiumFolder()
    let oracle = world.path("oracle")
    try FileManager.default.createDirectory(atPath: oracle, withIntermediateDirectories: true)
    let environment = ["SECAGG_ORACLE_DIR": oracle]
    let server = try Program(
      "secagg-server", ["run", "--config", world.path("server/federated.yaml"), "--state", world.path("state")],
      output: world.path("server.log"), environment: environment)
    defer { server.kill() }
    try await wait(world, server) { $0.contains { $0.event == "listening" } }
    let port = try #require(events(world).compactMap(\.port).first)
    func start(_ site: Int) throws -> Program {
      try Program(
        "secagg-client", ["run", "--config", world.path("site-\(site)/site.yaml")], output: world.path("site-\(site)/log-\(UUID())"),
        environment: environment)
    }
    try world.write("", to: "site-3/hang")
    var sites: [Int: Program] = [:]
    for site in 1...ConsortiumFolder.sites {
      try world.configureSite(site, port: port)
      sites[site] = try start(site)
    }
    defer { for site in sites.values { site.kill() } }

    // Site 3 (index 2) is killed while its trainer works and all others have handed in.
    try await wait(world, server) { $0.filter { $0.event == "input_received" && $0.round == 1 }.count == 4 }
    sites[3]?.kill()
    _ = sites[3]?.wait()
    try FileManager.default.removeItem(atPath: world.path("site-3/hang"))
    try await wait(world, server) { $0.contains { $0.event == "round_finished" && $0.round == 1 } }
    sites[3] = try start(3)

    #expect(server.wait() == 0, "\(server.text)")
    for (site, program) in sites { #expect(program.wait() == 0, "site \(site): \(program.text)") }
    let finished = events(world).filter { $0.event == "round_finished" }
    #expect(finished.map(\.survivors) == [[0, 1, 2, 3, 4], [0, 1, 3, 4], [0, 1, 2, 3, 4]])
    #expect(events(world).last?.outcome == "finished")
    let dropped = events(world).filter { $0.event == "site_dropped" }
    #expect(dropped.map(\.site) == [2] && dropped.map(\.phase) == ["masked_input"])

    // Equal weights: the means of 1, 2, 4, 5 and of 1 to 5, each over 8.
    for (round, mean) in [(1, 3.0 / 8), (2, 3.0 / 8)] {
      let file = try SafetensorsFile.read(path: world.path("state/weights/round-00\(round).safetensors"))
      let values = try file.floats("model.0.conv.weight")
      #expect(values.allSatisfy { abs(Double($0) - mean) < 1e-4 })
    }
    try checkOracle(oracle)
  }

  /// The unmasked sums are the plain sums, bit for bit.
  private func checkOracle(_ folder: String) throws {
    #if SECAGG_ORACLE
      let verdicts = try SumOracle(folder: folder).verify()
      #expect(verdicts.map(\.round) == [0, 1, 2])
      #expect(verdicts.map(\.survivors.count) == [5, 4, 5])
      for verdict in verdicts { #expect(verdict.differences == 0 && verdict.coordinates > 0) }
    #endif
  }

  @Test func whatMustNotStart() throws {
    let world = try ConsortiumFolder()
    func server(_ more: [String], config: String = "server/federated.yaml") throws -> (status: Int32, text: String) {
      try Program.run("secagg-server", ["run", "--config", world.path(config), "--state", world.path("state")] + more, in: world)
    }
    func expect(_ result: (status: Int32, text: String), _ status: Int32, _ words: [String], at place: SourceLocation = #_sourceLocation) {
      #expect(result.status == status, "\(result.text)", sourceLocation: place)
      for word in words + ["error[", "hint:"] { #expect(result.text.contains(word), "\(result.text)", sourceLocation: place) }
    }
    // A truncated weights file.
    let whole = try FileBytes.read(path: world.path("server/initial.safetensors"), bytesMax: 1 << 24)
    try FileBytes.write(Array(whole.prefix(10_000)), path: world.path("cut.safetensors"))
    expect(try server(["--weights", world.path("cut.safetensors")]), 65, ["cut.safetensors"])
    expect(try server(["--weights", world.path("none.safetensors")]), 65, ["none.safetensors"])
    // Privacy that this version does not have, with its line; an unknown key.
    try world.configure("server/privacy.yaml", privacy: true)
    expect(try server([], config: "server/privacy.yaml"), 78, ["privacy.yaml:4:", "--without-privacy", "^"])
    try world.write("training: {fed_round: 3}\n", to: "server/typo.yaml")
    expect(try server([], config: "server/typo.yaml"), 78, ["typo.yaml:1:12", "fed_rounds"])
    // A port in use.
    let busy = try Listener()
    expect(try server(["--listen", "127.0.0.1:\(busy.port)"]), 69, ["\(busy.port)"])
    // A roster that somebody changed.
    let roster = try String(contentsOfFile: world.path("server/roster.json"), encoding: .utf8)
    let forged = roster.replacingOccurrences(of: "\"colluders\" : 1", with: "\"colluders\" : 0")
    try #require(forged != roster)
    try world.write(forged, to: "forged.json")
    expect(try server(["--roster", world.path("forged.json")]), 77, ["signature"])

    // A server that is not there; keys that are not the roster's; a server's certificate that is not the roster's.
    try world.configureSite(1, port: busy.port)
    busy.close()
    let client = ["run", "--config", world.path("site-1/site.yaml"), "--give-up-after", "0"]
    expect(try Program.run("secagg-client", client, in: world), 69, ["\(busy.port)"])
    try FileManager.default.removeItem(atPath: world.path("site-1/identity"))
    try world.copy("site-2/identity", "site-1/identity")
    try FileManager.default.removeItem(atPath: world.path("site-1/identity/protocol.key"))
    try world.copy("site-3/identity/protocol.key", "site-1/identity/protocol.key")
    expect(try Program.run("secagg-client", client, in: world), 77, ["site-2"])
  }

  /// A server of another consortium at the address that the site was given: its certificate is refused in the handshake.
  @Test func anotherServerIsRefused() async throws {
    let (own, other) = (try ConsortiumFolder(), try ConsortiumFolder())
    let server = try Program(
      "secagg-server", ["run", "--config", other.path("server/federated.yaml"), "--state", other.path("state")],
      output: other.path("server.log"))
    defer { server.kill() }
    try await wait(other, server) { $0.contains { $0.event == "listening" } }
    try own.configureSite(1, port: try #require(events(other).compactMap(\.port).first))
    let (status, text) = try Program.run(
      "secagg-client", ["run", "--config", own.path("site-1/site.yaml"), "--give-up-after", "0"], in: own)
    #expect(status == 77, "\(text)")
    #expect(text.contains("error[TR-02]"), "\(text)")
    #expect(!events(other).contains { $0.event == "site_connected" })
  }
}

/// A port of this machine that is in use.
private final class Listener {
  private let descriptor: Int32
  let port: Int

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let (own, descriptor) = (descriptor, descriptor)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(own, $0, length) == 0 && listen(own, 1) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    try #require(bound)
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  func close() { Foundation.close(descriptor) }
}
