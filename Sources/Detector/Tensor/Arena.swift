// Float memory of the network: a few large, 64-byte aligned blocks that live as long as their owner and are reused every
// step, because allocating per step costs a quarter of the training time (page faults). Alignment is worth as much.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A growable block of floats. Growing discards the contents and invalidates pointers.
final class Arena {
  private(set) var base: UnsafeMutablePointer<Float>
  private(set) var capacity: Int

  /// A block of `count` zeros.
  init(_ count: Int = 0) {
    capacity = max(count, 16)
    base = Self.allocate(capacity)
    base.initialize(repeating: 0, count: capacity)
  }

  deinit { UnsafeMutableRawPointer(base).deallocate() }

  /// Makes room for `count` floats.
  func reserve(_ count: Int) {
    guard count > capacity else { return }
    UnsafeMutableRawPointer(base).deallocate()
    capacity = count
    base = Self.allocate(count)
  }

  func clear() { base.update(repeating: 0, count: capacity) }

  /// Linux's MADV_HUGEPAGE, which Glibc's module does not export.
  private static let hugePages: Int32 = 14

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = count * MemoryLayout<Float>.stride
    // Whole huge pages where the block is large: fewer page faults and TLB misses.
    let alignment = bytes >= 4 << 20 ? 2 << 20 : 64
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: alignment)
    #if os(Linux)
      if alignment > 64 { madvise(raw, bytes, hugePages) }
    #endif
    return raw.bindMemory(to: Float.self, capacity: count)
  }
}

/// Places blocks with known lifetimes into one arena, first fit, so that blocks that never live together share memory.
struct LifetimeAllocator {
  private var placed: [(range: Range<Int>, life: ClosedRange<Int>)] = []
  /// Floats needed so far.
  private(set) var total = 0

  /// Offset (a multiple of 16 floats) for a block of `count` floats in use during the steps `life`.
  mutating func place(_ count: Int, life: ClosedRange<Int>) -> Int {
    let size = (count + 15) / 16 * 16
    var offset = 0
    for other in placed.filter({ $0.life.overlaps(life) }).sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      if offset + size <= other.range.lowerBound { break }
      offset = max(offset, other.range.upperBound)
    }
    placed.append((offset..<(offset + size), life))
    total = max(total, offset + size)
    return offset
  }
}
