// Answers to requests. Every figure is an upper bound of the cost; a bound that does not exist is the text "inf", for JSON has no such
// number.
import Foundation

public enum AccountingReply: Equatable, Sendable {
  case rdp([Double])
  /// `order` is nil where none was needed; `atLeast` where it was not asked for.
  case epsilon(Double, order: Double?, atLeast: Double?)
  case delta(Double, order: Double?)
  case noiseMultiplier(Double)
  case steps(Int)
  case refused(AccountingError)

  /// One line of JSON, names in alphabetical order.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let data = try? encoder.encode(self) else { preconditionFailure("every reply is encodable") }
    return String(decoding: data, as: UTF8.self)
  }

  /// Answers a line of a batch: whatever is wrong with it is the answer.
  public static func answering(json: String) -> AccountingReply {
    do { return try AccountingRequest(json: json).evaluate() } catch { return .refused(error) }
  }
}

extension AccountingReply: Encodable {
  private enum Name: String, CodingKey {
    case rdp, epsilon, delta, order, steps, error, code, reason
    case atLeast = "epsilon_at_least"
    case noiseMultiplier = "noise_multiplier"
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Name.self)
    switch self {
    case .rdp(let curve): try values.encode(curve, forKey: .rdp)
    case .epsilon(let epsilon, let order, let atLeast):
      try values.encode(epsilon, forKey: .epsilon)
      try values.encode(order, forKey: .order)
      try values.encodeIfPresent(atLeast, forKey: .atLeast)
    case .delta(let delta, let order):
      try values.encode(delta, forKey: .delta)
      try values.encode(order, forKey: .order)
    case .noiseMultiplier(let multiplier): try values.encode(multiplier, forKey: .noiseMultiplier)
    case .steps(let steps): try values.encode(steps, forKey: .steps)
    case .refused(let refusal):
      var inner = values.nestedContainer(keyedBy: Name.self, forKey: .error)
      try inner.encode(refusal.code.rawValue, forKey: .code)
      try inner.encode(refusal.reason, forKey: .reason)
    }
  }
}
