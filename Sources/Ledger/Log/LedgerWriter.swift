// Appends to a ledger. An entry that an auditor would refuse is not written; an append returns once it is on the disk, with the signed
// checkpoint that covers it. Not thread-safe: one actor owns it.
import Sodium

public final class LedgerWriter {
  private let store: TileStore
  private let key: Ed25519.SigningKey
  public let origin: String
  /// What the entries say so far, for whoever makes the next one.
  public private(set) var state: LedgerState
  private var tree: MerkleTree
  /// Entries of the last, partial bundle.
  private var tail: [[UInt8]]
  public private(set) var checkpoint: SignedCheckpoint
  private var size: Int { tree.count }

  /// Opens a ledger, or begins one, and puts right what a crash left: tiles are made again from the entries, entries beyond the checkpoint
  /// are dropped.
  /// - Parameters:
  ///   - key: the log key of the roster's server.
  ///   - origin: `LedgerRoster.origin`.
  /// - Throws: `.damaged` where the entries are not those of the checkpoint, `.locked`, `.unreadable`.
  public init(folder: String, origin: String, key: Ed25519.SigningKey) throws(LedgerError) {
    store = TileStore(folder: folder)
    (self.key, self.origin) = (key, origin)
    try store.lockForWriting()
    (state, tree, tail) = (LedgerState(), MerkleTree(), [])
    guard let bytes = try store.read(TilePath.checkpoint, bytesMax: SignedNote.bytesMax) else {
      let empty = Checkpoint(origin: origin, size: 0, root: tree.root)
      checkpoint = SignedCheckpoint(empty, signatures: [empty.signed(by: key)])
      return
    }
    checkpoint = try SignedCheckpoint(parsing: bytes)
    try recover()
  }

  private func recover() throws(LedgerError) {
    let known = checkpoint.checkpoint
    func damaged(_ reason: String) -> LedgerError {
      LedgerError(
        .damaged, "the ledger in \(store.folder) is damaged: \(reason)", hint: "restore it from a copy; a site or mirror may have one")
    }
    guard known.origin == origin else { throw damaged("it is the ledger \(known.origin)") }
    let logged: LoggedEntries
    do throws(LoggedFault) {
      logged = try LoggedEntries(store, size: known.size, comparesTiles: false)
    } catch { throw damaged(error.fault.reason) }
    guard logged.tree.root == known.root else { throw damaged("its entries have another root than its checkpoint") }
    for (index, leaf) in logged.leaves.enumerated() {
      do throws(AuditFault) {
        try state.accept(LedgerEntry(decoding: leaf)) { logged.tree.root(of: index) }
      } catch { throw damaged("entry \(index): \(error.cause.rawValue): \(error.reason)") }
    }
    // They were verified before they were written.
    state.claims = []
    (tree, tail) = (logged.tree, logged.leaves.suffix(known.size % TilePath.width))
    // Tiles follow from the entries: whatever is missing or differs is written again.
    for case (let level?, let number, let width) in TilePath.all(size: known.size) {
      let (path, bytes) = tile(level, number, width)
      if (try? store.read(path, bytesMax: 8192)) != bytes { try store.write(bytes, to: path) }
    }
  }

  /// Appends entries together: all of them, or on a failure none.
  /// - Returns: the index of the first of them, and the checkpoint that covers all, signed by the log alone.
  /// - Throws: `.refusedEntry` with the rule that an auditor would name; then the ledger is as it was.
  @discardableResult
  public func append(_ entries: [LedgerEntry]) throws(LedgerError) -> (index: Int, checkpoint: SignedCheckpoint) {
    precondition(!entries.isEmpty, "nothing to append")
    var (next, grown, leaves) = (state, tree, tail)
    for entry in entries {
      let leaf = entry.encoded
      do throws(AuditFault) {
        try next.accept(LedgerEntry(decoding: leaf)) { grown.root }
      } catch { throw LedgerError(.refusedEntry, "\(error.cause.rawValue): \(error.reason)") }
      grown.append(leafHash: MerkleTree.leafHash(leaf))
      leaves.append(leaf)
    }
    for claim in next.claims where !claim.holds {
      throw LedgerError(.refusedEntry, "\(Cause.signature.rawValue): the signature of site \(claim.site) does not hold")
    }
    next.claims = []
    let first = size
    try write(leaves, grown, from: first)
    let point = Checkpoint(origin: origin, size: grown.count, root: grown.root)
    let signed = SignedCheckpoint(point, signatures: [point.signed(by: key)])
    try store.write(signed.note.encoded, to: TilePath.checkpoint)
    removePartials(before: first, after: grown.count)
    (state, tree, tail, checkpoint) = (next, grown, leaves.suffix(grown.count % TilePath.width), signed)
    return (first, signed)
  }

  /// - Parameter leaves: the entries of the bundle in which `first` lies, old and new.
  private func write(_ leaves: [[UInt8]], _ grown: MerkleTree, from first: Int) throws(LedgerError) {
    let start = first / TilePath.width * TilePath.width
    for number in (first / TilePath.width)...((grown.count - 1) / TilePath.width) {
      let low = number * TilePath.width - start
      let held = leaves[low..<min(low + TilePath.width, leaves.count)]
      var bundle = ByteOutput()
      for leaf in held {
        bundle.u16(leaf.count)
        bundle.fixed(leaf)
      }
      try store.write(bundle.bytes, to: TilePath.entries(number: number, width: held.count))
    }
    for case (let level?, let number, let width) in TilePath.all(size: grown.count) {
      // Tiles that had all their hashes before stay as they are.
      guard number * TilePath.width + width > first >> (8 * level) else { continue }
      let hashes = grown.hashes(level: 8 * level, number * TilePath.width..<number * TilePath.width + width)
      try store.write(Array(hashes.joined()), to: TilePath.hashes(level: level, number: number, width: width))
    }
  }

  private func tile(_ level: Int, _ number: Int, _ width: Int) -> (String, [UInt8]) {
    let first = number * TilePath.width
    let hashes = tree.hashes(level: 8 * level, first..<first + width)
    return (TilePath.hashes(level: level, number: number, width: width), Array(hashes.joined()))
  }

  /// A folder keeps the partial tiles of its newest checkpoint only.
  private func removePartials(before: Int, after: Int) {
    let kept = Set(TilePath.all(size: after).map(path))
    for tile in TilePath.all(size: before) where tile.width < TilePath.width && !kept.contains(path(tile)) { store.remove(path(tile)) }
  }

  private func path(_ tile: (level: Int?, number: Int, width: Int)) -> String {
    tile.level.map { TilePath.hashes(level: $0, number: tile.number, width: tile.width) }
      ?? TilePath.entries(number: tile.number, width: tile.width)
  }

  /// Adds a site's cosignature to the newest checkpoint.
  /// - Throws: `.malformedNote` for a line that is not the good cosignature of a site of the roster over it.
  public func add(_ cosignature: SignedNote.Signature) throws(LedgerError) {
    var next = checkpoint
    next.add(cosignature)
    let isGood = state.roster?.sites.contains { site in
      guard let roster = state.roster, cosignature.name == roster.witnessName(site.index) else { return false }
      return next.cosignature(name: cosignature.name, key: site.witnessKey)?.isGood == true
    }
    guard isGood == true else { throw LedgerError(.malformedNote, "the line is no cosignature of a site over the newest checkpoint") }
    try store.write(next.note.encoded, to: TilePath.checkpoint)
    checkpoint = next
  }

  /// Shows that a leaf is in the newest checkpoint.
  public func inclusionProof(index: Int) -> [[UInt8]] { tree.inclusionProof(index: index, size: size) }

  /// Shows that the newest checkpoint continues the one of `old` leaves.
  public func consistencyProof(from old: Int) -> [[UInt8]] { tree.consistencyProof(old: old, size: size) }
}
