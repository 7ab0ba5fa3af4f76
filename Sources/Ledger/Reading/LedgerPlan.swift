// A plan (spec/02-context-keys-roster.md, "The plan") as the auditor reads it from its own bytes, and the rules that every party checks
// before it takes part. A second reader on purpose: the auditor shares no code with what it audits; tests hold the two to each other.
import Sodium

struct LedgerPlan: Equatable, Sendable {
  let job: String
  let round: UInt32
  let attempt: UInt32
  let rosterDigest: [UInt8]
  /// U0.
  let sites: [UInt32]
  let colluders: Int
  let threshold: Int
  let neighbours: Int
  let minimumSurvivors: Int
  let weightsDigest: [UInt8]
  let configurationDigest: [UInt8]
  let sections: [Section]
  let mechanism: [UInt8]
  /// ctx.
  let context: [UInt8]

  struct Section: Equatable, Sendable {
    let name: String
    let count: UInt64
    let bits: Int
  }

  private static let suite = "x25519-ed25519-blake2b-xchacha20poly1305-ristretto255-aes256ctr"

  init(_ bytes: [UInt8]) throws(EncodingFault) {
    var input = ByteInput(bytes)
    guard try input.u16() == 1, try input.text8() == Self.suite else { throw EncodingFault("the plan is of another version or suite") }
    job = try input.text16()
    (round, attempt) = (try input.integer(), try input.integer())
    rosterDigest = try input.block16()
    sites = try input.sites()
    (colluders, threshold) = (try input.u32(), try input.u32())
    (neighbours, minimumSurvivors) = (try input.u32(), try input.u32())
    (weightsDigest, configurationDigest) = (try input.block16(), try input.block16())
    var sections: [Section] = []
    for _ in 0..<(try input.u16()) {
      sections.append(Section(name: try input.text8(), count: try input.u64(), bits: try input.u8()))
    }
    self.sections = sections
    mechanism = try input.block32()
    guard try input.u16() == 0 else { throw EncodingFault("the plan has extensions") }
    try input.end()
    context = BLAKE2b.hash(protocolLabel("context") + bytes)
  }

  var isSparse: Bool { neighbours < sites.count - 1 }

  /// max(t, m_min): inputs without which there is no sum.
  var inputsMin: Int { max(threshold, minimumSurvivors) }

  /// Noise shares that nobody who sees a sum knows: not those of the colluders, of which a site that looks is one.
  var noiseShares: Int { inputsMin - max(colluders, 1) }

  /// Signatures over the survivors without which a release is not believed: two such sets share an honest site.
  var quorum: Int { LedgerRoster.quorum(sites: sites.count, colluders: colluders) }

  /// The rules SA-10 to SA-13, SA-15, SA-16 and SA-19; those of the mechanism are `LedgerMechanism`'s.
  func validate(against roster: LedgerRoster, time: UInt64, graph: inout GraphNumbers) throws(EncodingFault) {
    let n = sites.count
    guard rosterDigest == roster.digest else { throw EncodingFault("the plan names another roster than the ledger's") }
    guard n >= 3, n <= 10_000 else { throw EncodingFault("a plan for \(n) sites") }
    for index in sites {
      guard let site = roster.site(index) else { throw EncodingFault("site \(index) is not in the roster") }
      guard (site.notBefore...site.notAfter).contains(time) else { throw EncodingFault("the entry of site \(index) is past or to come") }
    }
    guard colluders == roster.colluders, colluders < n else { throw EncodingFault("the plan allows \(colluders) colluders") }
    guard (1...n).contains(minimumSurvivors) else { throw EncodingFault("\(minimumSurvivors) minimum survivors of \(n) sites") }
    if isSparse {
      guard let numbers = graph.find(sites: n, colluders: colluders, dropouts: n - minimumSurvivors) else {
        throw EncodingFault("no sparse graph serves these numbers")
      }
      guard neighbours == numbers.neighbours, threshold == numbers.threshold else {
        throw EncodingFault("the graph has \(numbers.neighbours) neighbours and threshold \(numbers.threshold)")
      }
    } else {
      guard neighbours == n - 1, n <= 128 else { throw EncodingFault("no complete graph of \(n) sites has \(neighbours) neighbours") }
      guard threshold == quorum, threshold <= n else { throw EncodingFault("threshold \(threshold); it is \(quorum)") }
    }
    try validateLayout()
  }

  private func validateLayout() throws(EncodingFault) {
    guard [rosterDigest, weightsDigest, configurationDigest].allSatisfy({ $0.count == 32 }) else {
      throw EncodingFault("a digest has 32 bytes")
    }
    guard (1...16).contains(sections.count), Set(sections.map(\.name)).count == sections.count else {
      throw EncodingFault("a plan has 1 to 16 sections with names of their own")
    }
    var total: UInt64 = 0
    for section in sections {
      let name = Array(section.name.utf8)
      guard (1...64).contains(name.count), name.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95 }),
        (1...(1 << 28)).contains(section.count), (2...32).contains(section.bits)
      else { throw EncodingFault("a section is out of bounds") }
      total += section.count
    }
    guard total <= 1 << 28 else { throw EncodingFault("\(total) coordinates are too many") }
  }
}
