// The roster's JSON file (spec/02, "The roster's file"): turned into the record that the consortium signed, and believed by its signature
// alone.
import Sodium

public enum LedgerRosterFile {
  public static let bytesMax = 48 << 20

  /// The roster of a file that carries the pinned consortium's signature.
  /// - Throws: `.roster`.
  public static func read(_ bytes: [UInt8], consortiumKey: Ed25519.PublicKey) throws(LedgerError) -> LedgerRoster {
    let (record, signature) = try record(bytes)
    let roster: LedgerRoster
    do { roster = try LedgerRoster(record: record) } catch { throw refuse(error.reason) }
    guard roster.consortiumKey == consortiumKey else { throw refuse("it is of another consortium than the pinned key") }
    guard let signature, consortiumKey.verify(signature, of: record) else { throw refuse("the consortium's signature does not fit") }
    return roster
  }

  /// The signed record of a file and its signature, if any.
  public static func record(_ bytes: [UInt8]) throws(LedgerError) -> (record: [UInt8], signature: [UInt8]?) {
    guard bytes.count <= bytesMax else { throw refuse("\(bytes.count) bytes") }
    do {
      let file = try JSONReader.read(bytes)
      let fields = try FieldReader(
        file,
        [
          "format", "consortium_key", "serial", "issued", "valid_until", "colluders", "next_site", "server", "sites", "signature",
        ])
      guard try fields.text("format") == "secagg-roster/v1" else { throw EncodingFault("another format") }
      var out = ByteOutput()
      out.recordText(LedgerRoster.label)
      out.recordData(try fields.hex("consortium_key", 32))
      out.u64(UInt64(clamping: try fields.natural("serial")))
      out.u64(try time(fields.text("issued")))
      out.u64(try time(fields.text("valid_until")))
      out.u32(UInt32(clamping: try fields.natural("colluders")))
      out.u32(UInt32(clamping: try fields.natural("next_site")))
      try server(fields.value("server"), &out)
      let sites = try fields.list("sites")
      out.u32(UInt32(clamping: sites.count))
      for value in sites { try site(value, &out) }
      let signature = fields.has("signature") ? try fields.hex("signature", 64) : nil
      return (out.bytes, signature)
    } catch let fault as EncodingFault {
      throw refuse(fault.reason)
    } catch { throw refuse("unreadable") }
  }

  private static func server(_ value: JSONValue, _ out: inout ByteOutput) throws(EncodingFault) {
    let fields = try FieldReader(value, ["name", "protocol_key", "log_key", "certificate", "certificate_sha256", "addresses"])
    out.u8(1)
    out.recordText(try fields.text("name"))
    for key in ["protocol_key", "log_key"] { out.recordData(try fields.hex(key, 32)) }
    out.recordData(try certificate(fields))
    let addresses = try fields.list("addresses")
    out.u32(UInt32(clamping: addresses.count))
    for address in addresses {
      guard case .text(let text) = address else { throw EncodingFault("an address is no text") }
      out.recordText(text)
    }
  }

  private static func site(_ value: JSONValue, _ out: inout ByteOutput) throws(EncodingFault) {
    let fields = try FieldReader(
      value,
      [
        "site", "name", "protocol_key", "witness_key", "certificate", "certificate_sha256", "not_before", "not_after",
      ])
    out.u32(UInt32(clamping: try fields.natural("site")))
    out.recordText(try fields.text("name"))
    for key in ["protocol_key", "witness_key"] { out.recordData(try fields.hex(key, 32)) }
    out.recordData(try certificate(fields))
    for key in ["not_before", "not_after"] { out.u64(try time(fields.text(key))) }
  }

  private static func certificate(_ fields: FieldReader) throws(EncodingFault) -> [UInt8] {
    guard let der = Base64.bytes(try fields.text("certificate")) else { throw EncodingFault("a certificate is no base64") }
    let digest = Hex.text(SHA256.hash(der))
    let pairs = stride(from: 0, to: digest.utf8.count, by: 2).map { digest.dropFirst($0).prefix(2) }
    guard try fields.text("certificate_sha256") == pairs.joined(separator: ":") else {
      throw EncodingFault("a certificate does not have the fingerprint beside it")
    }
    return der
  }

  private static func time(_ text: String) throws(EncodingFault) -> UInt64 {
    guard let seconds = CivilTime.seconds(text) else { throw EncodingFault("a date is not written like 2026-01-31T12:00:00Z") }
    return seconds
  }

  private static func refuse(_ reason: String) -> LedgerError {
    LedgerError(.roster, "the roster is not usable: \(reason)", hint: "ask the consortium for the file and its key again")
  }
}

/// Times as files and people write them: UTC, whole seconds, 1970 to 9999, one spelling.
public enum CivilTime {
  public static func text(_ seconds: UInt64) -> String {
    let seconds = min(seconds, 253_402_300_799)
    let (year, month, day) = date(days: Int(seconds / 86_400))
    let rest = Int(seconds % 86_400)
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(year)-\(two(month))-\(two(day))T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))Z"
  }

  /// nil for any other spelling than that of `text`.
  public static func seconds(_ text: String) -> UInt64? {
    let bytes = Array(text.utf8)
    guard bytes.count == 20 else { return nil }
    func number(_ range: Range<Int>) -> Int { bytes[range].reduce(0) { $0 * 10 + Int($1) - 48 } }
    let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
    guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
    let seconds = days(year, month, day) * 86_400 + number(11..<13) * 3600 + number(14..<16) * 60 + number(17..<19)
    guard let value = UInt64(exactly: seconds), Self.text(value) == text else { return nil }
    return value
  }

  /// Days since 1970-01-01 in the Gregorian calendar; years are counted from March, so that the leap day is the last one.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month > 2 ? year : year - 1
    let ordinal = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + ordinal - 719_468
  }

  private static func date(days: Int) -> (Int, Int, Int) {
    var year = 1970 + days / 366
    while Self.days(year + 1, 1, 1) <= days { year += 1 }
    var month = 12
    while Self.days(year, month, 1) > days { month -= 1 }
    return (year, month, days - Self.days(year, month, 1) + 1)
  }
}
