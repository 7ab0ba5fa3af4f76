// `secagg check`: says everything that is wrong with a data set before anything trains on it. Exit status 0 where there is no fault (notes
// do not count), 1 where there is one, 65 where data.yaml itself cannot be used.

import ArgumentParser
import CommandLineKit
import Detector
import Foundation

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Say everything that is wrong with a data set, with file and line.",
    discussion: """
      Reads data.yaml, list files, every image and every label file of the splits. Faults are what training would refuse, learn wrongly \
      from, or what makes its scores wrong: damaged images, bad labels, images in both train and val. Notes are worth knowing. Nothing is \
      changed. Exit status: 0 no fault, 1 faults, 65 data.yaml cannot be used.
      """)

  @Argument(help: "Path of data.yaml.") var data: String
  @Option(help: "Splits to check, with commas between them (default: train, val, and test where there is one).", transform: Check.splits)
  var split: Set<Dataset.Split>?
  @Option(help: "Images that are decoded at a time.") var threads = min(max(ProcessInfo.processInfo.activeProcessorCount, 1), 256)
  @Flag(help: "Print one JSON object on standard output, with every finding.") var json = false

  private static func splits(_ text: String) throws -> Set<Dataset.Split> {
    let names = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    let splits = names.compactMap { Dataset.Split(rawValue: $0) }
    guard !splits.isEmpty, splits.count == names.count else { throw ValidationError("--split takes train, val and test, with commas") }
    return Set(splits)
  }

  func validate() throws {
    guard TrainingOptions.threadsRange.contains(threads) else { throw ValidationError("--threads must be from 1 to 256") }
  }

  func run() throws {
    var bars: [DataCheck.Stage: ProgressBar] = [:]
    let outcome = try DataCheck.run(yaml: data, splits: split, threads: threads) { stage, done, total in
      let bar = bars[stage] ?? ProgressBar(stage == .images ? "images  " : "copies  ", total: total)
      bars[stage] = bar
      bar.update(done)
      if done == total { bar.finish() }
    }
    let report = CheckReport(outcome, folder: FileManager.default.currentDirectoryPath)
    if json { try JSONOutput.object(report) } else { for line in report.lines() { Output.line(line) } }
    if !outcome.isClean { throw ExitCode(ExitStatus.checkedFalse.rawValue) }
  }
}
