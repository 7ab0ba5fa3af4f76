// Verifying proofs of RFC 6962 trees from roots alone (the algorithms of RFC 9162, sections 2.1.3.2 and 2.1.4.2). A proof of the wrong
// length is refused, so that one fact has one proof.

public enum MerkleProof {
  /// Longer proofs are of no tree that can be: 2^63 leaves.
  public static let hashesMax = 126

  /// The root that a leaf and its siblings give; nil for a proof of another length than `index` and `size` ask for.
  public static func root(leafHash: [UInt8], index: Int, size: Int, proof: [[UInt8]]) -> [UInt8]? {
    guard (0..<max(0, size)).contains(index), proof.count <= hashesMax, proof.allSatisfy({ $0.count == MerkleTree.hashBytes })
    else { return nil }
    var (node, last, hash) = (index, size - 1, leafHash)
    for sibling in proof {
      guard last > 0 else { return nil }
      if node & 1 == 1 || node == last {
        hash = MerkleTree.nodeHash(sibling, hash)
        while node & 1 == 0, node != 0 { (node, last) = (node >> 1, last >> 1) }
      } else {
        hash = MerkleTree.nodeHash(hash, sibling)
      }
      (node, last) = (node >> 1, last >> 1)
    }
    return last == 0 ? hash : nil
  }

  /// The roots of both trees that a consistency proof speaks of; nil for a proof of another length than the sizes ask for.
  ///
  /// Where the second is a signed root and the first is not the root that the same log signed for `old` leaves, the log has forked: the
  /// second root fixes every hash that the proof consists of.
  public static func roots(old: Int, size: Int, oldRoot: [UInt8], proof: [[UInt8]]) -> (old: [UInt8], new: [UInt8])? {
    guard old > 0, old < size, !proof.isEmpty, proof.count <= hashesMax, proof.allSatisfy({ $0.count == MerkleTree.hashBytes })
    else { return nil }
    var (node, last) = (old - 1, size - 1)
    while node & 1 == 1 { (node, last) = (node >> 1, last >> 1) }
    // A complete old tree is a node of the new one: it stands in front of the proof.
    let path = old & (old - 1) == 0 ? [oldRoot] + proof : proof
    var (first, second) = (path[0], path[0])
    for hash in path.dropFirst() {
      guard last > 0 else { return nil }
      if node & 1 == 1 || node == last {
        first = MerkleTree.nodeHash(hash, first)
        second = MerkleTree.nodeHash(hash, second)
        while node & 1 == 0, node != 0 { (node, last) = (node >> 1, last >> 1) }
      } else {
        second = MerkleTree.nodeHash(second, hash)
      }
      (node, last) = (node >> 1, last >> 1)
    }
    return last == 0 ? (first, second) : nil
  }

  /// Whether the tree of `size` leaves begins with the tree of `old` leaves.
  public static func isConsistent(old: Int, oldRoot: [UInt8], size: Int, root: [UInt8], proof: [[UInt8]]) -> Bool {
    guard old >= 0, old <= size else { return false }
    if old == size { return proof.isEmpty && oldRoot == root }
    if old == 0 { return proof.isEmpty }
    guard let found = roots(old: old, size: size, oldRoot: oldRoot, proof: proof) else { return false }
    return found.old == oldRoot && found.new == root
  }
}
