// One entry of the central directory (PKWARE APPNOTE 4.3.12) with its ZIP64 numbers (4.5.3), and the check of its local header.

struct ZipEntryHeader {
  let name: String
  let checksum: UInt32
  let localHeader: Int
  /// Position behind this header.
  let end: Int
  private let flags: Int
  private let size: Int
  private let nameBytes: Range<Int>

  private static let fixedSize = 46
  private static let localFixedSize = 30
  /// Sizes and checksum follow the contents instead of standing in the local header.
  private static let describedLater = 1 << 3

  /// - Parameter limit: where the directory ends.
  init(_ bytes: [UInt8], at position: Int, limit: Int) throws(TorchWeightsError) {
    func field(_ offset: Int, _ size: Int) -> Int { bytes.number(at: position + offset, size: size) ?? 0 }
    guard limit - position >= Self.fixedSize, field(0, 4) == 0x0201_4b50 else {
      throw TorchWeightsError(.malformedArchive, "an entry of the archive's directory is damaged")
    }
    let nameEnd = position + Self.fixedSize + field(28, 2)
    let extraEnd = nameEnd + field(30, 2)
    end = extraEnd + field(32, 2)
    guard end <= limit else { throw TorchWeightsError(.malformedArchive, "the archive's directory is cut short") }
    nameBytes = (position + Self.fixedSize)..<nameEnd
    name = String(decoding: bytes[nameBytes], as: UTF8.self)
    flags = field(8, 2)
    checksum = UInt32(field(16, 4))
    // Bits 0, 6 and 13: encryption of the contents, strong encryption, masked headers.
    guard flags & 0x2041 == 0 else { throw TorchWeightsError(.encrypted, "entry \"\(printable(name))\" is encrypted") }
    guard field(10, 2) == 0 else {
      throw TorchWeightsError(.compressed, "entry \"\(printable(name))\" is compressed; save the checkpoint again with torch.save")
    }
    var (compressed, plain, offset, disk) = (field(20, 4), field(24, 4), field(42, 4), field(34, 2))
    if compressed == 0xffff_ffff || plain == 0xffff_ffff || offset == 0xffff_ffff {
      var wide = try Self.wideNumbers(bytes, nameEnd..<extraEnd)[...]
      if plain == 0xffff_ffff { plain = wide.popFirst() ?? -1 }
      if compressed == 0xffff_ffff { compressed = wide.popFirst() ?? -1 }
      if offset == 0xffff_ffff { offset = wide.popFirst() ?? -1 }
      if disk == 0xffff { disk = 0 }
    }
    guard plain >= 0, plain == compressed, offset >= 0, disk == 0 else {
      throw TorchWeightsError(.malformedArchive, "entry \"\(printable(name))\" has contradictory sizes")
    }
    size = plain
    localHeader = offset
  }

  /// The 64-bit numbers of the extra field with id 1, in their order.
  private static func wideNumbers(_ bytes: [UInt8], _ extra: Range<Int>) throws(TorchWeightsError) -> [Int] {
    var position = extra.lowerBound
    while extra.upperBound - position >= 4 {
      let length = bytes.number(at: position + 2, size: 2) ?? 0
      let end = position + 4 + length
      guard end <= extra.upperBound else { break }
      if bytes.number(at: position, size: 2) == 1 {
        var numbers: [Int] = []
        for index in 0..<min(length / 8, 3) { numbers.append(bytes.number(at: position + 4 + 8 * index, size: 8) ?? -1) }
        return numbers
      }
      position = end
    }
    throw TorchWeightsError(.malformedArchive, "an entry of the archive lacks its ZIP64 sizes")
  }

  /// Where the contents lie, by the local header, which must name the same entry.
  /// - Parameter limit: where the directory begins.
  func contents(_ bytes: [UInt8], limit: Int) throws(TorchWeightsError) -> Range<Int> {
    func field(_ offset: Int, _ size: Int) -> Int { bytes.number(at: localHeader + offset, size: size) ?? 0 }
    guard localHeader <= limit - Self.localFixedSize, field(0, 4) == 0x0403_4b50 else {
      throw TorchWeightsError(.malformedArchive, "entry \"\(printable(name))\" has no header where the directory says")
    }
    let nameStart = localHeader + Self.localFixedSize
    let nameEnd = nameStart + field(26, 2)
    let start = nameEnd + field(28, 2)
    guard start <= limit, size <= limit - start else {
      throw TorchWeightsError(.malformedArchive, "entry \"\(printable(name))\" reaches into the archive's directory")
    }
    guard bytes[nameStart..<nameEnd].elementsEqual(bytes[nameBytes]), field(6, 2) == flags, field(8, 2) == 0,
      flags & Self.describedLater != 0 || field(14, 4) == Int(checksum)
    else { throw TorchWeightsError(.malformedArchive, "entry \"\(printable(name))\" has a header that contradicts the directory") }
    return start..<(start + size)
  }
}
