// A log's files, wherever they are, and its entries as they are read from bundles. Tiles are compared with what the entries give: the
// entries decide, tiles only help others to make proofs.

/// Where a ledger's files come from: a folder, or a test's memory.
public protocol LedgerSource {
  /// The whole file; nil where there is none.
  /// - Throws: `.unreadable`, also for more than `bytesMax` bytes.
  func read(_ path: String, bytesMax: Int) throws(LedgerError) -> [UInt8]?
}

/// Entries and tree of one checkpoint.
public struct LoggedEntries: Sendable {
  public let leaves: [[UInt8]]
  public let tree: MerkleTree

  /// Longest bundle: 256 entries with their lengths.
  static let bundleBytesMax = 256 * (2 + LedgerEntry.bytesMax)

  /// The first `size` entries.
  /// - Throws: LG-02; LG-03 at the leaf whose tile has another hash, or at nil for a tile above the leaves.
  public init(_ source: some LedgerSource, size: Int, comparesTiles: Bool = true) throws(LoggedFault) {
    var leaves: [[UInt8]] = []
    var tree = MerkleTree()
    for number in 0..<(size + TilePath.width - 1) / TilePath.width {
      let width = min(TilePath.width, size - number * TilePath.width)
      for leaf in try Self.bundle(source, number, width) {
        tree.append(leafHash: MerkleTree.leafHash(leaf))
        leaves.append(leaf)
      }
    }
    (self.leaves, self.tree) = (leaves, tree)
    if comparesTiles { try compareTiles(source) }
  }

  private static func file(_ source: some LedgerSource, _ path: String, _ bytesMax: Int) throws(LoggedFault) -> [UInt8]? {
    do { return try source.read(path, bytesMax: bytesMax) } catch { throw LoggedFault(.bundle, "\(path): \(error.reason)") }
  }

  /// The first `width` entries of a bundle; a full one may have replaced the partial one.
  private static func bundle(_ source: some LedgerSource, _ number: Int, _ width: Int) throws(LoggedFault) -> [[UInt8]] {
    let paths = width < TilePath.width ? [width, TilePath.width] : [width]
    for (path, held) in paths.map({ (TilePath.entries(number: number, width: $0), $0) }) {
      guard let bytes = try file(source, path, bundleBytesMax) else { continue }
      var input = ByteInput(bytes)
      var entries: [[UInt8]] = []
      do {
        while input.remaining > 0 { entries.append(try input.block16()) }
      } catch { throw LoggedFault(.bundle, "\(path) is cut off") }
      guard entries.count == held else { throw LoggedFault(.bundle, "\(path) has \(entries.count) entries") }
      return Array(entries.prefix(width))
    }
    throw LoggedFault(.bundle, "entries from \(number * TilePath.width) on are missing")
  }

  private func compareTiles(_ source: some LedgerSource) throws(LoggedFault) {
    for case (let level?, let number, let width) in TilePath.all(size: leaves.count) {
      let paths = (width < TilePath.width ? [width, TilePath.width] : [width]).map {
        ($0, TilePath.hashes(level: level, number: number, width: $0))
      }
      var found: [UInt8]?
      for (held, path) in paths where found == nil {
        found = try Self.file(source, path, TilePath.width * MerkleTree.hashBytes)
        if let found, found.count != held * MerkleTree.hashBytes { throw LoggedFault(.bundle, "\(path) has \(found.count) bytes") }
      }
      guard let found else { throw LoggedFault(.bundle, "tile \(number) of level \(level) is missing") }
      let first = number * TilePath.width
      for (place, hash) in tree.hashes(level: 8 * level, first..<first + width).enumerated() {
        guard found[(32 * place)..<(32 * place + 32)].elementsEqual(hash) else {
          throw LoggedFault(
            .tile, "the tile at level \(level) has another hash at \(first + place)", index: level == 0 ? first + place : nil)
        }
      }
    }
  }
}

/// A fault of the log's files.
public struct LoggedFault: Error, Equatable, Sendable {
  public let fault: AuditFault
  /// The leaf concerned, where it is known.
  public let index: Int?

  init(_ cause: Cause, _ reason: String, index: Int? = nil) { (fault, self.index) = (AuditFault(cause, reason), index) }
}
