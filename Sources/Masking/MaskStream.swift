// The mask stream of one seed (spec/05-masks.md): AES-256 in counter mode (NIST SP 800-38A), counter block =
// section (4 bytes) ‖ chunk (8) ‖ block (4), big-endian; chunks of 2^20 coordinates; four little-endian words a block.
// Any range of coordinates can be produced alone, so work resumes and splits over threads. Never a table-based AES.
import Sodium

/// Expands a 32-byte seed into masks and adds or subtracts them. Immutable, so threads may share it.
public final class MaskStream: Sendable {
  public static let seedBytes = 32
  public static let chunkCoordinates = 1 << 20
  /// Largest number of coordinates in a section that this program handles.
  public static let coordinatesMax = 1 << 40

  public enum Operation: Sendable { case add, subtract }

  private let path: MaskPath
  private let keys: SecretBytes

  /// - Parameters:
  ///   - seed: 32 secret bytes, used for this stream only.
  ///   - path: nil takes the fastest that this machine has and that proved itself.
  public init(seed: borrowing SecretBytes, path: MaskPath? = nil) {
    precondition(seed.count == MaskStream.seedBytes, "a mask seed has 32 bytes")
    let path = path ?? MaskPath.preferred
    precondition(path.isAvailable, "the mask path \(path.rawValue) does not exist on this machine")
    self.path = path
    keys = path.expand(seed)
  }

  /// Adds or subtracts the masks of coordinates `first` ..< `first + buffer.count` of a section, modulo 2^32.
  public func apply(
    _ operation: Operation, section: UInt32, startingAt first: Int = 0, to buffer: UnsafeMutableBufferPointer<UInt32>
  ) {
    precondition(first >= 0 && first <= MaskStream.coordinatesMax - buffer.count, "coordinates below 2^40")
    guard let base = buffer.baseAddress else { return }
    var done = 0
    while done < buffer.count {
      let coordinate = first + done
      let offset = coordinate % MaskStream.chunkCoordinates
      let count = min(MaskStream.chunkCoordinates - offset, buffer.count - done)
      let chunk = UInt64(coordinate / MaskStream.chunkCoordinates)
      let part = UnsafeMutableBufferPointer(start: base + done, count: count)
      applyInChunk(operation, CounterPrefix(section: section, chunk: chunk), offset: offset, part)
      done += count
    }
  }

  public func apply(_ operation: Operation, section: UInt32, startingAt first: Int = 0, to words: inout [UInt32]) {
    words.withUnsafeMutableBufferPointer { apply(operation, section: section, startingAt: first, to: $0) }
  }

  /// Applies several streams to one range, a piece at a time: the piece stays in the cache while all streams pass over it
  /// (five masks of 1.8 M coordinates read and write memory once instead of five times).
  public static func apply(
    _ masks: [(stream: MaskStream, operation: Operation)], section: UInt32, startingAt first: Int = 0,
    to buffer: UnsafeMutableBufferPointer<UInt32>
  ) {
    for start in stride(from: 0, to: buffer.count, by: pieceCoordinates) {
      let piece = UnsafeMutableBufferPointer(rebasing: buffer[start..<min(start + pieceCoordinates, buffer.count)])
      for (stream, operation) in masks { stream.apply(operation, section: section, startingAt: first + start, to: piece) }
    }
  }

  public static func apply(
    _ masks: [(stream: MaskStream, operation: Operation)], section: UInt32, startingAt first: Int = 0, to words: inout [UInt32]
  ) {
    words.withUnsafeMutableBufferPointer { apply(masks, section: section, startingAt: first, to: $0) }
  }

  // 64 KiB.
  private static let pieceCoordinates = 1 << 14

  // A range may begin and end inside a block of four words: those blocks go through a local one.
  private func applyInChunk(
    _ operation: Operation, _ prefix: CounterPrefix, offset: Int, _ part: UnsafeMutableBufferPointer<UInt32>
  ) {
    var index = 0
    var block = offset / 4
    let inside = offset % 4
    if inside != 0 {
      index = min(4 - inside, part.count)
      applyPartial(operation, prefix, block, words: inside..<inside + index, part, at: 0)
      block += 1
    }
    let whole = (part.count - index) / 4
    if whole > 0, let base = part.baseAddress {
      path.apply(operation, keys, prefix, firstBlock: UInt32(block), blocks: whole, to: base + index)
      index += 4 * whole
      block += whole
    }
    if index < part.count {
      applyPartial(operation, prefix, block, words: 0..<part.count - index, part, at: index)
    }
  }

  private func applyPartial(
    _ operation: Operation, _ prefix: CounterPrefix, _ block: Int, words: Range<Int>,
    _ part: UnsafeMutableBufferPointer<UInt32>, at index: Int
  ) {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 4) { local in
      local.initialize(repeating: 0)
      guard let base = local.baseAddress else { return }
      path.apply(operation, keys, prefix, firstBlock: UInt32(block), blocks: 1, to: base)
      for (position, word) in words.enumerated() { part[index + position] &+= local[word] }
    }
  }
}

/// The first twelve bytes of a counter block.
struct CounterPrefix: Sendable {
  let bytes: [UInt8]

  init(section: UInt32, chunk: UInt64) {
    bytes = withUnsafeBytes(of: section.bigEndian, Array.init) + withUnsafeBytes(of: chunk.bigEndian, Array.init)
  }
}
