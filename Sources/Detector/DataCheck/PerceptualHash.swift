// Finds images that look the same (another size, quality or brightness): the difference hash. The image is averaged to 9 × 8 grey
// cells; each of the 64 bits says whether a cell is brighter than its right neighbour.

struct PerceptualHash: Equatable, Sendable {
  let bits: UInt64
  /// The 9 × 8 grey values, row by row: hashes that agree by chance differ here.
  let cells: [UInt8]

  static let columns = 9
  static let rows = 8
  /// Images this alike in their bits look the same.
  static let distanceMax = 2
  /// Mean difference of the cells, after levelling their means and spreads, in grey values of an image of spread 64.
  private static let cellDifferenceMax = 10.0
  /// Below this range of grey values there is noise and no picture.
  private static let rangeMin: UInt8 = 12

  /// Nil for an image without structure: all flat images look the same.
  init?(_ image: RGBImage) {
    guard image.width >= Self.columns, image.height >= Self.rows else { return nil }
    var sums = [Int](repeating: 0, count: Self.columns * Self.rows)
    image.pixels.withUnsafeBufferPointer { pixels in
      for y in 0..<image.height {
        let row = y * Self.rows / image.height
        for column in 0..<Self.columns {
          var sum = 0
          for x in Self.span(column, image.width) {
            let at = (y * image.width + x) * 3
            sum += 54 * Int(pixels[at]) + 183 * Int(pixels[at + 1]) + 19 * Int(pixels[at + 2])
          }
          sums[row * Self.columns + column] += sum
        }
      }
    }
    var cells: [UInt8] = []
    for row in 0..<Self.rows {
      // The rows y with y · 8 / height = row.
      let first = (row * image.height + Self.rows - 1) / Self.rows
      let height = ((row + 1) * image.height + Self.rows - 1) / Self.rows - first
      for column in 0..<Self.columns {
        let count = height * Self.span(column, image.width).count * 256
        cells.append(UInt8(min(255, sums[row * Self.columns + column] / max(count, 1))))
      }
    }
    guard let low = cells.min(), let high = cells.max(), high - low >= Self.rangeMin else { return nil }
    var bits: UInt64 = 0
    for row in 0..<Self.rows {
      for column in 0..<(Self.columns - 1) {
        let at = row * Self.columns + column
        bits = bits << 1 | (cells[at] > cells[at + 1] ? 1 : 0)
      }
    }
    (self.bits, self.cells) = (bits, cells)
  }

  private static func span(_ column: Int, _ width: Int) -> Range<Int> { (column * width / columns)..<((column + 1) * width / columns) }

  /// Bits that differ.
  func distance(to other: PerceptualHash) -> Int { (bits ^ other.bits).nonzeroBitCount }

  /// Whether both images look the same.
  func isNear(_ other: PerceptualHash) -> Bool {
    guard distance(to: other) <= Self.distanceMax else { return false }
    let (a, b) = (levelled, other.levelled)
    return zip(a, b).reduce(0) { $0 + abs($1.0 - $1.1) } / Double(a.count) <= Self.cellDifferenceMax
  }

  /// Cells with mean 0 and standard deviation 64, so that brightness and contrast do not count.
  private var levelled: [Double] {
    let mean = cells.reduce(0) { $0 + Double($1) } / Double(cells.count)
    let spread = (cells.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(cells.count)).squareRoot()
    return cells.map { (Double($0) - mean) / max(spread, 1) * 64 }
  }
}
