// Shifted colours against their definition, with every division written out.

import TestSupport
import Testing

@testable import Detector

@Suite struct ColourShiftTests {
  private static func shifted(_ pixels: [UInt8], hue: Double = 0, saturation: Double = 0, value: Double = 0, seed: UInt64 = 1) -> [UInt8] {
    var settings = AugmentationSettings.none
    (settings.hue, settings.saturation, settings.value) = (hue, saturation, value)
    var random = SampleRandom(seed: seed)
    var out = pixels
    ColourShift(settings, &random).apply(to: &out)
    return out
  }

  private static let noise: [UInt8] = {
    var random = SeededGenerator(seed: 21)
    return (0..<3000).map { _ in UInt8.random(in: 0...255, using: &random) }
  }()

  @Test func noShiftChangesNothingButRounding() {
    // Hue in steps of two degrees costs up to 255 / 30 / 2 grey levels.
    let worst = zip(Self.shifted(Self.noise), Self.noise).map { abs(Int($0) - Int($1)) }.max() ?? 99
    #expect(worst <= 6)
  }

  @Test func greyKeepsItsGreyWhateverTheHueAndSaturation() {
    let grey = (0...255).flatMap { [UInt8](repeating: UInt8($0), count: 3) }
    for seed in 1...5 as ClosedRange<UInt64> { #expect(Self.shifted(grey, hue: 0.5, saturation: 0.9, seed: seed) == grey) }
  }

  @Test func valueScalesTheBrightestChannel() {
    for seed in 1...20 as ClosedRange<UInt64> {
      let out = Self.shifted([200, 100, 50], value: 0.4, seed: seed)
      #expect((119...255).contains(Int(out[0])))
      #expect(out[0] >= out[1] && out[1] >= out[2])
    }
  }

  @Test func blackStaysBlackAndExtremesStayInRange() {
    #expect(Self.shifted([0, 0, 0], hue: 1, saturation: 1, value: 1) == [0, 0, 0])
    for seed in 1...50 as ClosedRange<UInt64> {
      #expect(Self.shifted(Self.noise, hue: 1, saturation: 1, value: 1, seed: seed).count == 3000)
    }
  }

  /// Against the definition, with every division written out: one grey level of rounding.
  @Test func tablesGiveWhatTheDefinitionGives() {
    for seed in 1...8 as ClosedRange<UInt64> {
      var random = SampleRandom(seed: seed)
      func factor(_ gain: Double) -> Double { random.uniform(-1, 1) * gain + 1 }
      let (h, s, v) = (factor(0.4), factor(0.7), factor(0.4))
      let out = Self.shifted(Self.noise, hue: 0.4, saturation: 0.7, value: 0.4, seed: seed)
      var far = 0
      for at in stride(from: 0, to: Self.noise.count, by: 3) {
        let wanted = Self.defined(Self.noise[at..<at + 3].map(Double.init), h, s, v)
        if zip(wanted, out[at..<at + 3]).contains(where: { abs($0 - Double($1)) > 1.01 }) { far += 1 }
      }
      // A hue or saturation that lies between two table entries may fall to either.
      #expect(far <= 10, "\(far) of 1000 pixels")
    }
  }

  /// Hue in half degrees, saturation and value in bytes, each scaled and cut to a whole number.
  private static func defined(_ rgb: [Double], _ h: Double, _ s: Double, _ v: Double) -> [Double] {
    let (highest, lowest) = (rgb.max() ?? 0, rgb.min() ?? 0)
    let spread = highest - lowest
    var hue = 0.0
    if spread > 0 {
      switch highest {
      case rgb[0]: hue = 30 * (rgb[1] - rgb[2]) / spread
      case rgb[1]: hue = 60 + 30 * (rgb[2] - rgb[0]) / spread
      default: hue = 120 + 30 * (rgb[0] - rgb[1]) / spread
      }
    }
    if hue < 0 { hue += 180 }
    let saturation = highest > 0 ? (255 * spread / highest + 0.5).rounded(.down) : 0
    let shifted = ((hue + 0.5).rounded(.down) * h).rounded(.down).truncatingRemainder(dividingBy: 180)
    let strength = min(255, (saturation * s).rounded(.down)) / 255
    let value = min(255, (highest * v).rounded(.down))
    // Each channel is the value, less the strength times how far its own hue lies from the shifted one, in sixths of the circle.
    return [5.0, 3, 1].map { start in
      let k = (start + shifted / 30).truncatingRemainder(dividingBy: 6)
      return value - value * strength * max(0, min(k, 4 - k, 1))
    }
  }
}
