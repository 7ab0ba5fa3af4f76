// Positive numbers as unevaluated sums of two doubles, some 104 bits: enough that a thousand multiplications still leave a double
// exact to its last unit. Error bounds of the operations: Joldes, Muller, Popescu 2017.
import Foundation

struct DoubleDouble: Sendable {
  let high: Double
  let low: Double

  init(_ value: Double) { (high, low) = (value, 0) }

  private init(sum high: Double, _ low: Double) {
    self.high = high + low
    self.low = low - (self.high - high)
  }

  private init(high: Double, low: Double) { (self.high, self.low) = (high, low) }

  var double: Double { high + low }

  static func + (left: DoubleDouble, right: DoubleDouble) -> DoubleDouble {
    let sum = twoSum(left.high, right.high)
    let rest = twoSum(left.low, right.low)
    let first = DoubleDouble(sum: sum.high, sum.low + rest.high)
    return DoubleDouble(sum: first.high, first.low + rest.low)
  }

  static func - (left: DoubleDouble, right: DoubleDouble) -> DoubleDouble {
    left + DoubleDouble(high: -right.high, low: -right.low)
  }

  static func * (left: DoubleDouble, right: DoubleDouble) -> DoubleDouble {
    let product = left.high * right.high
    let error = (-product).addingProduct(left.high, right.high)
    return DoubleDouble(sum: product, error + (left.high * right.low + left.low * right.high))
  }

  static func / (left: DoubleDouble, right: DoubleDouble) -> DoubleDouble {
    let first = left.high / right.high
    let rest = left - right * DoubleDouble(first)
    let second = rest.high / right.high
    let last = (rest - right * DoubleDouble(second)).high / right.high
    let head = DoubleDouble(sum: first, second)
    return head + DoubleDouble(last)
  }

  private static func twoSum(_ a: Double, _ b: Double) -> DoubleDouble {
    let sum = a + b
    let part = sum - a
    return DoubleDouble(high: sum, low: (a - (sum - part)) + (b - part))
  }

  /// e^−x for x ≥ 0, by the series at x / 2^k and k squarings.
  static func expNegative(_ x: DoubleDouble) -> DoubleDouble {
    var (argument, halvings) = (x, 0)
    while argument.high > 1.0 / 256 {
      argument = argument * DoubleDouble(0.5)
      halvings += 1
    }
    var result = DoubleDouble(1)
    for k in stride(from: 14.0, to: 0, by: -1) { result = DoubleDouble(1) - argument * result / DoubleDouble(k) }
    for _ in 0..<halvings { result = result * result }
    return result
  }
}
