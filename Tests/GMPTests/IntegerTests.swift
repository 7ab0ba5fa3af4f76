// Integers against Swift's own, modular arithmetic against its laws, and text and bytes that must be refused.
import GMP
import Testing

@Suite struct IntegerTests {
  let small = [Int.min, -1_000_003, -2, -1, 0, 1, 2, 3, 97, 1_000_003, Int.max]

  @Test func agreesWithMachineIntegers() throws {
    for a in small {
      for b in small {
        let (x, y) = (BigInteger(a), BigInteger(b))
        #expect((x == y) == (a == b))
        #expect((x < y) == (a < b))
        let (sum, sumOverflow) = a.addingReportingOverflow(b)
        if !sumOverflow { #expect((x + y).int == sum) }
        let (product, productOverflow) = a.multipliedReportingOverflow(by: b)
        if !productOverflow { #expect((x * y).int == product) }
        #expect(x - y + y == x)
        if b != 0 {
          let (quotient, remainder) = try x.quotientAndRemainder(dividingBy: y)
          #expect(quotient * y + remainder == x)
          if !a.dividedReportingOverflow(by: b).overflow { #expect(quotient.int == a / b && remainder.int == a % b) }
        }
      }
    }
  }

  @Test func invertsAndRaisesModuloAPrime() throws {
    let prime = BigInteger.powerOfTwo(255) - BigInteger(19)
    for value in [2, 3, 1_000_003, -5] {
      let number = BigInteger(value)
      let inverse = try number.inverse(modulo: prime)
      #expect(try (number * inverse).modulo(prime) == BigInteger(1))
      #expect(try number.power(prime - BigInteger(1), modulo: prime) == BigInteger(1))
    }
    #expect(try BigInteger(-1).modulo(BigInteger(7)).int == 6)
  }

  @Test func whatHasNoResultIsRefused() {
    let zero = BigInteger(0)
    #expect(code { _ = try BigInteger(1).quotientAndRemainder(dividingBy: zero) } == .divisionByZero)
    #expect(code { _ = try BigInteger(1).modulo(zero) } == .divisionByZero)
    #expect(code { _ = try BigInteger(1).modulo(BigInteger(-7)) } == .divisionByZero)
    #expect(code { _ = try BigInteger(6).inverse(modulo: BigInteger(9)) } == .notInvertible)
    #expect(code { _ = try zero.inverse(modulo: BigInteger(7)) } == .notInvertible)
    #expect(code { _ = try BigInteger(2).power(BigInteger(-1), modulo: BigInteger(7)) } == .outOfRange)
  }

  @Test func bytesGoBothWays() throws {
    let bytes: [UInt8] = [1, 2, 3, 0, 255]
    let number = BigInteger(bytes: bytes, .bigEndian)
    #expect(number.int == 0x01_0203_00ff)
    #expect(BigInteger(bytes: bytes.reversed(), .littleEndian) == number)
    #expect(try number.bytes(count: 5, .bigEndian) == bytes)
    #expect(try number.bytes(count: 8, .bigEndian) == [0, 0, 0] + bytes)
    #expect(try number.bytes(count: 7, .littleEndian) == bytes.reversed() + [0, 0])
    #expect(try BigInteger(bytes: [], .bigEndian).bytes(count: 0, .bigEndian) == [])
    #expect(code { _ = try number.bytes(count: 4, .bigEndian) } == .outOfRange)
    #expect(code { _ = try BigInteger(-1).bytes(count: 4, .bigEndian) } == .outOfRange)
    #expect(code { _ = try number.bytes(count: -1, .bigEndian) } == .outOfRange)
  }

  @Test func textGoesBothWays() throws {
    let long = "-" + String(repeating: "1234567890", count: 50)
    for text in ["0", "7", "-7", "18446744073709551616", long] {
      #expect(try BigInteger(decimal: text).decimal == text)
    }
  }

  @Test(arguments: [
    "", "-", "-0", "00", "01", "+1", " 1", "1 ", "1_000", "0x10", "1e3", "1.0", "--1", "1-", "١", "1\0", "NaN",
    String(repeating: "9", count: 20_001),
  ])
  func textOfAnotherFormIsRefused(_ text: String) {
    #expect(code { _ = try BigInteger(decimal: text) } == .malformedNumber)
  }

  @Test func theAccumulatorReducesOnce() {
    let modulus = BigInteger(1_000_003)
    var accumulator = ModularAccumulator(modulus: modulus)
    var expected = 0
    for value in 1...200 {
      accumulator.addProduct(BigInteger(value * 7919), BigInteger(-value))
      expected = (expected - value * 7919 * value) % 1_000_003
    }
    #expect(accumulator.value().int == expected + 1_000_003)
  }

  @Test func widthAndSign() {
    #expect(BigInteger(0).bitWidth == 0 && BigInteger(0).isZero && !BigInteger(0).isOdd)
    #expect(BigInteger(-255).bitWidth == 8 && BigInteger(-255).signum == -1 && BigInteger(-255).isOdd)
    #expect(BigInteger.powerOfTwo(100).bitWidth == 101 && BigInteger.powerOfTwo(100).int == nil)
    #expect(BigInteger.powerOfTwo(2000).doubleTowardZero == .infinity)
  }

  private func code(_ body: () throws -> Void) -> GMPError.Code? {
    do {
      try body()
      return nil
    } catch { return (error as? GMPError)?.code }
  }
}
