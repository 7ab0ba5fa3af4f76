// The sets of an attempt and what its survivors signed (spec/01, H[survivor-set]; spec/03, `consistency`): one preimage says all of it.
import Sodium

struct SurvivorSets: Equatable, Sendable {
  /// U1, U2 and U3.
  let keyed: [UInt32]
  let masked: [UInt32]
  let survivors: [UInt32]
  /// Of the masked inputs, in the order of U3.
  let digests: [[UInt8]]
  /// H[survivor-set].
  let hash: [UInt8]

  init(_ preimage: [UInt8], context: [UInt8]) throws(EncodingFault) {
    var input = ByteInput(preimage)
    keyed = try input.sites()
    _ = try input.fixed(32)
    masked = try input.sites()
    survivors = try input.sites()
    var digests: [[UInt8]] = []
    for _ in survivors { digests.append(try input.fixed(32)) }
    self.digests = digests
    try input.end()
    hash = BLAKE2b.hash(protocolLabel("survivor-set") + context + preimage)
  }

  /// What a survivor's `consistency` message signs: its frame with ctx in front (SA-03).
  func signedBytes(context: [UInt8], site: UInt32) -> [UInt8] {
    SiteFrame.signedBytes(type: 12, name: "consistency", context: context, sender: site, body: hash)
  }
}

/// The frame of a site's message (spec/01, "Messages").
enum SiteFrame {
  static func signedBytes(type: UInt8, name: String, context: [UInt8], sender: UInt32, body: [UInt8]) -> [UInt8] {
    var out = ByteOutput()
    out.fixed(protocolLabel(name))
    out.fixed(context)
    out.u8(1)
    out.u8(type)
    out.u32(sender)
    out.block32(body)
    out.u16(0)
    return out.bytes
  }
}

/// Whether the members of one ascending list are members of another.
func isSubset(_ inner: [UInt32], of outer: [UInt32]) -> Bool {
  var place = 0
  for site in inner {
    while place < outer.count, outer[place] < site { place += 1 }
    guard place < outer.count, outer[place] == site else { return false }
    place += 1
  }
  return true
}

/// Signatures of several sites over what each is known to have signed: u16 count, then site ‖ 64 bytes, in ascending order.
public struct SiteSignatures: Equatable, Sendable {
  public let entries: [(site: UInt32, signature: [UInt8])]

  public static func == (left: SiteSignatures, right: SiteSignatures) -> Bool { left.encoded == right.encoded }

  /// - Precondition: ascending sites, signatures of 64 bytes.
  public init(_ entries: [(site: UInt32, signature: [UInt8])]) { self.entries = entries }

  init(decoding bytes: [UInt8]) throws(EncodingFault) {
    var input = ByteInput(bytes)
    let count = try input.u16()
    guard count * (4 + Ed25519.signatureBytes) == input.remaining else { throw EncodingFault("a list of \(count) signatures") }
    var entries: [(site: UInt32, signature: [UInt8])] = []
    for _ in 0..<count {
      let site: UInt32 = try input.integer()
      if let last = entries.last, last.site >= site { throw EncodingFault("signatures out of order") }
      entries.append((site, try input.fixed(Ed25519.signatureBytes)))
    }
    self.entries = entries
  }

  public var encoded: [UInt8] {
    var out = ByteOutput()
    out.u16(entries.count)
    for entry in entries {
      out.u32(entry.site)
      out.fixed(entry.signature)
    }
    return out.bytes
  }
}

/// What a site's witness key signs to agree to the next roster: where in which log it shall stand, and which roster it follows.
public struct RosterChange: Equatable, Sendable {
  public let origin: String
  /// Index of the leaf, and the root over those before it.
  public let index: Int
  public let root: [UInt8]
  public let oldDigest: [UInt8]
  public let newDigest: [UInt8]

  public init(origin: String, index: Int, root: [UInt8], oldDigest: [UInt8], newDigest: [UInt8]) {
    (self.origin, self.index, self.root, self.oldDigest, self.newDigest) = (origin, index, root, oldDigest, newDigest)
  }

  public var signedBytes: [UInt8] {
    var out = ByteOutput()
    out.recordText("secagg/v1/roster-change")
    out.recordText(origin)
    out.u64(UInt64(index))
    for digest in [root, oldDigest, newDigest] { out.recordData(digest) }
    return out.bytes
  }
}
