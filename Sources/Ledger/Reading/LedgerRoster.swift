// The consortium's roster as an auditor needs it (spec/02-context-keys-roster.md): who may sign what. Read from the record that the
// consortium signed. Certificates are bytes here: an auditor opens no connection, and must not link what parses them.
import Sodium

public struct LedgerRoster: Equatable, Sendable {
  public struct Site: Equatable, Sendable {
    public let index: UInt32
    public let name: String
    public let protocolKey: Ed25519.PublicKey
    public let witnessKey: Ed25519.PublicKey
    /// Seconds since 1970, both ends included.
    public let notBefore: UInt64
    public let notAfter: UInt64
  }

  public let consortiumKey: Ed25519.PublicKey
  public let serial: UInt64
  public let issued: UInt64
  public let validUntil: UInt64
  /// n_C.
  public let colluders: Int
  public let serverName: String
  public let serverKey: Ed25519.PublicKey
  public let logKey: Ed25519.PublicKey
  public let sites: [Site]
  /// H of the record.
  public let digest: [UInt8]
  private let places: [UInt32: Int]

  static let label = "secagg/v1/roster"
  /// 10,000 sites with their certificates.
  static let bytesMax = 36 << 20

  /// Everything that the record alone decides is checked; the consortium's signature over it is not.
  init(record: [UInt8]) throws(EncodingFault) {
    var input = try ByteInput(record: record, label: Self.label, bytesMax: Self.bytesMax)
    consortiumKey = try Self.key(&input)
    (serial, issued, validUntil) = (try input.u64(), try input.u64(), try input.u64())
    colluders = try input.u32()
    let nextSite = try input.u32()
    guard try input.flag() else { throw EncodingFault("the roster names no server") }
    serverName = try Self.name(&input)
    (serverKey, logKey) = (try Self.key(&input), try Self.key(&input))
    _ = try input.recordData(16_384)
    for _ in 0..<(try input.count(8)) { _ = try input.recordText(300) }
    var sites: [Site] = []
    for _ in 0..<(try input.count(10_000)) {
      let (index, name): (UInt32, String) = (try input.integer(), try Self.name(&input))
      let keys = (try Self.key(&input), try Self.key(&input))
      _ = try input.recordData(16_384)
      sites.append(
        Site(
          index: index, name: name, protocolKey: keys.0, witnessKey: keys.1, notBefore: try input.u64(), notAfter: try input.u64()))
    }
    try input.end()
    self.sites = sites
    digest = BLAKE2b.hash(record)
    places = Dictionary(sites.enumerated().map { ($1.index, $0) }, uniquingKeysWith: { first, _ in first })
    try validate(nextSite)
  }

  private func validate(_ nextSite: Int) throws(EncodingFault) {
    guard zip(sites, sites.dropFirst()).allSatisfy({ $0.index < $1.index }), sites.allSatisfy({ Int($0.index) < nextSite }) else {
      throw EncodingFault("the roster's sites are out of order")
    }
    guard sites.count >= 3, colluders < sites.count, nextSite <= 1_000_000 else {
      throw EncodingFault("\(colluders) colluders among \(sites.count) sites")
    }
    guard serial > 0, issued < validUntil, validUntil < 1 << 53 else { throw EncodingFault("the roster's serial number or dates are none") }
    guard sites.allSatisfy({ $0.notBefore < $0.notAfter && $0.notAfter < 1 << 53 }) else {
      throw EncodingFault("a site ends before it begins")
    }
    let keys = [consortiumKey, serverKey, logKey] + sites.flatMap { [$0.protocolKey, $0.witnessKey] }
    guard Set(keys).count == keys.count, Set(sites.map(\.name) + [serverName]).count == sites.count + 1 else {
      throw EncodingFault("two entries of the roster share a name or a key")
    }
  }

  public func site(_ index: UInt32) -> Site? { places[index].map { sites[$0] } }

  /// How many sites must agree on a checkpoint or on the next roster: two such sets share an honest site.
  public var quorum: Int { Self.quorum(sites: sites.count, colluders: colluders) }

  /// max(⌊(n + n_C)/2⌋ + 1, ⌊2n/3⌋ + 1).
  static func quorum(sites n: Int, colluders: Int) -> Int { max((n + colluders) / 2 + 1, 2 * n / 3 + 1) }

  /// The name on this log's checkpoints.
  public var origin: String { LedgerNames.origin(consortium: consortiumKey, server: serverName) }
  public func witnessName(_ site: UInt32) -> String { LedgerNames.witness(consortium: consortiumKey, site: site) }

  private static func key(_ input: inout ByteInput) throws(EncodingFault) -> Ed25519.PublicKey {
    let bytes = try input.recordData(32)
    do { return try Ed25519.PublicKey(bytes) } catch { throw EncodingFault("a key of the roster is no Ed25519 key") }
  }

  private static func name(_ input: inout ByteInput) throws(EncodingFault) -> String {
    let name = try input.recordText(63)
    let bytes = Array(name.utf8)
    guard let first = bytes.first, let last = bytes.last, first != 45, last != 45,
      bytes.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 45 })
    else { throw EncodingFault("a name of the roster has other characters than a-z, 0-9 and '-'") }
    return name
  }
}
