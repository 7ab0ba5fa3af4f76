// Noise for the worst dropout of which what was not needed is taken out again (add-then-remove: Jiang, Wang, Chen 2024, "Dordis"; spec/11,
// "Noise that can be removed"). Skellam components, because sums of them are Skellam; each expands from a seed of its own, so that whoever
// learns the seed subtracts the same integers.
import GMP
import Sodium

/// A site's noise in components 0 … n − m_min: after d dropouts the survivors' components above d are revealed and removed.
public struct RemovableNoise: Sendable {
  public let assuredVariance: Rational
  public let sites: Int
  public let survivorsMin: Int
  public let known: Int
  private let samplers: [NoiseSampler]

  /// Coordinates that one stream of a seed fills: stream i of a component's seed has those from i · 2^16 on.
  public static let chunkCoordinates = 1 << 16
  public static let dropoutsMax = 1024

  /// Builds a table a component: some 50 ms each.
  /// - Parameters:
  ///   - assuredVariance: σ² > 0 in squared grid units, unknown to the adversary whatever drops out.
  ///   - sites: n, who adds noise.
  ///   - survivorsMin: m_min ≤ n, more than `known`; n − m_min at most 1,024.
  ///   - known: c, survivors whose noise the adversary knows (`DistributedNoise.known`).
  /// - Throws: `.parameterOutOfRange`, also where a component's variance is beyond what `NoiseSampler` draws.
  public init(assuredVariance: Rational, sites: Int, survivorsMin: Int, known: Int) throws(AccountingError) {
    guard known >= 0, survivorsMin > known, sites >= survivorsMin, sites <= DistributedNoise.sitesMax,
      sites - survivorsMin <= RemovableNoise.dropoutsMax, assuredVariance.signum > 0
    else { throw AccountingError(.parameterOutOfRange, "removable noise needs 0 <= c < m_min <= n and a positive variance") }
    self.assuredVariance = assuredVariance
    self.sites = sites
    self.survivorsMin = survivorsMin
    self.known = known
    var samplers: [NoiseSampler] = []
    for component in 0...(sites - survivorsMin) {
      let variance = RemovableNoise.variance(assuredVariance, sites - known, component)
      samplers.append(try NoiseSampler(.skellam, variance: variance))
    }
    self.samplers = samplers
  }

  public var componentCount: Int { samplers.count }

  /// σ² / (n − c) for component 0, σ² / ((n − k + 1 − c)(n − k − c)) for component k: the first d + 1 sum to σ² / (n − d − c).
  public func variance(ofComponent component: Int) -> Rational { samplers[component].variance }

  private static func variance(_ assured: Rational, _ honest: Int, _ component: Int) -> Rational {
    component == 0
      ? assured.divided(by: honest) : assured.divided(by: honest - component + 1).divided(by: honest - component)
  }

  /// The components of each survivor that are revealed and removed from a sum over `survivors` sites.
  /// - Throws: `.parameterOutOfRange` for more than n or fewer than m_min survivors.
  public func removedComponents(survivors: Int) throws(AccountingError) -> Range<Int> {
    guard (survivorsMin...sites).contains(survivors) else {
      throw AccountingError(.parameterOutOfRange, "\(survivors) survivors are not between \(survivorsMin) and \(sites)")
    }
    return (sites - survivors + 1)..<componentCount
  }

  /// σ² h / (h − c): the noise that is left in a sum over h survivors, of which σ² is unknown.
  /// - Throws: as above.
  public func remainingVariance(survivors: Int) throws(AccountingError) -> Rational {
    _ = try removedComponents(survivors: survivors)
    return (assuredVariance * Rational(survivors)).divided(by: survivors - known)
  }

  public enum Operation: Sendable { case add, remove }

  /// Adds or removes one component of one site, in integers that wrap.
  /// - Parameters:
  ///   - seed: the component's 32 bytes, used for nothing else.
  ///   - coordinate: the first that `sum` holds, a multiple of `chunkCoordinates`.
  /// - Throws: `SodiumError.wrongLength`.
  public func apply(
    _ operation: Operation, component: Int, seed: borrowing SecretBytes, startingAt coordinate: Int = 0,
    to sum: UnsafeMutableBufferPointer<Int64>
  ) throws(SodiumError) {
    precondition(coordinate >= 0 && coordinate % RemovableNoise.chunkCoordinates == 0, "streams begin at whole chunks")
    precondition((0..<componentCount).contains(component), "a component of this noise")
    _ = try RandomStream(seed: seed)
    for start in stride(from: 0, to: sum.count, by: RemovableNoise.chunkCoordinates) {
      let count = min(sum.count - start, RemovableNoise.chunkCoordinates)
      withSamples(component: component, seed: seed, chunk: (coordinate + start) / RemovableNoise.chunkCoordinates, count: count) {
        samples in
        switch operation {
        case .add: for index in 0..<count { sum[start + index] &+= samples[index] }
        case .remove: for index in 0..<count { sum[start + index] &-= samples[index] }
        }
      }
    }
  }

  /// Hands `body` the noise of one component on the coordinates from `chunk` · `chunkCoordinates` on, and overwrites it afterwards.
  /// - Parameters:
  ///   - seed: 32 bytes.
  ///   - count: at most `chunkCoordinates`.
  public func withSamples(
    component: Int, seed: borrowing SecretBytes, chunk: Int, count: Int, _ body: (UnsafeMutableBufferPointer<Int64>) -> Void
  ) {
    precondition((0...RemovableNoise.chunkCoordinates).contains(count) && chunk >= 0, "a chunk of the vector")
    guard var source = try? RandomStream(seed: seed, index: UInt64(chunk)) else { preconditionFailure("a seed has 32 bytes") }
    var samples = [Int64](repeating: 0, count: count)
    defer { samples.withUnsafeMutableBytes { SodiumLibrary.wipe($0) } }
    samples.withUnsafeMutableBufferPointer { buffer in
      samplers[component].fill(buffer, from: &source)
      body(buffer)
    }
  }
}
