// A site's permanent index in the roster (spec/02-context-keys-roster.md). All orderings of the protocol are by this number.

/// Names one site for as long as its consortium exists. `UInt32.max` is reserved for the server.
public struct SiteID: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }
  public init(_ rawValue: UInt32) { self.rawValue = rawValue }

  public static func < (left: SiteID, right: SiteID) -> Bool { left.rawValue < right.rawValue }

  public var description: String { "site \(rawValue)" }
}

extension SiteID {
  /// The sender of the server's messages; never a site of a roster.
  package static let server = SiteID(.max)
}

extension Collection<SiteID> {
  /// For reasons that people read: "1, 4, 5".
  package var listed: String { isEmpty ? "none" : map { String($0.rawValue) }.joined(separator: ", ") }

  /// Whether every element is below the next: sorted and distinct.
  var isStrictlyAscending: Bool { zip(self, dropFirst()).allSatisfy { $0 < $1 } }
}

extension [SiteID] {
  /// The position in a strictly ascending list.
  package func sortedIndex(of site: SiteID) -> Int? {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < site { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low] == site ? low : nil
  }

  /// Whether a strictly ascending list holds the site.
  package func sortedContains(_ site: SiteID) -> Bool { sortedIndex(of: site) != nil }

  /// Whether every element is in `other`; both are strictly ascending.
  func isSortedSubset(of other: [SiteID]) -> Bool { allSatisfy(other.sortedContains) }
}
