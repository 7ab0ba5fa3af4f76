// Random hue, saturation and value: factors are drawn once an image, applied through 8-bit tables in HSV (hue in half degrees), and converted back.

struct ColourShift {
  private let hue: [Float]
  private let saturation: [Float]
  private let value: [Float]

  init(_ settings: AugmentationSettings, _ random: inout SampleRandom) {
    func factor(_ gain: Double) -> Float { Float(random.uniform(-1, 1) * gain + 1) }
    let (h, s, v) = (factor(settings.hue), factor(settings.saturation), factor(settings.value))
    hue = (0..<181).map { (Float($0) * h).rounded(.down).truncatingRemainder(dividingBy: 180) }
    saturation = (0..<256).map { min(255, (Float($0) * s).rounded(.down)) }
    value = (0..<256).map { min(255, (Float($0) * v).rounded(.down)) }
  }

  /// Changes RGB pixels in place.
  func apply(to pixels: inout [UInt8]) {
    pixels.withUnsafeMutableBufferPointer { pixels in
      hue.withUnsafeBufferPointer { hue in
        saturation.withUnsafeBufferPointer { saturation in
          value.withUnsafeBufferPointer { value in
            for at in stride(from: 0, to: pixels.count, by: 3) {
              let (r, g, b) = (Float(pixels[at]), Float(pixels[at &+ 1]), Float(pixels[at &+ 2]))
              let highest = max(r, max(g, b))
              let spread = highest - min(r, min(g, b))
              var angle: Float = 0
              if spread > 0 {
                if highest == r {
                  angle = 30 * (g - b) / spread
                } else if highest == g {
                  angle = 60 + 30 * (b - r) / spread
                } else {
                  angle = 120 + 30 * (r - g) / spread
                }
                if angle < 0 { angle += 180 }
              }
              let full = highest > 0 ? spread * 255 / highest : 0
              let (h, s, v) = (hue[Int(angle + 0.5)], saturation[Int(full + 0.5)] / 255, value[Int(highest)])
              let sector = h / 30
              let whole = Int(sector)
              let part = sector - Float(whole)
              let (p, q, t) = (v * (1 - s), v * (1 - s * part), v * (1 - s * (1 - part)))
              let rgb: (Float, Float, Float)
              switch whole {
              case 0: rgb = (v, t, p)
              case 1: rgb = (q, v, p)
              case 2: rgb = (p, v, t)
              case 3: rgb = (p, q, v)
              case 4: rgb = (t, p, v)
              default: rgb = (v, p, q)
              }
              pixels[at] = UInt8(rgb.0 + 0.5)
              pixels[at &+ 1] = UInt8(rgb.1 + 0.5)
              pixels[at &+ 2] = UInt8(rgb.2 + 0.5)
            }
          }
        }
      }
    }
  }
}
