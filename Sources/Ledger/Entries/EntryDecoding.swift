// From a leaf to its entry. The three ways to be no entry are told apart, because they are different faults of a log: too long, not
// canonical, not of the schema.

extension LedgerEntry {
  /// - Throws: LG-10, LG-11 or LG-12.
  public init(decoding leaf: [UInt8]) throws(AuditFault) {
    guard (1...LedgerEntry.bytesMax).contains(leaf.count) else {
      throw AuditFault(.leafLength, "the leaf has \(leaf.count) bytes; \(LedgerEntry.bytesMax) are allowed")
    }
    let value: JSONValue
    do { value = try JSONReader.read(leaf) } catch { throw AuditFault(.notCanonical, error.reason) }
    guard value.canonicalBytes == leaf else {
      throw AuditFault(.notCanonical, "the leaf is not the canonical spelling of what it says")
    }
    do { self = try LedgerEntry(value) } catch { throw AuditFault(.schema, error.reason) }
  }

  private init(_ value: JSONValue) throws(EncodingFault) {
    guard case .text(let type)? = value["type"] else { throw EncodingFault("the entry has no type") }
    guard let form = LedgerEntry.forms[type] else { throw EncodingFault("entries of the type \(type.prefix(40)) are not known") }
    let fields = try FieldReader(value, ["type", "time"] + form.fields)
    self.init(time: UInt64(try fields.natural("time")), try form.read(fields))
  }

  private struct Form: Sendable {
    let fields: [String]
    let read: @Sendable (FieldReader) throws(EncodingFault) -> Body
  }

  private static let forms: [String: Form] = [
    "attachment": Form(fields: ["digest", "part", "parts", "bytes"]) { fields throws(EncodingFault) in
      .attachment(try Attachment(fields))
    },
    "roster_changed": Form(fields: ["roster", "signature", "cosignatures"]) { fields throws(EncodingFault) in
      .rosterChanged(
        RosterChanged(
          roster: try fields.blob("roster"), signature: try fields.hex("signature", 64), cosignatures: try fields.blob("cosignatures")))
    },
    "job_opened": Form(
      fields: ["job", "record", "roster_serial", "roster_digest", "unit", "survivors_min", "budget"]
    ) { fields throws(EncodingFault) in .jobOpened(try JobOpened(fields)) },
    "round_reserved": Form(fields: ["ctx", "plan", "survivors", "charge"]) { fields throws(EncodingFault) in
      .roundReserved(try RoundReserved(fields))
    },
    "round_released": Form(
      fields: ["ctx", "signatures", "revealed", "sum_digest", "weights_digest", "threshold", "bits", "clip", "noise", "cost"]
    ) { fields throws(EncodingFault) in .roundReleased(try RoundReleased(fields)) },
    "round_aborted": Form(fields: ["ctx", "job", "round", "attempt", "phase", "code", "site"]) { fields throws(EncodingFault) in
      .roundAborted(try RoundAborted(fields))
    },
    "refused": Form(fields: ["ctx", "site", "code"]) { fields throws(EncodingFault) in
      .refused(
        SiteRefused(context: try fields.hex("ctx", 32), site: try site(fields), code: try refusalCode(fields)))
    },
    "refund": Form(fields: ["ctx", "certificate"]) { fields throws(EncodingFault) in
      .refund(Refund(context: try fields.hex("ctx", 32), certificate: try fields.blob("certificate")))
    },
    "job_closed": Form(fields: ["job", "reserved", "released", "total"]) { fields throws(EncodingFault) in
      .jobClosed(
        JobClosed(
          job: try fields.text("job"), reserved: try fields.natural("reserved"), released: try fields.natural("released"),
          total: fields.has("total") ? try fields.object("total", LeafBudget.keys, LeafBudget.read) : nil))
    },
  ]

  static func site(_ fields: FieldReader) throws(EncodingFault) -> UInt32 {
    UInt32(try fields.natural("site", max: Int(UInt32.max) - 1))
  }

  /// Two capitals, a hyphen, two digits.
  static func refusalCode(_ fields: FieldReader) throws(EncodingFault) -> String {
    let code = try fields.text("code")
    let bytes = Array(code.utf8)
    guard bytes.count == 5, bytes.prefix(3).elementsEqual("SA-".utf8), bytes.suffix(2).allSatisfy({ (48...57).contains($0) }) else {
      throw EncodingFault("a refusal's code is written like SA-20")
    }
    return code
  }
}

extension LeafBudget {
  static let keys = ["epsilon", "delta"]

  static func read(_ fields: FieldReader) throws(EncodingFault) -> LeafBudget {
    LeafBudget(epsilon: try fields.decimal("epsilon"), delta: try fields.decimal("delta"))
  }
}

extension Attachment {
  fileprivate init(_ fields: FieldReader) throws(EncodingFault) {
    digest = try fields.hex("digest", 32)
    parts = try fields.natural("parts", max: Blob.partsMax)
    part = try fields.natural("part", max: Blob.partsMax)
    guard let bytes = Base64.bytes(try fields.text("bytes")) else { throw EncodingFault("the field bytes is no base64") }
    self.bytes = bytes
  }
}

extension JobOpened {
  fileprivate init(_ fields: FieldReader) throws(EncodingFault) {
    guard let unit = PrivacyUnit(rawValue: try fields.text("unit")) else { throw EncodingFault("a unit is none, site or record") }
    self.init(
      job: try fields.text("job"), record: try fields.blob("record"), rosterSerial: try fields.natural("roster_serial"),
      rosterDigest: try fields.hex("roster_digest", 32), unit: unit,
      budget: fields.has("budget") ? try fields.object("budget", LeafBudget.keys, LeafBudget.read) : nil,
      survivorsMin: try fields.natural("survivors_min", max: 10_000))
  }
}

extension RoundReserved {
  fileprivate init(_ fields: FieldReader) throws(EncodingFault) {
    var charge: LeafCharge?
    if fields.has("charge") {
      charge = try fields.object("charge", ["mechanism", "shares"]) { fields throws(EncodingFault) in
        guard case .bytes(let mechanism) = try fields.blob("mechanism") else { throw EncodingFault("a mechanism stands in its leaf") }
        return LeafCharge(mechanism: mechanism, shares: try fields.natural("shares", max: Int(UInt32.max)))
      }
    }
    self.init(
      context: try fields.hex("ctx", 32), plan: try fields.blob("plan"), survivors: try fields.blob("survivors"), charge: charge)
  }
}

extension RoundReleased {
  fileprivate init(_ fields: FieldReader) throws(EncodingFault) {
    context = try fields.hex("ctx", 32)
    (signatures, revealed) = (try fields.blob("signatures"), try fields.blob("revealed"))
    (sumDigest, weightsDigest) = (try fields.hex("sum_digest", 32), try fields.hex("weights_digest", 32))
    (threshold, bits) = (try fields.natural("threshold", max: 10_000), try fields.natural("bits", max: 32))
    clip = fields.has("clip") ? try fields.decimal("clip") : nil
    noise =
      fields.has("noise")
      ? try fields.object("noise", ["shares", "variance"]) { fields throws(EncodingFault) in
        ReleasedNoise(shares: try fields.natural("shares", max: Int(UInt32.max)), variance: try fields.text("variance"))
      } : nil
    cost =
      fields.has("cost")
      ? try fields.object("cost", LeafBudget.keys + ["round"]) { fields throws(EncodingFault) in
        ReleasedCost(round: try fields.decimal("round"), total: try LeafBudget.read(fields))
      } : nil
  }
}

extension RoundAborted {
  fileprivate init(_ fields: FieldReader) throws(EncodingFault) {
    guard let phase = Phase(rawValue: try fields.text("phase")) else { throw EncodingFault("the protocol has no such phase") }
    self.init(
      context: try fields.hex("ctx", 32), job: try fields.text("job"), round: try fields.natural("round", max: Int(UInt32.max)),
      attempt: try fields.natural("attempt", max: Int(UInt32.max)), phase: phase, code: try LedgerEntry.refusalCode(fields),
      site: fields.has("site") ? try LedgerEntry.site(fields) : nil)
  }
}
