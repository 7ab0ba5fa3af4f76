// YOLO label files: one object a line, `class x y w h`, fractions of the image; or a polygon, `class x1 y1 x2 y2 …`, of which the box
// is taken. Each fault is named with its line.
import Foundation

/// One labelled object of an image; x and y are the centre, all four fractions of the image.
public struct Label: Hashable, Sendable {
  public var classIndex: Int
  public var x: Float
  public var y: Float
  public var w: Float
  public var h: Float

  public init(classIndex: Int, x: Float, y: Float, w: Float, h: Float) {
    (self.classIndex, self.x, self.y, self.w, self.h) = (classIndex, x, y, w, h)
  }

  /// A box of an image of this size, in pixels (left, top, right, bottom), cut as v7.0 cuts it: a thousandth of a pixel inside the
  /// right and the lower border, so that no centre lies in the cell behind the last one.
  init(classIndex: Int, corners: SIMD4<Float>, in size: SIMD2<Float>) {
    let end = size - 0.001
    let low = pointwiseMax(pointwiseMin(corners.lowHalf, end), SIMD2())
    let high = pointwiseMax(pointwiseMin(corners.highHalf, end), SIMD2())
    let (centre, extent) = ((low + high) / 2 / size, (high - low) / size)
    self.init(classIndex: classIndex, x: centre.x, y: centre.y, w: extent.x, h: extent.y)
  }
}

public enum LabelFile {
  static let fileBytesMax = 16 << 20

  /// The label file that belongs to an image: the last `/images/` of its path becomes `/labels/`, its ending `.txt`.
  public static func path(ofImage image: String) -> String {
    let stem = (image as NSString).deletingPathExtension
    guard let folder = stem.range(of: "/images/", options: .backwards) else { return stem + ".txt" }
    return stem.replacingCharacters(in: folder, with: "/labels/") + ".txt"
  }

  /// Reads the labels; no file means no objects. Rows that stand twice count once.
  public static func read(path: String, classes: Int) throws(DataError) -> [Label] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    guard let data = FileManager.default.contents(atPath: path), data.count <= fileBytesMax,
      let text = String(data: data, encoding: .utf8)
    else {
      throw DataError(.unreadable, path, "cannot be read as text of at most \(fileBytesMax) bytes", hint: "is it a YOLO label file?")
    }
    return try parse(text, path: path, classes: classes)
  }

  /// - Parameter path: named in errors.
  public static func parse(_ text: String, path: String, classes: Int) throws(DataError) -> [Label] {
    var labels: [Label] = []
    var seen: Set<Label> = []
    var number = 0
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      number += 1
      let words = line.split(whereSeparator: \.isWhitespace)
      guard !words.isEmpty else { continue }
      let label = try row(words, path, number, classes)
      if seen.insert(label).inserted { labels.append(label) }
    }
    return labels
  }

  private static func row(_ words: [Substring], _ path: String, _ line: Int, _ classes: Int) throws(DataError) -> Label {
    func bad(_ reason: String) -> DataError {
      DataError(
        .badLabel, path, line: line, reason,
        hint: "a row is: class x y w h, with 0 ≤ class < \(classes) and fractions of the image in [0, 1]")
    }
    guard words.count == 5 || (words.count >= 7 && words.count % 2 == 1) else { throw bad("\(words.count) columns") }
    guard let number = Double(words[0]), number == number.rounded(), (0..<Double(classes)).contains(number) else {
      throw bad("class \(words[0]) is not one of the \(classes) classes")
    }
    var values: [Float] = []
    for word in words.dropFirst() {
      guard let value = Float(word), value >= 0, value <= 1 else { throw bad("\(word) is outside [0, 1]") }
      values.append(value)
    }
    let label =
      values.count == 4
      ? Label(classIndex: Int(number), x: values[0], y: values[1], w: values[2], h: values[3]) : box(of: values, classIndex: Int(number))
    guard label.w > 0, label.h > 0 else { throw bad("the box has no area") }
    return label
  }

  /// The box around a polygon's points, x and y in turn.
  static func box(of polygon: [Float], classIndex: Int) -> Label {
    let xs = stride(from: 0, to: polygon.count, by: 2).map { polygon[$0] }
    let ys = stride(from: 1, to: polygon.count, by: 2).map { polygon[$0] }
    let (left, right) = (xs.min() ?? 0, xs.max() ?? 0)
    let (top, bottom) = (ys.min() ?? 0, ys.max() ?? 0)
    return Label(classIndex: classIndex, x: (left + right) / 2, y: (top + bottom) / 2, w: right - left, h: bottom - top)
  }
}
