// Bodies of phases 3 to 5 and of the end: input header, consistency, reveal, closed, refusal (spec/03-phases.md).
import Sodium

/// What a site signs about its masked input. The payload itself follows in chunks, outside of messages.
package struct InputHeaderBody: MessageBody {
  package static let type = MessageType.inputHeader
  /// H(U2).
  package let maskSet: [UInt8]
  package let payloadBytes: UInt64
  /// Of the payload, bound to ctx and the site.
  package let digest: [UInt8]

  package init(maskSet: [UInt8], payloadBytes: UInt64, digest: [UInt8]) {
    self.maskSet = maskSet
    self.payloadBytes = payloadBytes
    self.digest = digest
  }

  package func write(to writer: inout ByteWriter) {
    writer.fixed(maskSet)
    writer.u64(payloadBytes)
    writer.fixed(digest)
  }

  package init(from reader: inout ByteReader) throws(Refusal) {
    maskSet = try reader.fixed(32)
    payloadBytes = try reader.u64()
    digest = try reader.fixed(32)
  }
}

/// A survivor's signature over H(ctx, U1, U2, U3, all input digests).
package struct ConsistencyBody: MessageBody {
  package static let type = MessageType.consistency
  package let hash: [UInt8]

  package init(hash: [UInt8]) { self.hash = hash }
  package func write(to writer: inout ByteWriter) { writer.fixed(hash) }
  package init(from reader: inout ByteReader) throws(Refusal) { hash = try reader.fixed(32) }
}

/// Which of a site's secrets a share belongs to.
package enum ShareKind: Hashable, Sendable, RawRepresentable {
  case maskKey
  case selfMask
  /// Of the noise that is removed, component 1 or higher.
  case noise(Int)

  /// Components that a byte can name.
  static let componentsMax = 253

  package init?(rawValue: UInt8) {
    switch rawValue {
    case 0: return nil
    case 1: self = .maskKey
    case 2: self = .selfMask
    default: self = .noise(Int(rawValue) - 2)
    }
  }

  package var rawValue: UInt8 {
    switch self {
    case .maskKey: 1
    case .selfMask: 2
    case .noise(let component): UInt8(clamping: 2 + component)
    }
  }

  /// All kinds where sites add so many components that may be removed, in the order of their shares.
  static func all(components: Int) -> [ShareKind] { [.maskKey, .selfMask] + (0..<components).map { .noise($0 + 1) } }

  /// What is to be revealed of a member of U2: the self-mask of a survivor with the components above the number of those that are missing
  /// (NR-04), the mask key of anybody else. Everything else stays secret.
  /// - Parameters:
  ///   - sites: n.
  ///   - components: of noise that the plan lets remove.
  package static func due(of dealer: SiteID, survivors: [SiteID], sites: Int, components: Int) -> [ShareKind] {
    guard survivors.sortedContains(dealer) else { return [.maskKey] }
    let missing = sites - survivors.count
    return [.selfMask] + (0..<components).filter { $0 >= missing }.map { .noise($0 + 1) }
  }
}

/// Shares of every member of U2 whose shares the site holds: of the self-mask for a survivor, and of the noise that is too much; of the
/// mask key otherwise.
package struct RevealBody: MessageBody {
  package struct Entry: Hashable, Sendable {
    package let dealer: SiteID
    package let kind: ShareKind
    package let share: [UInt8]

    var isNoise: Bool { if case .noise = kind { true } else { false } }

    package init(dealer: SiteID, kind: ShareKind, share: [UInt8]) {
      self.dealer = dealer
      self.kind = kind
      self.share = share
    }
  }

  package static let type = MessageType.reveal
  package let entries: [Entry]

  /// - Throws: SA-01 where a share is of a kind that plans with so many removable components do not have.
  func requireKnown(components: Int) throws(Refusal) {
    guard entries.allSatisfy({ Int($0.kind.rawValue) <= 2 + components }) else { throw Refusal(.malformed, "a share of an unknown kind") }
  }

  package init(entries: [Entry]) { self.entries = entries }

  package func write(to writer: inout ByteWriter) {
    writer.count16(entries.count)
    for entry in entries {
      writer.site(entry.dealer)
      writer.u8(entry.kind.rawValue)
      writer.fixed(entry.share)
    }
  }

  package init(from reader: inout ByteReader) throws(Refusal) {
    entries = try reader.list(elementBytesMin: 5 + Scalar.byteCount) { reader throws(Refusal) in
      let dealer = try reader.site()
      guard let kind = ShareKind(rawValue: try reader.u8()) else { throw Refusal(.malformed, "a share of an unknown kind") }
      return Entry(dealer: dealer, kind: kind, share: try reader.fixed(Scalar.byteCount))
    }
    // Both shares of one dealer have a code of their own.
    var seen: Set<SiteID> = []
    if let twice = entries.first(where: { !$0.isNoise && !seen.insert($0.dealer).inserted }) {
      throw Refusal(.bothShares, "two shares of \(twice.dealer) in one reveal")
    }
    guard zip(entries, entries.dropFirst()).allSatisfy({ ($0.dealer, $0.kind.rawValue) < ($1.dealer, $1.kind.rawValue) }) else {
      throw Refusal(.malformed, "the shares of a reveal are not in ascending order")
    }
  }
}

/// The attempt ended with a sum.
package struct ClosedBody: MessageBody {
  package static let type = MessageType.closed
  /// Digest of the sum.
  package let sumDigest: [UInt8]
  /// U4.
  package let revealers: [SiteID]

  package init(sumDigest: [UInt8], revealers: [SiteID]) {
    self.sumDigest = sumDigest
    self.revealers = revealers
  }

  package func write(to writer: inout ByteWriter) {
    writer.fixed(sumDigest)
    writer.sites(revealers)
  }

  package init(from reader: inout ByteReader) throws(Refusal) {
    sumDigest = try reader.fixed(32)
    revealers = try reader.sites()
  }
}

/// The site's secrets of this attempt, others' shares among them, are destroyed, and it revealed none (spec/09-evidence.md, "Refunds").
package struct DestroyedBody: MessageBody {
  package static let type = MessageType.destroyed

  package init() {}
  package func write(to writer: inout ByteWriter) {}
  package init(from reader: inout ByteReader) throws(Refusal) {}
}

/// A party leaves the attempt, or (from the server) ends it, and says why.
package struct RefusalBody: MessageBody {
  package static let type = MessageType.refusal
  package let refusal: Refusal

  package init(_ refusal: Refusal) {
    self.refusal = Refusal(refusal.code, RefusalBody.shortened(refusal.reason), culprit: refusal.culprit)
  }

  package func write(to writer: inout ByteWriter) {
    writer.text8(refusal.code.rawValue)
    writer.text16(refusal.reason)
    // No site has the server's number: it stands for "nobody".
    writer.site(refusal.culprit ?? .server)
  }

  package init(from reader: inout ByteReader) throws(Refusal) {
    guard let code = RefusalCode(rawValue: try reader.text8()) else { throw Refusal(.malformed, "a refusal with an unknown code") }
    let reason = try reader.text16()
    guard reason.utf8.count <= Refusal.reasonBytesMax else { throw Refusal(.malformed, "a reason of \(reason.utf8.count) bytes") }
    let culprit = try reader.site()
    refusal = Refusal(code, reason, culprit: culprit == .server ? nil : culprit)
  }

  private static func shortened(_ reason: String) -> String {
    guard reason.utf8.count > Refusal.reasonBytesMax else { return reason }
    var short = ""
    for character in reason {
      guard short.utf8.count + character.utf8.count <= Refusal.reasonBytesMax else { break }
      short.append(character)
    }
    return short
  }
}
