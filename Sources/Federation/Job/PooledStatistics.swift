// Averaging variances of sites whose means differ gives too little: the pooled variance is the mean of the variances *plus* the
// variance of the means. So the flat vector carries the second moment in place of each running variance (spec/04): means and second
// moments of pooled data are plain weighted means, which is what a sum can give. Both sides turn them back with the same function.
import Safetensors

public enum PooledStatistics {
  /// Running statistics with every variance v of a channel with mean m replaced by v + m².
  public static func moments(_ statistics: [Float], layout: WeightsLayout) -> [Float] {
    replacing(statistics, layout) { variance, mean in variance + mean * mean }
  }

  /// The inverse: every second moment replaced by max(0, moment − m²). A variance cannot be negative, but rounding could make a tiny
  /// one so.
  public static func statistics(_ moments: [Float], layout: WeightsLayout) -> [Float] {
    replacing(moments, layout) { moment, mean in max(0, moment - mean * mean) }
  }

  /// - Precondition: `values` has the layout's number of statistics.
  private static func replacing(_ values: [Float], _ layout: WeightsLayout, _ change: (Double, Double) -> Double) -> [Float] {
    precondition(values.count == layout.statisticCount, "the statistics are not those of the layout")
    let slots = layout.slots.filter { $0.section == .statistics }
    let means = Dictionary(
      slots.filter { $0.name.hasSuffix(".running_mean") }.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var out = values
    for slot in slots where slot.name.hasSuffix(".running_var") {
      guard let mean = means[slot.name.dropLast("running_var".count) + "running_mean"], mean.count == slot.count else { continue }
      for index in 0..<slot.count {
        out[slot.offset + index] = Float(change(Double(values[slot.offset + index]), Double(values[mean.offset + index])))
      }
    }
    return out
  }
}
