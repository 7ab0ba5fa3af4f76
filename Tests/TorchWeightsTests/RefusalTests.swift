// Files that break one rule each, and files that break anywhere: every one ends in an error with the right code, none in a trap.

import TestSupport
import Testing

@testable import TorchWeights

@Suite struct RefusalTests {
  @Test(arguments: Fixtures.names("bad_"))
  func refusesWithTheCodeOfItsName(_ name: String) throws {
    let code = try #require(TorchWeightsError.Code(rawValue: String(name.split(separator: "_")[1])))
    #expect(try refusal(Fixtures.bytes("\(name).pt")) == code)
  }

  @Test func everyCodeHasAFile() {
    let seen = Set(Fixtures.names("bad_").map { String($0.split(separator: "_")[1]) })
    // These two are about the file, not its contents.
    for code in TorchWeightsError.Code.allCases where code != .inputOutput && code != .tooLarge {
      #expect(seen.contains(code.rawValue), "no file is refused with \(code)")
    }
  }

  @Test func namesWhatItRefuses() throws {
    let bytes = try Fixtures.bytes("bad_forbiddenGlobal_os_system.pt")
    let error = try #require(throws: TorchWeightsError.self) { try TorchFile(parsing: bytes) }
    #expect(error.reason.contains("posix.system"))
    let legacy = try Fixtures.bytes("bad_legacyFormat_torch.pt")
    #expect(TorchFile.isCheckpoint(legacy) && !TorchFile.isCheckpoint(Array("{}".utf8)))
    let old = try #require(throws: TorchWeightsError.self) { try TorchFile(parsing: legacy) }
    #expect(old.reason.contains("1.6"))
  }

  @Test func refusesPathsThatAreNoFiles() throws {
    #expect(throws: TorchWeightsError.self) { try TorchFile.read(path: vectorPath("absent.pt")) }
    #expect(throws: TorchWeightsError.self) { try TorchFile.read(path: vectorPath("")) }
    let error = try #require(throws: TorchWeightsError.self) { try TorchFile.read(path: vectorPath("good_views.pt"), bytesMax: 100) }
    #expect(error.code == .tooLarge)
  }

  @Test(arguments: ["good_zip64", "good_comment", "good_views"])
  func refusesEveryTruncation(_ name: String) throws {
    let whole = try Fixtures.bytes("\(name).pt")
    for length in 0..<whole.count {
      let code = refusal(Array(whole[..<length]))
      #expect(code == .truncated || code == .notACheckpoint || code == .malformedArchive, "length \(length)")
    }
  }

  @Test func refusesARealFileCutAnywhere() throws {
    let whole = try Fixtures.bytes("blood-3-sites.pt")
    for length in stride(from: 0, to: whole.count, by: 99_991) { #expect(refusal(Array(whole[..<length])) != nil, "length \(length)") }
  }

  @Test func namesTheDamagedStorage() throws {
    var bytes = try Fixtures.bytes("blood-3-sites.pt")
    bytes[bytes.count / 2] ^= 1
    let error = try #require(throws: TorchWeightsError.self) { try TorchFile(parsing: bytes) }
    #expect(error.code == .badChecksum && error.reason.contains("/data/"))
  }

  /// A byte of the archive's own structure that changes is seen, or changes nothing that is read.
  @Test(arguments: ["good_zip64", "good_comment", "good_state_dict"])
  func survivesEveryByteFlip(_ name: String) throws {
    let whole = try Fixtures.bytes("\(name).pt")
    let right = try TorchFile(parsing: whole).entries.map(\.data)
    for position in whole.indices {
      var broken = whole
      broken[position] ^= 1 << UInt8(position % 8)
      if let file = try? TorchFile(parsing: broken) { #expect(file.entries.map(\.data) == right, "byte \(position)") }
    }
  }

  /// Pickles with a few wrong bytes but a right checksum: the machine and everything behind it is on its own.
  @Test(arguments: ["good_protocol4", "good_module", "good_views", "bad_tooComplex_yaml_bomb"])
  func survivesWrongPickles(_ name: String) throws {
    let archive = try ZipArchive(Fixtures.bytes("\(name).pt"))
    let folder = try TorchFile.folder(archive)
    let pickle = try Array(archive.contents(folder + "data.pkl"))
    var files: [(name: String, contents: [UInt8])] = [(folder + "data.pkl", pickle)]
    for entry in archive.entries where entry.name.contains("/data/") {
      files.append((entry.name, try Array(archive.contents(entry.name))))
    }
    var generator = SeededGenerator(seed: 7)
    var read = 0
    for _ in 0..<1500 {
      var broken = pickle
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let position = Int.random(in: 0..<broken.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: broken.remove(at: position)
        case 1: broken.insert(.random(in: 0...255, using: &generator), at: position)
        case 2: broken[position] = broken[Int.random(in: 0..<broken.count, using: &generator)]
        default: broken[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        }
      }
      files[0].contents = broken
      if refusal(Fixtures.archive(files)) == nil { read += 1 }
    }
    #expect(name.hasPrefix("bad") || read > 0, "no change is harmless: the archive around the pickles must be wrong")
  }
}
