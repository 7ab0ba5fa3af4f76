// Errors as the user reads them, exit codes as scripts read them, progress without a clock.
import ArgumentParser
import Testing

@testable import CommandLineKit

private struct Root: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "secagg-test", version: "1.0", subcommands: [Verb.self])
  @Option var sites = 5
  func validate() throws { if sites < 1 { throw ValidationError("--sites must be at least 1") } }
}

private struct Verb: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "verb")
  @Option var rounds = 1
}

private struct Foreign: Error {}

@Suite struct OutputTests {
  @Test func anErrorHasCodePlaceCaretAndHint() {
    let place = CommandError.Place(file: "federated.yaml", line: 12, column: 3, width: 9, text: "  fed_round: 10")
    let error = CommandError(
      code: "CF-03", what: "unknown key `fed_round`", hint: "did you mean `fed_rounds`?", exit: .configuration, place: place)
    #expect(
      error.rendered() == """
        error[CF-03]: federated.yaml:12:3: unknown key `fed_round`
         12 |   fed_round: 10
            |   ^^^^^^^^^
        hint: did you mean `fed_rounds`?
        """)
  }

  @Test func controlCharactersNeverReachTheTerminal() {
    let place = CommandError.Place(file: "a\u{1B}[2Jb", line: 1, column: 1, text: "x\u{1B}]0;t\u{7}y\u{202E}")
    let text = CommandError(code: "X-01", what: "bad \u{1B}[31m name \u{9B}", exit: .badData, place: place).rendered()
    for bad: Unicode.Scalar in ["\u{1B}", "\u{7}", "\u{9B}", "\u{202E}"] { #expect(!text.unicodeScalars.contains(bad)) }
  }

  @Test(arguments: [(0, 0), (-5, -5), (500, 3), (1, 10_000), (100_000, 1)])
  func carelessPositionsDoNotTrap(column: Int, width: Int) {
    let place = CommandError.Place(file: "f", line: 1, column: column, width: width, text: String(repeating: "a", count: 300))
    #expect(CommandError(code: "X-01", what: "w", exit: .badData, place: place).rendered().contains("^"))
  }

  @Test func aLongLineIsCutAroundTheCaret() {
    let text = String(repeating: "a", count: 500) + "BAD" + String(repeating: "b", count: 500)
    let place = CommandError.Place(file: "f", line: 1, column: 501, width: 3, text: text)
    let lines = CommandError(code: "X-01", what: "w", exit: .badData, place: place).rendered().split(separator: "\n")
    let caret = lines[2].firstIndex(of: "^").map { lines[2].distance(from: lines[2].startIndex, to: $0) }
    let bad = lines[1].range(of: "BAD").map { lines[1].distance(from: lines[1].startIndex, to: $0.lowerBound) }
    #expect(caret == bad && caret != nil)
    #expect(lines[1].count < 130)
  }

  private func endingOf(_ arguments: [String]) -> Ending? {
    do {
      var command = try Root.parseAsRoot(arguments)
      try command.run()
    } catch { return Ending(error, of: Root.self, arguments: arguments, describe: { _ in nil }) }
    return nil
  }

  @Test(arguments: [
    (["--nonsense"], "secagg-test"), (["verb", "--rounds", "many"], "secagg-test verb"), (["--sites", "verb"], "secagg-test"),
  ])
  func aUsageErrorNamesTheVerbsOwnHelp(arguments: [String], program: String) throws {
    #expect(try #require(endingOf(arguments)).failure?.hint == "see `\(program) --help`")
  }

  @Test(arguments: [["--nonsense"], ["--sites"], ["--sites", "many"], ["--sites", "0"], ["surplus"]])
  func usageErrorsEndWith64(arguments: [String]) throws {
    let ending = try #require(endingOf(arguments))
    #expect(ending.status == 64)
    #expect(ending.failure?.code == "CL-01")
    #expect(ending.standardOutput == nil)
  }

  @Test(arguments: [["--help"], ["--version"]])
  func helpAndVersionAreResults(arguments: [String]) throws {
    let ending = try #require(endingOf(arguments))
    #expect(ending.status == 0 && ending.failure == nil)
    #expect(ending.standardOutput?.isEmpty == false)
  }

  @Test func unknownErrorsAreOurFault() {
    let ending = Ending(Foreign(), of: Root.self, arguments: [], describe: { _ in nil })
    #expect(ending.status == 70 && ending.failure?.code == "CL-02")
  }

  @Test func describedErrorsKeepTheirCode() {
    let ending = Ending(Foreign(), of: Root.self, arguments: []) { _ in CommandError(code: "RO-04", what: "expired", exit: .identityRefused)
    }
    #expect(ending.status == 77 && ending.failure?.code == "RO-04")
  }

  @Test func aChosenExitCodeIsKeptSilent() {
    let ending = Ending(ExitCode(1), of: Root.self, arguments: [], describe: { _ in nil })
    #expect(ending.status == 1 && ending.failure == nil && ending.standardOutput == nil)
  }

  @Test func quietProgressSaysLittleAndEstimates() {
    var clock = 0.0
    var text = ""
    let bar = ProgressBar("train", total: 100, live: false, now: { clock }, emit: { text += $0 })
    for step in 1...100 {
      clock += 1
      bar.update(step)
    }
    bar.finish()
    let lines = text.split(separator: "\n")
    #expect(lines.count == 11)
    #expect(lines[1] == "train: 11/100 1 min 29 s left")
    #expect(lines[10] == "train: 100/100 in 1 min 40 s")
  }

  @Test func progressBeyondItsEndIsHarmless() {
    var text = ""
    let bar = ProgressBar("x", total: 0, live: true, now: { 0 }, emit: { text += $0 })
    bar.update(-3)
    bar.update(900)
    bar.finish()
    bar.update(1)
    #expect(text.contains("1/1"))
  }

  @Test func liveRowsAreRewrittenAndQuietOnesAreNot() {
    var loud = ""
    var quiet = ""
    for (live, take) in [(true, { loud += $0 }), (false, { quiet += $0 })] as [(Bool, (String) -> Void)] {
      let table = LiveTable([.init("round", .right), .init("loss", .right, width: 8)], live: live, emit: take)
      table.show(["1", "…"])
      table.commit(["1", "0.25"])
      table.commit(["2", "0.20", "surplus cell"])
    }
    #expect(loud.contains("\u{1B}[K"))
    #expect(quiet == "round      loss\n─────  ────────\n    1      0.25\n    2      0.20\n")
  }

  @Test(arguments: [
    (0.04, "0.0 s"), (9.96, "10 s"), (59.4, "59 s"), (61, "1 min 01 s"), (7260, "2 h 01 min"), (-1, "?"), (.infinity, "?"), (.nan, "?"),
  ])
  func durationsAreBrief(seconds: Double, text: String) { #expect(Duration.brief(seconds: seconds) == text) }

  @Test(arguments: [(0, "0 B"), (1023, "1023 B"), (1536, "1.50 KiB"), (4_419_000, "4.21 MiB"), (Int.max, "8388608.0 TiB")])
  func bytesHaveUnits(count: Int, text: String) { #expect(Text.bytes(count) == text) }

  @Test(arguments: [(-0.0001, 2, "0.00"), (.nan, 2, "nan"), (-.infinity, 0, "-inf"), (1.005, 1, "1.0")])
  func fixedNumbersHaveNoSurprises(value: Double, decimals: Int, text: String) { #expect(Text.fixed(value, decimals) == text) }

  @Test func jsonIsSortedAndHasNoInvalidNumbers() throws {
    struct Value: Encodable { var b = Double.infinity, a = "x/y" }
    #expect(try JSONOutput.text(Value(), pretty: false) == #"{"a":"x/y","b":"inf"}"#)
  }
}
