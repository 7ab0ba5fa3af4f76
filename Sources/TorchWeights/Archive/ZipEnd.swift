// The end records of a zip archive (PKWARE APPNOTE 4.3.14 to 4.3.16): where the central directory lies, in the classic form or in
// ZIP64's. The two must agree and the directory must end where they begin, so that an archive has one directory.

struct ZipEnd {
  let entryCount: Int
  let directory: Range<Int>

  private static let endSize = 22
  private static let locatorSize = 20

  init(_ bytes: [UInt8]) throws(TorchWeightsError) {
    let last = bytes.count - Self.endSize
    var position = last
    // A comment of up to 65,535 bytes may follow, and must then reach to the end exactly.
    while position >= max(0, last - 0xffff) {
      if bytes.number(at: position, size: 4) == 0x0605_4b50, bytes.number(at: position + 20, size: 2) == last - position {
        try self.init(bytes, end: position)
        return
      }
      position -= 1
    }
    throw TorchWeightsError(.truncated, "the archive has no end record: the file is cut short")
  }

  private init(_ bytes: [UInt8], end: Int) throws(TorchWeightsError) {
    func classic(_ offset: Int, _ size: Int) -> Int { bytes.number(at: end + offset, size: size) ?? 0 }
    let (disk, firstDisk, countHere) = (classic(4, 2), classic(6, 2), classic(8, 2))
    let (count, size, offset) = (classic(10, 2), classic(12, 4), classic(16, 4))
    guard disk == 0 || disk == 0xffff, firstDisk == 0 || firstDisk == 0xffff, countHere == count else {
      throw TorchWeightsError(.malformedArchive, "the archive is one part of several")
    }
    let locator = end - Self.locatorSize
    if bytes.number(at: locator, size: 4) == 0x0706_4b50 {
      let wide = try Self.wide(bytes, locator: locator)
      guard count == 0xffff || count == wide.count, size == 0xffff_ffff || size == wide.size,
        offset == 0xffff_ffff || offset == wide.offset
      else { throw TorchWeightsError(.malformedArchive, "the two end records of the archive contradict each other") }
      try self.init(count: wide.count, size: wide.size, offset: wide.offset, end: wide.end)
    } else {
      try self.init(count: count, size: size, offset: offset, end: end)
    }
  }

  private init(count: Int, size: Int, offset: Int, end: Int) throws(TorchWeightsError) {
    let (sum, overflow) = offset.addingReportingOverflow(size)
    guard !overflow, sum == end else {
      throw TorchWeightsError(.malformedArchive, "the archive's directory is not where its end record says")
    }
    // 46 bytes are the least that an entry takes.
    guard count <= size / 46 else { throw TorchWeightsError(.malformedArchive, "the archive's directory cannot hold \(count) entries") }
    entryCount = count
    directory = offset..<sum
  }

  /// ZIP64's end record, which `locator` points to and which must lie directly before it.
  private static func wide(
    _ bytes: [UInt8], locator: Int
  ) throws(TorchWeightsError) -> (count: Int, size: Int, offset: Int, end: Int) {
    guard let record = bytes.number(at: locator + 8, size: 8), bytes.number(at: record, size: 4) == 0x0606_4b50,
      let length = bytes.number(at: record + 4, size: 8), length >= 44, length == locator - record - 12,
      bytes.number(at: record + 16, size: 4) == 0, bytes.number(at: record + 20, size: 4) == 0,
      let countHere = bytes.number(at: record + 24, size: 8), let count = bytes.number(at: record + 32, size: 8), count == countHere,
      let size = bytes.number(at: record + 40, size: 8), let offset = bytes.number(at: record + 48, size: 8)
    else { throw TorchWeightsError(.malformedArchive, "the ZIP64 end record is damaged") }
    return (count, size, offset, record)
  }
}
