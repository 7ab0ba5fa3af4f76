// The state of a log in three lines (C2SP tlog-checkpoint), signed by the log and cosigned by sites as witnesses (C2SP tlog-cosignature,
// cosignature/v1). No extension lines: nobody could audit them.
import Sodium

public struct Checkpoint: Equatable, Hashable, Sendable {
  /// Which log: see `LedgerNames`.
  public let origin: String
  /// Leaves.
  public let size: Int
  public let root: [UInt8]

  public init(origin: String, size: Int, root: [UInt8]) { (self.origin, self.size, self.root) = (origin, size, root) }

  /// The text that is signed.
  public var text: String { "\(origin)\n\(size)\n\(Base64.text(root))\n" }

  public init(text: String) throws(LedgerError) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count == 4, lines[3].isEmpty, !lines[0].isEmpty, let size = Int(lines[1]), size >= 0, size <= 1 << 53,
      String(size) == lines[1], let root = Base64.bytes(String(lines[2])), root.count == MerkleTree.hashBytes
    else { throw LedgerError(.malformedNote, "the checkpoint is not an origin, a size and a root hash") }
    self.init(origin: String(lines[0]), size: size, root: root)
  }

  /// The log's own signature line.
  public func signed(by key: Ed25519.SigningKey) -> SignedNote.Signature {
    SignedNote.Signature(
      name: origin, keyID: SignedNote.keyID(name: origin, kind: .ed25519, key: key.publicKey), bytes: key.signature(of: Array(text.utf8)))
  }

  /// A witness's line: it has checked that this checkpoint continues every one that it saw before.
  /// - Parameter time: seconds since 1970.
  public func cosigned(by key: Ed25519.SigningKey, name: String, time: UInt64) -> SignedNote.Signature {
    var stamp = ByteOutput()
    stamp.u64(time)
    return SignedNote.Signature(
      name: name, keyID: SignedNote.keyID(name: name, kind: .cosignature, key: key.publicKey),
      bytes: stamp.bytes + key.signature(of: cosignedBytes(time: time)))
  }

  func cosignedBytes(time: UInt64) -> [UInt8] { Array("cosignature/v1\ntime \(time)\n\(text)".utf8) }
}

/// A checkpoint as it stands in a file, with all its signature lines; what they are worth is asked with keys.
public struct SignedCheckpoint: Equatable, Sendable {
  public let checkpoint: Checkpoint
  public private(set) var note: SignedNote

  public init(_ note: SignedNote) throws(LedgerError) {
    checkpoint = try Checkpoint(text: note.text)
    self.note = note
  }

  public init(parsing bytes: [UInt8]) throws(LedgerError) { try self.init(SignedNote(parsing: bytes)) }

  init(_ checkpoint: Checkpoint, signatures: [SignedNote.Signature]) {
    self.checkpoint = checkpoint
    note = SignedNote(text: checkpoint.text, signatures: signatures)
  }

  /// What a line of a known key turned out to be.
  public enum LogSignature: Sendable { case good, missing, wrong }

  /// Whether the log with this key signed it. Lines of unknown keys say nothing.
  public func logSignature(_ key: Ed25519.PublicKey) -> LogSignature {
    let id = SignedNote.keyID(name: checkpoint.origin, kind: .ed25519, key: key)
    let lines = note.signatures.filter { $0.name == checkpoint.origin && $0.keyID == id }
    guard !lines.isEmpty else { return .missing }
    return lines.allSatisfy { key.verify($0.bytes, of: Array(note.text.utf8)) } ? .good : .wrong
  }

  /// A witness's line: the time that it states, and whether the signature holds; nil where it has none.
  public func cosignature(name: String, key: Ed25519.PublicKey) -> (time: UInt64, isGood: Bool)? {
    let id = SignedNote.keyID(name: name, kind: .cosignature, key: key)
    let lines = note.signatures.filter { $0.name == name && $0.keyID == id }
    guard let line = lines.first else { return nil }
    guard lines.count == 1, line.bytes.count == 8 + Ed25519.signatureBytes else { return (0, false) }
    let time = line.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let isGood = time < 1 << 63 && key.verify(Array(line.bytes.dropFirst(8)), of: checkpoint.cosignedBytes(time: time))
    return (time, isGood)
  }

  /// Adds a line in place of an earlier one of the same key.
  public mutating func add(_ signature: SignedNote.Signature) {
    note.signatures.removeAll { $0.name == signature.name && $0.keyID == signature.keyID }
    note.signatures.append(signature)
  }
}

/// The names in a ledger's notes. Both follow from the consortium's key, so that no log or witness can be taken for another consortium's.
public enum LedgerNames {
  public static func origin(consortium: Ed25519.PublicKey, server: String) -> String { "secagg.ledger/\(tag(consortium))/\(server)" }
  public static func witness(consortium: Ed25519.PublicKey, site: UInt32) -> String { "secagg.witness/\(tag(consortium))/\(site)" }

  /// The first eight bytes of H(consortium key).
  private static func tag(_ key: Ed25519.PublicKey) -> String { Hex.text(Array(BLAKE2b.hash(key.bytes).prefix(8))) }
}
