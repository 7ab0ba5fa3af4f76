// `secagg-trainer JOB_DIR`: the site's trainer. It sees images and weights, and no key, no network and no other site.
// Standard output carries one JSON line an epoch; results are files in the job folder.

import ArgumentParser
import CommandLineKit
import Detector

@main
struct Main {
  static func main() async {
    BLASSetup.prepare()
    await runCommand(Trainer.self, describe: describe)
  }

  @Sendable
  private static func describe(_ error: any Error) -> CommandError? {
    guard let fault = FaultDescription(error) else { return nil }
    let exit: ExitStatus =
      switch fault.kind {
      case .data: .badData
      case .configuration: .configuration
      case .unavailable: .unavailable
      }
    return CommandError(code: fault.code, what: fault.what, hint: fault.hint, exit: exit)
  }
}

struct Trainer: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "secagg-trainer", abstract: "Do the job of a job folder: train the given weights on this site's images.",
    discussion: """
      Reads JOB_DIR/job.json and JOB_DIR/weights.safetensors; writes JOB_DIR/result.safetensors and, last of all, \
      JOB_DIR/result.json. Prints one JSON line an epoch.
      """,
    version: "0.1.0")

  @Argument(help: "Job folder.") var jobFolder: String

  struct Line: Encodable {
    var epoch: Int
    var epochs: Int
    var boxLoss: Double
    var objectnessLoss: Double
    var classLoss: Double
    var learningRate: Double
    var seconds: Double
    var imagesPerSecond: Double

    enum CodingKeys: String, CodingKey {
      case epoch, epochs, seconds
      case boxLoss = "box_loss"
      case objectnessLoss = "obj_loss"
      case classLoss = "cls_loss"
      case learningRate = "learning_rate"
      case imagesPerSecond = "images_per_second"
    }
  }

  func run() throws {
    let round = try LocalRound(folder: jobFolder)
    let total = round.job.options.epochs
    func note(wasRestored: Bool) {
      guard !wasRestored else { return }
      Output.note("note: no optimiser state of the epoch before \(round.job.firstEpoch); momenta start at zero")
    }
    _ = try round.run(onRestore: note) { epoch in
      try JSONOutput.line(
        Line(
          epoch: epoch.epoch, epochs: total, boxLoss: epoch.boxLoss, objectnessLoss: epoch.objectnessLoss,
          classLoss: epoch.classLoss, learningRate: epoch.learningRate, seconds: epoch.seconds,
          imagesPerSecond: epoch.imagesPerSecond))
    }
  }
}
