// Heat maps, bars, densities and grids of charts: well-formed in both looks, bounded in size, unharmed by impossible values.
import Foundation
import Testing

@testable import CommandLineKit

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct ChartTests {
  private func parses(_ text: String) -> Bool { XMLParser(data: Data(text.utf8)).parse() }

  private func heatmap(_ names: [String]) -> Heatmap {
    let values = names.indices.map { row in names.indices.map { $0 == row ? 0.9 : 0.1 / Double(names.count) } }
    return Heatmap("Confusion", x: "true", y: "predicted", columns: names, rows: names, values: values)
  }

  private var all: [any Chart] {
    let hostile = "</text><script>&\"'\u{1}"
    var random = SystemRandomNumberGenerator()
    let points = (0..<500).map { _ in Plot.Point(.random(in: -0.1...1.1, using: &random), .random(in: 0...1, using: &random)) }
    return [
      heatmap(["WBC", "RBC", "PLT", "background"]), heatmap((0..<100).map { "a long name of class \($0)" }), heatmap([hostile]),
      Heatmap("t", x: "x", y: "y", columns: ["a"], rows: ["b", "c"], values: [[.nan], [7]], tips: [["1"], [hostile]]),
      BarChart(hostile, y: "labels", bars: [.init("a", 3), .init(hostile, .infinity), .init("b", .nan), .init("c", -1)]),
      BarChart("t", y: "y", bars: []), BarChart("t", y: "y", bars: (0..<80).map { .init("class \($0)", Double($0)) }),
      ScatterDensity("t", x: "x", y: "y", points: points), ScatterDensity("t", x: hostile, y: "y", points: [.init(.nan, .infinity)]),
      BoxOutlines("t", boxes: [.init(width: 0.5, height: 0.1, group: 99), .init(width: .nan, height: 9, group: -1)]),
      Plot("t", x: "x", y: "y", series: [.init("a", values: [1, 2]), .init("b", values: [2, 1])]),
    ]
  }

  @Test(arguments: [ChartLook.adaptive, .paper]) func everyChartIsWellFormed(look: ChartLook) {
    for chart in all + [ChartGrid("grid", all, columns: 3), ChartGrid("empty", [], columns: 2)] {
      let svg = chart.svg(look: look)
      #expect(parses(svg), "\(chart.title)")
      #expect(!svg.contains("\"nan\"") && !svg.contains("\"inf\"") && !svg.contains("<script"))
      #expect(svg.contains("var(--") == (look == .adaptive))
    }
  }

  @Test func cellsShowTheirNumbersWhereTheyFit() {
    #expect(heatmap(["a", "b"]).svg().contains(">0.90</text>"))
    #expect(!heatmap((0..<100).map { "\($0)" }).svg().contains(">0.90</text>"))
  }

  @Test func manyPointsMakeASmallPicture() {
    let points = (0..<100_000).map { Plot.Point(Double($0 % 317) / 317, Double($0 % 991) / 991) }
    let chart = ScatterDensity("t", x: "x", y: "y", points: points)
    #expect(chart.svg().utf8.count < 500_000 && chart.outside == 0)
    let boxes = (0..<100_000).map { _ in BoxOutlines.Box(width: 0.1, height: 0.2, group: 0) }
    #expect(BoxOutlines("t", boxes: boxes).boxes.count == BoxOutlines.boxesMax)
  }

  @Test func unnamedSeriesHaveNoPlaceInTheLegend() {
    var plot = Plot("t", x: "x", y: "y", series: (0..<50).map { Plot.Series("class \($0)", values: [0, 1], muted: true) })
    #expect(plot.svg().contains("class 49</text>"))
    for index in plot.series.indices { plot.series[index].isUnnamed = true }
    plot.series.append(Plot.Series("all classes", values: [0, 1]))
    plot.series[50].isBold = true
    let svg = plot.svg()
    #expect(!svg.contains("class 49</text>") && svg.contains("all classes</text>") && svg.contains("p-bold"))
  }
}
