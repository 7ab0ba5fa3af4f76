// Complete IoU of two boxes and its gradient (Zheng et al., "Distance-IoU loss", AAAI 2020), as the box loss uses it.
// Invariant: the trade-off α is a constant for the gradient; where two edges coincide both get half of the slope.

import Foundation

/// CIoU of a predicted and a labelled box, with its gradient in the predicted box.
public struct CompleteIoU: Sendable {
  /// IoU − (ρ²/c² + α·v), at most 1.
  public var value: Double
  /// Partial derivatives of `value` in the predicted centre x, centre y, width and height.
  public var gradient: SIMD4<Double>

  /// Boxes are centre x, centre y, width, height, in any common unit; widths and heights positive.
  public init(predicted p: SIMD4<Double>, labelled t: SIMD4<Double>) {
    let epsilon = 1e-7
    let horizontal = Span(centre: p.x, size: p.z, against: t.x, size: t.z)
    let vertical = Span(centre: p.y, size: p.w, against: t.y, size: t.w)

    let intersection = horizontal.overlap * vertical.overlap
    let union = p.z * p.w + t.z * t.w - intersection + epsilon
    let iou = intersection / union

    let diagonal = horizontal.hull * horizontal.hull + vertical.hull * vertical.hull + epsilon
    let dx = t.x - p.x
    let dy = t.y - p.y
    let distance = dx * dx + dy * dy

    let aspectScale = 4 / (Double.pi * Double.pi)
    let aspectDifference = atan(t.z / t.w) - atan(p.z / p.w)
    let v = aspectScale * aspectDifference * aspectDifference
    let alpha = v / (v - iou + 1 + epsilon)
    value = iou - (distance / diagonal + v * alpha)

    // ∂atan(w/h): h/(w²+h²) in w, −w/(w²+h²) in h.
    let square = p.z * p.z + p.w * p.w
    let aspectSlope = -2 * aspectScale * aspectDifference * alpha
    let overlapSlope = SIMD4(
      horizontal.overlapByCentre * vertical.overlap, vertical.overlapByCentre * horizontal.overlap,
      horizontal.overlapBySize * vertical.overlap, vertical.overlapBySize * horizontal.overlap)
    let areaSlope = SIMD4(0, 0, p.w, p.z)
    let iouSlope = (overlapSlope * union - intersection * (areaSlope - overlapSlope)) / (union * union)
    let diagonalSlope =
      2
      * SIMD4(
        horizontal.hull * horizontal.hullByCentre, vertical.hull * vertical.hullByCentre,
        horizontal.hull * horizontal.hullBySize, vertical.hull * vertical.hullBySize)
    let distanceSlope = SIMD4(-2 * dx, -2 * dy, 0, 0)
    let penaltySlope = (distanceSlope * diagonal - distance * diagonalSlope) / (diagonal * diagonal)
    let shapeSlope = aspectSlope * SIMD4(0, 0, p.w / square, -p.z / square)
    gradient = iouSlope - penaltySlope - shapeSlope
  }

  /// Overlap and hull of two intervals, and their derivatives in the first interval's centre and size.
  private struct Span {
    var overlap: Double
    var overlapByCentre: Double
    var overlapBySize: Double
    var hull: Double
    var hullByCentre: Double
    var hullBySize: Double

    init(centre: Double, size: Double, against otherCentre: Double, size otherSize: Double) {
      let low = centre - size / 2
      let high = centre + size / 2
      let otherLow = otherCentre - otherSize / 2
      let otherHigh = otherCentre + otherSize / 2
      // The share of the slope that goes to the first of two compared values: all, none, or half in a tie.
      func share(_ isChosen: Bool, _ isTie: Bool) -> Double { isTie ? 0.5 : (isChosen ? 1 : 0) }
      let innerHigh = share(high < otherHigh, high == otherHigh)
      let innerLow = share(low > otherLow, low == otherLow)
      let width = min(high, otherHigh) - max(low, otherLow)
      overlap = max(width, 0)
      overlapByCentre = width >= 0 ? innerHigh - innerLow : 0
      overlapBySize = width >= 0 ? (innerHigh + innerLow) / 2 : 0
      let outerHigh = share(high > otherHigh, high == otherHigh)
      let outerLow = share(low < otherLow, low == otherLow)
      hull = max(high, otherHigh) - min(low, otherLow)
      hullByCentre = outerHigh - outerLow
      hullBySize = (outerHigh + outerLow) / 2
    }
  }
}
