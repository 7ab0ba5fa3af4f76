// The corpus of ledgers in spec/vectors/ledger, which independent Python wrote, in memory; and the keys of its parties.
import Foundation
import Sodium
import Testing

@testable import Ledger

/// A log's files in memory.
struct MemorySource: LedgerSource {
  var files: [String: [UInt8]]

  func read(_ path: String, bytesMax: Int) throws(LedgerError) -> [UInt8]? { files[path] }

  /// Bundles and tiles of some leaves.
  static func files(_ leaves: [[UInt8]]) -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    var tree = MerkleTree()
    for leaf in leaves { tree.append(leafHash: MerkleTree.leafHash(leaf)) }
    for tile in TilePath.all(size: leaves.count) {
      let range = tile.number * TilePath.width..<tile.number * TilePath.width + tile.width
      if let level = tile.level {
        files[TilePath.hashes(level: level, number: tile.number, width: tile.width)] = Array(tree.hashes(level: 8 * level, range).joined())
      } else {
        files[TilePath.entries(number: tile.number, width: tile.width)] = leaves[range].flatMap { leaf in
          [UInt8(leaf.count >> 8), UInt8(leaf.count & 255)] + leaf
        }
      }
    }
    return files
  }
}

struct LedgerCase: Sendable, CustomTestStringConvertible {
  let name: String
  let expect: String
  let index: Int?
  let files: [String: [UInt8]]
  let since: SignedCheckpoint?
  let roster: LedgerRoster?
  var testDescription: String { name }
}

struct LedgerCorpus: Sendable {
  let consortiumKey: Ed25519.PublicKey
  let leaves: [[UInt8]]
  let rosters: [String: LedgerRoster]
  let cases: [LedgerCase]

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("spec/vectors/ledger")

  static let shared: LedgerCorpus? = try? LedgerCorpus()

  private init() throws {
    func object(_ name: String) throws -> [String: Any] {
      let data = try Data(contentsOf: Self.folder.appendingPathComponent(name))
      return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    }
    let base = try object("base.json")
    let key = try #require(Hex.bytes(base["consortium_key"] as? String ?? "", count: 32))
    let consortiumKey = try Ed25519.PublicKey(key)
    let leaves = try #require(base["leaves"] as? [String]).map { Array($0.utf8) }
    let rosters = try #require(base["rosters"] as? [String: Any]).mapValues { file in
      try LedgerRosterFile.read(Array(JSONSerialization.data(withJSONObject: file)), consortiumKey: consortiumKey)
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter { $0.hasSuffix(".json") && $0 != "base.json" }
    var cases: [LedgerCase] = []
    for name in names.sorted() {
      let found = try object(name)
      let own = try #require(found["leaves"] as? [Any]).map { leaf -> [UInt8] in
        if let number = leaf as? Int { return leaves[number] }
        if let text = leaf as? String { return Array(text.utf8) }
        return Base64.bytes((leaf as? [String: String])?["base64"] ?? "") ?? []
      }
      var files = MemorySource.files(own)
      files["checkpoint"] = Array((found["checkpoint"] as? String ?? "").utf8)
      for (path, value) in found["files"] as? [String: Any] ?? [:] { files[path] = (value as? String).flatMap { Base64.bytes($0) } }
      cases.append(
        LedgerCase(
          name: String(name.dropLast(5)), expect: try #require(found["expect"] as? String), index: found["index"] as? Int, files: files,
          since: try (found["since"] as? String).map { try SignedCheckpoint(parsing: Array($0.utf8)) },
          roster: (found["roster"] as? Int).flatMap { rosters["\($0)"] }))
    }
    (self.consortiumKey, self.leaves, self.rosters, self.cases) = (consortiumKey, leaves, rosters, cases)
  }

  static func loaded() throws -> LedgerCorpus { try #require(shared, "spec/vectors/ledger cannot be read") }

  /// The key of a party of the corpus.
  static func key(_ words: String) throws -> Ed25519.SigningKey {
    var seed = BLAKE2b.hash(Array("key \(words)".utf8))
    return try Ed25519.SigningKey(seed: SecretBytes(taking: &seed))
  }

  /// The entries of the good ledger.
  func entries() throws -> [LedgerEntry] { try leaves.map { try LedgerEntry(decoding: $0) } }

  func audit(_ files: [String: [UInt8]], roster: LedgerRoster? = nil, since: SignedCheckpoint? = nil) throws -> AuditReport {
    try Audit.run(MemorySource(files: files), AuditRequest(roster: roster, consortiumKey: consortiumKey, since: since))
  }
}

/// A folder that is gone when the test is.
final class ScratchFolder {
  let path: String

  init() {
    path = NSTemporaryDirectory() + "/ledger-\(UUID().uuidString)"
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Every file below it but the lock.
  func files() throws -> [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isFolder), !isFolder.boolValue, name != ".lock" else {
        continue
      }
      found[name] = Array(try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    }
    return found
  }
}
