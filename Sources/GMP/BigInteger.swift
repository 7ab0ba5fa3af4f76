// Owner of one GMP integer. The mpz_t stays behind a pointer that never moves (passing the same struct `inout` twice is an
// exclusivity error, and GMP compares addresses); the value never changes after initialisation, so it may be shared.
// GMP is not constant time: only public or already revealed values come here.
import CGMP

/// An immutable integer of any size.
public final class BigInteger: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<__mpz_struct>

  /// Zero, to be filled once by an initialiser of this module.
  init() {
    pointer = .allocate(capacity: 1)
    __gmpz_init(pointer)
  }

  deinit {
    __gmpz_clear(pointer)
    pointer.deallocate()
  }

  public convenience init(_ value: Int) {
    self.init()
    __gmpz_set_si(pointer, value)
  }

  public convenience init(_ value: UInt) {
    self.init()
    __gmpz_set_ui(pointer, value)
  }

  /// 2^exponent.
  public static func powerOfTwo(_ exponent: UInt) -> BigInteger {
    precondition(exponent <= 1 << 24, "powers of two up to 2^(2^24)")
    return make { __gmpz_setbit($0, exponent) }
  }

  /// a! / (b! (a − b)!), and 0 where b > a.
  public static func binomial(_ a: UInt, _ b: UInt) -> BigInteger {
    precondition(a <= 1 << 24, "binomial coefficients of at most 2^24")
    return make { __gmpz_bin_uiui($0, a, b) }
  }

  static func make(_ fill: (UnsafeMutablePointer<__mpz_struct>) -> Void) -> BigInteger {
    let result = BigInteger()
    fill(result.pointer)
    return result
  }

  /// −1, 0 or 1.
  public var signum: Int { Int(cgmp_sign(pointer)) }
  public var isZero: Bool { signum == 0 }
  public var isOdd: Bool { cgmp_is_odd(pointer) != 0 }
  /// Bits of the magnitude; 0 for zero.
  public var bitWidth: Int { isZero ? 0 : __gmpz_sizeinbase(pointer, 2) }

  /// The value where it fits.
  public var int: Int? { __gmpz_fits_slong_p(pointer) != 0 ? __gmpz_get_si(pointer) : nil }

  /// The nearest double toward zero (infinite beyond its range).
  public var doubleTowardZero: Double { bitWidth > 1024 ? (signum < 0 ? -.infinity : .infinity) : __gmpz_get_d(pointer) }
}

extension BigInteger: Comparable, Hashable {
  public static func == (left: BigInteger, right: BigInteger) -> Bool { __gmpz_cmp(left.pointer, right.pointer) == 0 }
  public static func < (left: BigInteger, right: BigInteger) -> Bool { __gmpz_cmp(left.pointer, right.pointer) < 0 }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(signum)
    hasher.combine(bitWidth)
    hasher.combine(__gmpz_getlimbn(pointer, 0))
  }
}
