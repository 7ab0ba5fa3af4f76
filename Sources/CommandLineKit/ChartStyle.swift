// The colours, fonts and lines of charts. Eight hues that stay apart for colour-blind readers, in a darker set for paper and a lighter one
// for dark screens.
import Foundation

enum ChartStyle {
  static let hues = 8

  static func text(_ look: ChartLook) -> String {
    switch look {
    case .adaptive: return adaptive
    case .paper:
      // Many viewers of SVG files know no variables.
      return light.reduce(rules) { $0.replacingOccurrences(of: "var(--\($1.name))", with: $1.value) }
    }
  }

  private typealias Variable = (name: String, value: String)

  private static func variables(_ hues: [String], _ ink: String, _ soft: String, _ rule: String, _ paper: String) -> [Variable] {
    hues.enumerated().map { ("s\($0.offset)", $0.element) } + [("ink", ink), ("soft", soft), ("rule", rule), ("paper", paper)]
  }

  private static let lightHues = ["#1f6feb", "#c2500a", "#0b7a5a", "#8a3ffc", "#b8246b", "#5a6472", "#8a6d00", "#0e7490"]
  private static let darkHues = ["#6ea8ff", "#ff9a5c", "#4fd1a5", "#c4a1ff", "#ff8ac0", "#aab4c3", "#e3c04d", "#5cd3ee"]
  private static let light = variables(lightHues, "#1b2330", "#5b6675", "#e3e7ed", "#fff")
  private static let dark = variables(darkHues, "#e8ecf2", "#9aa5b5", "#2c3543", "#12171f")
  private static let print = variables(lightHues, "#000", "#444", "#ccc", "#fff")

  private static let adaptive: String = {
    func block(_ variables: [Variable]) -> String { "svg.plot{" + variables.map { "--\($0.name):\($0.value);" }.joined() + "}" }
    return block(light) + "@media (prefers-color-scheme:dark){\(block(dark))}@media print{\(block(print))}" + rules
  }()

  private static let rules: String = {
    let classes = (0..<hues).map { ".plot .c\($0){stroke:var(--s\($0))}.plot .f\($0){fill:var(--s\($0))}" }.joined()
    return "svg.plot{font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;max-width:100%;height:auto}"
      + classes
      + ".plot .p-title{font-size:15px;font-weight:600;fill:var(--ink)}.plot .p-legend{font-size:12.5px;fill:var(--ink)}"
      + ".plot .p-tick{font-size:12px;fill:var(--soft);font-variant-numeric:tabular-nums}.plot .p-label{font-size:12.5px;fill:var(--soft)}"
      + ".plot .p-mark{font-size:11.5px;fill:var(--soft);paint-order:stroke;stroke:var(--paper);stroke-width:3px}"
      + ".plot .p-grid{stroke:var(--rule);stroke-width:1}"
      + ".plot .p-axis{stroke:var(--soft);stroke-width:1}"
      + ".plot .p-line{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}"
      + ".plot .p-muted{stroke-width:1.4;opacity:.55}.plot .p-bold{stroke-width:3.6}"
      + ".plot .p-level{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 4}"
      + ".plot .p-event{stroke:var(--s4);stroke-width:1;stroke-dasharray:3 3;opacity:.7}.plot .p-dot{fill:var(--s4)}"
      + ".plot .p-cell{fill:var(--s0)}.plot .p-frame{fill:none;stroke:var(--rule);stroke-width:1}"
      + ".plot .p-value{font-size:11.5px;fill:var(--ink)}.plot .p-inverse{font-size:11.5px;fill:var(--paper)}"
      + ".plot .p-outline{fill:none;stroke-width:1;opacity:.45}"
  }()
}
