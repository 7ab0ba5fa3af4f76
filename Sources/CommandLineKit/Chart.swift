// What all charts share: an SVG document around their elements, in one of two looks, and the words for elements. No script, no external
// font, no raster. Coordinates are CSS pixels from the top left.

/// Something that is drawn as SVG.
public protocol Chart: Sendable {
  var title: String { get }
  /// Size of the drawing in CSS pixels; the picture scales to the width that it is given.
  var width: Double { get }
  var height: Double { get }
  /// SVG elements inside of `width` × `height`, in the classes of `ChartStyle`.
  func elements() -> [String]
}

/// How colours are written.
public enum ChartLook: Sendable {
  /// As CSS variables, for light and dark screens: for pages that a browser shows.
  case adaptive
  /// As they are, dark on white: for files that any viewer opens.
  case paper
}

extension Chart {
  /// The chart as a complete SVG document, usable as a file and inside HTML.
  public func svg(look: ChartLook = .adaptive) -> String {
    let (w, h) = (SVG.number(width), SVG.number(height))
    var out = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox=\"0 0 \(w) \(h)\" width=\"\(w)\" height=\"\(h)\" role=\"img\">"
    ]
    out.append("<title>\(Text.escaped(title))</title>")
    out.append("<style>\(ChartStyle.text(look))</style>")
    if look == .paper { out.append("<rect width=\"\(w)\" height=\"\(h)\" fill=\"#fff\"/>") }
    out += elements()
    out.append("</svg>")
    return out.joined(separator: "\n")
  }
}

/// SVG elements as text. Whatever words are given are escaped here.
enum SVG {
  static func number(_ value: Double) -> String { Text.fixed(value, 1) }

  static func text(_ kind: String, x: Double, y: Double, anchor: String = "start", _ words: String) -> String {
    "<text class=\"\(kind)\" x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(Text.escaped(words))</text>"
  }

  /// Text that is turned around its own place; `degrees` clockwise.
  static func turned(_ kind: String, x: Double, y: Double, degrees: Int, anchor: String = "middle", _ words: String) -> String {
    let place = "transform=\"translate(\(number(x)) \(number(y))) rotate(\(degrees))\""
    return "<text class=\"\(kind)\" \(place) text-anchor=\"\(anchor)\">\(Text.escaped(words))</text>"
  }

  static func line(_ kind: String, x1: Double, y1: Double, x2: Double, y2: Double) -> String {
    "<line class=\"\(kind)\" x1=\"\(number(x1))\" x2=\"\(number(x2))\" y1=\"\(number(y1))\" y2=\"\(number(y2))\"/>"
  }

  /// - Parameter opacity: of the filling.
  /// - Parameter tip: words that a browser shows under the pointer.
  static func rectangle(_ kind: String, x: Double, y: Double, width: Double, height: Double, opacity: Double? = nil, tip: String = "")
    -> String
  {
    let place = "x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(max(width, 0)))\" height=\"\(number(max(height, 0)))\""
    let filling = opacity.map { " fill-opacity=\"\(Text.fixed(min(max($0, 0), 1), 3))\"" } ?? ""
    let start = "<rect class=\"\(kind)\" \(place)\(filling)"
    return tip.isEmpty ? start + "/>" : start + "><title>\(Text.escaped(tip))</title></rect>"
  }

  /// Cuts words to about `width` pixels at 12 px a letter's height, in their middle: names that are alike often differ at their ends.
  static func fitted(_ words: String, width: Double) -> String {
    let room = max(3, Int(width / letterWidth))
    return words.count <= room ? words : words.prefix((room - 1) / 2) + "…" + words.suffix(room / 2)
  }

  /// Mean width of a letter at 12 px; no font is measured.
  static let letterWidth = 6.6
}
