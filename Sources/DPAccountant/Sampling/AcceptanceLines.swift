// Bounds of the acceptance A(m) = C f(m) / height of one bin as two straight lines, from log-concavity alone (spec/11 [NS-24]). With l, r,
// s the starts of a bin and of the next two, u = (r − m) / width and ρ = f(r) / f(l):
//
//   f(m) ≥ f(l)^u f(r)^(1−u) = f(r) ρ^−u ≥ f(r) (1 + u (1 − ρ))                        (e^x ≥ 1 + x, −ln ρ ≥ 1 − ρ)
//   f(m) ≤ f(r) (f(r) / f(s))^u          ≤ f(r) (1 + u (f(r) / f(s) − 1))              (a convex function lies below its chord)
//
// The lines are about (width/σ)² apart, so one proposal in about ten thousand needs the density itself.
import GMP

struct AcceptanceLines: Sendable, Equatable {
  struct Bounds: Sendable, Equatable {
    let lower: UInt64
    let upper: UInt64
  }

  /// A · 2^64 at the next bin's start.
  let atEnd: Bounds
  /// What is added per whole bin on the way back to its start.
  let rise: Bounds

  /// Nothing known: everything is left to the density.
  static let undecided = AcceptanceLines(atEnd: Bounds(lower: 0, upper: .max), rise: Bounds(lower: 0, upper: 0))

  private init(atEnd: Bounds, rise: Bounds) {
    self.atEnd = atEnd
    self.rise = rise
  }

  /// A bin of one magnitude: its own bounds.
  init(constant edge: Enclosure, scale: BigInteger, height: BigInteger) {
    let end = AcceptanceLines.acceptance(edge, scale, height)
    self.init(atEnd: end, rise: Bounds(lower: 0, upper: 0))
  }

  /// - Parameter edges: bounds of f at l, r and s.
  init(edges: [Enclosure], scale: BigInteger, height: BigInteger) {
    let (left, right, next) = (edges[0], edges[1], edges[2])
    let end = AcceptanceLines.acceptance(right, scale, height)
    guard left.lower.signum > 0, next.lower.signum > 0 else {
      self.init(atEnd: Bounds(lower: end.lower, upper: .max), rise: Bounds(lower: 0, upper: 0))
      return
    }
    let fall = left.lower - right.upper
    let lower = fall.signum > 0 ? BigInteger.quotient(right.lower * fall, left.lower) : BigInteger(0)
    let upper = BigInteger.quotient(right.upper * (right.upper - next.lower), next.lower) + BigInteger(1)
    self.init(atEnd: end, rise: AcceptanceLines.acceptance(Enclosure(lower: lower, upper: upper), scale, height))
  }

  /// Bounds of A · 2^64 for the magnitude at `offset` in a bin of 2^widthBits. An upper bound of 2^64 − 1 may stand for more.
  func bounds(offset: UInt64, widthBits: Int) -> Bounds {
    // u · 2^64 − 1, which is in range at both ends.
    let back = (((1 as UInt64) << widthBits &- offset) << (64 - widthBits)) &- 1
    let lower = atEnd.lower.addingReportingOverflow(rise.lower.multipliedFullWidth(by: back).high)
    let upper = atEnd.upper.addingReportingOverflow(rise.upper.multipliedFullWidth(by: back).high)
    let raised = upper.partialValue.addingReportingOverflow(2)
    return Bounds(
      lower: lower.overflow ? .max : lower.partialValue,
      upper: upper.overflow || raised.overflow ? .max : raised.partialValue)
  }

  /// C · bounds / height, ⌊·2^64⌋ and ⌈·2^64⌉ cut to 64 bits.
  private static func acceptance(_ bounds: Enclosure, _ scale: BigInteger, _ height: BigInteger) -> Bounds {
    let shift = EnvelopeTable.precision - 64
    let lower = BigInteger.quotient((scale * bounds.lower) >> shift, height)
    let upper = BigInteger.quotient(((scale * bounds.upper) >> shift) + BigInteger(1), height) + BigInteger(1)
    return Bounds(lower: lower.unsigned.map(UInt64.init) ?? .max, upper: upper.unsigned.map(UInt64.init) ?? .max)
  }
}
