// Exponential moving average of all floating tensors, running statistics included (YOLOv5's EMA): the average validates
// better than the last weights. decay(u) = 0.9999 · (1 - exp(-u / 2000)) after u updates.

import CKernels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The running average of one network's weights.
public final class WeightAverage {
  /// Updates so far.
  public internal(set) var updates = 0
  private let values: Arena
  private let statistics: Arena

  /// Starts with the network's present weights.
  public init(_ network: Network) {
    values = Arena(network.store.count)
    statistics = Arena(network.store.statistics.capacity)
    values.base.update(from: network.store.values.base, count: network.store.count)
    statistics.base.update(from: network.store.statistics.base, count: statistics.capacity)
  }

  /// The weight of the old average at update number `update`, counted from 1.
  public static func decay(update: Int) -> Double { 0.9999 * (1 - exp(-Double(update) / 2000)) }

  /// Moves the average towards the network's present weights; call after each optimiser step.
  /// - Parameter still: parameters that no step moves. They are copied: an average of equal numbers would drift by its rounding.
  public func update(_ network: Network, still: [Parameter] = []) {
    updates += 1
    let decay = Float(Self.decay(update: updates))
    let parts = network.pool.threads
    network.pool.run(parts) { part in
      let range = share(part, of: parts, network.store.count)
      tk_average(values.base + range.lowerBound, network.store.values.base + range.lowerBound, range.count, decay)
    }
    tk_average(statistics.base, network.store.statistics.base, statistics.capacity, decay)
    for parameter in still {
      guard let value = parameter.value.baseAddress else { continue }
      (values.base + (value - network.store.values.base)).update(from: value, count: parameter.count)
    }
  }

  /// Runs `body` with the average in the network's place, e.g. to validate or to write it, and puts the weights back.
  public func withAverage<Result, Failure: Error>(
    in network: Network, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    exchange(network)
    defer { exchange(network) }
    return try body()
  }

  private func exchange(_ network: Network) {
    for index in 0..<values.capacity { swap(&values.base[index], &network.store.values.base[index]) }
    for index in 0..<statistics.capacity { swap(&statistics.base[index], &network.store.statistics.base[index]) }
  }
}
