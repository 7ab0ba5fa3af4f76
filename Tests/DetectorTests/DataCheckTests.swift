// The check of a data set: each kind of damage, made on purpose in a clean data set, is found at its place, and nothing else is.

import Foundation
import TestSupport
import Testing

@testable import Detector

@Suite struct DataCheckTests {
  /// Runs `damage` on a clean data set of 4 + 2 images and checks it.
  private func findings(
    splits: Set<Dataset.Split>? = nil, threads: Int = 2, _ damage: (TinyDataset) throws -> Void = { _ in }
  ) throws -> [DataFault] {
    try outcome(splits: splits, threads: threads, damage).findings
  }

  private func outcome(
    splits: Set<Dataset.Split>? = nil, threads: Int = 2, _ damage: (TinyDataset) throws -> Void = { _ in }
  ) throws -> DataCheck.Outcome {
    try withTemporaryFolder { folder in
      // Noise, so that no two images look alike, and labels of both classes everywhere.
      let data = try TinyDataset(folder: folder, training: 4, validation: 2)
      for (split, count) in [("train", 4), ("val", 2)] {
        for index in 0..<count {
          try write(noise(seed: UInt64(index) + (split == "val" ? 100 : 0)), data.image(split, index))
          try write("0 .3 .3 .2 .2\n1 .6 .6 .2 .2\n", data.labels(split, index))
        }
      }
      try damage(data)
      return try DataCheck.run(yaml: data.yaml, splits: splits, threads: threads)
    }
  }

  private func noise(seed: UInt64, width: Int = 64, height: Int = 48) -> [UInt8] {
    var random = SeededGenerator(seed: seed)
    // Patches of 8 pixels: the perceptual hash averages single pixels away.
    let patches = (0..<400).map { _ in UInt8.random(in: 0...255, using: &random) }
    let pixels = (0..<width * height * 3).map { at in patches[(at / 3 % width / 8) + (at / 3 / width / 8) * 20] }
    return testPNG(width: width, height: height, rgb: pixels)
  }

  private func write(_ bytes: [UInt8], _ path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
  private func write(_ text: String, _ path: String) throws { try text.write(toFile: path, atomically: false, encoding: .utf8) }
  private func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

  /// Kinds with file name and line, as one word each.
  private func words(_ findings: [DataFault]) -> [String] {
    findings.map { "\($0.kind.rawValue) \(($0.file as NSString).lastPathComponent)" + ($0.line.map { ":\($0)" } ?? "") }
  }

  @Test(arguments: [1, 2, 5]) func aCleanDataSetHasNoFinding(threads: Int) throws {
    let outcome = try outcome(threads: threads)
    #expect(outcome.findings == [])
    #expect(outcome.isClean && outcome.images == 6 && outcome.names == ["kind0", "kind1"])
    #expect(outcome.splits.map(\.split) == [.train, .val])
    #expect(outcome.splits.map(\.images) == [4, 2] && outcome.splits.map(\.boxes) == [8, 4])
    #expect(outcome.splits[0].boxesByClass == [4, 4] && outcome.splits[0].imagesByClass == [4, 4])
    #expect(outcome.splits[0].labelled == 4 && outcome.splits[0].background == 0 && outcome.splits[0].broken == 0)
  }

  // MARK: Images

  @Test func everyBrokenImageIsNamed() throws {
    let found = try findings { data in
      try write(Array(bytes(data.image("train", 0)).prefix(400)), data.image("train", 0))
      try write("these are words", data.image("train", 2))
      try write([], data.image("val", 1))
      try write([0, 5, 22, 7], "\(data.folder)/images/val/._1.png")
    }
    #expect(words(found) == ["broken-image 0.png", "broken-image 2.png", "broken-image ._1.png", "broken-image 1.png"])
    #expect(found.allSatisfy { $0.severity == .fault && !$0.detail.isEmpty })
  }

  @Test func unreadKindsAreToldFromBrokenOnes() throws {
    let found = try findings { data in
      try write([1, 2, 3], "\(data.folder)/images/train/scan.TIFF")
      try write(Array("RIFF".utf8) + [9, 9, 9, 9] + Array("WEBPVP8 ".utf8), data.image("train", 1))
    }
    #expect(words(found) == ["image-kind 1.png", "image-kind scan.TIFF"])
    #expect(found[0].detail.contains("WebP") && found[1].detail.contains(".tiff"))
  }

  @Test func sizesOutOfBoundsAreFound() throws {
    let found = try findings { data in
      try write(noise(seed: 7, width: 9, height: 30), data.image("train", 0))
      try FileManager.default.copyItem(atPath: vectorPath("images/huge.png"), toPath: "\(data.folder)/images/train/huge.png")
      try write("", "\(data.folder)/labels/train/huge.txt")
    }
    #expect(Set(words(found)) == ["image-too-large huge.png", "image-too-small 0.png"])
  }

  // MARK: Labels

  @Test func everyBadRowIsFoundWithItsLine() throws {
    let rows = [
      "0 .3 .3 .2 .2", "2 .5 .5 .1 .1", "", "0 .5 1.5 .1 -3", "0 .5 .5 .1", "1 .6 .6 0 .2", "0 0.3 .3 .2 .20", "x .5 .5 .1 .1",
      "1 .5 .5 .1 z",
      "1 .9 .5 .5 .1", "0,.5,.5,.1,.1", "0.5 .5 .5 .1 nan",
    ]
    let found = try findings { data in try write(rows.joined(separator: "\n"), data.labels("train", 3)) }
    #expect(
      words(found) == [
        "malformed-row 3.txt:5", "malformed-row 3.txt:8", "malformed-row 3.txt:9", "malformed-row 3.txt:11", "class-out-of-range 3.txt:2",
        "class-out-of-range 3.txt:12", "coordinate-out-of-range 3.txt:4", "coordinate-out-of-range 3.txt:12", "box-without-area 3.txt:6",
        "duplicate-row 3.txt:7", "box-beyond-image 3.txt:10",
      ])
    #expect(found.first { $0.kind == .coordinateRange }?.detail == "y 1.5, h -3 are outside [0, 1]")
    #expect(found.first { $0.kind == .duplicateRow }?.detail == "the same as line 1")
    #expect(found.last?.severity == .note)
  }

  /// What the check lets pass is what training reads, and the reverse.
  @Test func theCheckAgreesWithTheReader() throws {
    var random = SeededGenerator(seed: 3)
    let cells = ["0", "1", "2", "-1", "0.5", ".5", "1", "1.0001", "nan", "x", "", "1e-3", "\u{feff}0", "+.5", "0x1p-1", "inf"]
    for _ in 0..<3000 {
      let text = (0..<Int.random(in: 1...3, using: &random)).map { _ in
        let count = Bool.random(using: &random) ? 5 : Int.random(in: 1...9, using: &random)
        return (0..<count).map { _ in Bool.random(using: &random) ? ".25" : cells[Int.random(in: 0..<cells.count, using: &random)] }
          .joined(separator: " ")
      }.joined(separator: "\n")
      let check = LabelCheck(text: text, path: "a.txt", classes: 2)
      let read = try? LabelFile.parse(text, path: "a.txt", classes: 2)
      let isRefused = check.faults.contains { $0.severity == .fault && $0.kind != .duplicateRow }
      #expect((read == nil) == isRefused, "\(text)")
      if let read { #expect(read == check.labels) }
    }
  }

  @Test func aFileFullOfNonsenseDoesNotFloodTheReport() {
    let check = LabelCheck(text: String(repeating: "nonsense\n", count: 50_000), path: "a.txt", classes: 2)
    #expect(check.faults.count == LabelCheck.faultsMax + 1)
  }

  @Test func labelsThatAreNoTextAreFound() throws {
    let found = try findings { data in try write([0x30, 0xff, 0xfe], data.labels("val", 0)) }
    #expect(words(found) == ["unreadable-labels 0.txt"])
  }

  @Test func emptyLabelFilesAreFineAndMissingOnesAreNotes() throws {
    let outcome = try outcome { data in
      try write("\n", data.labels("train", 0))
      try FileManager.default.removeItem(atPath: data.labels("train", 1))
    }
    #expect(words(outcome.findings) == ["image-without-label 1.png"])
    #expect(outcome.isClean && outcome.noteCount == 1)
    #expect(outcome.splits[0].background == 2 && outcome.splits[0].labelled == 2)
  }

  @Test func orphansAreFoundAndCompanionsAreNot() throws {
    let found = try findings { data in
      try write("0 .5 .5 .1 .1", "\(data.folder)/labels/train/9.txt")
      try write("kind0\nkind1", "\(data.folder)/labels/train/classes.txt")
      try FileManager.default.createDirectory(atPath: "\(data.folder)/labels/train/lost", withIntermediateDirectories: true)
      try write("", "\(data.folder)/labels/train/lost/8.txt")
      // An image that no split lists is still an image.
      try write("images/train/0.png\nimages/train/1.png\nimages/train/2.png", "\(data.folder)/val.txt")
    }
    #expect(words(found) == ["label-without-image 9.txt", "label-without-image 8.txt"])
  }

  @Test func labelsMayLieAmongTheImages() throws {
    let found = try findings { data in
      let flat = data.folder + "/flat"
      try FileManager.default.createDirectory(atPath: flat, withIntermediateDirectories: true)
      for index in 0..<4 {
        try FileManager.default.moveItem(atPath: data.image("train", index), toPath: "\(flat)/\(index).png")
        try FileManager.default.moveItem(atPath: data.labels("train", index), toPath: "\(flat)/\(index).txt")
      }
      try write("0 .5 .5 .1 .1", flat + "/lost.txt")
      try write("0.png\n1.png\n", flat + "/list.txt")
      try write("taken in May: 5 of them", flat + "/remarks.txt")
      try write("train: flat\nval: images/val\nnames: [a, b]\n", data.yaml)
    }
    #expect(words(found) == ["label-without-image lost.txt"])
  }

  @Test func linksToANamedFolderAreFollowedAndLinksInsideAreNot() throws {
    let found = try findings { data in
      try FileManager.default.createSymbolicLink(atPath: data.folder + "/link", withDestinationPath: data.folder)
      try FileManager.default.createSymbolicLink(
        atPath: data.folder + "/images/train/more", withDestinationPath: data.folder + "/images/val")
      try write("train: link/images/train\nval: images/val\nnames: [a, b]\n", data.yaml)
      #expect(try Dataset(yaml: data.yaml, split: .train).count == 4)
    }
    #expect(words(found) == ["linked-folder more"])
    let linked = try findings { data in
      try FileManager.default.createSymbolicLink(atPath: data.folder + "/images/link", withDestinationPath: data.folder + "/images/train")
      try FileManager.default.createSymbolicLink(atPath: data.folder + "/labels/link", withDestinationPath: data.folder + "/labels/train")
      try write("val: images/val\ntrain: images/link\nnames: [a, b]\n", data.yaml)
      #expect(try Dataset(yaml: data.yaml, split: .train).count == 4)
    }
    #expect(words(linked).isEmpty)
  }

  @Test func imagesThatShareALabelFileAreNoted() throws {
    let found = try findings { data in
      try FileManager.default.copyItem(atPath: vectorPath("images/rgb.jpg"), toPath: "\(data.folder)/images/train/0.jpg")
    }
    #expect(words(found) == ["shared-labels 0.png"])
  }

  // MARK: Splits and classes

  @Test func classesWithoutLabelsAreToldApart() throws {
    func yaml(_ data: TinyDataset) throws { try write("train: images/train\nval: images/val\nnames: [a, b, c]\n", data.yaml) }
    let unused = try findings { try yaml($0) }
    #expect(unused.map(\.kind) == [.unusedClass])
    #expect(unused[0].detail == "class 2 'c' has no label in train, val")
    let many = try findings { data in
      try write("train: images/train\nval: images/val\nnames: [\((0..<30).map { "n\($0)" }.joined(separator: ", "))]\n", data.yaml)
    }
    #expect(many.count == 28 && many[1].detail.hasPrefix("class 3 ") && many[27].detail.hasPrefix("class 29 "))
    let untrained = try findings { data in
      try yaml(data)
      try write("2 .5 .5 .1 .1", data.labels("val", 0))
    }
    #expect(untrained.map(\.kind) == [.untrainedClass] && untrained[0].severity == .fault)
    let unmeasured = try findings { data in for index in 0..<2 { try write("1 .5 .5 .1 .1", data.labels("val", index)) } }
    #expect(unmeasured.map(\.kind) == [.unmeasuredClass] && unmeasured[0].detail == "class 0 'kind0' has no label in val, and 4 in train")
  }

  @Test func aSplitWithoutAnyLabelSaysWhereTheyWouldBe() throws {
    let found = try findings { data in try FileManager.default.removeItem(atPath: "\(data.folder)/labels/val") }
    #expect(words(found) == ["no-labels data.yaml", "image-without-label 0.png", "image-without-label 1.png"])
    #expect(found[0].detail.hasSuffix("/labels/val/0.txt"))
  }

  // MARK: Copies

  @Test func copiesWithinASplitAndLeaksBetweenSplitsAreFound() throws {
    let found = try findings { data in
      try write(bytes(data.image("train", 0)), data.image("train", 2))
      try write(bytes(data.image("train", 1)), data.image("val", 1))
      try write("0 .3 .3 .2 .2\n1 .6 .6 .2 .25\n", data.labels("val", 1))
    }
    #expect(words(found) == ["leak 1.png", "duplicate-image 2.png"])
    #expect(
      found[0].detail.hasPrefix("in val, the same pixels as ") && found[0].detail.hasSuffix("train/1.png, but labelled otherwise in train"))
  }

  @Test func theSamePixelsInOtherBytesAreACopy() throws {
    let found = try findings { data in
      let image = try ImageDecoder.decode(path: data.image("train", 0))
      try write(try PNGWriter.encode(image), data.image("train", 1))
    }
    #expect(words(found) == ["duplicate-image 1.png"])
  }

  @Test func oneFolderForBothSplitsIsALeak() throws {
    let found = try findings { data in try write("train: images/train\nval: images/train\nnames: [a, b]\n", data.yaml) }
    #expect(words(found) == ["leak data.yaml:2", "leak 0.png", "leak 1.png", "leak 2.png", "leak 3.png"])
    #expect(found[1].detail == "the same file is in train and val")
  }

  @Test func aFileListedTwiceIsFoundWithItsLine() throws {
    let found = try findings { data in
      try write(
        "images/train/0.png\n./images/train/1.png\n\nimages/train/0.png\nimages/gone.png\nimages/train/2.png \n", data.folder + "/list.txt")
      try write("train: list.txt\nval: images/val\nnames: [a, b]\n", data.yaml)
    }
    #expect(words(found) == ["missing-path list.txt:5", "missing-path list.txt:6", "listed-twice list.txt:4"])
    #expect(found[2].detail.contains("list.txt:1"))
  }

  @Test func alikeImagesAreNotes() throws {
    let found = try findings { data in
      var image = try ImageDecoder.decode(path: data.image("train", 0))
      // Paler, and at another size.
      for index in image.pixels.indices { image.pixels[index] = 40 + UInt8(Int(image.pixels[index]) * 7 / 10) }
      try write(try PNGWriter.encode(image.resized(width: 96, height: 72)), data.image("val", 0))
    }
    #expect(words(found) == ["near-duplicate 0.png"])
    #expect(found[0].severity == .note && found[0].detail.contains("one in val, one in train"))
  }

  @Test func flatImagesDoNotLookLikeEachOther() throws {
    let found = try findings { data in
      for index in 0..<3 {
        try write(try PNGWriter.encode(RGBImage(width: 40, height: 40, grey: UInt8(90 + index))), data.image("train", index))
      }
    }
    #expect(found == [])
  }

  @Test func manyCopiesCostOneComparisonEach() throws {
    let found = try findings { data in
      let one = try bytes(data.image("train", 0))
      for index in 10..<60 {
        try write(one, data.image("train", index))
        try write("0 .3 .3 .2 .2\n1 .6 .6 .2 .2\n", data.labels("train", index))
      }
    }
    #expect(found.count == 50 && found.allSatisfy { $0.kind == .duplicateImage && $0.detail.hasSuffix("train/0.png") })
  }
}

@Suite struct DataFaultTests {
  @Test func everyKindIsExplained() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(contentsOf: root.appendingPathComponent("docs/data-check.md"), encoding: .utf8)
    for kind in DataFault.Kind.allCases {
      #expect(text.contains("| `\(kind.rawValue)` | \(kind.severity.rawValue) | \(kind.title) | \(kind.hint) |"), "\(kind)")
    }
    #expect(text.components(separatedBy: "\n| `").count == DataFault.Kind.allCases.count + 1)
  }
}

@Suite struct PixelDigestTests {
  @Test func anyChangeOfAPixelOrTheShapeChangesTheDigest() {
    var seen: Set<PixelDigest> = []
    for (width, height) in [(1, 1), (5, 3), (3, 5), (15, 1), (16, 1), (1, 16)] {
      let image = RGBImage(width: width, height: height, grey: 7)
      #expect(seen.insert(PixelDigest(image)).inserted)
      for index in image.pixels.indices {
        var other = image
        other.pixels[index] ^= 1
        #expect(seen.insert(PixelDigest(other)).inserted)
      }
    }
  }

  @Test func theLookSurvivesScalingAndNotMirroring() throws {
    let image = try ImageDecoder.decode(path: vectorPath("images/rgb.png"))
    let look = try #require(PerceptualHash(image.resized(width: 120, height: 85)))
    #expect(look.isNear(try #require(PerceptualHash(image.resized(width: 300, height: 200)))))
    #expect(!look.isNear(try #require(PerceptualHash(image.resized(width: 120, height: 85).turned(2)))))
    #expect(PerceptualHash(RGBImage(width: 8, height: 50, grey: 0)) == nil)
  }
}
