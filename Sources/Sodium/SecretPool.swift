// Small secrets share guarded regions. sodium_malloc costs seven system calls and three mappings a secret: a site with 100 neighbours
// makes thousands (measured: half of an attempt's time), and a process has about 65,000 mappings. A region is locked and has libsodium's
// guard pages and canary around it; a slot is zeroed when it is given back and goes to one owner at a time.
import CSodium
import Synchronization

/// Slots of one size.
final class SecretPool: Sendable {
  private struct Slots: @unchecked Sendable {
    var free: [UnsafeMutableRawPointer] = []
  }

  private static let regionBytes = 16 << 10
  private static let pools = [32, 64, 256].map(SecretPool.init)

  /// The pool for secrets of so many bytes; nil for larger ones, which get a region of their own.
  static func pool(for count: Int) -> SecretPool? { count == 0 ? nil : pools.first { count <= $0.slotBytes } }

  let slotBytes: Int
  private let slots = Mutex(Slots())

  private init(slotBytes: Int) { self.slotBytes = slotBytes }

  /// A slot of zeros.
  func take() -> UnsafeMutableRawPointer {
    slots.withLock { slots in
      if slots.free.isEmpty { slots.free = makeRegion() }
      return slots.free.removeLast()
    }
  }

  func giveBack(_ slot: UnsafeMutableRawPointer) {
    sodium_memzero(slot, slotBytes)
    slots.withLock { $0.free.append(slot) }
  }

  private func makeRegion() -> [UnsafeMutableRawPointer] {
    SodiumLibrary.ensureReady()
    guard let region = sodium_malloc(SecretPool.regionBytes) else { preconditionFailure("no memory for secrets") }
    sodium_memzero(region, SecretPool.regionBytes)
    return stride(from: 0, to: SecretPool.regionBytes, by: slotBytes).map { region + $0 }.reversed()
  }
}
