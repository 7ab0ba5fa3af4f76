// Boxes and tags: what lies over what, what stays inside, and letters.

import Testing

@testable import Detector

@Suite struct DrawingTests {
  private func count(_ image: RGBImage, _ color: DrawingColor, rows: Range<Int>) -> Int {
    rows.reduce(0) { sum, y in
      sum
        + (0..<image.width).count { x in
          let at = (y * image.width + x) * 3
          return (image.pixels[at], image.pixels[at + 1], image.pixels[at + 2]) == (color.red, color.green, color.blue)
        }
    }
  }

  @Test func noLineCrossesAWord() {
    var alone = RGBImage(width: 300, height: 200, grey: 90)
    let tagged = AnnotatedBox(box: [40, 100, 160, 160], classIndex: 0, text: "cell 0.97")
    Annotator().draw(boxes: [tagged], on: &alone)
    var crossed = RGBImage(width: 300, height: 200, grey: 90)
    // A later box whose left edge runs through the tag.
    Annotator().draw(boxes: [tagged, AnnotatedBox(box: [60, 50, 280, 190], classIndex: 4, text: "")], on: &crossed)
    let ink = DrawingColor.ofClass(0).text
    #expect(count(alone, ink, rows: 88..<100) > 40)
    #expect(count(alone, ink, rows: 88..<100) == count(crossed, ink, rows: 88..<100))
  }

  @Test func theLastTagIsOnTop() {
    var image = RGBImage(width: 200, height: 100, grey: 0)
    let boxes = (0..<3).map { AnnotatedBox(box: [20, 50, 90, 90], classIndex: $0, text: "same") }
    Annotator().draw(boxes: boxes, on: &image)
    #expect(count(image, .ofClass(2), rows: 38..<50) > 100)
    #expect(count(image, .ofClass(0), rows: 38..<50) == 0 && count(image, .ofClass(1), rows: 38..<50) == 0)
  }

  @Test func linesAndLettersGrowWithTheImage() {
    func dots(_ side: Int) -> Int {
      var image = RGBImage(width: side, height: side, grey: 0)
      let part = Float(side)
      Annotator().draw(boxes: [AnnotatedBox(box: [part / 4, part / 2, part / 2, part * 0.75], classIndex: 2, text: "x")], on: &image)
      return image.pixels.count { $0 != 0 }
    }
    #expect(dots(160) < dots(640) && dots(640) < dots(1600))
  }

  @Test(
    arguments: [
      [.nan, 0, 5, 5], [0, 0, .infinity, 5], [1e20, 0, 2e20, 5], [30, 30, 10, 10], [-500, -500, -400, -400], [900, 900, 901, 901],
      [0, 0, 0, 0],
    ] as [SIMD4<Float>])
  func wildBoxesNeverLeaveTheImage(box: SIMD4<Float>) {
    var image = RGBImage(width: 50, height: 40, grey: 10)
    Annotator().draw(
      boxes: [AnnotatedBox(box: box, classIndex: 1_000_003, text: "a very long name that no such image has room for")], on: &image)
    #expect(image.pixels.count == 50 * 40 * 3)
  }

  @Test func accentsAreFoldedAndOtherScriptsAreNumbered() {
    #expect(BitmapFont.folded("Érythrocyte 0.91") == "Erythrocyte 0.91")
    #expect(BitmapFont.folded("白细胞 0.91") == "白细胞 0.91" && !BitmapFont.has("白细胞"))
    #expect(BitmapFont.columns("白") == BitmapFont.columns("細") && BitmapFont.columns("白") != BitmapFont.columns("0"))
    // Letters with descenders reach below the line, others do not.
    for letter in "gjpqy,;" { #expect(BitmapFont.columns(letter).contains { $0 >> 7 != 0 }, "\(letter)") }
    for letter in "ABCabc0123" { #expect(BitmapFont.columns(letter).allSatisfy { $0 >> 7 == 0 }, "\(letter)") }
  }

  @Test func smallImagesOfABatchGrowAndLargeOnesShrink() {
    func size(_ width: Int, _ height: Int, count: Int) -> (Int, Int) {
      let images = [RGBImage](repeating: RGBImage(width: width, height: height, grey: 5), count: count)
      let picture = BatchPicture.make(images: images, boxes: images.map { _ in [] }, names: images.map { _ in "白.jpg" })
      return (picture.width, picture.height)
    }
    #expect(size(160, 120, count: 4) == (960, 720))
    #expect(size(4000, 3000, count: 16) == (1920, 1440))
    #expect(size(600, 400, count: 1) == (600, 400))
    #expect(size(1, 1, count: 2) == (960, 480))
  }
}
