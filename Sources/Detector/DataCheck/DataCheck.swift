// Checks a data set before anything trains on it: everything that is wrong, not only the first. Images are decoded on all cores and
// forgotten at once; memory holds some hundred bytes an image and what is being decoded.
import Foundation

public enum DataCheck {
  /// What a split holds.
  public struct Summary: Equatable, Sendable {
    public let split: Dataset.Split
    public var images = 0
    /// Images that cannot be decoded.
    public var broken = 0
    /// Images with at least one good label.
    public var labelled = 0
    /// Images with none.
    public var background = 0
    /// Good labels.
    public var boxes = 0
    /// Good labels by class, and images that have one.
    public var boxesByClass: [Int]
    public var imagesByClass: [Int]
  }

  public struct Outcome: Equatable, Sendable {
    /// Class names by index; `class0`, … where data.yaml has none.
    public let names: [String]
    /// By kind, file and line.
    public let findings: [DataFault]
    public let splits: [Summary]
    /// Images that were looked at, each once.
    public let images: Int

    public var faultCount: Int { findings.count { $0.severity == .fault } }
    public var noteCount: Int { findings.count - faultCount }
    /// No fault; notes do not count.
    public var isClean: Bool { faultCount == 0 }
  }

  public enum Stage: String, Sendable { case images, copies }

  /// Pixels and files in memory at a time, in bytes.
  static let memoryBytesMax = 3 << 29

  /// - Parameters:
  ///   - yaml: path of data.yaml.
  ///   - wanted: splits to check; nil for train, val, and test where data.yaml names one.
  ///   - threads: that decode.
  ///   - onProgress: called on the caller's thread with what is done and what there is.
  /// - Throws: `DataError` where data.yaml cannot be read at all (DT-01, DT-02) or names millions of images (DT-06).
  public static func run(
    yaml: String, splits wanted: Set<Dataset.Split>? = nil, threads: Int, onProgress: (Stage, Int, Int) -> Void = { _, _, _ in }
  ) throws(DataError) -> Outcome {
    let description = try DescriptionCheck(yaml: yaml)
    var faults = description.faults
    var listing = ImageListing()
    let chosen = Dataset.Split.allCases.filter { wanted?.contains($0) ?? ($0 != .test || description.sources[$0] != nil) }
    for split in chosen {
      guard let sources = description.sources[split] else {
        faults.append(DataFault(.description, yaml, "\(split.rawValue) is missing: where are its images?"))
        continue
      }
      try listing.add(sources, split, yaml: yaml)
    }
    faults += listing.faults
    let lists = Set(description.sources.values.joined().map(\.path).filter { $0.hasSuffix(".txt") })
    faults += OrphanLabels(folders: listing.folders, lists: lists).faults
    faults += sharedLabels(listing.paths)

    let pool = WorkerPool(threads: threads)
    let gate = MemoryGate(bytesMax: memoryBytesMax)
    let classes = description.names.isEmpty ? DatasetDescription.classesMax : description.names.count
    let images = look(at: listing.paths, classes: classes, pool, gate) { onProgress(.images, $0, $1) }
    for image in images { faults += image.faults }
    var duplicates = Duplicates(paths: listing.paths, splits: listing.splits, images: images)
    duplicates.find(pool, gate) { onProgress(.copies, $0, $1) }
    faults += duplicates.faults

    let largest = images.lazy.flatMap(\.labelCounts.keys).max() ?? 0
    let names = description.names.isEmpty ? (0...largest).map { "class\($0)" } : description.names
    let summaries = chosen.map { summary($0, classes: names.count, listing.splits, images) }
    faults += labelFaults(summaries, names, listing, yaml)
    return Outcome(names: names, findings: sorted(faults), splits: summaries, images: images.count)
  }

  private static func look(
    at paths: [String], classes: Int, _ pool: WorkerPool, _ gate: MemoryGate, _ onProgress: (Int, Int) -> Void
  ) -> [ImageCheck] {
    var checks = [ImageCheck?](repeating: nil, count: paths.count)
    // Few enough for a lively progress bar, enough that threads seldom wait for the slowest.
    let step = 16 * pool.threads
    for start in stride(from: 0, to: paths.count, by: step) {
      let end = min(start + step, paths.count)
      checks.withUnsafeMutableBufferPointer { checks in
        // Each shard writes a place of its own.
        nonisolated(unsafe) let checks = checks
        pool.run(end - start) { shard in checks[start + shard] = ImageCheck(path: paths[start + shard], classes: classes, gate: gate) }
      }
      onProgress(end, paths.count)
    }
    return checks.compactMap { $0 }
  }

  private static func sharedLabels(_ paths: [String]) -> [DataFault] {
    var first: [String: String] = [:]
    return paths.compactMap { path in
      let labels = LabelFile.path(ofImage: path)
      guard let other = first.updateValue(path, forKey: labels) else { return nil }
      return DataFault(.sharedLabels, path, "shares \(labels) with \(other)")
    }
  }

  private static func summary(_ split: Dataset.Split, classes: Int, _ splits: [[Dataset.Split]], _ images: [ImageCheck]) -> Summary {
    let zeros = [Int](repeating: 0, count: classes)
    var summary = Summary(split: split, boxesByClass: zeros, imagesByClass: zeros)
    for (image, its) in zip(images, splits) where its.contains(split) {
      summary.images += 1
      if image.digest == nil { summary.broken += 1 }
      if image.labelCounts.isEmpty { summary.background += 1 } else { summary.labelled += 1 }
      for (index, count) in image.labelCounts {
        summary.boxes += count
        summary.boxesByClass[index] += count
        summary.imagesByClass[index] += 1
      }
    }
    return summary
  }

  /// Splits and classes without labels.
  private static func labelFaults(_ summaries: [Summary], _ names: [String], _ listing: ImageListing, _ yaml: String) -> [DataFault] {
    var faults: [DataFault] = []
    for summary in summaries where summary.images > 0 && summary.boxes == 0 {
      let example = zip(listing.paths, listing.splits).first { $0.1.contains(summary.split) }.map { LabelFile.path(ofImage: $0.0) } ?? ""
      faults.append(DataFault(.noLabels, yaml, "no image of \(summary.split.rawValue) has a label; the first would be in \(example)"))
    }
    let bySplit = Dictionary(uniqueKeysWithValues: summaries.filter { $0.boxes > 0 }.map { ($0.split, $0.boxesByClass) })
    guard !bySplit.isEmpty else { return faults }
    for (index, name) in names.enumerated() {
      let words = "class \(index) '\(name)' has no label"
      let (train, val) = (bySplit[.train]?[index], bySplit[.val]?[index])
      if bySplit.values.allSatisfy({ $0[index] == 0 }) {
        faults.append(
          DataFault(
            .unusedClass, yaml,
            "\(words) in \(summaries.map(\.split).filter { bySplit[$0] != nil }.map(\.rawValue).joined(separator: ", "))"))
      } else if train == 0 {
        faults.append(DataFault(.untrainedClass, yaml, "\(words) in train, and \(val ?? 0) in val"))
      } else if val == 0 {
        faults.append(DataFault(.unmeasuredClass, yaml, "\(words) in val, and \(train ?? 0) in train"))
      }
    }
    return faults
  }

  /// By kind, file and place; what is equal in these stays in the order of images and classes.
  private static func sorted(_ faults: [DataFault]) -> [DataFault] {
    let rank = Dictionary(uniqueKeysWithValues: DataFault.Kind.allCases.enumerated().map { ($0.element, $0.offset) })
    return faults.enumerated().map { (rank[$0.element.kind] ?? 0, $0.offset, $0.element) }.sorted { a, b in
      (a.0, a.2.file, a.2.line ?? 0, a.2.column ?? 0, a.1) < (b.0, b.2.file, b.2.line ?? 0, b.2.column ?? 0, b.1)
    }.map(\.2)
  }
}
