// One question to the accountants as a JSON object, what `secagg accountant` takes: names and meanings in spec/10, "Requests". Unknown
// names are refused: a misspelt one would otherwise be a default.
import Foundation
import GMP

public struct AccountingRequest: Sendable {
  public enum Operation: String, Sendable, CaseIterable { case rdp, epsilon, delta, calibrate, steps }
  public enum Mechanism: String, Sendable, CaseIterable {
    case gaussian, laplace, skellam
    case discreteGaussian = "discrete_gaussian"
    case discreteGaussianSum = "discrete_gaussian_sum"
    case treeAggregation = "tree_aggregation"
    case bandedMatrixFactorisation = "banded_matrix_factorisation"
  }
  public enum Sampling: String, Sendable, CaseIterable {
    case poisson
    case withoutReplacement = "without_replacement"
  }
  public enum Accountant: String, Sendable, CaseIterable { case rdp, pld, best }

  public var op = Operation.epsilon
  public var mechanism = Mechanism.gaussian
  public var sampling = Sampling.poisson
  public var accountant = Accountant.rdp
  /// nil: replace for sampling without replacement, add or remove for all else.
  public var relation: NeighbourRelation?
  public var rule = ConversionRule.improved
  public var noiseMultiplier: Double?
  public var scale: Double?
  public var variance: Double?
  public var sensitivity: Double?
  public var l2: Double?
  public var l1: Double?
  public var count: Int?
  public var dimension: Int?
  public var stepCounts: [Int]?
  /// Of a banded matrix: its rows, its coefficients, and the steps that a record is in.
  public var matrixSteps: Int?
  public var coefficients: [Double]?
  public var separation: Int?
  public var participations: Int?
  public var groups: Int?
  public var samplingRate: Double?
  public var sampleSize: Int?
  public var populationSize: Int?
  public var steps: Int?
  public var orders: [Double]?
  public var delta: Double?
  public var epsilon: Double?
  public var targetEpsilon: Double?
  public var lossInterval: Double?
  /// With `accountant` pld: the ε that the events are not below as well.
  public var bounds = false

  public init(op: Operation) { self.op = op }

  /// Longest list and longest text that is read.
  static let listMax = 10_000
  public static let textBytesMax = 1 << 20

  /// Reads a request.
  /// - Throws: `.malformedRequest` for text that is no such object, with the name of what is wrong.
  public init(json: String) throws(AccountingError) {
    guard json.utf8.count <= AccountingRequest.textBytesMax else { throw AccountingError(.malformedRequest, "a request has at most 1 MiB") }
    do { self = try JSONDecoder().decode(AccountingRequest.self, from: Data(json.utf8)) } catch {
      throw (error as? AccountingError) ?? AccountingError(.malformedRequest, AccountingRequest.describe(error))
    }
  }

  private static func describe(_ error: any Error) -> String {
    func place(_ context: DecodingError.Context) -> String { context.codingPath.first.map { "`\($0.stringValue)`" } ?? "the request" }
    switch error as? DecodingError {
    case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?:
      return "\(place(context)) has a value of another type than it takes"
    case .dataCorrupted(let context)? where !context.codingPath.isEmpty: return "\(place(context)) has a value that it does not take"
    default: return "the text is no JSON object"
    }
  }
}

extension AccountingRequest {
  /// The double at or below `P` or `P/Q` in lowest terms: less noise costs more.
  /// - Throws: `.malformedRequest` for other text.
  public static func variance(fraction text: String) throws(AccountingError) -> Double {
    guard let rational = try? Rational(decimal: text) else {
      throw AccountingError(.malformedRequest, "`variance` is a number, or text P/Q in lowest terms")
    }
    return rational.doubleRoundedDown
  }
}

extension AccountingRequest: Decodable {
  private enum Name: String, CodingKey, CaseIterable {
    case op, mechanism, sampling, accountant, relation, rule, scale, variance, sensitivity, l2, l1, count, dimension, steps, orders, delta
    case epsilon, bounds, coefficients, separation, participations, groups
    case matrixSteps = "matrix_steps"
    case noiseMultiplier = "noise_multiplier"
    case stepCounts = "step_counts"
    case samplingRate = "sampling_rate"
    case sampleSize = "sample_size"
    case populationSize = "population_size"
    case targetEpsilon = "target_epsilon"
    case lossInterval = "loss_interval"
  }

  private struct AnyName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  public init(from decoder: any Decoder) throws {
    let known = Set(Name.allCases.map(\.rawValue))
    for key in try decoder.container(keyedBy: AnyName.self).allKeys where !known.contains(key.stringValue) {
      throw AccountingError(.malformedRequest, "unknown name `\(key.stringValue)`")
    }
    let values = try decoder.container(keyedBy: Name.self)
    func choice<Value: RawRepresentable & CaseIterable>(_ name: Name, _ type: Value.Type) throws -> Value? where Value.RawValue == String {
      guard let text = try values.decodeIfPresent(String.self, forKey: name) else { return nil }
      if let value = Value(rawValue: text) { return value }
      let all = Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
      throw AccountingError(.malformedRequest, "`\(name.rawValue)` is one of \(all)")
    }
    func real(_ name: Name) throws -> Double? { try values.decodeIfPresent(Double.self, forKey: name) }
    func whole(_ name: Name) throws -> Int? { try values.decodeIfPresent(Int.self, forKey: name) }
    guard let op = try choice(.op, Operation.self) else { throw AccountingError(.malformedRequest, "`op` is missing") }
    self.op = op
    mechanism = try choice(.mechanism, Mechanism.self) ?? mechanism
    sampling = try choice(.sampling, Sampling.self) ?? sampling
    accountant = try choice(.accountant, Accountant.self) ?? accountant
    relation = try choice(.relation, RelationName.self)?.relation
    rule = try choice(.rule, RuleName.self)?.rule ?? rule
    (noiseMultiplier, scale, sensitivity) = (try real(.noiseMultiplier), try real(.scale), try real(.sensitivity))
    variance = try AccountingRequest.variance(values)
    (l2, l1, samplingRate) = (try real(.l2), try real(.l1), try real(.samplingRate))
    (delta, epsilon, targetEpsilon, lossInterval) = (
      try real(.delta), try real(.epsilon), try real(.targetEpsilon), try real(.lossInterval)
    )
    (count, dimension, steps) = (try whole(.count), try whole(.dimension), try whole(.steps))
    (sampleSize, populationSize) = (try whole(.sampleSize), try whole(.populationSize))
    orders = try values.decodeIfPresent([Double].self, forKey: .orders)
    stepCounts = try values.decodeIfPresent([Int].self, forKey: .stepCounts)
    (matrixSteps, separation, participations, groups) = (
      try whole(.matrixSteps), try whole(.separation), try whole(.participations), try whole(.groups)
    )
    coefficients = try values.decodeIfPresent([Double].self, forKey: .coefficients)
    bounds = try values.decodeIfPresent(Bool.self, forKey: .bounds) ?? bounds
    guard [orders?.count, stepCounts?.count, coefficients?.count].allSatisfy({ ($0 ?? 0) <= AccountingRequest.listMax }) else {
      throw AccountingError(.malformedRequest, "a list has at most 10000 values")
    }
  }

  /// A number, or text `P` or `P/Q`.
  private static func variance(_ values: KeyedDecodingContainer<Name>) throws -> Double? {
    guard let text = try? values.decodeIfPresent(String.self, forKey: .variance) else {
      return try values.decodeIfPresent(Double.self, forKey: .variance)
    }
    return try AccountingRequest.variance(fraction: text)
  }

  private enum RelationName: String, CaseIterable {
    case addOrRemove = "add_or_remove"
    case replace
    var relation: NeighbourRelation { self == .replace ? .replace : .addOrRemove }
  }

  private enum RuleName: String, CaseIterable {
    case improved, classical
    var rule: ConversionRule { self == .classical ? .classical : .improved }
  }
}
