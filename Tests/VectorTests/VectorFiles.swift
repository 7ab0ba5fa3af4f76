// Reads spec/vectors: one JSON object a case, written by independent Python (spec/vectors/README.md has the format).
import Foundation
import SecAgg
import Sodium
import Testing

/// One case, or a part of it.
struct Vector: @unchecked Sendable, CustomTestStringConvertible {
  let name: String
  let fields: [String: Any]

  var testDescription: String { name }
  var expect: String { text("expect") }
  var isGood: Bool { expect == "success" }
  /// The codes that name the breach.
  var codes: Set<String> { Set([expect] + ((fields["also"] as? [String]) ?? [])) }

  func has(_ key: String) -> Bool { fields[key] != nil }
  func text(_ key: String) -> String { fields[key] as? String ?? "" }
  func bytes(_ key: String) -> [UInt8] { Vector.bytes(text(key)) }
  func int(_ key: String) -> Int { (fields[key] as? NSNumber)?.intValue ?? -1 }
  func site(_ key: String) -> SiteID { SiteID(UInt32(truncatingIfNeeded: int(key))) }
  func ints(_ key: String) -> [Int] { (fields[key] as? [NSNumber])?.map(\.intValue) ?? [] }
  func sites(_ key: String) -> [SiteID] { ints(key).map { SiteID(UInt32($0)) } }
  func byteLists(_ key: String) -> [[UInt8]] { (fields[key] as? [String])?.map(Vector.bytes) ?? [] }
  func pairs(_ key: String) -> [(Int, [UInt8])] {
    (fields[key] as? [[Any]])?.compactMap { pair in
      guard let number = pair.first as? NSNumber, let text = pair.last as? String else { return nil }
      return (number.intValue, Vector.bytes(text))
    } ?? []
  }
  func part(_ key: String) -> Vector? { (fields[key] as? [String: Any]).map { Vector(name: name, fields: $0) } }
  func parts(_ key: String) -> [Vector] { (fields[key] as? [[String: Any]])?.map { Vector(name: name, fields: $0) } ?? [] }
  func secret(_ key: String) -> SecretBytes { SecretBytes(copying: bytes(key)) }

  static func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.utf8.map { $0 < 58 ? $0 &- 48 : $0 &- 87 }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  /// Every case of a folder, in the order of their names.
  static func all(_ folder: String) -> [Vector] {
    let directory = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("spec/vectors/\(folder)")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    return names.filter { $0.hasSuffix(".json") }.sorted().compactMap { name in
      guard let data = try? Data(contentsOf: directory.appendingPathComponent(name)),
        let fields = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
      else { return nil }
      return Vector(name: "\(folder)/\(name)", fields: fields)
    }
  }
}

extension Vector {
  /// `roster` of a round: who signs.
  func roster() throws -> RosterView {
    let roster = try #require(part("roster"))
    let keys = roster.part("site_keys")?.fields as? [String: String] ?? [:]
    var siteKeys: [SiteID: Ed25519.PublicKey] = [:]
    for (site, key) in keys { siteKeys[SiteID(try #require(UInt32(site)))] = try Ed25519.PublicKey(Vector.bytes(key)) }
    return RosterView(
      digest: roster.bytes("digest"), colluders: roster.int("colluders"), siteKeys: siteKeys,
      serverKey: try Ed25519.PublicKey(roster.bytes("server_key")))
  }
}

@Suite struct CorpusTests {
  /// The folders are there, and breaches outnumber what is right.
  @Test func everyFolderHasCases() {
    var (good, bad) = (0, 0)
    let folders = [
      "mask-stream", "packing", "seeds", "shamir", "feldman", "envelope", "frame", "hashes", "plan", "graph", "evidence",
      "rounds-server", "rounds-site",
    ]
    for folder in folders {
      let cases = Vector.all(folder)
      #expect(cases.count >= 7, "\(folder)")
      good += cases.count(where: \.isGood)
      bad += cases.count { !$0.isGood }
    }
    #expect(bad > good && good > 100)
  }
}
