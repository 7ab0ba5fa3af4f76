// Spectra raised to the number of releases and multiplied, with what an error in each factor does to the product, place by place.

struct SpectrumPower: Sendable {
  var real: [Double]
  var imaginary: [Double]
  /// The product of (magnitude + error) to its power.
  private var bounds: [Double]
  /// Σ power / (magnitude + error).
  private var weights: [Double]

  init(count: Int) {
    real = [Double](repeating: 1, count: count)
    imaginary = [Double](repeating: 0, count: count)
    bounds = real
    weights = imaginary
  }

  /// Multiplies one place by (x + iy) to a power, where x + iy is off by `error` at most.
  @inline(__always)
  mutating func multiply(_ place: Int, _ x: Double, _ y: Double, power: Int, error: Double) {
    let size = (x * x + y * y).squareRoot() + error
    weights[place] += Double(power) / size
    var (a, b, m, exponent) = (x, y, size, power)
    var (re, im, bound) = (real[place], imaginary[place], bounds[place])
    // Far below anything that counts, squaring on would only make subnormal numbers.
    while exponent > 0, bound > SpectrumPower.negligible {
      if exponent & 1 == 1 {
        (re, im, bound) = (re * a - im * b, re * b + im * a, bound * m)
      }
      exponent >>= 1
      if m < SpectrumPower.negligible, exponent > 0 { bound = 0 }
      (a, b, m) = (a * a - b * b, 2 * a * b, m * m)
    }
    let isNegligible = bound <= SpectrumPower.negligible
    (real[place], imaginary[place], bounds[place]) = isNegligible ? (0, 0, 0) : (re, im, bound)
  }

  /// What is taken as 0: products below it. It is a part of the error that those who use a spectrum add as a constant.
  static let negligible = 1e-80

  /// What an error of 1 in every factor would do, to first order with (magnitude + error) as base: |Π a^k − Π b^k| ≤ |a − b|·Σ
  /// k·m^{k−1}·(the other factors) where m is at least both magnitudes.
  func error(at place: Int) -> Double { bounds[place] * weights[place] }
  func magnitude(at place: Int) -> Double { abs(real[place]) + abs(imaginary[place]) }
  /// Both summed over the places.
  var error: Double { real.indices.reduce(0) { $0 + error(at: $1) } }
  var magnitude: Double { real.indices.reduce(0) { $0 + magnitude(at: $1) } }

  /// Multiplies frequency k by e^{2πi·k·turns / window}: moves what the frequencies describe by −turns cells.
  mutating func turn(by turns: Int, of window: Int) {
    for k in real.indices {
      let angle = UnitAngle(k * turns, of: window)
      (real[k], imaginary[k]) = (
        real[k] * angle.cosine - imaginary[k] * angle.sine, real[k] * angle.sine + imaginary[k] * angle.cosine
      )
    }
  }
}
