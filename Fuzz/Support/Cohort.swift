// The parties of the fuzzed attempts: fixed keys, tiny vectors, secrets from a seed, so that one execution is cheap and repeats byte for
// byte.
import Masking
import SecAgg
import Sodium

struct Cohort: @unchecked Sendable {
  let sites: [SiteID]
  let keys: [SiteID: Ed25519.SigningKey]
  let serverKey: Ed25519.SigningKey
  let roster: RosterView
  let plan: RoundPlan
  let context: [UInt8]

  /// Four sites, everybody with everybody, t = 3.
  static let complete = Cohort(4)
  /// 65 sites on a ring: the smallest sparse graph, with the lowest degree (one dropout allowed, no colluders).
  static let sparse = Cohort(65)

  private init(_ count: Int) {
    sites = (0..<count).map { SiteID(UInt32(3 + 10 * $0)) }
    func key(_ number: UInt32) -> Ed25519.SigningKey {
      let seed = SecretBytes(copying: BLAKE2b.hash(withUnsafeBytes(of: number.bigEndian) { Array($0) }))
      guard let key = try? Ed25519.SigningKey(seed: seed) else { fatalError("a seed has 32 bytes") }
      return key
    }
    keys = Dictionary(uniqueKeysWithValues: sites.map { ($0, key($0.rawValue)) })
    serverKey = key(.max)
    roster = RosterView(
      digest: BLAKE2b.hash(Array("roster".utf8)), colluders: 0, siteKeys: keys.mapValues(\.publicKey), serverKey: serverKey.publicKey)
    let encoding = EncodingParameters(sites: count, samplesReference: 1000, scalars: [.weight, .samples])
    plan = RoundPlan(
      job: "fuzz", round: 7, attempt: 1, roster: roster, sites: sites, minimumSurvivors: count > 64 ? count - 1 : nil,
      weightsDigest: BLAKE2b.hash([1]), configurationDigest: BLAKE2b.hash([2]),
      sections: encoding.sections(parameters: 3, statistics: 1), mechanism: encoding.encoded())
    context = plan.context
  }

  func session(_ site: SiteID) -> SiteSession {
    SiteSession(site: site, identity: key(site), roster: roster, minimumHonest: 3, random: .seeded(site))
  }

  func key(_ party: SiteID) -> Ed25519.SigningKey { keys[party] ?? serverKey }

  /// Uniform elements of each section's ring.
  func input(_ site: SiteID) -> [[UInt32]] {
    plan.sections.enumerated().map { index, section in
      (0..<section.count).map { position in
        let bytes = BLAKE2b.hash([UInt8(index), UInt8(position)] + withUnsafeBytes(of: site.rawValue) { Array($0) })
        return Ring(bits: section.bits).reduce(bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
      }
    }
  }

  func plainSum(_ sites: [SiteID]) -> [[UInt32]] {
    var total = plan.sections.map { [UInt32](repeating: 0, count: $0.count) }
    for site in sites {
      for (index, words) in input(site).enumerated() {
        for position in words.indices { total[index][position] &+= words[position] }
      }
    }
    for (index, section) in plan.sections.enumerated() { total[index] = total[index].map(Ring(bits: section.bits).reduce) }
    return total
  }

  func sign(_ body: some MessageBody, _ party: SiteID) -> SignedMessage {
    SignedMessage(body, context: context, sender: party, key: key(party))
  }

  /// The same frame around other bytes, signed by whoever its sender is.
  func sign(_ message: SignedMessage, type: MessageType? = nil, body: [UInt8]) -> SignedMessage {
    SignedMessage(type: type ?? message.type, body: body, context: message.context, sender: message.sender, key: key(message.sender))
  }
}

extension SiteRandom {
  /// The secrets of one site, the same in every session.
  static func seeded(_ site: SiteID) -> SiteRandom {
    let counter = Counter(site)
    return SiteRandom(
      scalar: { _ in
        // 248 bits are below the group's order.
        guard let scalar = try? Scalar(canonical: counter.next().dropLast() + [0]) else { fatalError("31 bytes make a scalar") }
        return scalar
      },
      channelKey: {
        guard let key = try? X25519.SecretKey(derivedFrom: SecretBytes(copying: counter.next())) else {
          fatalError("32 bytes make a key")
        }
        return key
      },
      nonce: { counter.next() })
  }

  /// One owner: a fuzz target runs on one thread.
  private final class Counter: @unchecked Sendable {
    private let site: SiteID
    private var count: UInt32 = 0
    init(_ site: SiteID) { self.site = site }
    func next() -> [UInt8] {
      count += 1
      return BLAKE2b.hash(withUnsafeBytes(of: (site.rawValue, count)) { Array($0) })
    }
  }
}
