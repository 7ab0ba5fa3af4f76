// `secagg accountant sample`: exact noise as text, one integer a line, for whoever wants to hold it to another program
// (tools/reference/noise_samplers.py prints the same integers for the same seed).

import ArgumentParser
import CommandLineKit
import DPAccountant
import Federation
import Foundation
import GMP
import Sodium

struct AccountantSample: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample", abstract: "Print exact discrete noise, one integer a line.",
    discussion: """
      secagg accountant sample --mechanism discrete_gaussian --variance 4/3 --count 10
      secagg accountant sample --mechanism skellam --variance 1000000 --count 1000000 --method fast
      """)

  enum Method: String, ExpressibleByArgument, CaseIterable { case reference, fast }

  @Option(help: "discrete_gaussian or skellam.") var mechanism: NoiseSampler.Distribution
  @Option(help: .init("The parameter sigma^2 as an integer or a fraction.", valueName: "p/q")) var variance: String
  @Option(help: "How many samples.") var count: Int
  @Option(help: .init("32 bytes in hexadecimal that the samples follow from; fresh randomness unless given.", valueName: "hex"))
  var seed: String?
  @Option(help: "fast (64-bit integers, millions a second) or reference (readable, exact fractions of any size).")
  var method = Method.fast

  /// Samples that are drawn and written at once; whole blocks, so that pieces give what one buffer would.
  private static let piece = 16 * NoiseSampler.blockSamples

  func validate() throws {
    guard count >= 0 else { throw ValidationError("--count is not negative") }
    guard fraction != nil else { throw ValidationError("--variance is an integer or a fraction of two, such as 4/3") }
    guard seed == nil || seedBytes != nil else { throw ValidationError("--seed has 64 hexadecimal digits") }
  }

  func run() throws {
    do throws(AccountingError) {
      try draw { Output.write($0, to: FileHandle.standardOutput) }
    } catch {
      throw CommandError(code: error.code.rawValue, what: error.reason, hint: "choose another --variance or --method", exit: .usage)
    }
  }

  /// Hands over lines of text, whole ones, some thousand at a time.
  func draw(_ emit: (String) -> Void) throws(AccountingError) {
    guard let variance = fraction, var source = makeSource() else { preconditionFailure("options are validated before a run") }
    let next: (inout RandomStream, Int) -> [String]
    switch (method, mechanism) {
    case (.fast, _):
      let sampler = try NoiseSampler(mechanism, variance: variance)
      next = { source, count in sampler.samples(count, from: &source).map(String.init) }
    case (.reference, .discreteGaussian):
      let sampler = try ReferenceGaussian(variance: variance)
      next = { source, count in (0..<count).map { _ in sampler.sample(from: &source).decimal } }
    case (.reference, .skellam):
      let sampler = try ReferenceSkellam(variance: variance)
      next = { source, count in (0..<count).map { _ in sampler.sample(from: &source).decimal } }
    }
    for start in stride(from: 0, to: count, by: AccountantSample.piece) {
      emit(next(&source, min(AccountantSample.piece, count - start)).map { $0 + "\n" }.joined())
    }
  }

  private func makeSource() -> RandomStream? {
    guard seed != nil else { return RandomStream() }
    guard var bytes = seedBytes else { return nil }
    return try? RandomStream(seed: SecretBytes(taking: &bytes))
  }

  /// P/Q, in lowest terms or not.
  var fraction: Rational? {
    let parts = variance.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let numerator = try? BigInteger(decimal: parts[0]) else { return nil }
    guard parts.count == 2 else { return Rational(numerator) }
    guard let denominator = try? BigInteger(decimal: parts[1]), denominator.signum > 0 else { return nil }
    return try? Rational(numerator, denominator)
  }

  private var seedBytes: [UInt8]? { seed.flatMap { Hexadecimal.bytes($0.lowercased(), count: RandomStream.seedBytes) } }
}

extension NoiseSampler.Distribution: ExpressibleByArgument {}
