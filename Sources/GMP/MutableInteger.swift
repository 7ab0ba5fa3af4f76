// One big integer that changes in place, for the inner loops of series and recurrences: a new `BigInteger` a step costs three allocations,
// which was nine tenths of an exponential at 150 bits.
import CGMP

/// A big integer with one owner.
public struct MutableInteger: ~Copyable {
  private let pointer: UnsafeMutablePointer<__mpz_struct>

  public init(_ value: BigInteger) {
    pointer = .allocate(capacity: 1)
    __gmpz_init_set(pointer, value.pointer)
  }

  deinit {
    __gmpz_clear(pointer)
    pointer.deallocate()
  }

  public var isZero: Bool { cgmp_sign(pointer) == 0 }

  /// The value as it is now.
  public borrowing func value() -> BigInteger { BigInteger.make { __gmpz_set($0, pointer) } }

  /// self ← self · factor
  public mutating func multiply(by factor: BigInteger) { __gmpz_mul(pointer, pointer, factor.pointer) }
  public mutating func multiply(by factor: borrowing MutableInteger) { __gmpz_mul(pointer, pointer, factor.pointer) }

  /// self ← ⌊self · factor / 2^count⌋
  public mutating func multiply(by factor: BigInteger, shiftedRight count: Int) {
    __gmpz_mul(pointer, pointer, factor.pointer)
    __gmpz_fdiv_q_2exp(pointer, pointer, UInt(count))
  }

  /// self ← ⌊self² / 2^count⌋
  public mutating func square(shiftedRight count: Int) {
    __gmpz_mul(pointer, pointer, pointer)
    __gmpz_fdiv_q_2exp(pointer, pointer, UInt(count))
  }

  /// self ← ⌊self / divisor⌋
  public mutating func divide(by divisor: UInt) {
    precondition(divisor > 0, "a divisor is positive")
    _ = __gmpz_fdiv_q_ui(pointer, pointer, divisor)
  }

  public mutating func add(_ other: borrowing MutableInteger) { __gmpz_add(pointer, pointer, other.pointer) }
  public mutating func subtract(_ other: borrowing MutableInteger) { __gmpz_sub(pointer, pointer, other.pointer) }
  public mutating func add(_ other: BigInteger) { __gmpz_add(pointer, pointer, other.pointer) }
  public mutating func subtract(_ other: BigInteger) { __gmpz_sub(pointer, pointer, other.pointer) }

  /// self ← other
  public mutating func assign(_ other: borrowing MutableInteger) { __gmpz_set(pointer, other.pointer) }
}
