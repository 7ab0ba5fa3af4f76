// The canonical bytes of a plan (spec/02-context-keys-roster.md, "Plan"): what the server signs and what ctx is the hash of.

extension RoundPlan {
  static let version: UInt16 = 1
  /// Every primitive in one name, so that a change of any of them changes ctx.
  static let suite = "x25519-ed25519-blake2b-xchacha20poly1305-ristretto255-aes256ctr"

  public func encoded() -> [UInt8] {
    var writer = ByteWriter()
    writer.u16(RoundPlan.version)
    writer.text8(RoundPlan.suite)
    writer.text16(job)
    writer.u32(round)
    writer.u32(attempt)
    writer.block16(rosterDigest)
    writer.sites(sites)
    for value in [colluders, threshold, neighbours, minimumSurvivors] { writer.u32(UInt32(clamping: value)) }
    writer.block16(weightsDigest)
    writer.block16(configurationDigest)
    writer.u16(UInt16(clamping: sections.count))
    for section in sections {
      writer.text8(section.name)
      writer.u64(UInt64(clamping: section.count))
      writer.u8(UInt8(clamping: section.bits))
    }
    writer.block32(mechanism)
    // Extensions: none in this version.
    writer.u16(0)
    return writer.bytes
  }

  /// - Throws: SA-01, SA-02. The plan is not validated yet.
  public init(decoding bytes: [UInt8]) throws(Refusal) {
    var reader = ByteReader(bytes)
    guard try reader.u16() == RoundPlan.version, try reader.text8() == RoundPlan.suite else {
      throw Refusal(.unsupported, "the plan is of another version or suite")
    }
    let job = try reader.text16()
    let round = try reader.u32()
    let attempt = try reader.u32()
    let rosterDigest = try reader.block16()
    let sites = try reader.sites()
    let colluders = Int(try reader.u32())
    let threshold = Int(try reader.u32())
    let neighbours = Int(try reader.u32())
    let minimumSurvivors = Int(try reader.u32())
    let weightsDigest = try reader.block16()
    let configurationDigest = try reader.block16()
    let sections = try reader.list(elementBytesMin: 10) { reader throws(Refusal) in try RoundPlan.section(&reader) }
    let mechanism = try reader.block32()
    guard mechanism.count <= RoundPlan.mechanismBytesMax else { throw Refusal(.malformed, "a mechanism of \(mechanism.count) bytes") }
    guard try reader.u16() == 0 else { throw Refusal(.unsupported, "the plan has extensions, which this version does not know") }
    try reader.finish()
    self.init(
      job: job, round: round, attempt: attempt, rosterDigest: rosterDigest, sites: sites, colluders: colluders,
      threshold: threshold, neighbours: neighbours, minimumSurvivors: minimumSurvivors, weightsDigest: weightsDigest,
      configurationDigest: configurationDigest, sections: sections, mechanism: mechanism)
  }

  private static func section(_ reader: inout ByteReader) throws(Refusal) -> VectorSection {
    let name = try reader.text8()
    guard let count = Int(exactly: try reader.u64()), count <= RoundPlan.coordinatesMax else {
      throw Refusal(.malformed, "a section has too many coordinates")
    }
    return VectorSection(name: name, count: count, bits: Int(try reader.u8()))
  }
}
