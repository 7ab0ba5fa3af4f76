// Plots and reports: well-formed, self-contained, and unharmed by hostile names and impossible numbers.
import Foundation
import Testing

@testable import CommandLineKit

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct PlotTests {
  private func curve(top: Double, pace: Double) -> [Double] {
    (1...20).map { round in top * Double(round) / (Double(round) + pace) }
  }

  private func sample() -> Plot {
    let series = [
      Plot.Series("federated", values: curve(top: 0.86, pace: 2)),
      Plot.Series("centralised", values: curve(top: 0.88, pace: 1.5), stroke: .dashed),
      Plot.Series("site-1 alone", values: curve(top: 0.55, pace: 2), muted: true),
      Plot.Series("site-2 alone", values: curve(top: 0.5, pace: 3), muted: true),
    ]
    var plot = Plot("Detection quality by round", x: "round", y: "mAP@0.5", series: series)
    plot.events = [Plot.Event(x: 7, label: "site-3 killed"), Plot.Event(x: 8, label: "site-3 back")]
    plot.levels = [Plot.Level(y: 0.75, label: "bar 0.75")]
    return plot
  }

  private func parses(_ text: String) -> Bool { XMLParser(data: Data(text.utf8)).parse() }

  @Test func theChartIsWellFormedAndDrawsEverySeries() {
    let svg = sample().svg()
    #expect(parses(svg))
    #expect(svg.components(separatedBy: "<path class=\"p-line").count == 5)
    #expect(svg.contains("site-3 killed") && svg.contains("bar 0.75"))
  }

  @Test(arguments: [
    [], [Plot.Point(1, 1)], [Plot.Point(.nan, 1), Plot.Point(2, .infinity)], [Plot.Point(1, 3), Plot.Point(2, 3)],
    [Plot.Point(0, 1e300), Plot.Point(1, -1e300)], [Plot.Point(1, 1e-12), Plot.Point(2, 2e-12)],
    [Plot.Point(1e14, -1), Plot.Point(-1e14, 1)],
  ])
  func impossiblePointsNeverBreakTheDrawing(points: [Plot.Point]) {
    let svg = Plot("t", x: "x", y: "y", series: [Plot.Series("a", points)]).svg()
    #expect(parses(svg))
    #expect(!svg.contains("\"nan\"") && !svg.contains("\"inf\"") && !svg.contains("-inf"))
  }

  @Test func hostileNamesStayText() {
    let name = "</text><script>alert('1')</script>&\"\u{1}"
    var report = Report(title: name, subtitle: name)
    report.heading(name)
    report.note(name, title: name)
    report.facts([.init(name, name, detail: name)])
    var table = Table([.init(name)])
    table.add([name])
    report.table(table, caption: name)
    report.figure(Plot(name, x: name, y: name, series: [Plot.Series(name, values: [1, 2]), Plot.Series("b", values: [2, 1])]))
    let html = report.html()
    #expect(!html.contains("<script"))
    #expect(!html.contains("\u{1}"))
    #expect(parses(Plot(name, x: name, y: name, series: []).svg()))
  }

  @Test func theReportLoadsNothingFromOutside() {
    var report = Report(title: "r")
    report.figure(sample())
    let html = report.html().replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "")
    for forbidden in ["http:", "https:", "src=\"/", "@import", "<link", "<script"] { #expect(!html.contains(forbidden)) }
  }

  @Test func aBrokenSeriesLeavesAGap() {
    let points = [Plot.Point(1, 1), Plot.Point(2, 2), Plot.Point(3, .nan), Plot.Point(4, 2), Plot.Point(5, 3)]
    let svg = Plot("t", x: "x", y: "y", series: [Plot.Series("a", points)]).svg()
    #expect(svg.components(separatedBy: "<path class=\"p-line").count == 3)
  }

  @Test(arguments: [
    (0.0, 1.0, 0.2), (0, 100, 20), (3, 17, 5), (0, 0.037, 0.01), (-1, 1, 0.5),
  ])
  func ticksAreRoundNumbers(low: Double, high: Double, step: Double) {
    let axis = AxisScale(covering: low...high, ticks: 6, tight: false)
    #expect(abs(axis.step - step) < step * 1e-9)
    #expect(axis.low <= low && axis.high >= high)
    #expect(axis.ticks.count >= 3)
  }

  @Test func wholeNumberAxesHaveNoFractions() {
    let axis = AxisScale(covering: 1...3, ticks: 10, tight: true, whole: true)
    #expect(axis.ticks == [1, 2, 3])
    #expect(axis.ticks.map(axis.label) == ["1", "2", "3"])
  }

  @Test func anExampleReportCanBeLookedAt() throws {
    var report = Report(title: "Example run", subtitle: "five sites, 20 rounds")
    report.note("Differential privacy was off in this run.", title: "No formal guarantee.", tone: .warning)
    report.facts([
      .init("Federated mAP@0.5", "0.786", detail: "0.97 × centralised", tone: .good), .init("Centralised", "0.809"),
      .init("Best site alone", "0.512"), .init("Sent by a site", "4.21 MiB", detail: "a round"), .init("Total", "5 min 12 s"),
    ])
    report.heading("Quality")
    report.paragraph("The federated model is trained by all sites together; nobody saw anything but the sum.")
    report.figure(sample(), caption: "Quality on the common validation set after every round.")
    report.heading("Sites")
    var table = Table([.init("Site"), .init("Scenes", .right), .init("mAP@0.5 alone", .right), .init("Dropped in")])
    for i in 1...5 {
      table.add(["site-\(i)", "\(150 + 31 * i)", Text.fixed(0.4 + 0.02 * Double(i), 3), i == 3 ? "round 7, masked input" : ""])
    }
    report.table(table, caption: "What each site reaches without the others.")
    report.heading("Next")
    report.code("secagg val --weights weights/last.safetensors --data data.yaml")
    let html = report.html()
    #expect(html.contains("<nav>") && html.contains("0.97 × centralised"))
    if let path = ProcessInfo.processInfo.environment["SECAGG_EXAMPLE_REPORT"] {
      try html.write(toFile: path, atomically: true, encoding: .utf8)
    }
  }
}
