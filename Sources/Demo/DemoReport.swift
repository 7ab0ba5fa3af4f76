// report.html: what the demo did and what it showed, for someone who was not there. One file, nothing from outside.
import CommandLineKit
import Federation
import Foundation

struct DemoReport {
  let summary: Summary
  let plan: DemoPlan
  let rounds: [RoundRecord]
  let drops: [DropRecord]
  let centralised: Curve
  let locals: [Curve]
  let siteNames: [String]

  func html() -> String {
    var report = Report(
      title: "SecAgg demo: \(plan.sites) sites train one detector",
      subtitle: "YOLOv5n, \(plan.rounds) rounds, \(plan.epochs) local epochs; the server learns only the sum of the updates")
    guarantee(&report)
    headline(&report)
    accuracy(&report)
    privacy(&report)
    dropouts(&report)
    cost(&report)
    roundTable(&report)
    method(&report)
    return report.html()
  }

  private func guarantee(_ report: inout Report) {
    if let privacy = summary.privacy, let epsilon = privacy.epsilon, let delta = privacy.delta {
      let cost = "differentially private with epsilon \(Text.fixed(epsilon, 3)) at delta \(delta)"
      let what =
        plan.sharesNoise
        ? "the sums that the server learnt are \(cost) against the server with the colluders of the roster, as far as the masks hold, "
          + "and if the other sites added their noise and the trainers did what they are told."
        : "everything that the site sent is \(cost), if its trainer did what it is told."
      return report.note(
        "For each single image of a site, added or removed, \(what) Not covered: an image that several sites "
          + "hold, a person with several images, what the choice of settings tells, the time that a step took. The scores here are of the "
          + "sites' own validation scenes and are not private. The server keeps no ledger yet, so nothing here was audited.",
        title: "Privacy of single images.", tone: .good)
    }
    report.note(
      "The demo's sites add no noise: the server learns the exact sum of the updates, and a sum can leak. "
        + "The server keeps no ledger yet either, so nothing here was audited.",
      title: "No formal guarantee.", tone: .warning)
  }

  private func headline(_ report: inout Report) {
    let best = summary.localOnly.map50.max() ?? 0
    let share = summary.centralised.map50 > 0 ? summary.federated.map50 / summary.centralised.map50 : 0
    report.facts([
      .init(
        "Federated", Text.fixed(summary.federated.map50, 3), detail: "mAP@0.5", tone: summary.federated.map50 > best ? .good : .warning),
      .init("Centralised", Text.fixed(summary.centralised.map50, 3), detail: "mAP@0.5, all data pooled"),
      .init("Best site alone", Text.fixed(best, 3), detail: "mAP@0.5, own data only"),
      .init("Federated / centralised", "\(Int((share * 100).rounded())) %", detail: "at equal local epochs"),
      .init("Upload", Text.bytes(summary.bytes.upPerSiteRound), detail: "a site a round"),
      .init("Total time", duration(summary.seconds.total), detail: "baselines included"),
    ])
  }

  private func accuracy(_ report: inout Report) {
    report.heading("Accuracy")
    let federated = rounds.compactMap { record in
      record.score.map { Plot.Point(plan.epochs(after: record.round), $0.map50) }
    }
    var series = [
      Plot.Series("federated", federated, color: 0),
      Plot.Series("centralised", centralised.points.map { Plot.Point(Double($0.epoch), $0.score.map50) }, stroke: .dashed, color: 1),
    ]
    series += locals.map { curve in
      Plot.Series(curve.name, curve.points.map { Plot.Point(Double($0.epoch), $0.score.map50) }, muted: true)
    }
    var plot = Plot("mAP@0.5 on the pooled validation scenes", x: "local epochs done", y: "mAP@0.5", series: series, yLimits: 0...1)
    plot.events = drops.map { Plot.Event(x: plan.epochs(after: $0.round), label: "site \($0.site) killed") }
    report.figure(
      plot,
      caption: "All curves start from the same weights and are measured on the same images. Pale: each site alone, on its own data."
        + (plan.privacy == nil ? "" : " Only the federated one has privacy."))

    var table = Table([.init("model"), .init("mAP@0.5", .right), .init("mAP@0.5:0.95", .right), .init("trained on")])
    func row(_ name: String, _ score: Score?, _ data: String) {
      table.add([name, score.map { Text.fixed($0.map50, 3) } ?? "", score.map { Text.fixed($0.map, 3) } ?? "", data])
    }
    row("federated", summary.federated, "all sites, no image leaves its site")
    row("centralised", summary.centralised, "all images in one place")
    for curve in locals { row(curve.name, curve.last, "that site's images only") }
    report.table(table)
  }

  private func privacy(_ report: inout Report) {
    guard let privacy = plan.privacy, let total = privacy.epsilon, let start = summary.start else { return }
    report.heading("Privacy")
    report.paragraph(
      "The job began with weights that were trained on public scenes, of garments that no site has; they score "
        + "\(Text.fixed(start.map50, 3)). "
        + (plan.sharesNoise
          ? "Every round was one step: gradients were clipped image by image, and the noise of their sum is shared by the sites. "
          : "Every step at a site was clipped image by image and noised. ") + "Epsilon \(total) was asked for.")
    let spent = rounds.compactMap { record in record.epsilon.map { (record, $0) } }
    report.figure(
      Plot(
        "Epsilon spent", x: "round", y: "epsilon at delta \(privacy.delta ?? 0)",
        series: [.init("spent", spent.map { Plot.Point(Double($0.0.round), $0.1) })]),
      caption: "By the server's account; each site keeps one of its own.")
    let points = spent.compactMap { record, epsilon in record.score.map { Plot.Point(epsilon, $0.map50) } }
    report.figure(
      Plot(
        "mAP@0.5 against the epsilon spent", x: "epsilon", y: "mAP@0.5",
        series: [
          .init("federated, private", [Plot.Point(0, start.map50)] + points, color: 0),
          .init(
            "centralised, not private", [Plot.Point(0, summary.centralised.map50), Plot.Point(total, summary.centralised.map50)],
            stroke: .dashed, color: 1),
        ], yLimits: 0...1),
      caption: "Left: the public weights, which cost nothing. The noise was chosen for all rounds together; a shorter job would have less.")
  }

  private func dropouts(_ report: inout Report) {
    report.heading("Who vanished, and when")
    guard !drops.isEmpty else {
      report.paragraph("No site was killed in this run.")
      return
    }
    for drop in drops {
      let back =
        drop.returnedInRound.map { "It was started again and took part in round \($0)." } ?? "It did not come back before the job ended."
      report.paragraph(
        "Site \(drop.site) was killed (SIGKILL) in round \(drop.round), after its keys were shared and before its masked update was sent. "
          + "The other sites revealed their shares of its mask key, the server removed the masks that no longer cancelled, and the round "
          + "finished without it. \(back)")
    }
  }

  private func cost(_ report: inout Report) {
    report.heading("What it cost")
    let bytes = summary.bytes
    var table = Table([.init("bytes"), .init("size", .right), .init("remark")])
    table.add(["up, a site a round", Text.bytes(bytes.upPerSiteRound), "masked integers, bit-packed, and the protocol's messages"])
    table.add(["down, a site a round", Text.bytes(bytes.downPerSiteRound), "global weights as float32, and the protocol's messages"])
    table.add(["one update as float32", Text.bytes(bytes.float32Update), "for comparison"])
    table.add(["all training images", Text.bytes(bytes.rawDataset), "what a central collection would have moved, once"])
    report.table(table)
    let seconds = rounds.map { Plot.Point(Double($0.round), $0.seconds) }
    let masking = rounds.map { Plot.Point(Double($0.round), $0.secureAggregationSeconds) }
    report.figure(
      Plot("Seconds a round", x: "round", y: "seconds", series: [.init("whole round", seconds), .init("secure aggregation", masking)]),
      caption:
        "Secure aggregation: every phase but masked input, in which sites train, mask and upload."
    )
    let up = rounds.map { Plot.Point(Double($0.round), Double($0.bytesUp.max() ?? 0) / 1e6) }
    let down = rounds.map { Plot.Point(Double($0.round), Double($0.bytesDown.max() ?? 0) / 1e6) }
    report.figure(Plot("Megabytes a site a round", x: "round", y: "MB", series: [.init("up", up), .init("down", down)]))
  }

  private func roundTable(_ report: inout Report) {
    report.heading("Every round")
    var table = Table([
      .init("round", .right), .init("attempts", .right), .init("in the sum"), .init("vanished"), .init("mAP@0.5", .right),
      .init("mAP@0.5:0.95", .right), .init("up a site", .right), .init("secure aggregation s", .right), .init("s", .right),
    ])
    for record in rounds {
      table.add([
        "\(record.round)", "\(record.attempts)", record.survivors.map(String.init).joined(separator: " "),
        record.dropped.map(String.init).joined(separator: " "), record.score.map { Text.fixed($0.map50, 3) } ?? "",
        record.score.map { Text.fixed($0.map, 3) } ?? "", Text.bytes(record.bytesUp.max() ?? 0),
        Text.fixed(record.secureAggregationSeconds, 2), Text.fixed(record.seconds, 1),
      ])
    }
    report.table(table)
  }

  private func duration(_ seconds: Double) -> String {
    seconds < 120 ? "\(Int(seconds.rounded())) s" : "\(Int(seconds / 60)) min \(Int(seconds) % 60) s"
  }

  private func method(_ report: inout Report) {
    report.heading("How it was done")
    report.paragraph(
      "A server and \(plan.sites) sites ran as separate processes on this machine and spoke gRPC with mutual TLS over loopback. A "
        + "consortium key made for this run signed the roster that every party pins. Each site trained in a process "
        + "that has no keys and no network, and sent its update as masked 20-bit integers. "
        + "Seed \(summary.seed), \(plan.imageSize) pixels, batch \(plan.training.batchSize)."
    )
    func settings(_ training: FederatedConfig.Training) -> String {
      "\(training.optimizer == .adamW ? "AdamW" : "SGD") at a learning rate of \(training.learningRate)"
    }
    report.paragraph(
      "The sites trained with \(settings(plan.training)), the comparisons with \(settings(plan.baseline)), all from the same weights and "
        + "for the same number of epochs. "
        + (plan.training.roundsPerEpoch > 1 ? "An epoch is cut into \(plan.training.roundsPerEpoch) rounds. " : "")
        + "The comparisons are measured with YOLOv5's moving average of the weights, the federated model as it is.")
  }
}
