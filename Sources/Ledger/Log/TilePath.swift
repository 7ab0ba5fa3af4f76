// Where tiles stand (C2SP tlog-tiles): `tile/<level>/<number>`, the number in groups of three digits, `.p/<width>` behind a partial one.

public enum TilePath {
  /// Hashes or entries in a full tile.
  public static let width = 256

  /// A tile of hashes of complete subtrees of 256^level leaves.
  public static func hashes(level: Int, number: Int, width: Int) -> String { "tile/\(level)/\(name(number, width))" }

  /// A bundle of entries.
  public static func entries(number: Int, width: Int) -> String { "tile/entries/\(name(number, width))" }

  public static let checkpoint = "checkpoint"

  private static func name(_ number: Int, _ width: Int) -> String {
    precondition(number >= 0 && (1...Self.width).contains(width), "a tile has a number and 1 to 256 hashes")
    var groups: [String] = []
    var rest = number
    repeat {
      let digits = String(rest % 1000)
      groups.insert(String(repeating: "0", count: 3 - digits.utf8.count) + digits, at: 0)
      rest /= 1000
    } while rest > 0
    let path = groups.dropLast().map { "x\($0)/" }.joined() + (groups.last ?? "000")
    return width < Self.width ? "\(path).p/\(width)" : path
  }

  /// What a log of `size` entries consists of at the right edge and everywhere else: level (nil for entries), number, width.
  static func all(size: Int) -> [(level: Int?, number: Int, width: Int)] {
    var tiles: [(level: Int?, number: Int, width: Int)] = spread(size).map { (nil, $0.0, $0.1) }
    var (level, count) = (0, size)
    while count > 0 {
      tiles += spread(count).map { (level, $0.0, $0.1) }
      (level, count) = (level + 1, count / width)
    }
    return tiles
  }

  private static func spread(_ count: Int) -> [(Int, Int)] {
    (0..<(count + width - 1) / width).map { ($0, min(width, count - $0 * width)) }
  }
}
