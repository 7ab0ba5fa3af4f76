// The table that training and validation end with: scores of all classes together, and of each that has labels.

import CommandLineKit
import Detector

enum ScoresTable {
  static func lines(_ scores: DetectionScores, names: [String]) -> [String] {
    var table = Table([
      .init("class"), .init("labels", .right), .init("P", .right), .init("R", .right), .init("mAP50", .right), .init("mAP50-95", .right),
    ])
    func add(_ name: String, _ labels: Int, _ values: Double...) {
      table.add([name, "\(labels)"] + values.map { Text.fixed($0, 3) })
    }
    add("all", scores.classes.reduce(0) { $0 + $1.labels }, scores.precision, scores.recall, scores.map50, scores.map)
    for found in scores.classes {
      add(names[found.classIndex], found.labels, found.precision, found.recall, found.map50, found.map)
    }
    return table.rendered()
  }
}
