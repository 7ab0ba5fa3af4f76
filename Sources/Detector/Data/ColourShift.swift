// Random hue, saturation and value: factors are drawn once an image, applied through 8-bit tables in HSV (hue in half degrees), and
// converted back. Every division is by a byte, so all of them are tables too: this runs for each pixel of each training image.

struct ColourShift {
  /// By hue in half degrees: the sixth of the circle that the shifted hue lies in, and how far into it.
  private let hue: [(sector: Int32, part: Float)]
  /// By saturation: the shifted one, 0 to 1.
  private let saturation: [Float]
  private let value: [Float]
  /// 30 / x and 255 / x for a byte x; 0 for 0.
  private static let thirty = quotients(of: 30)
  private static let full = quotients(of: 255)

  private static func quotients(of number: Float) -> [Float] { (0..<256).map { $0 == 0 ? 0 : number / Float($0) } }

  init(_ settings: AugmentationSettings, _ random: inout SampleRandom) {
    func factor(_ gain: Double) -> Float { Float(random.uniform(-1, 1) * gain + 1) }
    let (h, s, v) = (factor(settings.hue), factor(settings.saturation), factor(settings.value))
    hue = (0..<181).map { index in
      let sixth = (Float(index) * h).rounded(.down).truncatingRemainder(dividingBy: 180) / 30
      return (Int32(sixth), sixth - sixth.rounded(.down))
    }
    saturation = (0..<256).map { min(255, (Float($0) * s).rounded(.down)) / 255 }
    value = (0..<256).map { min(255, (Float($0) * v).rounded(.down)) }
  }

  /// Changes RGB pixels in place.
  func apply(to pixels: inout [UInt8]) {
    pixels.withUnsafeMutableBufferPointer { pixels in
      hue.withUnsafeBufferPointer { hue in
        saturation.withUnsafeBufferPointer { saturation in
          value.withUnsafeBufferPointer { value in
            Self.thirty.withUnsafeBufferPointer { thirty in
              Self.full.withUnsafeBufferPointer { full in
                let tables = Tables(hue: hue, saturation: saturation, value: value, thirty: thirty, full: full)
                for at in stride(from: 0, to: pixels.count, by: 3) {
                  let rgb = tables.shifted(pixels[at], pixels[at &+ 1], pixels[at &+ 2])
                  pixels[at] = UInt8(truncatingIfNeeded: Int32(rgb.0 + 0.5))
                  pixels[at &+ 1] = UInt8(truncatingIfNeeded: Int32(rgb.1 + 0.5))
                  pixels[at &+ 2] = UInt8(truncatingIfNeeded: Int32(rgb.2 + 0.5))
                }
              }
            }
          }
        }
      }
    }
  }

  private struct Tables {
    let hue: UnsafeBufferPointer<(sector: Int32, part: Float)>
    let saturation: UnsafeBufferPointer<Float>
    let value: UnsafeBufferPointer<Float>
    let thirty: UnsafeBufferPointer<Float>
    let full: UnsafeBufferPointer<Float>

    @inline(__always)
    func shifted(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> (Float, Float, Float) {
      let (r, g, b) = (Int32(red), Int32(green), Int32(blue))
      let highest = max(r, max(g, b))
      let spread = highest &- min(r, min(g, b))
      let sixth = thirty[Int(spread)]
      var angle: Float
      if highest == r {
        angle = Float(g &- b) * sixth
      } else if highest == g {
        angle = 60 + Float(b &- r) * sixth
      } else {
        angle = 120 + Float(r &- g) * sixth
      }
      if angle < 0 { angle += 180 }
      let (sector, part) = hue[Int(angle + 0.5)]
      let s = saturation[Int(Float(spread) * full[Int(highest)] + 0.5)]
      let v = value[Int(highest)]
      let (p, q, t) = (v * (1 - s), v * (1 - s * part), v * (1 - s * (1 - part)))
      switch sector {
      case 0: return (v, t, p)
      case 1: return (q, v, p)
      case 2: return (p, v, t)
      case 3: return (p, q, v)
      case 4: return (t, p, v)
      default: return (v, p, q)
      }
    }
  }
}
