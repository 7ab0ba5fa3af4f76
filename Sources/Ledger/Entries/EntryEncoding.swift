// From an entry to its leaf: canonical JSON with the fields of spec/15-ledger.md, no others.

extension LedgerEntry {
  /// The leaf. Its length is the caller's to check: `bytesMax`.
  public var encoded: [UInt8] { json.canonicalBytes }

  var json: JSONValue {
    let (type, fields) = body.fields
    return .object([JSONMember("type", .text(type)), JSONMember("time", .integer(Int64(clamping: time)))] + fields)
  }
}

extension LedgerEntry.Body {
  /// The name of the type in a leaf.
  public var type: String { fields.type }

  fileprivate var fields: (type: String, [JSONMember]) {
    switch self {
    case .attachment(let body): ("attachment", body.fields)
    case .rosterChanged(let body): ("roster_changed", body.fields)
    case .jobOpened(let body): ("job_opened", body.fields)
    case .roundReserved(let body): ("round_reserved", body.fields)
    case .roundReleased(let body): ("round_released", body.fields)
    case .roundAborted(let body): ("round_aborted", body.fields)
    case .refused(let body): ("refused", body.fields)
    case .refund(let body): ("refund", body.fields)
    case .jobClosed(let body): ("job_closed", body.fields)
    }
  }
}

private func text(_ key: String, _ value: String) -> JSONMember { JSONMember(key, .text(value)) }
private func hex(_ key: String, _ value: [UInt8]) -> JSONMember { text(key, Hex.text(value)) }
private func blob(_ key: String, _ value: Blob) -> JSONMember { text(key, value.text) }
private func number(_ key: String, _ value: Int) -> JSONMember { JSONMember(key, .integer(Int64(clamping: value))) }

extension LeafBudget {
  fileprivate var members: [JSONMember] { [text("epsilon", epsilon.text), text("delta", delta.text)] }
}

extension Attachment {
  fileprivate var fields: [JSONMember] {
    [hex("digest", digest), number("part", part), number("parts", parts), text("bytes", Base64.text(bytes))]
  }
}

extension RosterChanged {
  fileprivate var fields: [JSONMember] { [blob("roster", roster), hex("signature", signature), blob("cosignatures", cosignatures)] }
}

extension JobOpened {
  fileprivate var fields: [JSONMember] {
    [
      text("job", job), blob("record", record), number("roster_serial", rosterSerial), hex("roster_digest", rosterDigest),
      text("unit", unit.rawValue), number("survivors_min", survivorsMin),
    ] + (budget.map { [JSONMember("budget", .object($0.members))] } ?? [])
  }
}

extension RoundReserved {
  fileprivate var fields: [JSONMember] {
    let charge = charge.map {
      [JSONMember("charge", .object([text("mechanism", Base64.text($0.mechanism)), number("shares", $0.shares)]))]
    }
    return [hex("ctx", context), blob("plan", plan), blob("survivors", survivors)] + (charge ?? [])
  }
}

extension RoundReleased {
  fileprivate var fields: [JSONMember] {
    var fields = [
      hex("ctx", context), blob("signatures", signatures), blob("revealed", revealed), hex("sum_digest", sumDigest),
      hex("weights_digest", weightsDigest), number("threshold", threshold), number("bits", bits),
    ]
    if let clip { fields.append(text("clip", clip.text)) }
    if let noise { fields.append(JSONMember("noise", .object([number("shares", noise.shares), text("variance", noise.variance)]))) }
    if let cost { fields.append(JSONMember("cost", .object(cost.total.members + [text("round", cost.round.text)]))) }
    return fields
  }
}

extension RoundAborted {
  fileprivate var fields: [JSONMember] {
    [
      hex("ctx", context), text("job", job), number("round", round), number("attempt", attempt), text("phase", phase.rawValue),
      text("code", code),
    ] + (site.map { [number("site", Int($0))] } ?? [])
  }
}

extension SiteRefused {
  fileprivate var fields: [JSONMember] { [hex("ctx", context), number("site", Int(site)), text("code", code)] }
}

extension Refund {
  fileprivate var fields: [JSONMember] { [hex("ctx", context), blob("certificate", certificate)] }
}

extension JobClosed {
  fileprivate var fields: [JSONMember] {
    [text("job", job), number("reserved", reserved), number("released", released)]
      + (total.map { [JSONMember("total", .object($0.members))] } ?? [])
  }
}
