// data.yaml and label files: what is accepted, and the place and reason of everything that is not.

import Foundation
import TestSupport
import Testing

@testable import Detector

@Suite struct LabelFileTests {
  private func parse(_ text: String) throws -> [Label] { try LabelFile.parse(text, path: "a.txt", classes: 3) }

  @Test func rowsBecomeLabels() throws {
    let labels = try parse("0 0.5 0.5 0.2 0.1\r\n\n  2\t0 1 1 1  \n1.0 1e-1 .25 0.5 0.5")
    #expect(labels.map(\.classIndex) == [0, 2, 1])
    #expect(labels[0] == Label(classIndex: 0, x: 0.5, y: 0.5, w: 0.2, h: 0.1))
    #expect(labels[2].x == 0.1)
  }

  @Test(arguments: ["", "\n\n", "   \r\n"]) func nothingIsBackground(text: String) throws { #expect(try parse(text).isEmpty) }

  @Test func repeatedRowsCountOnce() throws {
    #expect(try parse("0 .5 .5 .2 .1\n1 .5 .5 .2 .1\n0 0.50 .5 .2 .1").count == 2)
  }

  @Test func aPolygonStandsForItsBox() throws {
    let label = try #require(try parse("1 0.1 0.2 0.5 0.2 0.3 0.8").first)
    #expect(label.classIndex == 1)
    #expect(abs(label.x - 0.3) < 1e-6 && abs(label.y - 0.5) < 1e-6 && abs(label.w - 0.4) < 1e-6 && abs(label.h - 0.6) < 1e-6)
  }

  @Test(
    arguments: [
      "0 .5 .5 .2", "0 .5 .5 .2 .1 .1", "0", "3 .5 .5 .2 .1", "-1 .5 .5 .2 .1", "0.5 .5 .5 .2 .1", "x .5 .5 .2 .1", "nan .5 .5 .2 .1",
      "inf .5 .5 .2 .1", "99999999999999999999 .5 .5 .2 .1", "0 1.0001 .5 .2 .1", "0 -0.001 .5 .2 .1", "0 nan .5 .2 .1", "0 .5 .5 inf .1",
      "0 .5 .5 .2 0", "0 .5 .5 0 .1", "0 64 64 20 20", "0,.5,.5,.2,.1", "0 .5 .5 .2 zero", "1 0.1 0.2 0.5 0.2 0.3 1.8",
      "1 0.1 0.2 0.1 0.3 0.1 0.4",
    ])
  func aBadRowIsNamedByItsLine(row: String) throws {
    let error = #expect(throws: DataError.self) { try parse("1 .5 .5 .2 .1\n\n\(row)\n0 .1 .1 .1 .1") }
    #expect(error?.code == .badLabel)
    #expect(error?.line == 3)
    #expect(error?.message.hasPrefix("a.txt:3: ") == true)
  }

  @Test func labelsLieBesideTheImages() {
    #expect(LabelFile.path(ofImage: "/d/images/train/a.jpg") == "/d/labels/train/a.txt")
    #expect(LabelFile.path(ofImage: "/images/d/images/a.b.png") == "/images/d/labels/a.b.txt")
    #expect(LabelFile.path(ofImage: "/d/pictures/a.jpeg") == "/d/pictures/a.txt")
    #expect(LabelFile.path(ofImage: "/d/images.old/a.png") == "/d/images.old/a.txt")
  }
}

@Suite struct DatasetTests {
  /// A folder with `images/{train,val}` of two and one grey images, a label each, and a data.yaml with `yaml`.
  private func withData(_ yaml: String, _ body: (_ folder: String, _ yaml: String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      for (split, count) in [("train", 2), ("val", 1)] {
        for kind in ["images", "labels"] {
          try FileManager.default.createDirectory(atPath: "\(folder)/\(kind)/\(split)", withIntermediateDirectories: true)
        }
        for index in 0..<count {
          let png = try PNGWriter.encode(RGBImage(width: 8, height: 8, grey: 50))
          try Data(png).write(to: URL(fileURLWithPath: "\(folder)/images/\(split)/\(index).png"))
          try "\(index) .5 .5 .5 .5\n".write(toFile: "\(folder)/labels/\(split)/\(index).txt", atomically: false, encoding: .utf8)
        }
      }
      try yaml.write(toFile: folder + "/data.yaml", atomically: false, encoding: .utf8)
      try body(folder, folder + "/data.yaml")
    }
  }

  @Test(
    arguments: [
      "train: images/train\nval: images/val\nnc: 2\nnames: [a, b]",
      "path: .\ntrain: [images/train]\nval: images/val\nnames: {0: a, 1: b}",
      "train: list.txt\nval: images/val\nnames:\n  1: b\n  0: a\ndownload: rm -rf /\ntest:\n",
      "{train: [images/train/0.png, images/train/1.png], val: images/val, nc: 2, names: ['a', \"b\"]}",
    ])
  func yoloFormsAreRead(yaml: String) throws {
    try withData(yaml) { folder, path in
      try "./images/train/1.png\n\nimages/train/0.png\n".write(toFile: folder + "/list.txt", atomically: false, encoding: .utf8)
      let data = try Dataset(yaml: path, split: .train)
      #expect(data.names == ["a", "b"])
      #expect(data.imagePaths.map { ($0 as NSString).lastPathComponent } == ["0.png", "1.png"])
      #expect(data.labels.map { $0.map(\.classIndex) } == [[0], [1]])
      #expect(try Dataset(yaml: path, split: .val).count == 1)
    }
  }

  @Test func namesMayBeLeftOutWhereTheCountIsGiven() throws {
    try withData("train: images/train\nval: images/val\nnc: 2") { _, path in
      let names = try DatasetDescription(yaml: path).names
      #expect(names.count == 2)
    }
  }

  @Test(
    arguments: [
      "trian: images/train\nnames: [a, b]", "train: images/train\nnames: [a, b]\nextra: 1", "names: [a", "- train\n- val", "",
      "train: images/train",
      "train: images/train\nnames: []", "train: images/train\nnc: 3\nnames: [a, b]", "train: images/train\nnames: {0: a, 2: b}",
      "train: images/train\nnames: {a: 0, b: 1}", "train: images/train\nnc: 0", "train: images/train\nnc: -4",
      "train: images/train\ntrain: images/val\nnames: [a, b]", "train: {a: b}\nnames: [a, b]", "train: [[images/train]]\nnames: [a, b]",
    ])
  func aBadDescriptionIsRefused(yaml: String) throws {
    try withData(yaml) { _, path in
      let error = #expect(throws: DataError.self) { try DatasetDescription(yaml: path) }
      #expect(error?.code == .badDescription)
      #expect(error?.path == path)
      #expect(error?.hint.isEmpty == false)
    }
  }

  @Test func anUnknownKeyIsShownWithItsPlace() throws {
    try withData("train: images/train\nnames: [a, b]\n\nvla: images/val\n") { _, path in
      let error = #expect(throws: DataError.self) { try DatasetDescription(yaml: path) }
      #expect(error?.line == 4 && error?.column == 1)
      #expect(error?.message.hasPrefix("\(path):4:1: ") == true)
      #expect(error?.reason.contains("vla") == true)
      #expect(error?.hint.contains("val") == true)
    }
  }

  @Test func deepNestingIsRefusedNotFollowed() throws {
    try withData(String(repeating: "[", count: 100_000)) { _, path in
      #expect(throws: DataError.self) { try DatasetDescription(yaml: path) }
    }
  }

  @Test(arguments: ["nowhere", "labels/train", "images/val/../../data.yaml"]) func sourcesWithoutImagesAreRefused(source: String) throws {
    try withData("train: \(source)\nnames: [a, b]") { _, path in
      #expect(throws: DataError.self) { try Dataset(yaml: path, split: .train) }
      #expect(throws: DataError.self) { try Dataset(yaml: path, split: .val) }
    }
  }

  @Test func anAbsentOrBinaryDescriptionIsRefused() throws {
    #expect(throws: DataError.self) { try DatasetDescription(yaml: "/nonexistent/data.yaml") }
    try withTemporaryFolder { folder in
      try Data([0xff, 0xfe, 0x00, 0x80]).write(to: URL(fileURLWithPath: folder + "/data.yaml"))
      #expect(throws: DataError.self) { try DatasetDescription(yaml: folder + "/data.yaml") }
      #expect(throws: DataError.self) { try DatasetDescription(yaml: folder) }
    }
  }

  @Test func aFormatThatIsNotReadIsNamedInsteadOfSkipped() throws {
    try withData("train: images/train\nnames: [a, b]") { folder, path in
      try Data([1]).write(to: URL(fileURLWithPath: folder + "/images/train/7.TIFF"))
      let error = #expect(throws: DataError.self) { try Dataset(yaml: path, split: .train) }
      #expect(error?.path.hasSuffix("/images/train/7.TIFF") == true)
    }
  }

  @Test func aBadLabelStopsTheWholeSplitWithItsPlace() throws {
    try withData("train: images/train\nval: images/val\nnames: [a, b]") { folder, path in
      try "0 .5 .5 .5 .5\n2 .5 .5 .5 .5\n".write(toFile: folder + "/labels/train/1.txt", atomically: false, encoding: .utf8)
      let error = #expect(throws: DataError.self) { try Dataset(yaml: path, split: .train) }
      #expect(error?.message.contains("labels/train/1.txt:2: ") == true)
      #expect(try Dataset(yaml: path, split: .val).count == 1)
    }
  }

  @Test func noLabelFileIsBackground() throws {
    try withData("train: images/train\nnames: [a, b]") { folder, path in
      try FileManager.default.removeItem(atPath: folder + "/labels/train/0.txt")
      #expect(try Dataset(yaml: path, split: .train).labels.map(\.count) == [0, 1])
    }
  }

  @Test func labelsThatAreNoTextAreRefused() throws {
    try withData("train: images/train\nnames: [a, b]") { folder, path in
      try Data([0x30, 0x20, 0xff, 0xfe]).write(to: URL(fileURLWithPath: folder + "/labels/train/0.txt"))
      #expect(throws: DataError.self) { try Dataset(yaml: path, split: .train) }
    }
  }

  @Test func aDamagedImageIsAnErrorWhereItIsUsed() throws {
    try withData("train: images/train\nnames: [a, b]") { folder, path in
      let damaged = folder + "/images/train/1.png"
      try Data(try Data(contentsOf: URL(fileURLWithPath: damaged)).prefix(40)).write(to: URL(fileURLWithPath: damaged))
      let store = ImageStore(dataset: try Dataset(yaml: path, split: .train), imageSize: 32, shrinkFilter: .area)
      #expect(try store.image(0).width == 32)
      let error = #expect(throws: DataError.self) { try store.image(1) }
      #expect(error?.path.hasSuffix("images/train/1.png") == true)
    }
  }

  @Test func theStoreGivesTheSameWithAndWithoutRoom() throws {
    try withData("train: images/train\nnames: [a, b]") { _, path in
      let data = try Dataset(yaml: path, split: .train)
      let roomy = ImageStore(dataset: data, imageSize: 16, shrinkFilter: .area)
      let cramped = ImageStore(dataset: data, imageSize: 16, shrinkFilter: .area, cacheBytesMax: 0)
      for _ in 0..<2 { for index in 0..<2 { #expect(try roomy.image(index) == cramped.image(index)) } }
    }
  }
}
