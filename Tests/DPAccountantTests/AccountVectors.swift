// The file Vectors/accounts.json: points of every mechanism by multi-precision arithmetic. Parameters are doubles, exactly; of the exact
// results the nearest double is kept, and comparisons leave it the half unit that it may be off.
import Foundation
import TestSupport

struct AccountVectors {
  struct Row: CustomStringConvertible {
    let kind: String
    let fields: [String: String]

    subscript(_ name: String) -> Double { number(fields[name] ?? "") }
    func integer(_ name: String) -> Int { Int(fields[name] ?? "") ?? Int(self[name]) }
    var exact: Double { self["exact"] }
    var description: String { "\(kind) \(fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " "))" }
  }

  let rows: [Row]

  static func load() throws -> AccountVectors {
    let data = try Data(contentsOf: URL(fileURLWithPath: vectorPath("accounts.json")))
    let kinds = try JSONDecoder().decode([String: [[String: String]]].self, from: data)
    return AccountVectors(rows: kinds.sorted { $0.key < $1.key }.flatMap { kind, rows in rows.map { Row(kind: kind, fields: $0) } })
  }

  func of(_ kinds: String...) -> [Row] { rows.filter { kinds.contains($0.kind) } }
}
