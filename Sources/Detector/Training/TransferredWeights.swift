// Starting from weights that were trained on other classes: everything but the outputs fits and is taken over, as v7.0 does with its
// published weights.

import Safetensors

extension WeightsFile {
  /// A detector for `classes` classes with what fits of `weights`, the rest fresh from `seed`.
  /// - Parameter spec: the model; nil takes that of the weights. Its own anchors count where it is given.
  /// - Returns: the network, how many of its tensors came from the file, and how many it has.
  /// - Throws: `TrainingError` where the file is no YOLOv5 detector with finite values.
  public static func network(
    _ weights: WeightsFile, spec: ModelSpec?, classes: Int, seed: UInt64, threads: Int
  ) throws(TrainingError) -> (network: Network, taken: Int, tensors: Int) {
    let given = try network(weights, threads: threads)
    guard spec != nil || given.spec.classes != classes else { return (given, weights.file.entries.count, weights.file.entries.count) }
    var wanted = spec ?? given.spec
    wanted.classes = classes
    let fresh = Network(spec: wanted, seed: seed, threads: threads)
    do throws(NetworkError) {
      let (merged, taken) = try merge(weights.file, into: fresh.safetensors(), takesAnchors: spec == nil)
      try fresh.load(merged)
      return (fresh, taken, merged.entries.count)
    } catch { throw TrainingError(.unsuitableWeights, "\(weights.path): \(error.reason)", hint: "leave --weights out") }
  }

  private static func merge(
    _ file: SafetensorsFile, into fresh: SafetensorsWriter, takesAnchors: Bool
  ) throws(NetworkError) -> (file: SafetensorsFile, taken: Int) {
    do {
      var writer = SafetensorsWriter(metadata: fresh.metadata)
      var taken = 0
      for entry in try SafetensorsFile(parsing: fresh.serialise()).entries {
        let given = try? file.entry(entry.name)
        if let given, given.shape == entry.shape, takesAnchors || !entry.name.hasSuffix(".anchors") {
          writer.add(given)
          taken += 1
        } else {
          writer.add(entry)
        }
      }
      return (try SafetensorsFile(parsing: writer.serialise()), taken)
    } catch { throw NetworkError(.unreadable, error.reason) }
  }
}
