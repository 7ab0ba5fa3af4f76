// `secagg accountant sample`: the integers of tools/reference/noise_samplers.py for the same seed, and what the options refuse.
import ArgumentParser
import DPAccountant
import Testing

@testable import SecAggCommand

@Suite struct AccountantSampleTests {
  private static let seed = String(repeating: "20", count: 32)

  private func lines(_ arguments: String...) throws -> [String] {
    var text = ""
    try AccountantSample.parse(arguments).draw { text += $0 }
    return text.split(separator: "\n").map(String.init)
  }

  @Test(arguments: [
    ("discrete_gaussian", "fast", "0,0,0,1,1,-1,2,-1,-1,0,2,1,0,-3,0,0,0,0,1,0,1,0,1,2"),
    ("skellam", "fast", "0,0,0,1,1,-1,2,-1,-1,0,2,0,0,-3,0,0,0,0,1,0,1,0,1,2"),
    ("discrete_gaussian", "reference", "0,1,1,3,-1,-2,2,0,-1,-1,1,1,1,2,0,0,1,1,0,1,-1,1,-2,2"),
    ("skellam", "reference", "-1,-1,0,-1,1,0,-1,0,0,-1,0,0,-1,1,2,0,-2,0,-2,1,-2,0,1,0"),
  ]) func aSeedGivesThePythonProgramsIntegers(_ mechanism: String, _ method: String, _ expected: String) throws {
    let found = try lines(
      "--mechanism", mechanism, "--method", method, "--variance", "8/6", "--count", "24", "--seed", AccountantSampleTests.seed)
    #expect(found.joined(separator: ",") == expected)
  }

  @Test func fastIsTheDefaultAndPiecesAreSeamless() throws {
    let options = ["--mechanism", "skellam", "--variance", "100", "--seed", AccountantSampleTests.seed, "--count"]
    var texts: [String] = []
    for count in ["20000", "16384"] {
      var text = ""
      try AccountantSample.parse(options + [count]).draw { text += $0 }
      texts.append(text)
    }
    #expect(texts[0].hasPrefix(texts[1]))
    #expect(texts[0].split(separator: "\n").count == 20_000)
  }

  @Test func withoutASeedEveryRunDiffers() throws {
    let options = ["--mechanism", "discrete_gaussian", "--variance", "1000000", "--count", "20"]
    var texts: Set<String> = []
    for _ in 0..<3 { try AccountantSample.parse(options).draw { texts.insert($0) } }
    #expect(texts.count == 3)
  }

  @Test(arguments: [
    ["--variance", "1/0"], ["--variance", "0.5"], ["--variance", "1/-2"], ["--variance", ""], ["--variance", "4/3/2"],
    ["--variance", "4", "--count", "-1"], ["--variance", "4", "--seed", "00"], ["--variance", "4", "--method", "slow"],
    ["--variance", "4", "--seed", String(repeating: "g", count: 64)], ["--variance", "4", "--mechanism", "gaussian"],
  ]) func wrongOptionsAreRefused(_ wrong: [String]) {
    let defaults = ["--mechanism", "skellam", "--count", "3"]
    let options = stride(from: 0, to: defaults.count, by: 2).flatMap { index in
      wrong.contains(defaults[index]) ? [] : Array(defaults[index...index + 1])
    }
    #expect(throws: (any Error).self) { _ = try AccountantSample.parse(options + wrong) }
  }

  @Test(arguments: [("fast", "1/17"), ("fast", "0"), ("reference", "-1"), ("reference", "8000000")])
  func variancesThatASamplerDoesNotTakeAreRefusedWithACode(_ method: String, _ variance: String) throws {
    let options = ["--mechanism", "skellam", "--count", "3", "--method", method, "--variance=\(variance)"]
    let command = try AccountantSample.parse(options)
    #expect(throws: AccountingError.self) { try command.draw { _ in } }
  }
}
