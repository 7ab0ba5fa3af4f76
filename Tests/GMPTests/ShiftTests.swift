// Shifts and floors of big integers, against machine integers.
import Testing

@testable import GMP

@Suite struct ShiftTests {
  private let values = [-1025, -1024, -9, -8, -7, -1, 0, 1, 7, 8, 9, 1023, 1024, 1 << 40]

  @Test func shiftsRoundTowardMinusInfinity() {
    for value in values {
      for count in [0, 1, 3, 10, 50] {
        #expect((BigInteger(value) >> count).int == value >> count)
        #expect((BigInteger(value) << count) >> count == BigInteger(value))
      }
      #expect((BigInteger(value) << 5).int == value << 5)
    }
  }

  @Test func productsAreCutOnce() {
    for left in values {
      for right in values where left.multipliedReportingOverflow(by: right).overflow == false {
        #expect(BigInteger.product(BigInteger(left), BigInteger(right), shiftedRight: 3).int == (left * right) >> 3)
      }
    }
  }

  @Test func quotientsAreFloors() {
    for value in values {
      for divisor in [1, 2, 7, 1000] {
        let floor = value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
        #expect(BigInteger.quotient(BigInteger(value), UInt(divisor)).int == floor)
        #expect(BigInteger.quotient(BigInteger(value), BigInteger(divisor)).int == floor)
      }
    }
  }

  @Test func rootsAreFloors() {
    for value in 0..<300 {
      let root = BigInteger(value).squareRoot.int!
      #expect(root * root <= value && (root + 1) * (root + 1) > value)
    }
  }

  @Test func unsignedValuesFitOrAreNil() {
    #expect(BigInteger(-1).unsigned == nil)
    #expect((BigInteger.powerOfTwo(64) - BigInteger(1)).unsigned == .max)
    #expect(BigInteger.powerOfTwo(64).unsigned == nil)
    #expect(BigInteger(0).unsigned == 0)
  }
}
