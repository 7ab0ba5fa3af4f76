// `secagg accountant`: what noise costs, and how much of it a target needs (spec/10). Requests are evaluated by DPAccountant; here stands
// how they are asked and shown.

import ArgumentParser
import CommandLineKit
import DPAccountant
import Foundation

struct AccountantVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accountant", abstract: "Compute what differential privacy costs.",
    discussion: """
      Every figure is an upper bound, rounded up.

      secagg accountant epsilon --noise-multiplier 1.1 --sampling-rate 0.01 --steps 10000 --delta 1e-5
      secagg accountant calibrate --target-epsilon 2 --sampling-rate 0.01 --steps 10000 --delta 1e-5
      secagg accountant batch < requests.jsonl
      """,
    subcommands: [AccountantRDP.self, AccountantEpsilon.self, AccountantCalibrate.self, AccountantSample.self, AccountantBatch.self])
}

/// The release that is accounted for.
struct NoiseOptions: ParsableArguments {
  @Option(help: "gaussian, laplace, discrete_gaussian, discrete_gaussian_sum, skellam, tree_aggregation or banded_matrix_factorisation.")
  var mechanism = AccountingRequest.Mechanism.gaussian
  @Option(help: "Standard deviation over sensitivity (gaussian, tree_aggregation, banded_matrix_factorisation).")
  var noiseMultiplier: Double?
  @Option(help: "Scale over sensitivity (laplace).") var scale: Double?
  @Option(help: "Variance on the integer grid, as a number or P/Q (discrete noise and skellam).") var variance: String?
  @Option(help: "Sensitivity on the integer grid (discrete_gaussian).") var sensitivity: Double?
  @Option(help: "Summands that nobody else knows (discrete_gaussian_sum).") var count: Int?
  @Option(name: .customLong("l2"), help: "L2 sensitivity on the integer grid.") var l2: Double?
  @Option(name: .customLong("l1"), help: "L1 sensitivity on the integer grid.") var l1: Double?
  @Option(help: "Coordinates.") var dimension: Int?
  @Option(parsing: .upToNextOption, help: "Steps of each tree (tree_aggregation).") var stepCounts: [Int] = []
  @Option(help: "Rows of the matrix (banded_matrix_factorisation).") var matrixSteps: Int?
  @Option(parsing: .upToNextOption, help: "The matrix's first column, as far as it is not 0.") var coefficients: [Double] = []
  @Option(help: "Any two steps of a record are at least so far apart.") var separation: Int?
  @Option(help: "A record is in at most so many steps.") var participations: Int?
  @Option(help: "Public groups within which records are sampled; --sampling-rate is the share of all records.") var groups: Int?
  @Option(help: "poisson or without_replacement.") var sampling = AccountingRequest.Sampling.poisson
  @Option(help: "Probability that a record is in a step.") var samplingRate: Double?
  @Option(help: "Number of releases.") var steps: Int?
  @Option(help: "add_or_remove or replace; replace only for sampling without replacement unless stated.") var relation: Relation?

  enum Relation: String, ExpressibleByArgument, CaseIterable {
    case addOrRemove = "add_or_remove"
    case replace
  }

  func request(_ op: AccountingRequest.Operation) throws -> AccountingRequest {
    var request = AccountingRequest(op: op)
    (request.mechanism, request.sampling) = (mechanism, sampling)
    (request.noiseMultiplier, request.scale, request.sensitivity) = (noiseMultiplier, scale, sensitivity)
    request.variance = try variance.map { try Double($0) ?? AccountingRequest.variance(fraction: $0) }
    (request.count, request.l2, request.l1, request.dimension) = (count, l2, l1, dimension)
    request.stepCounts = stepCounts.isEmpty ? nil : stepCounts
    (request.matrixSteps, request.coefficients) = (matrixSteps, coefficients.isEmpty ? nil : coefficients)
    (request.separation, request.participations, request.groups) = (separation, participations, groups)
    (request.samplingRate, request.steps) = (samplingRate, steps)
    request.relation = relation.map { $0 == .replace ? .replace : .addOrRemove }
    return request
  }
}

/// How an (ε, δ) is computed.
struct AccountOptions: ParsableArguments {
  @Option(help: "rdp (Rényi), pld (privacy-loss distributions) or best (the smaller of both).")
  var accountant = AccountingRequest.Accountant.rdp
  @Option(help: "Interval of the loss grid in nats (pld).") var lossInterval: Double?
  @Option(help: "The delta of the claim.") var delta: Double

  func apply(to request: inout AccountingRequest) {
    (request.accountant, request.lossInterval, request.delta) = (accountant, lossInterval, delta)
  }
}

struct AccountantRDP: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "rdp", abstract: "Rényi divergence at each order, in nats.")

  @OptionGroup var noise: NoiseOptions
  @Option(parsing: .upToNextOption, help: "Orders above 1, ascending; 156 from 1.1 to 1024 unless given.") var orders: [Double] = []
  @Flag(help: "Print one JSON object on standard output.") var json = false

  func run() throws {
    var request = try noise.request(.rdp)
    request.orders = orders.isEmpty ? nil : orders
    let reply = try request.evaluate()
    if json { return try JSONOutput.object(reply) }
    guard case .rdp(let values) = reply else { return }
    var table = Table([.init("order", .right), .init("nats", .right)])
    for (order, value) in zip(request.orders ?? RenyiCurve.defaultOrders, values) {
      table.add([Text.fixed(order, 4), DecimalText.roundedUp(value, digits: 10)])
    }
    for line in table.rendered() { Output.line(line) }
  }
}

struct AccountantEpsilon: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "epsilon", abstract: "The epsilon that a number of releases costs at a delta.")

  @OptionGroup var noise: NoiseOptions
  @OptionGroup var account: AccountOptions
  @Flag(help: "With pld or best: print as well what epsilon is at least.") var bounds = false
  @Flag(help: "Use Mironov's older conversion, for comparison.") var classical = false
  @Flag(help: "Print one JSON object on standard output.") var json = false

  func run() throws {
    var request = try noise.request(.epsilon)
    account.apply(to: &request)
    request.bounds = bounds
    request.rule = classical ? .classical : .improved
    let reply = try request.evaluate()
    if json { return try JSONOutput.object(reply) }
    guard case .epsilon(let epsilon, let order, let atLeast) = reply else { return }
    Output.line("epsilon   \(DecimalText.roundedUp(epsilon))" + (order.map { " (order \($0))" } ?? ""))
    if let atLeast { Output.line("at least  \(atLeast)") }
    Output.line("delta     \(account.delta)")
  }
}

struct AccountantCalibrate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate", abstract: "The noise multiplier that a target needs, at most 1e-6 above the smallest one.")

  @OptionGroup var noise: NoiseOptions
  @OptionGroup var account: AccountOptions
  @Option(help: "The epsilon that may not be passed.") var targetEpsilon: Double
  @Flag(help: "Print one JSON object on standard output.") var json = false

  func run() throws {
    var request = try noise.request(.calibrate)
    account.apply(to: &request)
    request.targetEpsilon = targetEpsilon
    let reply = try request.evaluate()
    if json { return try JSONOutput.object(reply) }
    if case .noiseMultiplier(let multiplier) = reply { Output.line("noise multiplier  \(multiplier)") }
  }
}

struct AccountantBatch: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "batch", abstract: "Answer requests, one JSON object a line, from standard input.",
    discussion: """
      Each line is answered by one line: {"op":"epsilon","noise_multiplier":1.1,"sampling_rate":0.01,"steps":1000,"delta":1e-5} by \
      {"epsilon":…,"order":…}. A line that cannot be answered is answered by {"error":{"code":…,"reason":…}}, and the others go on. \
      Empty lines are passed over.
      """)

  func run() throws {
    while let line = readLine() {
      if line.allSatisfy(\.isWhitespace) { continue }
      Output.line(AccountingReply.answering(json: line).json)
    }
  }
}

extension AccountingRequest.Mechanism: ExpressibleByArgument {}
extension AccountingRequest.Sampling: ExpressibleByArgument {}
extension AccountingRequest.Accountant: ExpressibleByArgument {}

/// What the user sees of a refusal.
func accountantFailure(_ error: any Error) -> CommandError? {
  guard let refusal = error as? AccountingError else { return nil }
  let (hint, exit): (String?, ExitStatus) =
    switch refusal.code {
    case .unsupportedEvent: ("another sampling, relation or accountant may have a theorem: see spec/10-accounting.md", .configuration)
    case .parameterOutOfRange: (nil, .usage)
    case .targetOutOfReach: ("a larger epsilon or delta, or fewer steps", .configuration)
    case .malformedRequest: ("see --help for the parameters of each mechanism", .usage)
    }
  return CommandError(code: refusal.code.rawValue, what: refusal.reason, hint: hint, exit: exit)
}
