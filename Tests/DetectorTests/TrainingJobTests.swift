// The job file is input from outside: every fault is refused with the key's path, and nothing is guessed.

import Foundation
import TestSupport
import Testing

@testable import Detector

@Suite struct TrainingJobTests {
  static let good = """
    {"kind": "weights", "round": 3, "rounds": 20, "local_epochs": 2, "batch_size": 16, "image_size": 128,
     "data": "/site/data.yaml", "total_epochs": 40, "first_epoch": 4, "seed": 18446744073709551615, "threads": 2,
     "augment": true, "norm": "frozen", "state": "/site/state", "validate": false,
     "optimizer": {"name": "adamw", "learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0.0005, "nominal_batch": 16,
                   "warmup_epochs": 3, "final_lr_fraction": 0.1, "cosine": true}}
    """

  private func parse(_ text: String) throws -> TrainerJob {
    try TrainerJob(parsing: Array(text.utf8), file: "job.json", folder: "/jobs/1")
  }

  @Test func everyKeyIsRead() throws {
    let job = try parse(Self.good)
    #expect(job.kind == .weights)
    #expect((job.round, job.rounds, job.localEpochs, job.firstEpoch) == (3, 20, 2, 4))
    #expect(job.data == "/site/data.yaml")
    #expect(job.state == "/site/state")
    #expect(job.options.seed == .max)
    #expect(job.options.norm == .frozen && job.options.optimizer == .adamW)
    #expect(job.options.epochs == 40)
    #expect((job.options.batchSize, job.options.nominalBatchSize, job.options.imageSize) == (16, 16, 128))
    #expect(job.options.isCosine && job.options.isAugmented && !job.isValidating)
    #expect((job.options.hyper.momentum, job.options.hyper.finalRateFraction, job.options.hyper.warmupEpochs) == (0.9, 0.1, 3))
  }

  @Test func aRoundMayBeAPartOfAnEpoch() throws {
    #expect(try parse(Self.good).part == .whole)
    let text = Self.good.replacingOccurrences(of: #""local_epochs": 2"#, with: #""local_epochs": 1, "rounds_per_epoch": 4, "part": 3"#)
    #expect(try parse(text).part == EpochPart(number: 3, count: 4))
  }

  @Test func pathsAreRelativeToTheJobFolder() throws {
    let job = try parse(Self.good.replacingOccurrences(of: "/site/data.yaml", with: "here/data.yaml"))
    #expect(job.data == "/jobs/1/here/data.yaml")
  }

  static let faults: [(from: String, to: String, named: String)] = [
    (#""kind": "weights""#, #""kind": "gradient_sum""#, "gradient_sum"),
    (#""kind": "weights", "#, "", "kind is missing"),
    (#""round": 3"#, #""round": -1"#, "round must be"),
    (#""round": 3"#, #""round": 2.5"#, "round must be"),
    (#""local_epochs": 2"#, #""local_epochs": 0"#, "local_epochs must be"),
    (#""local_epochs": 2"#, #""local_epochs": 37"#, "total_epochs"),
    (#""local_epochs": 2"#, #""local_epochs": 2, "rounds_per_epoch": 2"#, "a part of 2 epochs"),
    (#""local_epochs": 2"#, #""local_epochs": 1, "rounds_per_epoch": 2, "part": 2"#, "part must be"),
    (#""local_epochs": 2"#, #""local_epochs": 1, "rounds_per_epoch": 0"#, "rounds_per_epoch must be"),
    (#""batch_size": 16"#, #""batch_size": 100000"#, "batch_size must be"),
    (#""batch_size": 16"#, #""batch_size": "16""#, "batch_size must be"),
    (#""batch_size": 16"#, #""batch_size": true"#, "batch_size must be"),
    (#""image_size": 128"#, #""image_size": 100"#, "image size must be"),
    (#""seed": 18446744073709551615"#, #""seed": -4"#, "seed must be"),
    (#""threads": 2"#, #""threads": 0"#, "threads must be"),
    (#""augment": true"#, #""augment": 1"#, "augment must be"),
    (#""norm": "frozen""#, #""norm": "none""#, "norm \"none\" is unknown"),
    (#""norm": "frozen""#, #""norm": 1"#, "norm must be"),
    (#""data": "/site/data.yaml""#, #""data": """#, "data must be"),
    (#""learning_rate": 0.01"#, #""learning_rate": 0"#, "learning rate must be"),
    (#""learning_rate": 0.01"#, #""learning_rate": 1e400"#, "job.json"),
    (#""name": "adamw""#, #""name": "lion""#, "optimizer \"lion\" is unknown"),
    (#""name": "adamw""#, #""name": 1"#, "optimizer.name must be"),
    (#""momentum": 0.9"#, #""momentum": 1"#, "momentum must be"),
    (#""momentum": 0.9"#, #""momentom": 0.9"#, "optimizer.momentom is an unknown key"),
    (#""cosine": true"#, #""cosine": null"#, "optimizer.cosine must be"),
    (#""validate": false"#, #""validate": false, "privacy": {"clip": 1}"#, "privacy.unit is missing"),
    (#""rounds": 20,"#, #""rounds": 20"#, "not JSON"),
  ]

  @Test(arguments: faults.indices) func everyFaultNamesItsPlace(index: Int) throws {
    let fault = Self.faults[index]
    #expect(Self.good.contains(fault.from))
    let text = Self.good.replacingOccurrences(of: fault.from, with: fault.to)
    let error = #expect(throws: TrainingError.self) { try parse(text) }
    #expect(error?.code == .badJob)
    #expect(error?.reason.contains(fault.named) == true, "\(error?.reason ?? "")")
    #expect(error?.hint.isEmpty == false)
  }

  @Test(arguments: ["", "[]", "null", "{", "\u{0}", String(repeating: "[", count: 5000)])
  func whatIsNoObjectIsRefused(text: String) {
    #expect(throws: TrainingError.self) { try parse(text) }
  }

  @Test func anAbsentFileIsABadJob() {
    let error = #expect(throws: TrainingError.self) { try TrainerJob.read(folder: "/nowhere/at/all") }
    #expect(error?.code == .badJob)
  }
}
