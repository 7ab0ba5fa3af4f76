// data.yaml with many faults at once, each found at its line and column; and EXIF blocks that lie.

import Foundation
import TestSupport
import Testing

@testable import Detector

@Suite struct DescriptionCheckTests {
  private func check(_ yaml: String, _ body: (DescriptionCheck) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try yaml.write(toFile: folder + "/data.yaml", atomically: false, encoding: .utf8)
      try body(try DescriptionCheck(yaml: folder + "/data.yaml"))
    }
  }

  /// `line:column kind` of each finding.
  private func places(_ check: DescriptionCheck) -> [String] {
    check.faults.map { "\($0.line ?? 0):\($0.column ?? 0) \($0.kind.rawValue)" }
  }

  @Test func everyFaultIsFoundAtItsPlace() throws {
    let yaml = """
      trian: images/train
      train: [images/a, [x], ./images/a]
      val: images/val
      test: images/val
      nc: 5
      names: [cat, dog, cat, ""]
      """
    try check(yaml) { check in
      #expect(
        places(check) == [
          "1:1 data-yaml", "6:19 same-class-name", "6:24 data-yaml", "5:5 data-yaml", "2:19 data-yaml", "2:24 listed-twice", "4:7 leak",
        ])
      #expect(check.names == ["cat", "dog", "cat", "class3"])
      #expect(check.sources[.train]?.count == 1 && check.sources[.train]?[0].line == 2)
    }
  }

  @Test(arguments: [
    ("names: {0: a, 1: b}", ["a", "b"], 0), ("names: {0: a, 2: c}", ["a", "class1", "c"], 1), ("names: {a: 0, 1: b}", ["class0", "b"], 2),
    ("names: {0: a, -1: b}", ["a"], 1), ("nc: 2", ["class0", "class1"], 0), ("nc: x\nnames: [a]", ["a"], 1), ("nc: 0", [], 2),
    ("names: []", [], 1), ("names: word", [], 2), ("nc: 99999999999", [], 2), ("names: [[a], {b: c}]", ["class0", "class1"], 2),
    ("path: [a]\nnames: [a]", ["a"], 1),
  ])
  func namesAreReadAsFarAsPossible(yaml: String, names: [String], faults: Int) throws {
    try check(yaml) { check in
      #expect(check.names == names)
      #expect(check.faults.count == faults, "\(check.faults)")
    }
  }

  @Test(
    arguments: [
      ("", nil, nil), ("- a", nil, nil), ("names: [a", 1, nil), ("a: b\n\tc: d", 2, nil), ("train: a\nval: b\ntrain: c\n", 3, 1),
      ("x: *nobody", 1, nil), (String(repeating: "[", count: 100_000), nil, nil),
    ] as [(String, Int?, Int?)])
  func whatIsNoMappingIsUnusable(yaml: String, line: Int?, column: Int?) throws {
    try withTemporaryFolder { folder in
      try yaml.write(toFile: folder + "/data.yaml", atomically: false, encoding: .utf8)
      let error = #expect(throws: DataError.self) { try DescriptionCheck(yaml: folder + "/data.yaml") }
      #expect(error?.code == .badDescription && error?.hint.isEmpty == false)
      if let line { #expect(abs((error?.line ?? -9) - line) <= 1) }
      if let column { #expect(error?.column == column) }
    }
  }

  @Test func anAbsentOrBinaryFileIsUnusable() throws {
    #expect(throws: DataError.self) { try DataCheck.run(yaml: "/nonexistent/data.yaml", threads: 1) }
    try withTemporaryFolder { folder in
      try Data([0xff, 0xfe, 0]).write(to: URL(fileURLWithPath: folder + "/data.yaml"))
      #expect(throws: DataError.self) { try DataCheck.run(yaml: folder + "/data.yaml", threads: 1) }
    }
  }

  @Test func missingSplitsAndFoldersAreFaultsOfTheCheck() throws {
    try withTemporaryFolder { folder in
      try "train: nowhere\nnames: [a]".write(toFile: folder + "/data.yaml", atomically: false, encoding: .utf8)
      let outcome = try DataCheck.run(yaml: folder + "/data.yaml", threads: 1)
      #expect(outcome.findings.map(\.kind) == [.description, .missingPath, .noImages])
      #expect(outcome.findings[1].line == 1 && outcome.findings[1].column == 8)
      let test = try DataCheck.run(yaml: folder + "/data.yaml", splits: [.test], threads: 1)
      #expect(test.findings.map(\.detail) == ["test is missing: where are its images?"])
    }
  }
}

@Suite struct ExifFieldsTests {
  /// A JPEG start with one EXIF block: orientation and, in a sub-directory, width and height.
  private func jpeg(orientation: Int, width: Int, height: Int) -> [UInt8] {
    func short(_ value: Int) -> [UInt8] { [UInt8(value & 255), UInt8(value >> 8 & 255)] }
    func long(_ value: Int) -> [UInt8] { short(value & 0xffff) + short(value >> 16) }
    var tiff = Array("II".utf8) + short(42) + long(8)
    tiff += short(2) + short(0x0112) + short(3) + long(1) + long(orientation) + short(0x8769) + short(4) + long(1) + long(38) + long(0)
    tiff += short(2) + short(0xa002) + short(4) + long(1) + long(width) + short(0xa003) + short(3) + long(1) + long(height) + long(0)
    let body = Array("Exif".utf8) + [0, 0] + tiff
    return [0xff, 0xd8, 0xff, 0xe1, UInt8((body.count + 2) >> 8), UInt8((body.count + 2) & 255)] + body + [0xff, 0xd9]
  }

  private func finding(_ orientation: Int, _ width: Int, _ height: Int, stored: (Int, Int)) -> DataFault.Kind? {
    ExifFields.ofJPEG(jpeg(orientation: orientation, width: width, height: height))?
      .finding(storedWidth: stored.0, storedHeight: stored.1, file: "a.jpg")?.kind
  }

  @Test func aTurnThatFitsIsANoteAndADoubleOneAFault() {
    #expect(finding(6, 4000, 3000, stored: (4000, 3000)) == .turnedImage)
    #expect(finding(6, 4000, 3000, stored: (640, 480)) == .turnedImage)
    #expect(finding(6, 4000, 3000, stored: (3000, 4000)) == .exif)
    #expect(finding(8, 3000, 4000, stored: (640, 480)) == .exif)
    #expect(finding(3, 4000, 3000, stored: (3000, 4000)) == .turnedImage)
    #expect(finding(6, 4000, 3000, stored: (500, 500)) == .turnedImage)
    #expect(finding(1, 4000, 3000, stored: (3000, 4000)) == nil && finding(0, 1, 1, stored: (1, 1)) == nil)
    #expect(finding(9, 1, 1, stored: (1, 1)) == .exif && finding(500, 1, 1, stored: (1, 1)) == .exif)
  }

  @Test func theRealFileIsRead() throws {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: vectorPath("images/turned.jpg"))))
    #expect(ExifFields.ofJPEG(bytes)?.orientation == 6)
    #expect(ExifFields.ofJPEG([]) == nil && ExifFields.ofJPEG([0xff, 0xd8, 0xff, 0xd9]) == nil)
  }

  @Test func damageNeverReadsOutside() {
    let whole = jpeg(orientation: 6, width: 4000, height: 3000)
    for count in 0..<whole.count { _ = ExifFields.ofJPEG(Array(whole[..<count])) }
    for at in 2..<whole.count {
      for value: UInt8 in [0, 1, 127, 255] {
        var damaged = whole
        damaged[at] = value
        _ = ExifFields.ofJPEG(damaged)?.finding(storedWidth: 4, storedHeight: 3, file: "a")
      }
    }
    var cut = whole
    // The directory now lies behind the block's end.
    cut[16] = 0xf0
    #expect(ExifFields.ofJPEG(cut)?.isDamaged == true)
  }
}
