// A report as one HTML file that needs nothing else: no script, no font, no picture from outside, so that it opens from a
// mail attachment in ten years. Reads well on paper. All text is escaped here; callers never write HTML.

/// A page built from top to bottom.
public struct Report: Sendable {
  public enum Tone: String, Sendable {
    case plain, good, warning, bad
  }

  /// One figure with its name, for the row of tiles at the top of a section.
  public struct Fact: Sendable {
    public var label: String
    public var value: String
    public var detail: String
    public var tone: Tone
    public init(_ label: String, _ value: String, detail: String = "", tone: Tone = .plain) {
      (self.label, self.value, self.detail, self.tone) = (label, value, detail, tone)
    }
  }

  public let title: String
  public let subtitle: String
  private var body: [String] = []
  private var contents: [(anchor: String, text: String)] = []
  private var isInLanguage = false

  public init(title: String, subtitle: String = "") { (self.title, self.subtitle) = (title, subtitle) }

  /// A section heading. Level 2 is listed in the contents; level 3 is not.
  public mutating func heading(_ text: String, level: Int = 2) {
    let level = min(max(level, 2), 4)
    let anchor = "s\(body.count)"
    if level == 2 { contents.append((anchor, text)) }
    body.append("<h\(level) id=\"\(anchor)\">\(Text.escaped(text))</h\(level)>")
  }

  public mutating func paragraph(_ text: String) { body.append("<p>\(Text.escaped(text))</p>") }

  /// A framed remark: what the reader must not overlook.
  public mutating func note(_ text: String, title: String = "", tone: Tone = .plain) {
    let head = title.isEmpty ? "" : "<strong>\(Text.escaped(title))</strong> "
    body.append("<aside class=\"note \(tone.rawValue)\">\(head)\(Text.escaped(text))</aside>")
  }

  public mutating func facts(_ facts: [Fact]) {
    let tiles = facts.map { fact in
      let detail = fact.detail.isEmpty ? "" : "<span class=\"detail\">\(Text.escaped(fact.detail))</span>"
      return "<div class=\"fact \(fact.tone.rawValue)\"><span class=\"label\">\(Text.escaped(fact.label))</span>"
        + "<span class=\"value\">\(Text.escaped(fact.value))</span>\(detail)</div>"
    }
    body.append("<div class=\"facts\">\(tiles.joined())</div>")
  }

  /// A table; columns aligned right hold figures.
  public mutating func table(_ table: Table, caption: String = "") {
    let kind = table.columns.map { $0.alignment == .right ? " class=\"n\"" : "" }
    func row(_ cells: [String], _ tag: String) -> String {
      let parts = zip(cells, kind).map { "<\(tag)\($1)>\(Text.escaped($0))</\(tag)>" }
      return "<tr>\(parts.joined())</tr>"
    }
    let head = row(table.columns.map(\.title), "th")
    let rows = table.rows.map { row($0, "td") }.joined(separator: "\n")
    let foot = caption.isEmpty ? "" : "<figcaption>\(Text.escaped(caption))</figcaption>"
    body.append("<figure><div class=\"wide\"><table><thead>\(head)</thead><tbody>\n\(rows)\n</tbody></table></div>\(foot)</figure>")
  }

  public mutating func figure(_ chart: some Chart, caption: String = "") {
    let foot = caption.isEmpty ? "" : "<figcaption>\(Text.escaped(caption))</figcaption>"
    body.append("<figure class=\"chart\">\(chart.svg())\(foot)</figure>")
  }

  /// A picture kept inside the page, as PNG or JPEG bytes in base64 (see `base64`).
  public mutating func picture(mediaType: String, base64: String, alternative: String, caption: String = "") {
    let allowed = base64.utf8.allSatisfy {
      ($0 >= 65 && $0 <= 90) || ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == 43 || $0 == 47 || $0 == 61
    }
    precondition(allowed, "picture data is not base64")
    let foot = caption.isEmpty ? "" : "<figcaption>\(Text.escaped(caption))</figcaption>"
    body.append(
      "<figure><img alt=\"\(Text.escaped(alternative))\" src=\"data:\(Text.escaped(mediaType));base64,\(base64)\">\(foot)</figure>")
  }

  /// What follows is in another language, named as in `lang` of HTML; on paper it begins a new page.
  public mutating func language(_ code: String) {
    body.append("\(isInLanguage ? "</div>" : "")<div class=\"language\" lang=\"\(Text.escaped(code))\">")
    isInLanguage = true
  }

  /// Text as it is, for commands and file content.
  public mutating func code(_ text: String) { body.append("<pre><code>\(Text.escaped(text))</code></pre>") }

  /// The whole page.
  public func html() -> String {
    let links = contents.map { "<a href=\"#\($0.anchor)\">\(Text.escaped($0.text))</a>" }.joined()
    let navigation = contents.count > 2 ? "<nav>\(links)</nav>" : ""
    let under = subtitle.isEmpty ? "" : "<p class=\"subtitle\">\(Text.escaped(subtitle))</p>"
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
      <meta name="color-scheme" content="light dark">
      <title>\(Text.escaped(title))</title>
      <style>\(Self.style)</style>
      </head>
      <body>
      <header><h1>\(Text.escaped(title))</h1>\(under)</header>
      \(navigation)
      <main>
      \(body.joined(separator: "\n"))\(isInLanguage ? "</div>" : "")
      </main>
      </body>
      </html>

      """
  }
}
