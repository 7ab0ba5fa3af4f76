// A site as a witness of the ledger: from the last checkpoint that it saw and a new one to a cosignature, or to evidence of a fork that
// anybody can check. A value without files: whoever holds it stores `last` durably before a cosignature leaves.
import Sodium

public struct LedgerMonitor: Sendable {
  public let roster: LedgerRoster
  /// The newest checkpoint that was cosigned, with the log's signature; nil before the first.
  public private(set) var last: SignedCheckpoint?

  public init(roster: LedgerRoster, last: SignedCheckpoint?) { (self.roster, self.last) = (roster, last) }

  public enum Outcome: Equatable, Sendable {
    /// The line to send to the server; `last` is the new checkpoint.
    case cosigned(SignedNote.Signature)
    /// The server signed two histories: to be kept, shown to the others, and no further round to be taken part in.
    case forked(ForkEvidence)
  }

  /// What a site demands of the checkpoint behind its own contribution.
  public struct Contribution: Sendable {
    /// The leaf that reserves or releases the round, and its proof.
    public let leaf: [UInt8]
    public let index: Int
    public let proof: [[UInt8]]

    public init(leaf: [UInt8], index: Int, proof: [[UInt8]]) { (self.leaf, self.index, self.proof) = (leaf, index, proof) }
  }

  /// Checks a new checkpoint and signs it as a witness.
  /// - Parameters:
  ///   - consistency: the proof from `last` to `next`; empty for the first checkpoint and for the same one.
  ///   - contribution: where given, must be in `next`.
  ///   - time: seconds since 1970, by the site's clock.
  /// - Throws: `.inconsistent` where nothing is shown either way: another log, a smaller tree, a proof that does not fit.
  public mutating func witness(
    _ next: SignedCheckpoint, consistency: [[UInt8]], contribution: Contribution? = nil, site: UInt32, key: Ed25519.SigningKey, time: UInt64
  ) throws(LedgerError) -> Outcome {
    let point = next.checkpoint
    guard point.origin == roster.origin else { throw Self.refuse("the checkpoint is of the ledger \(point.origin.prefix(120))") }
    guard next.logSignature(roster.logKey) == .good else { throw Self.refuse("the checkpoint is not signed by the server's log key") }
    if let last {
      let old = last.checkpoint
      if let evidence = ForkEvidence(older: last, newer: next, proof: consistency), evidence.holds(logKey: roster.logKey) {
        return .forked(evidence)
      }
      guard point.size >= old.size else { throw Self.refuse("the ledger has \(point.size) entries; \(old.size) were seen") }
      guard MerkleProof.isConsistent(old: old.size, oldRoot: old.root, size: point.size, root: point.root, proof: consistency) else {
        throw Self.refuse("the proof does not show that the ledger continues what was seen")
      }
    }
    if let contribution {
      let root = MerkleProof.root(
        leafHash: MerkleTree.leafHash(contribution.leaf), index: contribution.index, size: point.size, proof: contribution.proof)
      guard root == point.root else { throw Self.refuse("the own contribution is not shown to be in the ledger") }
    }
    last = next
    return .cosigned(point.cosigned(by: key, name: roster.witnessName(site), time: time))
  }

  private static func refuse(_ reason: String) -> LedgerError {
    LedgerError(.inconsistent, reason, hint: "nothing was cosigned; ask the server's operator, and compare checkpoints with other sites")
  }
}

/// Two checkpoints of one log that cannot both be of one history, both signed by the log: with equal sizes and other roots, or with a
/// proof that leads to the newer root and to another root for the older size than the one that was signed.
public struct ForkEvidence: Equatable, Sendable {
  public let older: SignedCheckpoint
  public let newer: SignedCheckpoint
  /// Consistency proof from the older to the newer; empty for equal sizes. Where the older size is a power of two, its tree is a node of
  /// the newer one, which RFC 6962 leaves out: here it stands in front.
  public let proof: [[UInt8]]

  /// nil where the two do not contradict each other; signatures are `holds`'s affair.
  public init?(older: SignedCheckpoint, newer: SignedCheckpoint, proof: [[UInt8]]) {
    (self.older, self.newer, self.proof) = (older, newer, proof)
    guard contradicts else { return nil }
  }

  private var contradicts: Bool {
    let (old, new) = (older.checkpoint, newer.checkpoint)
    guard old.origin == new.origin else { return false }
    if old.size == new.size { return old.root != new.root && proof.isEmpty }
    let isNode = old.size & (old.size - 1) == 0
    guard let front = isNode ? proof.first : old.root,
      let roots = MerkleProof.roots(old: old.size, size: new.size, oldRoot: front, proof: isNode ? Array(proof.dropFirst()) : proof)
    else { return false }
    return roots.new == new.root && roots.old != old.root
  }

  /// What the entries of the newer checkpoint show about the older one; nil where it is of their history, or newer than they are.
  public init?(older: SignedCheckpoint, newer: SignedCheckpoint, tree: MerkleTree) {
    let (old, new) = (older.checkpoint.size, newer.checkpoint.size)
    guard old > 0, old <= new, new <= tree.count else { return nil }
    let front = old < new && old & (old - 1) == 0 ? [tree.root(of: old)] : []
    self.init(older: older, newer: newer, proof: front + tree.consistencyProof(old: old, size: new))
  }

  /// Whether both are signed with this key of the log.
  public func holds(logKey: Ed25519.PublicKey) -> Bool {
    contradicts && older.logSignature(logKey) == .good && newer.logSignature(logKey) == .good
  }

  static let heading = "secagg/v1/ledger-fork"

  /// Heading, number of hashes, hashes; then the two notes, each behind its length in bytes.
  public var encoded: [UInt8] {
    var out = Array((["\(Self.heading)", "\(proof.count)"] + proof.map { Base64.text($0) }).map { $0 + "\n" }.joined().utf8)
    for note in [older.note.encoded, newer.note.encoded] { out += Array("\(note.count)\n".utf8) + note }
    return out
  }

  public init(parsing bytes: [UInt8]) throws(LedgerError) {
    let refuse = LedgerError(.malformedNote, "the file is no evidence of a fork")
    guard bytes.count <= 2 * SignedNote.bytesMax + 16_384 else { throw refuse }
    var position = 0
    func line() throws(LedgerError) -> String {
      guard let end = bytes[position...].firstIndex(of: 0x0A), end - position <= 64,
        let text = String(validating: bytes[position..<end], as: UTF8.self)
      else { throw refuse }
      position = end + 1
      return text
    }
    guard try line() == Self.heading, let count = Int(try line()), (0...MerkleProof.hashesMax).contains(count) else { throw refuse }
    var proof: [[UInt8]] = []
    for _ in 0..<count {
      guard let hash = Base64.bytes(try line()), hash.count == MerkleTree.hashBytes else { throw refuse }
      proof.append(hash)
    }
    var notes: [SignedCheckpoint] = []
    for _ in 0..<2 {
      guard let length = Int(try line()), length > 0, length <= bytes.count - position else { throw refuse }
      notes.append(try SignedCheckpoint(parsing: Array(bytes[position..<position + length])))
      position += length
    }
    guard position == bytes.count, let evidence = ForkEvidence(older: notes[0], newer: notes[1], proof: proof) else { throw refuse }
    self = evidence
  }
}
