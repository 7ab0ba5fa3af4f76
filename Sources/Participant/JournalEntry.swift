// One entry of a site's journal and its bytes: a kind, then fields with their lengths before them, nothing behind. Unknown kinds are
// refused, never skipped: an older program must not overlook what a newer one promised.
import Federation

/// What a site must still know after a crash.
public enum JournalEntry: Equatable, Sendable {
  /// The highest roster serial that was accepted.
  case rosterSeen(serial: UInt64)
  /// The first weights and the configuration that a job began with.
  case jobPinned(job: String, weights: [UInt8], configuration: [UInt8])
  /// An attempt was accepted: its context is used up. `kind` tells a census from training: what is released differs.
  case contextUsed(job: String, round: UInt32, attempt: UInt32, kind: UInt8, context: [UInt8], weights: [UInt8])
  /// The masked input's digest for this context: no other input may ever leave for it.
  case inputSent(context: [UInt8], digest: [UInt8])
  /// The one survivor set that was signed for this context.
  case survivorsSigned(context: [UInt8], survivors: [UInt32], hash: [UInt8])
  /// Shares were revealed for this context.
  case revealed(context: [UInt8])
  /// The noised input of this context is paid for, before it leaves: mechanism bytes, and the noise shares that nobody knows.
  case charged(context: [UInt8], charge: PrivacyCharge)
  /// The charge of this context is taken back: evidence showed that nobody can open the input (spec/09, "Refunds").
  case refunded(context: [UInt8])

  static let digestBytes = 32
  static let jobBytesMax = 256

  /// The entry's bytes.
  public var encoded: [UInt8] {
    var out: [UInt8] = []
    func number(_ value: UInt64, _ bytes: Int) {
      for index in 0..<bytes { out.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))) }
    }
    func field(_ bytes: [UInt8]) {
      number(UInt64(bytes.count), 2)
      out += bytes
    }
    switch self {
    case .rosterSeen(let serial):
      out.append(1)
      number(serial, 8)
    case .jobPinned(let job, let weights, let configuration):
      out.append(2)
      [Array(job.utf8), weights, configuration].forEach(field)
    case .contextUsed(let job, let round, let attempt, let kind, let context, let weights):
      out.append(3)
      field(Array(job.utf8))
      number(UInt64(round), 4)
      number(UInt64(attempt), 4)
      out.append(kind)
      [context, weights].forEach(field)
    case .inputSent(let context, let digest):
      out.append(4)
      [context, digest].forEach(field)
    case .survivorsSigned(let context, let survivors, let hash):
      out.append(5)
      field(context)
      number(UInt64(survivors.count), 2)
      for site in survivors { number(UInt64(site), 4) }
      field(hash)
    case .revealed(let context):
      out.append(6)
      field(context)
    case .charged(let context, let charge):
      out.append(7)
      [context, charge.mechanism].forEach(field)
      number(UInt64(charge.shares), 4)
    case .refunded(let context):
      out.append(8)
      field(context)
    }
    return out
  }

  /// Reads an entry; nil for bytes that `encoded` never makes.
  public init?(encoded bytes: [UInt8]) {
    var reader = Reader(bytes)
    guard let kind = reader.number(1), let entry = Self.read(kind, &reader), reader.isAtEnd else { return nil }
    self = entry
  }

  private static func read(_ kind: UInt64, _ reader: inout Reader) -> JournalEntry? {
    switch kind {
    case 1:
      return reader.number(8).map { .rosterSeen(serial: $0) }
    case 2:
      guard let job = reader.text(), let weights = reader.digest(), let configuration = reader.digest() else { return nil }
      return .jobPinned(job: job, weights: weights, configuration: configuration)
    case 3:
      guard let job = reader.text(), let round = reader.number(4), let attempt = reader.number(4), let kind = reader.number(1),
        let context = reader.digest(), let weights = reader.digest()
      else { return nil }
      return .contextUsed(
        job: job, round: UInt32(round), attempt: UInt32(attempt), kind: UInt8(kind), context: context, weights: weights)
    case 4:
      guard let context = reader.digest(), let digest = reader.digest() else { return nil }
      return .inputSent(context: context, digest: digest)
    case 5:
      guard let context = reader.digest(), let survivors = reader.sites(), let hash = reader.digest() else { return nil }
      return .survivorsSigned(context: context, survivors: survivors, hash: hash)
    case 6:
      return reader.digest().map { .revealed(context: $0) }
    case 7:
      guard let context = reader.digest(), let mechanism = reader.field(max: PrivacyCharge.mechanismBytesMax), let shares = reader.number(4)
      else {
        return nil
      }
      let charge = PrivacyCharge(mechanism: mechanism, shares: UInt32(shares))
      return charge.event == nil ? nil : .charged(context: context, charge: charge)
    case 8:
      return reader.digest().map { .refunded(context: $0) }
    default:
      return nil
    }
  }

  private struct Reader {
    let bytes: [UInt8]
    var offset = 0
    init(_ bytes: [UInt8]) { self.bytes = bytes }
    var isAtEnd: Bool { offset == bytes.count }

    mutating func number(_ count: Int) -> UInt64? {
      guard bytes.count - offset >= count else { return nil }
      defer { offset += count }
      return (0..<count).reduce(0) { $0 | UInt64(bytes[offset + $1]) << (8 * UInt64($1)) }
    }

    mutating func field(max: Int) -> [UInt8]? {
      guard let count = number(2).map(Int.init), count <= max, bytes.count - offset >= count else { return nil }
      defer { offset += count }
      return Array(bytes[offset..<(offset + count)])
    }

    mutating func digest() -> [UInt8]? {
      field(max: digestBytes).flatMap { $0.count == digestBytes ? $0 : nil }
    }

    mutating func sites() -> [UInt32]? {
      guard let count = number(2).map(Int.init), 4 * count <= bytes.count - offset else { return nil }
      return (0..<count).compactMap { _ in number(4).map { UInt32($0) } }
    }

    mutating func text() -> String? { field(max: jobBytesMax).flatMap { String(validating: $0, as: UTF8.self) } }
  }
}
