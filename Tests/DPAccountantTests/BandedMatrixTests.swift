// Banded matrix factorisation: the sensitivity against all participations of small matrices, the accounts that it reduces to, every
// refusal.
// [AC-29]
import Foundation
import Testing

@testable import DPAccountant

@Suite struct BandedMatrixTests {
  /// What a record can move Cx by: all sets of steps, all signs (squared distances are largest at opposite or equal contributions, the
  /// columns being orthogonal or not), by the definition. Never above what is charged, and equal to it where the last column is not cut
  /// off.
  @Test(arguments: [
    ([1.0], 6, 1, 3), ([1, 0.5], 8, 2, 3), ([1, 0.5, 0.375], 9, 3, 2), ([1, -0.7, 0.2], 9, 4, 3), ([0.2, 3, 0, 0], 8, 2, 8),
    ([1, 0.5, 0.375, 0.3], 3, 4, 1), ([2, 0, 1], 10, 5, 1),
  ])
  func sensitivityIsTheLargestChange(_ coefficients: [Double], _ steps: Int, _ separation: Int, _ atMost: Int) throws {
    var largest = 0.0
    for set in 1..<(1 << steps) {
      let members = (0..<steps).filter { set >> $0 & 1 == 1 }
      guard members.count <= atMost, zip(members, members.dropFirst()).allSatisfy({ $1 - $0 >= separation }) else { continue }
      for signs in 0..<(1 << members.count) {
        var square = 0.0
        for row in 0..<steps {
          let entry = members.enumerated().reduce(0.0) { sum, member in
            let distance = row - member.element
            let value = coefficients.indices.contains(distance) ? coefficients[distance] : 0
            return sum + (signs >> member.offset & 1 == 1 ? -value : value)
          }
          square += entry * entry
        }
        largest = max(largest, square)
      }
    }
    let event = matrix(2, steps, coefficients, .separated(separation: separation, atMost: atMost))
    guard case .gaussian(let multiplier) = try event.reduced() else {
      Issue.record("no Gaussian")
      return
    }
    let charged = 2 / multiplier
    #expect(charged * charged >= largest)
    // The last of the earliest steps is whole where its column has all its rows.
    let count = min(atMost, (steps - 1) / separation + 1)
    if (count - 1) * separation + coefficients.count <= steps { #expect(charged * charged <= largest * (1 + 1e-12)) }
  }

  /// Both accountants charge what the reduction says.
  @Test func accountsAreThoseOfTheReduction() throws {
    let square = 1 + 0.25 + 0.375 * 0.375
    let separated = NoiseEvent.bandedMatrixFactorisation(
      matrix(2, 1000, [1, 0.5, 0.375], .separated(separation: 100, atMost: 4)))
    let gaussian = NoiseEvent.gaussian(noiseMultiplier: 2 / (4 * square).squareRoot())
    let sampled = NoiseEvent.bandedMatrixFactorisation(
      matrix(2, 1001, [1, 0.5, 0.375], .sampledGroups(groups: 4, samplingRate: 0.01)))
    let steps = NoiseEvent.repeated(
      .poissonSampled(samplingRate: 0.04, .gaussian(noiseMultiplier: 2 / square.squareRoot())), count: 251)
    for (event, other) in [(separated, gaussian), (sampled, steps), (.repeated(sampled, count: 3), .repeated(steps, count: 3))] {
      let (renyi, expected) = (try renyi(event), try renyi(other))
      #expect(renyi >= expected && renyi <= expected * (1 + 1e-12))
      var (losses, others) = (try PLDAccountant(lossInterval: 1e-3), try PLDAccountant(lossInterval: 1e-3))
      try losses.compose(event)
      try others.compose(other)
      let (high, low) = (try losses.epsilon(delta: 1e-6).epsilon, try others.epsilon(delta: 1e-6).epsilon)
      #expect(high >= low * (1 - 1e-11) && high <= low * (1 + 1e-9), "\(high) \(low)")
    }
    // Sampling at rate 1 is none: a group's record is in each of its ⌈steps / groups⌉ steps.
    let all = NoiseEvent.bandedMatrixFactorisation(matrix(2, 12, [1, 0.5], .sampledGroups(groups: 4, samplingRate: 0.25)))
    let none = NoiseEvent.bandedMatrixFactorisation(matrix(2, 12, [1, 0.5], .separated(separation: 4, atMost: 3)))
    #expect(abs(try renyi(all) / renyi(none) - 1) < 1e-12)
    // Where nobody is sampled nothing is released of anybody.
    #expect(try renyi(.bandedMatrixFactorisation(matrix(2, 12, [1], .sampledGroups(groups: 4, samplingRate: 0)))) == 0)
  }

  /// Each parameter moves the account in its direction.
  @Test func everyParameterCounts() throws {
    func cost(_ noise: Double, _ steps: Int, _ coefficients: [Double], _ participation: BandedMatrixFactorisation.Participation) throws
      -> Double
    { try renyi(.bandedMatrixFactorisation(matrix(noise, steps, coefficients, participation))) }
    let apart = try cost(2, 100, [1, 0.5], .separated(separation: 10, atMost: 4))
    #expect(try cost(1.9, 100, [1, 0.5], .separated(separation: 10, atMost: 4)) > apart)
    #expect(try cost(2, 100, [1, 0.6], .separated(separation: 10, atMost: 4)) > apart)
    #expect(try cost(2, 100, [1, -0.5, 0.1], .separated(separation: 10, atMost: 4)) > apart)
    #expect(try cost(2, 100, [1, 0.5], .separated(separation: 10, atMost: 5)) > apart)
    #expect(try cost(2, 30, [1, 0.5], .separated(separation: 10, atMost: 4)) < apart)
    #expect(try cost(2, 100, [1, 0.5], .separated(separation: 40, atMost: 4)) < apart)
    #expect(try cost(2, 100, [1, 0.5, 0, 0], .separated(separation: 10, atMost: 4)) == apart)
    let groups = try cost(2, 100, [1, 0.5], .sampledGroups(groups: 4, samplingRate: 0.01))
    #expect(try cost(2, 100, [1, 0.5], .sampledGroups(groups: 4, samplingRate: 0.011)) > groups)
    #expect(try cost(2, 101, [1, 0.5], .sampledGroups(groups: 4, samplingRate: 0.01)) > groups)
    #expect(try cost(2, 100, [1, 0.5], .sampledGroups(groups: 5, samplingRate: 0.01)) > groups)
  }

  @Test func whatHasNoTheoremIsRefused() throws {
    let unsupported: [NoiseEvent] = [
      .bandedMatrixFactorisation(matrix(1, 100, [1, 0.5, 0.3], .separated(separation: 2, atMost: 3))),
      .bandedMatrixFactorisation(matrix(1, 100, [1, 0, 0.3], .sampledGroups(groups: 2, samplingRate: 0.01))),
      .poissonSampled(samplingRate: 0.1, .bandedMatrixFactorisation(matrix(1, 10, [1], .separated(separation: 1, atMost: 1)))),
      .poissonSampled(samplingRate: 0.1, .bandedMatrixFactorisation(matrix(1, 10, [1], .sampledGroups(groups: 2, samplingRate: 0.1)))),
    ]
    let outOfRange: [BandedMatrixFactorisation] = [
      matrix(0, 10, [1], .separated(separation: 1, atMost: 1)), matrix(.nan, 10, [1], .separated(separation: 1, atMost: 1)),
      matrix(1, 0, [1], .separated(separation: 1, atMost: 1)), matrix(1, 2_000_000_000, [1], .separated(separation: 1, atMost: 1)),
      matrix(1, 10, [], .separated(separation: 1, atMost: 1)), matrix(1, 10, [0, 0], .separated(separation: 2, atMost: 1)),
      matrix(1, 1, [0, 1], .separated(separation: 2, atMost: 1)), matrix(1, 10, [1, .nan], .separated(separation: 2, atMost: 1)),
      matrix(1, 10, [.infinity], .separated(separation: 1, atMost: 1)), matrix(1, 10, [1e10], .separated(separation: 1, atMost: 1)),
      matrix(1, 10, [1e-200], .separated(separation: 1, atMost: 1)), matrix(1e-6, 10, [2], .separated(separation: 1, atMost: 1)),
      matrix(1, 10, [Double](repeating: 1, count: 10_001), .separated(separation: 20_000, atMost: 1)),
      matrix(1, 10, [1], .separated(separation: 0, atMost: 1)), matrix(1, 10, [1], .separated(separation: 1, atMost: 0)),
      matrix(1, 10, [1], .separated(separation: -1, atMost: -1)), matrix(1, 10, [1], .sampledGroups(groups: 0, samplingRate: 0.1)),
      matrix(1, 10, [1], .sampledGroups(groups: 4, samplingRate: 0.26)), matrix(1, 10, [1], .sampledGroups(groups: 4, samplingRate: -0.1)),
      matrix(1, 10, [1], .sampledGroups(groups: 4, samplingRate: .nan)),
    ]
    for event in unsupported { #expect(codes(event) == [.unsupportedEvent, .unsupportedEvent], "\(event)") }
    for matrix in outOfRange {
      #expect(codes(.bandedMatrixFactorisation(matrix)) == [.parameterOutOfRange, .parameterOutOfRange], "\(matrix)")
    }
    let apart = NoiseEvent.bandedMatrixFactorisation(matrix(1, 10, [1], .separated(separation: 1, atMost: 1)))
    let groups = NoiseEvent.bandedMatrixFactorisation(matrix(1, 10, [1], .sampledGroups(groups: 2, samplingRate: 0.1)))
    #expect(codes(apart, .replace) == [nil, nil])
    #expect(codes(groups, .replace) == [.unsupportedEvent, .unsupportedEvent])
    #expect(codes(.sampledWithoutReplacement(samplingRate: 0.1, apart), .replace) == [.unsupportedEvent, .unsupportedEvent])
  }

  /// [AC-30], [AC-04]
  @Test func requests() throws {
    let common = #""mechanism":"banded_matrix_factorisation","matrix_steps":1000,"coefficients":[1,0.5,0.375],"delta":1e-6"#
    let expected = try renyi(
      .bandedMatrixFactorisation(matrix(2, 1000, [1, 0.5, 0.375], .sampledGroups(groups: 4, samplingRate: 0.01))))
    for (rest, value) in [
      (#""op":"epsilon","noise_multiplier":2,"groups":4,"sampling_rate":0.01"#, expected),
      (
        #""op":"epsilon","noise_multiplier":2,"separation":100,"participations":4"#,
        try renyi(.bandedMatrixFactorisation(matrix(2, 1000, [1, 0.5, 0.375], .separated(separation: 100, atMost: 4))))
      ),
    ] {
      guard case .epsilon(let epsilon, _, _) = AccountingReply.answering(json: "{\(common),\(rest)}") else {
        Issue.record("\(rest) was not answered")
        continue
      }
      #expect(epsilon == value)
    }
    guard
      case .noiseMultiplier(let noise) = AccountingReply.answering(
        json: #"{\#(common),"op":"calibrate","groups":4,"sampling_rate":0.01,"target_epsilon":\#(expected)}"#)
    else {
      Issue.record("not calibrated")
      return
    }
    #expect(abs(noise / 2 - 1) < 2e-6)
    let wrong = [
      #""op":"epsilon","noise_multiplier":2"#, #""op":"epsilon","noise_multiplier":2,"separation":100"#,
      #""op":"epsilon","noise_multiplier":2,"groups":4"#, #""op":"epsilon","groups":4,"sampling_rate":0.01"#,
      #""op":"epsilon","noise_multiplier":2,"separation":100,"participations":4,"sampling_rate":0.01"#,
      #""op":"epsilon","noise_multiplier":2,"groups":4,"sampling_rate":0.01,"separation":4"#,
      #""op":"epsilon","noise_multiplier":2,"groups":4,"sampling_rate":0.01,"scale":1"#,
      #""op":"epsilon","noise_multiplier":2,"groups":4.5,"sampling_rate":0.01"#,
      #""op":"calibrate","noise_multiplier":2,"groups":4,"sampling_rate":0.01,"target_epsilon":1"#,
    ]
    for rest in wrong {
      guard case .refused(let error) = AccountingReply.answering(json: "{\(common),\(rest)}") else {
        Issue.record("\(rest) was answered")
        continue
      }
      #expect(error.code == .malformedRequest)
    }
    let without = #""op":"epsilon","noise_multiplier":2,"groups":4,"sampling_rate":0.01,"sampling":"without_replacement""#
    guard case .refused(let error) = AccountingReply.answering(json: "{\(common),\(without)}"), error.code == .unsupportedEvent else {
      Issue.record("sampling without replacement was answered")
      return
    }
    let other = AccountingReply.answering(json: #"{"op":"epsilon","noise_multiplier":2,"delta":1e-6,"groups":4}"#)
    #expect(other == .refused(AccountingError(.malformedRequest, "`groups` is no parameter of gaussian")))
  }

  private func matrix(
    _ noise: Double, _ steps: Int, _ coefficients: [Double], _ participation: BandedMatrixFactorisation.Participation
  ) -> BandedMatrixFactorisation {
    BandedMatrixFactorisation(noiseMultiplier: noise, steps: steps, coefficients: coefficients, participation: participation)
  }

  private func renyi(_ event: NoiseEvent) throws -> Double {
    var accountant = try RenyiAccountant()
    try accountant.compose(event)
    return try accountant.epsilon(delta: 1e-6).epsilon
  }

  /// What the Rényi accountant and the accountant of losses say.
  private func codes(_ event: NoiseEvent, _ relation: NeighbourRelation = .addOrRemove) -> [AccountingError.Code?] {
    func code(_ body: () throws -> Void) -> AccountingError.Code? {
      do {
        try body()
        return nil
      } catch { return (error as? AccountingError)?.code }
    }
    return [
      code {
        var accountant = try RenyiAccountant(relation: relation)
        try accountant.compose(event)
      },
      code {
        var accountant = try PLDAccountant(relation: relation)
        try accountant.compose(event)
      },
    ]
  }
}
