// Many masks over one long vector (spec/05-masks.md): the vector is cut into ranges, each range gets all masks while it is in the cache,
// and ranges go to different cores. The result does not depend on how it was cut, because addition modulo 2^32 commutes.

public struct MaskBatch: Sendable {
  private var masks: [(stream: MaskStream, operation: MaskStream.Operation)] = []

  public init() {}

  public var count: Int { masks.count }

  public mutating func append(_ stream: MaskStream, _ operation: MaskStream.Operation) { masks.append((stream, operation)) }

  /// 1 MiB of words: long against what starting a piece of work costs.
  static let rangeCoordinates = 1 << 18

  /// Applies every mask to every section.
  public func apply(to sections: inout [[UInt32]], _ workers: Workers = .serial) {
    guard !masks.isEmpty else { return }
    for section in sections.indices {
      sections[section].withUnsafeMutableBufferPointer { words in
        // The ranges are disjoint.
        nonisolated(unsafe) let words = words
        let pieces = (words.count + MaskBatch.rangeCoordinates - 1) / MaskBatch.rangeCoordinates
        workers(pieces) { piece in
          let first = piece * MaskBatch.rangeCoordinates
          let range = UnsafeMutableBufferPointer(rebasing: words[first..<min(first + MaskBatch.rangeCoordinates, words.count)])
          MaskStream.apply(masks, section: UInt32(section), startingAt: first, to: range)
        }
      }
    }
  }
}
