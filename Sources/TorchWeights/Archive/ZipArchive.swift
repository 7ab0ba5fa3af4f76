// A zip archive as PyTorch writes it: entries stored as they are. The central directory is authoritative, the local headers must
// agree with it, and no two entries share a name or a byte. Invariant: every range lies inside the bytes before the directory.

struct ZipArchive {
  struct Entry {
    let name: String
    /// Where the contents lie.
    let contents: Range<Int>
    let checksum: UInt32
  }

  let bytes: [UInt8]
  private(set) var entries: [Entry] = []
  private var positions: [String: Int] = [:]

  /// Reads the directory; contents are checked when they are asked for.
  init(_ bytes: [UInt8]) throws(TorchWeightsError) {
    self.bytes = bytes
    let end = try ZipEnd(bytes)
    var position = end.directory.lowerBound
    var spans: [Range<Int>] = []
    entries.reserveCapacity(end.entryCount)
    spans.reserveCapacity(end.entryCount)
    for _ in 0..<end.entryCount {
      let header = try ZipEntryHeader(bytes, at: position, limit: end.directory.upperBound)
      position = header.end
      let contents = try header.contents(bytes, limit: end.directory.lowerBound)
      guard positions.updateValue(entries.count, forKey: header.name) == nil else {
        throw TorchWeightsError(.malformedArchive, "entry \"\(printable(header.name))\" appears twice")
      }
      entries.append(Entry(name: header.name, contents: contents, checksum: header.checksum))
      spans.append(header.localHeader..<contents.upperBound)
    }
    guard position == end.directory.upperBound else {
      throw TorchWeightsError(.malformedArchive, "the archive's directory has more than its \(end.entryCount) entries")
    }
    var covered = 0
    for span in spans.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      guard span.lowerBound >= covered else { throw TorchWeightsError(.malformedArchive, "two entries of the archive overlap") }
      covered = span.upperBound
    }
  }

  func contains(_ name: String) -> Bool { positions[name] != nil }

  /// The contents of entry `name`, once their CRC-32 is seen to be right.
  func contents(_ name: String) throws(TorchWeightsError) -> ArraySlice<UInt8> {
    guard let position = positions[name] else {
      throw TorchWeightsError(.missingEntry, "the archive has no entry \"\(printable(name))\"")
    }
    let slice = bytes[entries[position].contents]
    guard checksum(slice) == entries[position].checksum else {
      throw TorchWeightsError(.badChecksum, "entry \"\(printable(name))\" is damaged: its CRC-32 is wrong")
    }
    return slice
  }
}
