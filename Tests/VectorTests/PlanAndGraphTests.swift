// Plans and the sparse graph against the independent vectors of spec/vectors.
import Sodium
import Testing

@testable import SecAgg

@Suite struct PlanAndGraphTests {
  private func code(_ work: () throws(Refusal) -> Void) -> String? {
    do throws(Refusal) {
      try work()
      return nil
    } catch { return error.code.rawValue }
  }

  @Test("[SA-102] [SA-10] to [SA-19], [SG-01]", arguments: Vector.all("plan")) func plan(_ it: Vector) throws {
    let roster = try #require(it.part("roster"))
    // Whoever is expired is not in the view of a roster that a program makes.
    let valid = Set(roster.sites("sites")).subtracting(roster.sites("expired"))
    let key = Ed25519.SigningKey().publicKey
    let view = RosterView(
      digest: roster.bytes("digest"), colluders: roster.int("colluders"),
      siteKeys: Dictionary(uniqueKeysWithValues: valid.map { ($0, key) }),
      serverKey: key)
    let found = code { () throws(Refusal) in
      let plan = try RoundPlan(decoding: it.bytes("bytes"))
      #expect(plan.encoded() == it.bytes("bytes"))
      if it.has("ctx") { #expect(plan.context == it.bytes("ctx")) }
      if it.has("site") {
        try plan.validate(for: it.site("site"), roster: view, minimumHonest: it.int("honest"))
      } else {
        try plan.validate(against: view)
      }
    }
    #expect(it.isGood ? found == nil : found.map(it.codes.contains) == true, "\(found ?? "accepted")")
  }

  @Test("[SG-02] [SG-03] [SA-23] [SA-24]", arguments: Vector.all("graph")) func graph(_ it: Vector) throws {
    switch it.text("does") {
    case "numbers":
      let found = GraphParameters.find(sites: it.int("sites"), colluders: it.int("colluders"), dropouts: it.int("dropouts"))
      #expect(found == (it.isGood ? GraphParameters(neighbours: it.int("neighbours"), threshold: it.int("threshold")) : nil))
    case "ring":
      let plan = Self.plan(it.sites("sites"), neighbours: it.int("k"), minimum: 1)
      let graph = MaskGraph(plan: plan, seed: it.bytes("seed"), context: it.bytes("ctx"))
      let order = it.sites("order")
      #expect(order.count == plan.sites.count)
      for (place, site) in order.enumerated() {
        let reach = it.int("k") / 2
        let near = (1...reach).flatMap { [order[(place + $0) % order.count], order[(place + order.count - $0) % order.count]] }
        #expect(graph.neighbours(of: site) == near.sorted())
      }
    case "nonce":
      let isRight = Transcript.nonceCommitment(it.bytes("ctx"), it.site("site"), it.bytes("nonce")) == it.bytes("commitment")
      #expect(isRight == it.isGood)
    default:
      let found = code { () throws(Refusal) in
        let entries = it.pairs("nonces").map { GraphNoncesBody.Entry(site: SiteID(UInt32($0.0)), nonce: $0.1) }
        var writer = ByteWriter()
        GraphNoncesBody(entries: entries).write(to: &writer)
        var reader = ByteReader(writer.bytes)
        let seed = try SiteSession.graphSeed(
          GraphNoncesBody(from: &reader), own: it.site("site"), nonce: it.bytes("own_nonce"), commitmentList: it.bytes("commitment_list"),
          sites: it.sites("sites"), minimum: it.int("minimum"), context: it.bytes("ctx"))
        if it.has("seed") { #expect(seed == it.bytes("seed")) }
      }
      #expect(it.isGood ? found == nil : found.map(it.codes.contains) == true, "\(found ?? "accepted")")
    }
  }

  private static func plan(_ sites: [SiteID], neighbours: Int, minimum: Int) -> RoundPlan {
    RoundPlan(
      job: "vectors", round: 1, attempt: 0, rosterDigest: [UInt8](repeating: 0, count: 32), sites: sites, colluders: 0, threshold: 1,
      neighbours: neighbours, minimumSurvivors: minimum, weightsDigest: [], configurationDigest: [], sections: [], mechanism: [])
  }
}
