// Arithmetic whose results are never below the exact ones. IEEE +, −, ×, ÷ and √ are off by half a unit in the last place at
// most, so the next double up encloses; libm's functions are given `libraryUnits` of them.
import Foundation

enum Upward {
  /// More than the documented error of glibc's log, log1p, exp and expm1 (1 to 2 units).
  static let libraryUnits = 4.0
  static let unit = Double.ulpOfOne

  static func add(_ left: Double, _ right: Double) -> Double {
    // Adding zero is exact, and must stay so: an account without events costs nothing.
    left == 0 ? right : right == 0 ? left : (left + right).nextUp
  }

  static func multiply(_ left: Double, _ right: Double) -> Double {
    left == 0 || right == 0 ? 0 : (left * right).nextUp
  }

  static func divide(_ left: Double, _ right: Double) -> Double {
    left == 0 ? 0 : (left / right).nextUp
  }

  /// A value computed with the given relative error, moved up by it.
  static func inflate(_ value: Double, relative error: Double) -> Double {
    (value + abs(value) * error).nextUp
  }

  /// ln(1 + e^x) for an x that may be `error` too low, rounded up.
  static func logOnePlusExp(_ x: Double, error: Double) -> Double {
    let raised = (x + error).nextUp
    // Beyond 700 the exponential overflows and 1 no longer counts.
    let value = raised > 700 ? raised : log1p(exp(raised))
    return inflate(value, relative: 2 * libraryUnits * unit)
  }
}

/// Sum with a running compensation (Neumaier 1974): the error no longer grows with the number of terms.
struct CompensatedSum {
  private var total = 0.0
  private var compensation = 0.0

  mutating func add(_ value: Double) {
    let next = total + value
    compensation += abs(total) >= abs(value) ? (total - next) + value : (value - next) + total
    total = next
  }

  var value: Double { total + compensation }
}
