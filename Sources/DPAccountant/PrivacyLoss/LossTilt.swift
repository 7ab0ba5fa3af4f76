// Which tilt suits a sum of losses. Any tilt gives a proved bound; a good one makes the losses that decide δ the likely ones.
import Foundation

extension LossComposition {
  /// The tilt t for which δ(ε) ≤ e^{K(t) − tε}·t^t / (t + 1)^{t+1} (the largest weight) proves the smallest ε at a δ.
  static func chernoffTilt(_ parts: [(losses: DirectedLosses, count: Int)], _ logDelta: Double) -> Double {
    smallest(parts) { t, cumulant in (cumulant - logDelta - log1p(t) - t * log1p(1 / t)) / t }
  }

  /// Golden sections over the logarithm of the tilt.
  fileprivate static func smallest(
    _ parts: [(losses: DirectedLosses, count: Int)], _ cost: (_ tilt: Double, _ cumulant: Double) -> Double
  ) -> Double {
    func value(_ logTilt: Double) -> Double {
      let t = exp(logTilt)
      return cost(t, parts.reduce(0) { $0 + Double($1.count) * $1.losses.cumulant(t) })
    }
    // Beyond 1 / interval a single cell decides.
    var (low, high) = (log(1e-3), log(0.5 / parts[0].losses.interval))
    while high - low > 0.05 {
      let (left, right) = (low + (high - low) * 0.382, low + (high - low) * 0.618)
      if value(left) < value(right) { high = right } else { low = left }
    }
    return exp((low + high) / 2)
  }
}

extension LossComposition.Direction {
  var interval: Double { parts[0].losses.interval }

  /// The tilt whose losses centre on ε: where tε − K(t) is largest.
  func tilt(for epsilon: Double) -> Double { LossComposition.smallest(parts) { t, cumulant in cumulant - t * epsilon } }

  /// ln of how much likelier losses about ε are with another tilt than with this one.
  func gain(of other: Double, for epsilon: Double) -> Double {
    let cumulants = parts.reduce(0) { $0 + Double($1.count) * $1.losses.cumulant(other) }
    return other * epsilon - cumulants - (tilt * epsilon - cumulant)
  }
}
