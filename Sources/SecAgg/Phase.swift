// The phases of one attempt (spec/03-phases.md), in their order.

public enum Phase: Int, Sendable, Comparable, CaseIterable, CustomStringConvertible {
  case plan
  /// Of the sparse graph: a site waits for the commitments, then all draw the graph.
  case commitments, graph
  case keys, shares, acknowledge, maskedInput, consistency, reveal, done

  public static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }

  public var description: String {
    switch self {
    case .plan: "plan"
    case .commitments: "commitments"
    case .graph: "graph"
    case .keys: "keys"
    case .shares: "shares"
    case .acknowledge: "acknowledge"
    case .maskedInput: "masked-input"
    case .consistency: "consistency"
    case .reveal: "reveal"
    case .done: "done"
    }
  }
}
