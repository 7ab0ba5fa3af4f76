// One scene of the demo's task: real garments, scaled and tinted, lightly overlapping on a smooth background, in the look of one site. The
// boxes are tight around the pixels that a garment really covers.
import Detector
import Foundation

/// How a site's camera sees the world: what makes the sites differ.
struct SiteLook: Sendable {
  /// Multipliers of red, green and blue.
  var tint: (Double, Double, Double)
  /// Part of the scenes whose contrast is inverted.
  var inversion: Double
  /// Standard deviation of the blur in pixels.
  var blur: Double
  var noise: Double
  /// Probability of each class in training scenes.
  var classMix: [Double]

  init(site: Int, seed: UInt64) {
    var random = SampleRandom(seed: seed, stream: 1, UInt64(site))
    tint = (random.uniform(0.55, 1), random.uniform(0.55, 1), random.uniform(0.55, 1))
    inversion = [0.15, 0.75, 0.35, 0.6, 0.25][site % 5]
    blur = [0, 0.8, 0.4, 1.1, 0.6][site % 5]
    noise = random.uniform(1, 6)
    classMix = random.dirichlet(0.8, count: GarmentClass.names.count)
  }
}

/// The five classes, and which of Fashion-MNIST's ten labels they hold.
enum GarmentClass {
  static let names = ["top", "trouser", "dress", "footwear", "bag"]
  static let ofLabel: [Int] = [0, 1, 0, 2, 0, 3, 0, 3, 4, 3]
}

struct SceneBox: Sendable {
  var classIndex: Int
  /// Pixel columns and rows that the garment covers.
  var columns: ClosedRange<Int>
  var rows: ClosedRange<Int>
}

struct GarmentScene: Sendable {
  static let side = 128
  /// RGB, row by row.
  var pixels: [UInt8]
  var boxes: [SceneBox]

  /// Paints a scene with garments drawn from `byClass` (indices into `images`).
  init(images: FashionImages, byClass: [[Int]], look: SiteLook, mix: [Double], random: inout SampleRandom) {
    var canvas = Self.background(&random)
    var boxes: [SceneBox] = []
    let wanted = 2 + random.integer(below: 5)
    for _ in 0..<wanted * 6 where boxes.count < wanted {
      let classIndex = random.choice(mix)
      let pool = byClass[classIndex]
      let garment = Garment(images.image(pool[random.integer(below: pool.count)]), longSide: 20 + random.integer(below: 37), &random)
      guard let garment, let place = Self.place(garment, beside: boxes, &random) else { continue }
      if let box = garment.paint(on: &canvas, side: Self.side, x: place.x, y: place.y, classIndex: classIndex) { boxes.append(box) }
    }
    self.boxes = boxes
    pixels = Self.develop(canvas, look, &random)
  }

  /// A smooth coloured background: a coarse grid of random colours, interpolated.
  private static func background(_ random: inout SampleRandom) -> [Float] {
    let grid = 5
    let knots = (0..<grid * grid * 3).map { _ in Float(random.uniform(20, 130)) }
    var canvas = [Float](repeating: 0, count: side * side * 3)
    for y in 0..<side {
      let gy = Float(y) * Float(grid - 1) / Float(side - 1)
      let y0 = min(Int(gy), grid - 2)
      let fy = gy - Float(y0)
      for x in 0..<side {
        let gx = Float(x) * Float(grid - 1) / Float(side - 1)
        let x0 = min(Int(gx), grid - 2)
        let fx = gx - Float(x0)
        for c in 0..<3 {
          func knot(_ dy: Int, _ dx: Int) -> Float { knots[((y0 + dy) * grid + x0 + dx) * 3 + c] }
          let top = knot(0, 0) * (1 - fx) + knot(0, 1) * fx
          let bottom = knot(1, 0) * (1 - fx) + knot(1, 1) * fx
          canvas[(y * side + x) * 3 + c] = top * (1 - fy) + bottom * fy
        }
      }
    }
    return canvas
  }

  /// A free place: at most a seventh of the smaller box may be covered by another.
  private static func place(_ garment: Garment, beside boxes: [SceneBox], _ random: inout SampleRandom) -> (x: Int, y: Int)? {
    for _ in 0..<20 {
      let x = random.integer(below: side - garment.width + 1)
      let y = random.integer(below: side - garment.height + 1)
      let fits = boxes.allSatisfy { box in
        let w = min(x + garment.width - 1, box.columns.upperBound) - max(x, box.columns.lowerBound) + 1
        let h = min(y + garment.height - 1, box.rows.upperBound) - max(y, box.rows.lowerBound) + 1
        return w <= 0 || h <= 0 || w * h * 7 <= min(garment.width * garment.height, box.columns.count * box.rows.count)
      }
      if fits { return (x, y) }
    }
    return nil
  }

  /// The site's look: blur, tint, inversion, sensor noise.
  private static func develop(_ canvas: [Float], _ look: SiteLook, _ random: inout SampleRandom) -> [UInt8] {
    let blurred = look.blur > 0 ? blur(canvas, sigma: look.blur) : canvas
    let tint = [Float(look.tint.0), Float(look.tint.1), Float(look.tint.2)]
    let isInverted = random.uniform(0, 1) < look.inversion
    var out = [UInt8](repeating: 0, count: canvas.count)
    for index in out.indices {
      var value = blurred[index] * tint[index % 3]
      if isInverted { value = 255 - value }
      value += Float(random.normal() * look.noise)
      out[index] = UInt8(max(0, min(255, value.rounded())))
    }
    return out
  }

  private static func blur(_ canvas: [Float], sigma: Double) -> [Float] {
    let radius = max(1, Int((sigma * 2.5).rounded(.up)))
    var kernel = (-radius...radius).map { Float(exp(-Double($0 * $0) / (2 * sigma * sigma))) }
    let sum = kernel.reduce(0, +)
    kernel = kernel.map { $0 / sum }
    func pass(_ source: [Float], alongRows: Bool) -> [Float] {
      var out = source
      for y in 0..<side {
        for x in 0..<side {
          let along = alongRows ? x : y
          for c in 0..<3 {
            var value: Float = 0
            for (k, weight) in kernel.enumerated() {
              let at = min(max(along + k - radius, 0), side - 1)
              value += weight * source[((alongRows ? y : at) * side + (alongRows ? at : x)) * 3 + c]
            }
            out[(y * side + x) * 3 + c] = value
          }
        }
      }
      return out
    }
    return pass(pass(canvas, alongRows: true), alongRows: false)
  }
}
