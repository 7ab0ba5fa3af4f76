// Malicious parties: each plays one of the pitfalls that shipped systems fell into. It sees what its role sees, and speaks with its
// role's key.
import SecAgg

/// Stands between a malicious party's real code and the network. The default is to be honest.
protocol Adversary: AnyObject {
  var name: String { get }
  /// Whether the server is malicious; otherwise some sites are.
  var isServer: Bool { get }
  func colluders(of sites: [SiteID], _ options: SimulationOptions) -> Set<SiteID>
  func fromServer(_ bytes: [UInt8], to site: SiteID, _ simulation: Simulation) -> [[UInt8]]
  func fromSite(_ packet: Packet, _ site: SimulatedSite, _ simulation: Simulation) -> [Packet]
  func serverReceived(_ bytes: [UInt8], from site: SiteID, _ simulation: Simulation)
  func attemptFinished(_ simulation: Simulation)
}

extension Adversary {
  func colluders(of sites: [SiteID], _ options: SimulationOptions) -> Set<SiteID> { [] }
  func fromServer(_ bytes: [UInt8], to site: SiteID, _ simulation: Simulation) -> [[UInt8]] { [bytes] }
  func fromSite(_ packet: Packet, _ site: SimulatedSite, _ simulation: Simulation) -> [Packet] { [packet] }
  func serverReceived(_ bytes: [UInt8], from site: SiteID, _ simulation: Simulation) {}
  func attemptFinished(_ simulation: Simulation) {}
}

/// All of them, by name.
public enum Adversaries {
  /// Name and what it does.
  public static var all: [(name: String, what: String)] {
    ServerPitfall.allCases.map { ($0.rawValue, $0.what) } + SitePitfall.allCases.map { ($0.rawValue, $0.what) }
  }

  static func make(_ options: SimulationOptions) throws -> (any Adversary)? {
    let sparse = options.usesSparseGraph
    guard let name = options.adversary else {
      guard options.faults == .malicious else { return nil }
      var random = SeededRandom(options.seed, "adversary")
      let names = all.map(\.name).filter {
        sparse || (ServerPitfall(rawValue: $0)?.needsSparse ?? SitePitfall(rawValue: $0)?.needsSparse) != true
      }
      return try make(named: names[Int(random.next() % UInt64(names.count))], options.seed)
    }
    return try make(named: name, options.seed)
  }

  private static func make(named name: String, _ seed: UInt64) throws -> any Adversary {
    if let pitfall = ServerPitfall(rawValue: name) { return MaliciousServer(pitfall, seed: seed) }
    if let pitfall = SitePitfall(rawValue: name) { return MaliciousSites(pitfall, seed: seed) }
    throw SimulationError(reason: "there is no adversary \"\(name)\"")
  }
}

extension [UInt8] {
  /// The body of a message of one type, or nil.
  func body<Body: MessageBody>(_ type: Body.Type) -> Body? {
    guard count > 1, self[1] == Body.type.rawValue else { return nil }
    return try? SignedMessage(decoding: self).open(type)
  }

  var messageType: MessageType? { count > 1 ? MessageType(rawValue: self[1]) : nil }
}
