// A label file read leniently: each bad row is a finding with its line, and the good ones are counted. Invariant: a file without a
// finding that is a fault is one that `LabelFile` reads, with the same labels.
import Foundation

struct LabelCheck {
  let path: String
  /// Classes are below this.
  let classes: Int
  /// Whether there is such a file.
  private(set) var isThere = true
  /// The good rows, each once.
  private(set) var labels: [Label] = []
  private(set) var faults: [DataFault] = []
  private var lineOf: [Label: Int] = [:]

  /// A file with more findings is something else than labels; the rest of it says nothing new.
  static let faultsMax = 1000
  /// How far a box may reach beyond the image before it is worth a word: rounding does less, a confused corner and centre more.
  private static let overhangMax: Float = 0.02

  /// Reads the file at `path`; none means no objects.
  init(path: String, classes: Int) {
    (self.path, self.classes) = (path, classes)
    guard FileManager.default.fileExists(atPath: path) else {
      isThere = false
      return
    }
    guard let handle = FileHandle(forReadingAtPath: path), let data = try? handle.read(upToCount: LabelFile.fileBytesMax + 1) ?? Data(),
      data.count <= LabelFile.fileBytesMax, let text = String(data: data, encoding: .utf8)
    else {
      faults.append(DataFault(.unreadableLabels, path, "cannot be read as a UTF-8 text of at most \(LabelFile.fileBytesMax) bytes"))
      return
    }
    check(text)
  }

  init(text: String, path: String, classes: Int) {
    (self.path, self.classes) = (path, classes)
    check(text)
  }

  private mutating func check(_ text: String) {
    var number = 0
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      number += 1
      guard faults.count < Self.faultsMax else {
        add(.unreadableLabels, number, "so many faults that the rest of the file was not looked at")
        return
      }
      let words = line.split(whereSeparator: \.isWhitespace)
      if !words.isEmpty { check(words, number) }
    }
  }

  private mutating func add(_ kind: DataFault.Kind, _ line: Int, _ detail: String) {
    faults.append(DataFault(kind, path, line: line, detail))
  }

  private mutating func check(_ words: [Substring], _ line: Int) {
    guard words.count == 5 || (words.count >= 7 && words.count % 2 == 1) else {
      let text = words.joined(separator: " ")
      let shown = text.count > 60 ? text.prefix(60) + "…" : Substring(text)
      return add(.malformedRow, line, "\(words.count) column\(words.count == 1 ? "" : "s"): \(shown)")
    }
    let before = faults.count
    let number = Double(words[0])
    if number == nil {
      let isMarked = words[0].unicodeScalars.first?.value == 0xfeff
      add(.malformedRow, line, isMarked ? "a byte order mark stands before the first row" : "class '\(words[0])' is no number")
    } else if let number, number != number.rounded() || !(0..<Double(classes)).contains(number) {
      add(.classRange, line, "class \(words[0]) is not one of 0 to \(classes - 1)")
    }
    let values = words.dropFirst().map { Float($0) }
    if let at = values.firstIndex(where: { $0 == nil }) {
      add(.malformedRow, line, "'\(words[at + 1])' is no number")
    } else {
      let outside = words.dropFirst().enumerated().filter { !(0...1).contains(values[$0.offset] ?? -1) }
      if !outside.isEmpty {
        let isBox = words.count == 5
        let shown = outside.prefix(4).map { isBox ? "\(["x", "y", "w", "h"][$0.offset]) \($0.element)" : String($0.element) }
        add(.coordinateRange, line, shown.joined(separator: ", ") + (outside.count == 1 ? " is outside [0, 1]" : " are outside [0, 1]"))
      }
    }
    guard faults.count == before, let number else { return }
    keep(Self.label(Int(number), values.map { $0 ?? 0 }), isBox: words.count == 5, line)
  }

  private mutating func keep(_ label: Label, isBox: Bool, _ line: Int) {
    guard label.w > 0, label.h > 0 else { return add(.emptyBox, line, "the box is \(label.w) wide and \(label.h) high") }
    if let first = lineOf[label] { return add(.duplicateRow, line, "the same as line \(first)") }
    lineOf[label] = line
    labels.append(label)
    let overhang = max(label.w / 2 - min(label.x, 1 - label.x), label.h / 2 - min(label.y, 1 - label.y))
    if isBox, overhang > Self.overhangMax {
      add(.boxBeyondImage, line, "the box reaches \(Int((overhang * 100).rounded())) % of the image beyond its edge")
    }
  }

  /// The box of four values, or around a polygon's points.
  private static func label(_ classIndex: Int, _ values: [Float]) -> Label {
    guard values.count > 4 else { return Label(classIndex: classIndex, x: values[0], y: values[1], w: values[2], h: values[3]) }
    return LabelFile.box(of: values, classIndex: classIndex)
  }
}
