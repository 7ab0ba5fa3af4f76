// Fractions: lowest terms, one text a value, doubles that enclose.
import GMP
import Testing

@Suite struct RationalTests {
  @Test func arithmeticIsExact() throws {
    let third = try Rational(BigInteger(-2), BigInteger(-6))
    #expect(third.decimal == "1/3")
    #expect((third + third + third).decimal == "1")
    #expect((third - Rational(1)).decimal == "-2/3")
    #expect((third * third).decimal == "1/9")
    #expect(try third.divided(by: Rational(-2)).decimal == "-1/6")
    #expect(third < Rational(1) && -third < third)
    #expect(third.numerator.int == 1 && third.denominator.int == 3)
  }

  @Test func doublesEnclose() throws {
    let values = try [("1/3", true), ("-1/3", true), ("3/4", false), ("0", false), ("-5", false)].map {
      (try Rational(decimal: $0.0), $0.1)
    }
    for (value, isInexact) in values {
      let (low, high) = (value.doubleRoundedDown, value.doubleRoundedUp)
      #expect(try Rational(exactly: low) <= value && value <= Rational(exactly: high))
      #expect(high == (isInexact ? low.nextUp : low))
    }
    let huge = Rational(BigInteger.powerOfTwo(3000))
    #expect(huge.doubleRoundedDown == .greatestFiniteMagnitude && huge.doubleRoundedUp == .infinity)
  }

  @Test func aDoubleIsTakenExactly() throws {
    #expect(try Rational(exactly: 0.1).denominator == BigInteger.powerOfTwo(55))
    for value in [Double.infinity, -.infinity, .nan] {
      #expect(throws: GMPError.self) { try Rational(exactly: value) }
    }
  }

  @Test func zeroDivisorsAreRefused() {
    #expect(throws: GMPError.self) { try Rational(BigInteger(1), BigInteger(0)) }
    #expect(throws: GMPError.self) { try Rational(1).divided(by: Rational(0)) }
  }

  @Test(arguments: ["", "/", "1/", "/2", "1/0", "1/1", "2/4", "0/3", "1/-2", "1/2/3", "1 /2", "1.5", "-0/3", "01/2"])
  func textOfAnotherFormIsRefused(_ text: String) {
    #expect(throws: GMPError.self) { try Rational(decimal: text) }
  }
}
