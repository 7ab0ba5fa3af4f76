// The sparse graph's numbers and its ring (spec/08-sparse-graph.md).
import Foundation
import Sodium
import TestSupport
import Testing

@testable import SecAgg

@Suite struct GraphTests {
  /// [SG-02] Published points for semi-malicious servers (computed by others from Bell et al.), and what no degree serves.
  @Test(arguments: [
    [100, 5, 5, 16, 11], [1_000, 50, 50, 52, 37], [10_000, 500, 500, 62, 44],
    [100, 20, 10, 42, 32], [200, 40, 20, 76, 57], [500, 100, 50, 116, 86], [1_000, 200, 100, 140, 104],
  ])
  func degreeAndThreshold(_ it: [Int]) {
    let found = GraphParameters.find(sites: it[0], colluders: it[1], dropouts: it[2])
    #expect(found == GraphParameters(neighbours: it[3], threshold: it[4]))
  }

  @Test(
    "[SG-02] no degree up to 254 serves, or the numbers make no sense",
    arguments: [
      [100, 45, 40], [10_000, 3_333, 2_000], [1_000, 500, 200], [64, 3, 3], [10_001, 5, 5], [100, 100, 5], [100, -1, 5], [100, 5, 100],
    ])
  func infeasible(_ it: [Int]) {
    #expect(GraphParameters.find(sites: it[0], colluders: it[1], dropouts: it[2]) == nil)
  }

  /// [SG-02] The search against the definition, in floating point with the logarithms of factorials: the chosen degree holds and the one
  /// below does not.
  @Test func theDegreeIsTheSmallest() {
    var random = SeededGenerator(seed: 8)
    for _ in 0..<25 {
      let n = Int.random(in: 65...2_000, using: &random)
      let colluders = Int.random(in: 0...n / 5, using: &random)
      let dropouts = Int.random(in: 0...n / 12, using: &random)
      guard let found = GraphParameters.find(sites: n, colluders: colluders, dropouts: dropouts) else { continue }
      #expect(serves(n, colluders, dropouts, found.neighbours) == found.threshold)
      for k in stride(from: 2, to: found.neighbours, by: 2) { #expect(serves(n, colluders, dropouts, k) == nil) }
    }
  }

  private func serves(_ n: Int, _ colluders: Int, _ dropouts: Int, _ k: Int) -> Int? {
    func choose(_ a: Int, _ b: Int) -> Double {
      b < 0 || b > a ? -.infinity : logarithm(a) - logarithm(b) - logarithm(a - b)
    }
    func logarithm(_ value: Int) -> Double { (1...max(value, 1)).reduce(0) { $0 + Foundation.log(Double($1)) } }
    let cuts = Foundation.log(Double(n * (n - k - 1))) + choose(colluders + dropouts, k) - choose(n, k)
    guard cuts < -40 * Foundation.log(2) else { return nil }
    let all = choose(n - 1, k)
    var tail = 0.0
    var c = min(k, colluders)
    while c >= 1 {
      let next = tail + Foundation.exp(choose(colluders, c) + choose(n - 1 - colluders, k - c) - all)
      guard next * Double(n) * 0x1p41 <= 1 else { break }
      (tail, c) = (next, c - 1)
    }
    let t = max(2, (k + c + 2) / 2)
    guard t <= k else { return nil }
    let few = (0..<t).reduce(0.0) { $0 + Foundation.exp(choose(n - 1 - dropouts, $1) + choose(dropouts, k - $1) - all) }
    return few * Double(n) * 0x1p20 <= 1 ? t : nil
  }

  private func plan(_ count: Int) throws -> RoundPlan {
    let plan = Fixture.plan(count, roster: Fixture.roster(count, colluders: 3))
    try plan.validate()
    return plan
  }

  @Test("[SG-01] more than 64 sites make a sparse plan, whose numbers are checked") func plans() throws {
    let plan = try plan(66)
    #expect(plan.isSparse && plan.neighbours == 10 && plan.threshold == 7 && plan.minimumSurvivors == 63)
    #expect(plan.honestMin == 5)
    #expect(!Fixture.plan(64, roster: Fixture.roster(64, colluders: 3)).isSparse)
    func code(_ edit: (inout RoundPlan) -> Void) -> RefusalCode? {
      var changed = plan
      edit(&changed)
      do throws(Refusal) {
        try changed.validate()
        return nil
      } catch { return error.code }
    }
    #expect(code { $0.threshold = 6 } == .wrongThreshold && code { $0.threshold = 8 } == .wrongThreshold)
    #expect(code { $0.neighbours = 12 } == .badParameters && code { $0.neighbours = 8 } == .badParameters)
    #expect(code { $0.minimumSurvivors = 30 } == .badParameters)
    // The complete graph of so many is allowed too.
    #expect(
      code {
        $0.neighbours = 65
        $0.threshold = RoundPlan.threshold(sites: 66, colluders: 3)
      } == nil)
  }

  @Test func theRingIsSymmetricRegularAndFollowsTheSeed() throws {
    let plan = try plan(70)
    let context = plan.context
    let graph = MaskGraph(plan: plan, seed: BLAKE2b.hash([1]), context: context)
    for site in plan.sites {
      let neighbours = graph.neighbours(of: site)
      #expect(neighbours.count == plan.neighbours && neighbours.isStrictlyAscending && !neighbours.contains(site))
      #expect(neighbours.allSatisfy { graph.neighbours(of: $0).contains(site) })
      #expect(graph.holders(of: site) == neighbours && graph.circle(of: site) == (neighbours + [site]).sorted())
    }
    // One ring: walking to the next site visits all.
    let other = MaskGraph(plan: plan, seed: BLAKE2b.hash([2]), context: context)
    #expect(plan.sites.contains { graph.neighbours(of: $0) != other.neighbours(of: $0) })
    var reached: Set<SiteID> = [plan.sites[0]]
    var next = [plan.sites[0]]
    while let site = next.popLast() {
      for neighbour in graph.neighbours(of: site) where reached.insert(neighbour).inserted { next.append(neighbour) }
    }
    #expect(reached.count == 70)
    #expect(graph.neighbours(of: SiteID(4)).isEmpty, "a stranger")
  }

  /// Every site is another's neighbour about equally often: chi-square over 400 rings, 70 sites; false alarm below 1e-6.
  @Test func seedsSpreadNeighboursEvenly() throws {
    let plan = try plan(70)
    var hits = [SiteID: Int]()
    let rings = 400
    for number in 0..<rings {
      let seed = BLAKE2b.hash([UInt8(number & 255), UInt8(number >> 8)])
      for site in MaskGraph(plan: plan, seed: seed, context: plan.context).neighbours(of: plan.sites[0]) { hits[site, default: 0] += 1 }
    }
    let expected = Double(rings * plan.neighbours) / 69
    let variance = expected * (1 - Double(plan.neighbours) / 69)
    let statistic = plan.sites.dropFirst().reduce(0.0) {
      $0 + (Double(hits[$1] ?? 0) - expected) * (Double(hits[$1] ?? 0) - expected) / variance
    }
    #expect(statistic < 69 + 5 * (2 * 69.0).squareRoot())
  }
}
