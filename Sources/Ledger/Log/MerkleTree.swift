// The Merkle tree of RFC 6962 (section 2.1) over leaves that only ever grow in number. Every complete subtree is kept, so that a root and a
// proof take a logarithm of the leaves. Invariant: `levels[k]` has the hashes of all complete subtrees of 2^k leaves, from the left.
import Sodium

public struct MerkleTree: Sendable {
  public static let hashBytes = SHA256.digestBytes

  /// Hash of a leaf: SHA-256(0x00 ‖ entry).
  public static func leafHash(_ entry: [UInt8]) -> [UInt8] { SHA256.hash(entry, prefix: 0) }

  /// Hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
  public static func nodeHash(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] { SHA256.hash(left + right, prefix: 1) }

  private var levels: [[[UInt8]]] = [[]]

  public init() {}

  /// Number of leaves.
  public var count: Int { levels[0].count }

  public mutating func append(leafHash: [UInt8]) {
    precondition(leafHash.count == Self.hashBytes, "a leaf's hash has 32 bytes")
    levels[0].append(leafHash)
    var level = 0
    while levels[level].count.isMultiple(of: 2) {
      let children = levels[level].suffix(2)
      if level + 1 == levels.count { levels.append([]) }
      levels[level + 1].append(Self.nodeHash(children[children.startIndex], children[children.startIndex + 1]))
      level += 1
    }
  }

  public func leafHash(at index: Int) -> [UInt8] { levels[0][index] }

  /// The root over all leaves; that of no leaves is SHA-256 of nothing.
  public var root: [UInt8] { root(of: count) }

  /// The root over the first `size` leaves.
  /// - Precondition: size ≤ count.
  public func root(of size: Int) -> [UInt8] {
    precondition((0...count).contains(size), "a root of leaves that are not there")
    return size == 0 ? SHA256.hash([]) : hash(0, size)
  }

  /// Hashes of complete subtrees of 2^level leaves, for tiles: those numbered `range`.
  func hashes(level: Int, _ range: Range<Int>) -> [[UInt8]] { level < levels.count ? Array(levels[level][range]) : [] }

  /// How many complete subtrees of 2^level leaves there are.
  func completeCount(level: Int) -> Int { level < levels.count ? levels[level].count : 0 }

  /// Siblings from the leaf up: what shows that leaf `index` is in the tree of the first `size` leaves (RFC 6962, 2.1.1).
  public func inclusionProof(index: Int, size: Int) -> [[UInt8]] {
    precondition((0...count).contains(size) && (0..<size).contains(index), "a proof for a leaf that is not there")
    return path(index, 0, size)
  }

  /// What shows that the first `old` leaves of the tree of `size` leaves are the tree of size `old` (RFC 6962, 2.1.2).
  public func consistencyProof(old: Int, size: Int) -> [[UInt8]] {
    precondition((0...count).contains(size) && (0...size).contains(old), "a proof for a tree that is not there")
    return old == 0 || old == size ? [] : subproof(old, 0, size, isWhole: true)
  }

  /// The hash over leaves low ..< high, low being a multiple of the largest power of two below their number.
  private func hash(_ low: Int, _ high: Int) -> [UInt8] {
    let size = high - low
    if size & (size - 1) == 0 { return levels[size.trailingZeroBitCount][low >> size.trailingZeroBitCount] }
    let split = low + Self.split(size)
    return Self.nodeHash(hash(low, split), hash(split, high))
  }

  private func path(_ index: Int, _ low: Int, _ high: Int) -> [[UInt8]] {
    guard high - low > 1 else { return [] }
    let split = low + Self.split(high - low)
    return index < split ? path(index, low, split) + [hash(split, high)] : path(index, split, high) + [hash(low, split)]
  }

  private func subproof(_ old: Int, _ low: Int, _ high: Int, isWhole: Bool) -> [[UInt8]] {
    if old == high { return isWhole ? [] : [hash(low, high)] }
    let split = low + Self.split(high - low)
    return old <= split
      ? subproof(old, low, split, isWhole: isWhole) + [hash(split, high)]
      : subproof(old, split, high, isWhole: false) + [hash(low, split)]
  }

  /// The largest power of two below `size`.
  private static func split(_ size: Int) -> Int { 1 << (Int.bitWidth - 1 - (size - 1).leadingZeroBitCount) }
}
