// A proof that stands on its own (C2SP tlog-proof): the entry, its place, its siblings and the signed checkpoint, in one text file. The
// extra line has the entry itself, which nobody believes before its hash led to the root.

public struct LogProof: Equatable, Sendable {
  public let entry: [UInt8]
  public let index: Int
  public let hashes: [[UInt8]]
  public let checkpoint: SignedCheckpoint

  static let heading = "c2sp.org/tlog-proof@v1"

  public init(entry: [UInt8], index: Int, hashes: [[UInt8]], checkpoint: SignedCheckpoint) {
    (self.entry, self.index, self.hashes, self.checkpoint) = (entry, index, hashes, checkpoint)
  }

  public var encoded: [UInt8] {
    let lines = [Self.heading, "extra \(Base64.text(entry))", "index \(index)"] + hashes.map { Base64.text($0) } + [""]
    return Array(lines.map { $0 + "\n" }.joined().utf8) + checkpoint.note.encoded
  }

  public init(parsing bytes: [UInt8]) throws(LedgerError) {
    func refuse() -> LedgerError { LedgerError(.malformedNote, "the file is no tlog-proof with its entry") }
    guard bytes.count <= SignedNote.bytesMax, let text = String(validating: bytes, as: UTF8.self) else { throw refuse() }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let empty = lines.firstIndex(where: \.isEmpty), empty >= 3, empty <= 3 + MerkleProof.hashesMax, lines[0] == Self.heading,
      lines[1].hasPrefix("extra "), let entry = Base64.bytes(String(lines[1].dropFirst(6))), lines[2].hasPrefix("index "),
      let index = Int(lines[2].dropFirst(6)), index >= 0, "index \(index)" == lines[2]
    else { throw refuse() }
    var hashes: [[UInt8]] = []
    for line in lines[3..<empty] {
      guard let hash = Base64.bytes(String(line)), hash.count == MerkleTree.hashBytes else { throw refuse() }
      hashes.append(hash)
    }
    let note = lines[(empty + 1)...].joined(separator: "\n")
    self.init(entry: entry, index: index, hashes: hashes, checkpoint: try SignedCheckpoint(parsing: Array(note.utf8)))
  }

  /// Whether the entry is in the tree of the checkpoint; who signed that is another question.
  public var isIncluded: Bool {
    let leaf = MerkleTree.leafHash(entry)
    return MerkleProof.root(leafHash: leaf, index: index, size: checkpoint.checkpoint.size, proof: hashes) == checkpoint.checkpoint.root
  }
}
