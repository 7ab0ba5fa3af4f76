// The smallest of values that fall and then rise, without computing all of them. ε(α) is such: (α − 1)·ε(α) is a convex function, so the
// orders with ε ≤ c form an interval for every c (spec/10, "Search").

enum OrderSearch {
  /// The index of the smallest of `count` values with one valley, looked for from `start` on; infinite values stand at the upper end.
  /// Near the bottom, where rounding may make small ripples, two neighbours on each side are looked at.
  static func lowest(count: Int, start: Int, _ value: (Int) -> Double) -> Int {
    var known = [Double?](repeating: nil, count: count)
    func at(_ index: Int) -> Double {
      if let value = known[index] { return value }
      let result = value(index)
      known[index] = result
      return result
    }
    /// Whether the valley's bottom is at or left of `index`.
    func isPast(_ index: Int) -> Bool {
      at(index) == .infinity || index + 1 == count || at(index + 1) >= at(index)
    }
    // Gallop to a bracket: the bottom is in low ... high, isPast(high).
    var (low, high, stride) = (start, start, 1)
    if isPast(start) {
      repeat {
        high = low
        low = max(0, low - stride)
        stride *= 2
      } while low > 0 && isPast(low)
      if isPast(low) { high = low } else { low += 1 }
    } else {
      repeat {
        low = high + 1
        high = min(count - 1, high + stride)
        stride *= 2
      } while !isPast(high)
    }
    while low < high {
      let middle = (low + high) / 2
      if isPast(middle) { high = middle } else { low = middle + 1 }
    }
    return (max(0, low - 2)...min(count - 1, low + 2)).min { at($0) < at($1) } ?? low
  }
}
