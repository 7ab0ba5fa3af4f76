// Degree and threshold of the sparse graph (spec/08-sparse-graph.md, SG-02) in exact whole numbers. Found numbers are kept: all plans of
// a job mostly ask for the same.
import GMP

struct GraphNumbers: Sendable {
  struct Found: Equatable, Sendable {
    let neighbours: Int
    let threshold: Int
  }

  private var known: [[Int]: Found?] = [:]

  /// - Parameter dropouts: D, the sites that a plan allows to be missing.
  mutating func find(sites n: Int, colluders: Int, dropouts: Int) -> Found? {
    guard (65...10_000).contains(n), (0..<n).contains(colluders), (0..<n).contains(dropouts) else { return nil }
    let key = [n, colluders, dropouts]
    if let found = known[key] { return found }
    let found = Self.search(n, colluders, dropouts)
    known[key] = .some(found)
    return found
  }

  private static func search(_ n: Int, _ colluders: Int, _ dropouts: Int) -> Found? {
    for k in stride(from: 2, through: min(254, n - 2), by: 2) where isConnected(n, k, colluders + dropouts) {
      let t = max(2, (k + smallestBound(n, k, colluders) + 2) / 2)
      if t <= k, isAlive(n, k, t, dropouts) { return Found(neighbours: k, threshold: t) }
    }
    return nil
  }

  private static func isConnected(_ n: Int, _ k: Int, _ bad: Int) -> Bool {
    .powerOfTwo(40) * BigInteger(n) * BigInteger(n - k - 1) * choose(bad, k) < choose(n, k)
  }

  /// c: more than so many colluders are next to some site with a probability of at most 2^-41.
  private static func smallestBound(_ n: Int, _ k: Int, _ colluders: Int) -> Int {
    let (all, factor) = (choose(n - 1, k), BigInteger.powerOfTwo(41) * BigInteger(n))
    var tail = BigInteger(0)
    var c = min(k, colluders)
    while c >= 1 {
      let next = tail + choose(colluders, c) * choose(n - 1 - colluders, k - c)
      if factor * next > all { break }
      (tail, c) = (next, c - 1)
    }
    return c
  }

  private static func isAlive(_ n: Int, _ k: Int, _ t: Int, _ dropouts: Int) -> Bool {
    var few = BigInteger(0)
    for alive in 0..<t { few = few + choose(n - 1 - dropouts, alive) * choose(dropouts, k - alive) }
    return .powerOfTwo(20) * BigInteger(n) * few <= choose(n - 1, k)
  }

  private static func choose(_ a: Int, _ b: Int) -> BigInteger {
    a >= 0 && b >= 0 && b <= a ? .binomial(UInt(a), UInt(b)) : BigInteger(0)
  }
}
