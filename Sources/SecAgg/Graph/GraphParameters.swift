// Degree and threshold of the sparse graph (spec/08-sparse-graph.md, SG-02; Bell et al., CCS 2020): probabilities of a random ring
// as exact fractions of binomial coefficients, so that every party in every language finds the same numbers.
import GMP
import Synchronization

public struct GraphParameters: Hashable, Sendable {
  /// k, even.
  public let neighbours: Int
  /// t of a site's k neighbours rebuild its secrets.
  public let threshold: Int

  /// A graph in which somebody's secrets or sums are in danger has at most this probability: 2^-40.
  static let securityBits: UInt = 40
  /// An attempt that fails for the graph's sake: 2^-20.
  static let failureBits: UInt = 20
  static let neighboursMax = 254
  public static let sitesMin = 65
  public static let sitesMax = 10_000

  private static let known = Mutex<[[Int]: GraphParameters?]>([:])

  /// The smallest degree that serves, or nil where the rates are too high for this number of sites.
  /// - Parameters:
  ///   - sites: n.
  ///   - colluders: n_C, at least 0.
  ///   - dropouts: D, how many of the n the plan allows to be missing.
  public static func find(sites n: Int, colluders: Int, dropouts: Int) -> GraphParameters? {
    guard (sitesMin...sitesMax).contains(n), (0..<n).contains(colluders), (0..<n).contains(dropouts) else { return nil }
    let key = [n, colluders, dropouts]
    // The search takes milliseconds and is asked for once a plan and party.
    if let found = known.withLock({ $0[key] }) { return found }
    let found = search(n, colluders, dropouts)
    known.withLock {
      if $0.count > 1_000 { $0 = [:] }
      $0[key] = .some(found)
    }
    return found
  }

  private static func search(_ n: Int, _ colluders: Int, _ dropouts: Int) -> GraphParameters? {
    for k in stride(from: 2, through: min(neighboursMax, n - 2), by: 2) where isConnected(n, k, bad: colluders + dropouts) {
      let t = threshold(n, k, colluders)
      if t <= k, isAlive(n, k, t, dropouts) { return GraphParameters(neighbours: k, threshold: t) }
    }
    return nil
  }

  /// 2^40 · n (n − k − 1) · C(bad, k) < C(n, k): two runs of k/2 bad places cut the ring, and there are half n (n − k − 1) pairs of
  /// them.
  private static func isConnected(_ n: Int, _ k: Int, bad: Int) -> Bool {
    .powerOfTwo(securityBits) * BigInteger(n) * BigInteger(n - k - 1) * binomial(bad, k) < binomial(n, k)
  }

  /// The smallest t with 2t > k + c, where more than c colluders are next to some site with probability at most 2^-41.
  private static func threshold(_ n: Int, _ k: Int, _ colluders: Int) -> Int {
    let all = binomial(n - 1, k)
    let factor = BigInteger.powerOfTwo(securityBits + 1) * BigInteger(n)
    var tail = BigInteger(0)
    var c = min(k, colluders)
    while c >= 1 {
      let next = tail + binomial(colluders, c) * binomial(n - 1 - colluders, k - c)
      if factor * next > all { break }
      tail = next
      c -= 1
    }
    return max(2, (k + c + 2) / 2)
  }

  /// 2^20 · n · P[fewer than t of a survivor's neighbours are there] ≤ 1.
  private static func isAlive(_ n: Int, _ k: Int, _ t: Int, _ dropouts: Int) -> Bool {
    var few = BigInteger(0)
    for alive in 0..<t { few = few + binomial(n - 1 - dropouts, alive) * binomial(dropouts, k - alive) }
    return .powerOfTwo(failureBits) * BigInteger(n) * few <= binomial(n - 1, k)
  }

  /// C(a, b); 0 where b > a or an argument is negative.
  private static func binomial(_ a: Int, _ b: Int) -> BigInteger {
    a >= 0 && b >= 0 && b <= a ? .binomial(UInt(a), UInt(b)) : BigInteger(0)
  }
}
