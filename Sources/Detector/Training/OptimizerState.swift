// The optimiser's momenta between the rounds of a federated job, in a file that stays at the site. Invariant: a round that
// is trained again (its first attempt ended without a sum) starts from the momenta of before that round, so the file of
// the round before is kept beside the new one.

import Safetensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A site's optimiser state on disk.
public struct OptimizerState: Sendable {
  /// Where the newest state is; `path.previous` holds the one before.
  public let path: String

  private static let positionKey = "next_epoch"
  /// What gradients are clipped to, where the clip follows them.
  private static let clipKey = "clip"
  private static let bytesMax = 1 << 30

  public init(path: String) { self.path = path }

  private var previousPath: String { path + ".previous" }

  /// Loads the state that was saved for `position`: epochs done, or parts of epochs where rounds are shorter.
  /// - Returns: false if there is none for that position: the site was not there in the round before, and its momenta
  ///   start at zero.
  /// - Throws: `TrainingError` if that state is damaged or belongs to another network.
  public func restore(into run: TrainingRun, position: Int) throws -> Bool {
    for candidate in [path, previousPath] where access(candidate, F_OK) == 0 {
      let file = try Self.read(candidate)
      guard file.metadata[Self.positionKey] == String(position) else { continue }
      do { try run.optimizer.load(file) } catch { throw Self.fault(candidate, error.reason) }
      if run.clip != nil, let clip = file.metadata[Self.clipKey].flatMap(Double.init) {
        guard RecordPrivacy.clipRange.contains(clip) else { throw Self.fault(candidate, "a clip of \(clip)") }
        run.clip = clip
      }
      return true
    }
    return false
  }

  /// Writes the state with which `position` begins; the present file is kept as the previous one where it belongs to
  /// an earlier position.
  public func save(_ run: TrainingRun, position: Int) throws {
    var writer = run.optimizer.state()
    if let clip = run.clip { writer.metadata[Self.clipKey] = String(clip) }
    writer.metadata[Self.positionKey] = String(position)
    // A damaged present file is worth nothing and is replaced.
    if access(path, F_OK) == 0, let present = try? Self.read(path), present.metadata[Self.positionKey] != String(position) {
      guard rename(path, previousPath) == 0 else {
        throw TrainingError(
          .inputOutput, "\(previousPath): \(String(cString: strerror(errno)))",
          hint: "make the folder of the optimiser state writable")
      }
    }
    do { try writer.write(path: path) } catch {
      throw TrainingError(.inputOutput, error.reason, hint: "make the folder of the optimiser state writable")
    }
  }

  private static func read(_ path: String) throws(TrainingError) -> SafetensorsFile {
    do { return try SafetensorsFile.read(path: path, bytesMax: bytesMax) } catch { throw fault(path, error.reason) }
  }

  private static func fault(_ path: String, _ reason: String) -> TrainingError {
    TrainingError(
      .unsuitableState, "\(path): \(reason)",
      hint: "delete this optimiser state; training then goes on with fresh momenta")
  }
}
