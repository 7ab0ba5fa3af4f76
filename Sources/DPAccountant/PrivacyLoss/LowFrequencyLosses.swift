// The losses of a whole job in one direction as a few low frequencies of their tilted distribution, and the ε that they prove. No
// transform: the weights that turn masses into δ are geometric sequences, whose frequencies are known in closed form (spec/10, "Low
// frequencies").
import Foundation

struct LowFrequencyLosses: ComposedLoss {
  private let direction: LossComposition.Direction
  private let isPessimistic: Bool
  private let interval: Double
  /// Grid cells of the window, which starts at `direction.low`.
  private let window: Int
  /// For the weights e^{−tu}(1 − e^{−u}) and e^{−(t+1)u}, t being the tilt.
  private let excess: WeightedSpectrum
  private let later: WeightedSpectrum
  /// What a sum with the first weights is off by at most, anywhere in a cell, and what is added to that at the window's end.
  private let error: Double
  private let endError: Double

  /// Work beyond which a transform is no dearer; highest frequency that is looked at.
  private static let (workMax, highestMax) = (1 << 24, 1 << 14)

  /// nil where the sum is not smooth enough for few frequencies.
  init?(_ direction: LossComposition.Direction, isPessimistic: Bool) {
    (self.direction, self.isPessimistic) = (direction, isPessimistic)
    interval = direction.parts[0].losses.interval
    window = direction.high - direction.low + 1
    guard window >= 64, window < 1 << 40 else { return nil }
    let (window, h, tilt) = (window, interval, direction.tilt)
    let spectra = direction.parts.map { LossSpectrum($0.losses, tilt: tilt) }
    let negligible = log(-expm1(-tilt * h)) - LossComposition.tailNats - 5
    func isNegligible(_ k: Int) -> Bool {
      let angle = 2 * Double.pi * Double(k) / Double(window)
      return zip(spectra, direction.parts).reduce(0) { $0 + min(0, log($1.0.magnitude(from: angle))) * Double($1.1.count) } < negligible
    }
    var (low, high) = (0, min(LowFrequencyLosses.highestMax, window / 7))
    guard isNegligible(high) else { return nil }
    while high - low > 1 {
      let middle = (low + high) / 2
      if isNegligible(middle) { high = middle } else { low = middle }
    }
    guard spectra.reduce(0, { $0 + $1.work(window: window, highest: high) }) < LowFrequencyLosses.workMax else { return nil }
    /// left·right modulo the window; the product may be longer than a word.
    func remainder(_ left: Int, _ right: Int) -> Int {
      let (a, b, m) = (UInt((left % window + window) % window), UInt(right % window), UInt(window))
      return Int(m.dividingFullWidth(a.multipliedFullWidth(by: b)).remainder)
    }
    var product = SpectrumPower(count: high + 1)
    var (turns, rounding) = (remainder(direction.low, 1), [Double](repeating: 0, count: high + 1))
    for (spectrum, part) in zip(spectra, direction.parts) {
      let values = spectrum.values(window: window, highest: high)
      for k in 0...high { product.multiply(k, values.real[k], values.imaginary[k], power: part.count, error: values.errors[k]) }
      turns = (turns + window - remainder(values.anchor, part.count)) % window
      for k in 0...high { rounding[k] = max(rounding[k], values.errors[k]) }
    }
    let steps = direction.parts.reduce(0.0) { $0 + Double($1.count) }
    // Of powers, and of reading sums.
    let (relative, reading) = (8 * (1 + steps) * Double.ulpOfOne, (200 + Double(high)) * Double.ulpOfOne)
    product.turn(by: turns, of: window)
    let weights = GeometricWeights(tilt: tilt, interval: h, window: window, count: high + 1)
    excess = WeightedSpectrum(
      product, weights.difference, window: window, ends: [(tilt * h, weights.first), ((tilt + 1) * h, weights.second.map { -$0 })])
    later = WeightedSpectrum(product, weights.second, window: window, ends: [((tilt + 1) * h, weights.second)])
    // The frequencies that are left out weigh 1 / (1 − e^{−tλ}) at most, twice.
    var (error, endError) = (2 * exp(-LossComposition.tailNats - 5), 0.0)
    for k in 0...high {
      let magnitude = product.magnitude(at: k)
      let own = product.error(at: k) * rounding[k] + (relative + reading) * magnitude + SpectrumPower.negligible
      error += own * weights.sizes[k]
      endError += reading * magnitude * weights.parts[k]
    }
    (self.error, self.endError) = (error, endError)
  }

  private func loss(_ place: Int) -> Double { Double(direction.low + place) * interval }

  func epsilon(delta: Double) -> Double {
    let target = isPessimistic ? delta - direction.infinite : delta
    guard target > 0 else { return .infinity }
    let outside = 2 * exp(-LossComposition.tailNats) / (direction.tilt + 1)
    // δ at the grid loss of `place` is e^{ΣK − tilt·loss}·excess, but for what is outside the window and errors; weights at an ε up to a
    // cell below are larger by the last factor.
    let factor = (isPessimistic ? 1 : -1) * exp(direction.tilt * interval) * (1 + 1e-12)
    func margin(_ place: Int) -> Double { factor * (error + outside + endError * exp(-direction.tilt * interval * Double(window - place))) }
    func scaled(_ place: Int) -> Double { exp(max(-700, min(700, log(target) - direction.cumulant + direction.tilt * loss(place)))) }
    func isAbove(_ place: Int) -> Bool { excess.sum(from: place) + margin(place) > scaled(place) }
    // Above the window only what is outside of it counts.
    if margin(window) > scaled(window) { return bounded(loss(window) + log(margin(window) / scaled(window)) / direction.tilt) }
    var (low, high) = (-1, window)
    if !isPessimistic {
      // What is subtracted hides δ far from the tilt's centre: the highest place that is above, not any.
      low = (1..<64).reversed().map { $0 * (window / 64) }.first(where: isAbove) ?? -1
      high = low < 0 ? window : low + window / 64 + window % 64
    }
    while high - low > 1 {
      let middle = (low + high) / 2
      if isAbove(middle) { low = middle } else { high = middle }
    }
    if low < 0 { return isPessimistic ? bounded(loss(0)) : 0 }
    // Between two grid losses δ is e^{ΣK − tilt·loss}·(excess + later·(1 − e^{ε − loss})), the upper one being the loss.
    let (rest, slope) = (excess.sum(from: high) + margin(high) - scaled(high), later.sum(from: high))
    let inside = slope > 0 && rest > -slope ? loss(high) + log1p(rest / slope) : isPessimistic && rest > 0 ? loss(high) : loss(low)
    return bounded(max(loss(low), min(loss(high), inside)))
  }

  private func bounded(_ epsilon: Double) -> Double {
    direction.bounded(epsilon, isPessimistic: isPessimistic)
  }
}

/// What weights that fall geometrically are at each frequency.
private struct GeometricWeights {
  /// 1 / (1 − e^{−sλ + iθ}) for s = tilt and tilt + 1, and the first less the second.
  var first: [Complex] = []
  var second: [Complex] = []
  var difference: [Complex] = []
  /// How much an error of 1 at the frequency and its mirror adds to a sum with the weights e^{−tu}(1 − e^{−u}), anywhere in a cell.
  var sizes: [Double] = []
  /// How much the parts are of which its correction at the window's end consists.
  var parts: [Double] = []

  init(tilt: Double, interval: Double, window: Int, count: Int) {
    for k in 0..<count {
      let (turn, half) = (UnitAngle(k, of: window), UnitAngle(k, of: 2 * window))
      func inverse(_ decay: Double) -> Complex {
        // 1 − e^{−decay + iθ}, without cancellation.
        let fall = exp(-decay)
        let (x, y) = (-expm1(-decay) + 2 * fall * half.sine * half.sine, -fall * turn.sine)
        return Complex(x, -y) * (1 / (x * x + y * y))
      }
      let (a, b) = (inverse(tilt * interval), inverse((tilt + 1) * interval))
      // (e^{−tλ} − e^{−(t+1)λ})·e^{iθ} times both.
      let step = -exp(-tilt * interval) * expm1(-interval)
      let c = a * b * Complex(step * turn.cosine, step * turn.sine)
      first.append(a)
      second.append(b)
      difference.append(c)
      // Sums end at the window's end, M cells on: 2|c| for both ends, and (1 − e^{−Mλ})·e^{−tMλ} ≤ 1 / et; one cell adds its λ.
      let weight = (k == 0 ? 1 : 2) / Double(window)
      sizes.append(weight * (2 * c.size + (1 / (M_E * tilt) + interval) * b.size))
      parts.append(weight * (a.size + b.size))
    }
  }
}

private struct Complex {
  let x, y: Double
  init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
  var size: Double { (x * x + y * y).squareRoot() }
  static func * (left: Complex, right: Complex) -> Complex {
    Complex(left.x * right.x - left.y * right.y, left.x * right.y + left.y * right.x)
  }
  static func * (left: Complex, right: Double) -> Complex { Complex(left.x * right, left.y * right) }
  static prefix func - (value: Complex) -> Complex { Complex(-value.x, -value.y) }
}

/// Σ over places from one on, up to the window's end, of weights times the distribution that a spectrum describes.
private struct WeightedSpectrum: Sendable {
  private let real: [Double]
  private let imaginary: [Double]
  private let window: Int
  /// Geometric sums that run to infinity have this too much at the window's end, to fall by e^{−decay} a cell.
  private let ends: [(decay: Double, excess: Double)]

  init(_ spectrum: SpectrumPower, _ weights: [Complex], window: Int, ends: [(decay: Double, weights: [Complex])]) {
    self.window = window
    func products(_ weights: [Complex]) -> [Complex] {
      weights.indices.map { Complex(spectrum.real[$0], spectrum.imaginary[$0]) * weights[$0] * (($0 == 0 ? 1 : 2) / Double(window)) }
    }
    let terms = products(weights)
    (real, imaginary) = (terms.map(\.x), terms.map(\.y))
    self.ends = ends.map { ($0.decay, products($0.weights).reduce(0) { $0 + $1.x }) }
  }

  func sum(from place: Int) -> Double {
    if place >= window { return 0 }
    var sum = 0.0
    for k in real.indices {
      let angle = UnitAngle(k * place, of: window)
      sum += real[k] * angle.cosine - imaginary[k] * angle.sine
    }
    return ends.reduce(sum) { $0 - exp(-$1.decay * Double(window - place)) * $1.excess }
  }
}
