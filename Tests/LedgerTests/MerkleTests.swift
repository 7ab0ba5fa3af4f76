// RFC 6962 trees against the definition, every size and every leaf up to 40, and the known roots of its test inputs.
import Sodium
import Testing

@testable import Ledger

@Suite struct MerkleTests {
  /// The tree's hash as the RFC defines it.
  private func naive(_ hashes: ArraySlice<[UInt8]>) -> [UInt8] {
    guard hashes.count > 1 else { return hashes.first ?? SHA256.hash([]) }
    var split = 1
    while split * 2 < hashes.count { split *= 2 }
    let middle = hashes.startIndex + split
    return MerkleTree.nodeHash(naive(hashes[..<middle]), naive(hashes[middle...]))
  }

  private func tree(_ count: Int) -> (MerkleTree, [[UInt8]]) {
    let hashes = (0..<count).map { MerkleTree.leafHash([UInt8($0 & 255), UInt8($0 >> 8)]) }
    var tree = MerkleTree()
    for hash in hashes { tree.append(leafHash: hash) }
    return (tree, hashes)
  }

  /// Inputs and roots that Certificate Transparency implementations share.
  @Test func knownRoots() {
    let inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    let roots = [
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]
    var tree = MerkleTree()
    #expect(Hex.text(tree.root) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    for (input, root) in zip(inputs, roots) {
      tree.append(leafHash: MerkleTree.leafHash(Hex.bytes(input, count: input.utf8.count / 2) ?? []))
      #expect(Hex.text(tree.root) == root)
    }
  }

  @Test func everyProofOfSmallTrees() {
    let (tree, hashes) = tree(40)
    for size in 1...40 {
      let root = naive(hashes[..<size])
      #expect(tree.root(of: size) == root)
      for index in 0..<size {
        let proof = tree.inclusionProof(index: index, size: size)
        #expect(MerkleProof.root(leafHash: hashes[index], index: index, size: size, proof: proof) == root)
        #expect(MerkleProof.root(leafHash: hashes[index], index: (index + 1) % size, size: size, proof: proof) != root || size == 1)
        #expect(MerkleProof.root(leafHash: hashes[index], index: index, size: size, proof: proof + [root]) == nil)
        if !proof.isEmpty {
          #expect(MerkleProof.root(leafHash: hashes[index], index: index, size: size, proof: Array(proof.dropLast())) != root)
        }
      }
      for old in 0...size {
        let (oldRoot, proof) = (tree.root(of: old), tree.consistencyProof(old: old, size: size))
        #expect(MerkleProof.isConsistent(old: old, oldRoot: oldRoot, size: size, root: root, proof: proof))
        #expect(!MerkleProof.isConsistent(old: old, oldRoot: oldRoot, size: size, root: root, proof: proof + [root]))
        guard old > 0, old < size else { continue }
        #expect(!MerkleProof.isConsistent(old: old, oldRoot: hashes[39], size: size, root: root, proof: proof))
        #expect(!MerkleProof.isConsistent(old: old, oldRoot: oldRoot, size: size, root: hashes[39], proof: proof))
        #expect(!MerkleProof.isConsistent(old: old, oldRoot: oldRoot, size: size, root: root, proof: Array(proof.dropLast())))
      }
    }
  }

  @Test func proofsOfWrongShapesAreRefused() {
    #expect(MerkleProof.root(leafHash: [1], index: 0, size: 1, proof: []) == [1])
    #expect(MerkleProof.root(leafHash: [1], index: -1, size: 1, proof: []) == nil)
    #expect(MerkleProof.root(leafHash: [1], index: 1, size: 1, proof: []) == nil)
    #expect(MerkleProof.root(leafHash: [1], index: 0, size: 2, proof: [[2]]) == nil)
    #expect(MerkleProof.roots(old: 1, size: 1, oldRoot: [1], proof: []) == nil)
    #expect(!MerkleProof.isConsistent(old: -1, oldRoot: [], size: 1, root: [], proof: []))
    #expect(!MerkleProof.isConsistent(old: 2, oldRoot: [], size: 1, root: [], proof: []))
  }

  @Test func tilesAreNamedAsTheFormatHasIt() {
    #expect(TilePath.hashes(level: 0, number: 1_234_067, width: 256) == "tile/0/x001/x234/067")
    #expect(TilePath.entries(number: 0, width: 32) == "tile/entries/000.p/32")
    #expect(TilePath.hashes(level: 2, number: 1000, width: 1) == "tile/2/x001/000.p/1")
    // The example of tlog-tiles: 70,000 entries.
    let tiles = TilePath.all(size: 70_000)
    func count(_ level: Int?, _ width: Int) -> Int { tiles.count { $0.level == level && $0.width == width } }
    #expect(count(0, 256) == 273 && count(0, 112) == 1 && count(1, 256) == 1 && count(1, 17) == 1 && count(2, 1) == 1)
    #expect(count(nil, 256) == 273 && count(nil, 112) == 1)
    #expect(TilePath.all(size: 256).count == 3 && TilePath.all(size: 0).isEmpty)
  }

  @Test func sha256OfTheStandard() {
    #expect(Hex.text(SHA256.hash(Array("abc".utf8))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(SHA256.hash([1, 2], prefix: 0) == SHA256.hash([0, 1, 2]))
  }
}
