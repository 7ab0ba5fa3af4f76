// Equal and alike images, within a split and across splits. Equal ones are found by their digest and confirmed pixel by pixel; alike ones
// by their perceptual hash, each compared with the first of its kind only, so that a film of one scene costs no more than other images.

struct Duplicates {
  let paths: [String]
  let splits: [[Dataset.Split]]
  let images: [ImageCheck]
  private(set) var faults: [DataFault] = []

  /// All by image, in the order of `ImageListing`.
  init(paths: [String], splits: [[Dataset.Split]], images: [ImageCheck]) {
    precondition(paths.count == splits.count && paths.count == images.count)
    (self.paths, self.splits, self.images) = (paths, splits, images)
  }

  /// Looks for everything.
  /// - Parameter onProgress: called with the pairs compared and in all.
  mutating func find(_ pool: WorkerPool, _ gate: MemoryGate, onProgress: (Int, Int) -> Void) {
    for index in paths.indices where splits[index].count > 1 {
      let named = splits[index].map(\.rawValue).joined(separator: " and ")
      faults.append(DataFault(.leak, paths[index], "the same file is in \(named)"))
    }
    let isCopy = findEqual(pool, gate, onProgress)
    findAlike(isCopy)
  }

  // MARK: Equal

  /// Returns whether an image has an equal one before it.
  private mutating func findEqual(_ pool: WorkerPool, _ gate: MemoryGate, _ onProgress: (Int, Int) -> Void) -> [Bool] {
    var groups: [PixelDigest: [Int]] = [:]
    for (index, image) in images.enumerated() { if let digest = image.digest { groups[digest, default: []].append(index) } }
    let suspects = groups.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
    let pairs = suspects.flatMap { group in group.dropFirst().map { (group[0], $0) } }
    var isEqual = [Bool](repeating: false, count: pairs.count)
    let step = 8 * pool.threads
    for start in stride(from: 0, to: pairs.count, by: step) {
      let end = min(start + step, pairs.count)
      isEqual.withUnsafeMutableBufferPointer { flags in
        // Each shard writes a place of its own.
        nonisolated(unsafe) let flags = flags
        pool.run(end - start) { [paths] shard in
          let (first, second) = pairs[start + shard]
          flags[start + shard] = Self.areEqual(paths[first], paths[second], gate)
        }
      }
      onProgress(end, pairs.count)
    }
    var isCopy = [Bool](repeating: false, count: paths.count)
    var at = 0
    for group in suspects {
      var confirmed = [group[0]]
      for member in group.dropFirst() {
        if isEqual[at] {
          report(member, among: confirmed)
          confirmed.append(member)
          isCopy[member] = true
        }
        at += 1
      }
    }
    return isCopy
  }

  private static func areEqual(_ first: String, _ second: String, _ gate: MemoryGate) -> Bool {
    // One after the other: two decoded images at a time would need room for both at the gate.
    var (a, b): (RGBImage?, RGBImage?)
    try? ImageCheck.decoded(first, gate) { image, _ in a = image }
    try? ImageCheck.decoded(second, gate) { image, _ in b = image }
    return a != nil && a == b
  }

  private mutating func report(_ member: Int, among earlier: [Int]) {
    func words(_ other: Int) -> String {
      paths[other] + (images[other].labels == images[member].labels ? "" : ", but labelled otherwise")
    }
    if let twin = earlier.first(where: { !Set(splits[$0]).isDisjoint(with: splits[member]) }) {
      let split = splits[member].first { splits[twin].contains($0) } ?? .train
      faults.append(DataFault(.duplicateImage, paths[member], "in \(split.rawValue), the same pixels as \(words(twin))"))
    }
    guard splits[member].count == 1, let twin = earlier.first(where: { splits[$0] != splits[member] }) else { return }
    let (here, there) = (splits[member][0].rawValue, splits[twin][0].rawValue)
    faults.append(DataFault(.leak, paths[member], "in \(here), the same pixels as \(words(twin)) in \(there)"))
  }

  // MARK: Alike

  private mutating func findAlike(_ isCopy: [Bool]) {
    // Of three parts of the bits, two differing bits leave one untouched: images that share none are not near.
    let parts: [(shift: UInt64, mask: UInt64)] = [(0, (1 << 22) - 1), (22, (1 << 21) - 1), (43, (1 << 21) - 1)]
    struct Key: Hashable { var part: Int, bits: UInt64 }
    var first: [Key: [Int]] = [:]
    for index in paths.indices where !isCopy[index] {
      guard let look = images[index].look else { continue }
      let keys = parts.enumerated().map { Key(part: $0.offset, bits: look.bits >> $0.element.shift & $0.element.mask) }
      let near = Set(keys.flatMap { first[$0] ?? [] }).filter { images[$0].look?.isNear(look) == true }
      if let other = near.min(by: { closeness($0, index) < closeness($1, index) }) {
        let (here, there) = (splits[index][0].rawValue, splits[other][0].rawValue)
        let place = here == there ? "both in \(here)" : "one in \(here), one in \(there)"
        let distance = images[other].look?.distance(to: look) ?? 0
        faults.append(DataFault(.nearDuplicate, paths[index], "looks like \(paths[other]): \(place), \(distance) of 64 bits differ"))
      } else {
        for key in keys { first[key, default: []].append(index) }
      }
    }
  }

  /// Of several alike, one in another split says most, then the nearest, then the first.
  private func closeness(_ other: Int, _ index: Int) -> (Int, Int, Int) {
    let distance = images[index].look.flatMap { images[other].look?.distance(to: $0) } ?? 0
    return (splits[other][0] == splits[index][0] ? 1 : 0, distance, other)
  }
}
