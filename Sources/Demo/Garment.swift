// One garment ready to be painted: cut out of its 28×28 image, scaled with bilinear interpolation, tinted.
import Detector
import Foundation

struct Garment: Sendable {
  let width: Int
  let height: Int
  /// Coverage in 0…1 and brightness in 0…1, row by row.
  private let alpha: [Float]
  private let shade: [Float]
  private let colour: (Float, Float, Float)

  /// Grey values below this are background in Fashion-MNIST.
  private static let threshold: UInt8 = 16

  /// Cuts the garment out of `grey` (28×28) and scales its longer side to `longSide` pixels; nil if the image is empty.
  init?(_ grey: ArraySlice<UInt8>, longSide: Int, _ random: inout SampleRandom) {
    let side = FashionImages.side
    let source = Array(grey)
    let covered = source.indices.filter { source[$0] >= Self.threshold }
    guard let top = covered.map({ $0 / side }).min(), let bottom = covered.map({ $0 / side }).max(),
      let left = covered.map({ $0 % side }).min(), let right = covered.map({ $0 % side }).max()
    else { return nil }
    let (w, h) = (right - left + 1, bottom - top + 1)
    let scale = Float(longSide) / Float(max(w, h))
    width = max(4, Int((Float(w) * scale).rounded()))
    height = max(4, Int((Float(h) * scale).rounded()))
    colour = (Float(random.uniform(0.45, 1)), Float(random.uniform(0.45, 1)), Float(random.uniform(0.45, 1)))
    let base = Float(random.uniform(0.25, 0.45))

    var alpha = [Float](repeating: 0, count: width * height)
    var shade = alpha
    for y in 0..<height {
      let sy = (Float(y) + 0.5) * Float(h) / Float(height) - 0.5
      for x in 0..<width {
        let sx = (Float(x) + 0.5) * Float(w) / Float(width) - 0.5
        let (x0, y0) = (Int(sx.rounded(.down)), Int(sy.rounded(.down)))
        let (fx, fy) = (sx - Float(x0), sy - Float(y0))
        var value: Float = 0
        for (dx, dy, weight) in [(0, 0, (1 - fx) * (1 - fy)), (1, 0, fx * (1 - fy)), (0, 1, (1 - fx) * fy), (1, 1, fx * fy)] {
          let cx = min(max(x0 + dx, 0), w - 1) + left
          let cy = min(max(y0 + dy, 0), h - 1) + top
          value += weight * Float(source[cy * side + cx])
        }
        alpha[y * width + x] = min(1, value / 48)
        shade[y * width + x] = base + (1 - base) * value / 255
      }
    }
    (self.alpha, self.shade) = (alpha, shade)
  }

  /// Paints the garment with its upper left corner at (x, y) and returns the tight box of what it covers by more than half.
  func paint(on canvas: inout [Float], side: Int, x: Int, y: Int, classIndex: Int) -> SceneBox? {
    var (left, right, top, bottom) = (Int.max, -1, Int.max, -1)
    for row in 0..<height {
      for column in 0..<width {
        let a = alpha[row * width + column]
        guard a > 0 else { continue }
        let value = shade[row * width + column] * 255
        let at = ((y + row) * side + x + column) * 3
        canvas[at] += a * (value * colour.0 - canvas[at])
        canvas[at + 1] += a * (value * colour.1 - canvas[at + 1])
        canvas[at + 2] += a * (value * colour.2 - canvas[at + 2])
        if a > 0.5 {
          (left, right) = (min(left, x + column), max(right, x + column))
          (top, bottom) = (min(top, y + row), max(bottom, y + row))
        }
      }
    }
    guard right >= left, bottom >= top else { return nil }
    return SceneBox(classIndex: classIndex, columns: left...right, rows: top...bottom)
  }
}
