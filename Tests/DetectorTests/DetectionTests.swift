// Detection in single images: what goes in, what comes back in whole pixels, the rows and pictures that are left.

import Foundation
import TestSupport
import Testing

@testable import Detector

private func noise(_ width: Int, _ height: Int, seed: UInt64) -> RGBImage {
  var generator = TestSupport.SeededGenerator(seed: seed)
  return RGBImage(width: width, height: height, pixels: (0..<width * height * 3).map { _ in UInt8.random(in: 0...255, using: &generator) })
}

@Suite struct DetectionTests {
  @Test(arguments: [(160, 120, 160, 128), (120, 160, 128, 160), (33, 400, 32, 160), (640, 640, 160, 160), (1, 1, 160, 160)])
  func theInputIsPaddedAsLittleAsPossible(width: Int, height: Int, inputWidth: Int, inputHeight: Int) throws {
    let network = Network(spec: ModelSpec(depth: 1.0 / 3, width: 0.125, classes: 2), seed: 2, threads: 1)
    var detector = try ImageDetector(network: network, imageSize: 160)
    detector.suppression.confidenceMin = 0
    detector.suppression.detectionsMax = 50
    let outcome = detector.detect(noise(width, height, seed: 3))
    #expect(outcome.inputWidth == inputWidth && outcome.inputHeight == inputHeight)
    #expect(!outcome.detections.isEmpty)
    for found in outcome.detections {
      #expect((0..<4).allSatisfy { found.box[$0] == found.box[$0].rounded() })
      #expect(found.box.x >= 0 && found.box.y >= 0 && found.box.z <= Float(width) && found.box.w <= Float(height))
    }
    #expect(outcome.detections.map(\.confidence) == outcome.detections.map(\.confidence).sorted(by: >))
  }

  @Test(arguments: [0, 33, 8192]) func sizesThatDoNotSuitAreRefused(size: Int) {
    let network = Network(spec: ModelSpec(depth: 1.0 / 3, width: 0.125, classes: 2), seed: 2, threads: 1)
    #expect(throws: TrainingError.self) { _ = try ImageDetector(network: network, imageSize: size) }
  }

  @Test func boxesGoBackTheWayTheImageCame() {
    // 200 x 100 into 160 x 96: scale 0.8, 80 rows between 8 and 8.
    let box = Letterbox(imageHeight: 100, imageWidth: 200, target: (160, 160), minimal: true)
    #expect(box.width == 160 && box.height == 96)
    let frame = InputFrame(box, width: 200, height: 100)
    #expect(frame.native([80, 48, 96, 56]) == [100, 50, 120, 60])
    #expect(frame.native([-10, -10, 500, 500], isRounded: true) == [0, 0, 200, 100])
  }

  @Test func rowsAreTheOriginals() {
    let found = [
      Detection(box: [10, 20, 30, 60], confidence: 0.912345678, classIndex: 2),
      Detection(box: [0, 0, 100, 80], confidence: 0.25, classIndex: 0),
    ]
    #expect(LabelRows(isConfident: true).text(found, width: 100, height: 80) == "0 0.5 0.5 1 1 0.25\n2 0.2 0.5 0.2 0.5 0.912346\n")
    #expect(
      LabelRows(isConfident: false).text(found, width: 300, height: 80) == "0 0.166667 0.5 0.333333 1\n2 0.0666667 0.5 0.0666667 0.5\n")
  }

  @Test func resultsAreCOCOs() throws {
    try withTemporaryFolder { folder in
      let results = try COCOResults(path: "\(folder)/x.json")
      try results.add([Detection(box: [10.12345, 20, 30, 60.5], confidence: 0.9123456, classIndex: 2)], stem: "000042")
      try results.add([], stem: "b")
      try results.add([Detection(box: [0, 0, 1, 2], confidence: 0.5, classIndex: 0)], stem: "a\"b")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/x.json"))
      try results.finish()
      let text = try String(contentsOfFile: "\(folder)/x.json", encoding: .utf8)
      #expect(
        text == """
          [
          {"image_id":42,"category_id":2,"bbox":[10.123,20.0,19.877,40.5],"score":0.91235},
          {"image_id":"a\\"b","category_id":0,"bbox":[0.0,0.0,1.0,2.0],"score":0.5}
          ]

          """)
      #expect(throws: DataError.self) { _ = try COCOResults(path: "\(folder)/none/x.json") }
    }
  }

  @Test func sourcesAreFilesFoldersPatternsAndLists() throws {
    try withTemporaryFolder { folder in
      for name in ["b.jpg", "a.PNG", "c.txt", "note.md"] { try Data().write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
      #expect(try ImageFiles.find(folder) == ["\(folder)/a.PNG", "\(folder)/b.jpg"])
      #expect(try ImageFiles.find("\(folder)/*.jpg") == ["\(folder)/b.jpg"])
      #expect(try ImageFiles.find("\(folder)/b.jpg") == ["\(folder)/b.jpg"])
      try Data("b.jpg\n\n/x/y.png\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/list.txt"))
      #expect(try ImageFiles.find("\(folder)/list.txt") == ["\(folder)/b.jpg", "/x/y.png"])
      for absent in ["\(folder)/no", "\(folder)/no*.jpg", "\(folder)/*.md"] {
        #expect(throws: DataError.self) { _ = try ImageFiles.find(absent) }
      }
    }
    #expect(ImageFiles.stems(["a/x.jpg", "b/x.png", "c/y.jpg"]) == ["x", "x_2", "y"])
  }

  @Test(arguments: [(0, 0, 40, 30), (-20, -5, 15, 200), (150, 100, 159, 119), (70, 60, 70, 60)])
  func tagsStayInTheImage(left: Int, top: Int, right: Int, bottom: Int) {
    var image = RGBImage(width: 160, height: 120, grey: 40)
    let before = image
    let box = AnnotatedBox(box: [Float(left), Float(top), Float(right), Float(bottom)], classIndex: 3, text: "a long name for a cell 0.97")
    Annotator().draw(boxes: [box], on: &image)
    #expect(image.pixels.count == before.pixels.count && image != before)
    // The whole tag can be read: as many dots of the text's colour as the same tag has in the middle.
    func dots(_ image: RGBImage) -> Int {
      let color = DrawingColor.ofClass(3).text
      return stride(from: 0, to: image.pixels.count, by: 3).count { at in
        (image.pixels[at], image.pixels[at + 1], image.pixels[at + 2]) == (color.red, color.green, color.blue)
      }
    }
    var middle = before
    Annotator().draw(boxes: [AnnotatedBox(box: [2, 60, 80, 90], classIndex: 3, text: box.text)], on: &middle)
    #expect(dots(image) == dots(middle))
  }

  @Test func everyPrintableCharacterHasItsOwnDots() {
    let shapes = (0x20...0x7e).map { Array(BitmapFont.columns(Character(UnicodeScalar(UInt8($0))))) }
    #expect(Set(shapes).count == shapes.count)
    #expect(!BitmapFont.has("größe") && BitmapFont.has("size~ 1"))
  }

  @Test func imagesGoOutAndIn() throws {
    let image = noise(37, 21, seed: 9)
    #expect(try ImageDecoder.decode(PNGWriter.encode(image), path: "x") == image)
    let again = try ImageDecoder.decode(ImageWriter.jpeg(image), path: "x")
    #expect(again.width == 37 && again.height == 21)
    try withTemporaryFolder { folder in
      try ImageWriter.write(image, path: "\(folder)/a/b.png", makingFolder: true)
      #expect(try ImageDecoder.decode(path: "\(folder)/a/b.png") == image)
      #expect(throws: DataError.self) { try ImageWriter.write(image, path: "\(folder)/none/b.jpg") }
    }
    #expect(
      image.cropped([-3, 5, 10.2, 9])?.width == 11 && image.cropped([40, 0, 50, 10]) == nil && image.cropped([.nan, 0, 1, 1]) == nil)
  }

  @Test func smallFilesCannotClaimHugeImages() throws {
    var png = try PNGWriter.encode(RGBImage(width: 1, height: 1, grey: 0))
    png.replaceSubrange(16..<24, with: [0, 0, 0x20, 0, 0, 0, 0x20, 0])
    let error = #expect(throws: DataError.self) { _ = try ImageDecoder.decode(png, path: "x.png") }
    #expect(error?.code == .badImage)
  }

  @Test(arguments: [1, 3, 16, 20]) func aBatchIsOnePicture(count: Int) {
    let images = (0..<count).map { noise(64, 48 + $0, seed: UInt64($0)) }
    let boxes = images.map { _ in [AnnotatedBox(box: [5, 5, 30, 30], classIndex: 1, text: "x")] }
    let picture = BatchPicture.make(images: images, boxes: boxes, names: images.indices.map { "image-\($0).jpg" })
    let side = Int(Double(min(count, 16)).squareRoot().rounded(.up))
    #expect(picture.width.isMultiple(of: side) && picture.width <= 1920 && picture.height <= 1920)
  }
}
