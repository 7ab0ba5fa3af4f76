// secagg-roster check-evidence as a member of the consortium uses it: true evidence, false evidence, another consortium's roster, no file.
import Foundation
import Testing

#if SECAGG_ORACLE
  import Federation
  import Participant
  import SecAgg
  import Sodium

  @Suite struct EvidenceCommandTests {
    @Test func checkEvidence() throws {
      let world = try ConsortiumFolder()
      let key = try KeyFile.readPublic(world.path("consortium/consortium.pub"))
      let roster = try RosterVerifier(consortiumKey: key).load(world.path("consortium/roster.json"), highestSerialSeen: 0)
      let culprit = try #require(roster.roster.members.first { $0.name == "site-3" })
      let signing = try KeyFile.readSecret(world.path("site-3/identity/\(PartyIdentity.File.protocolKey)"))
      let sites = roster.view.siteKeys.keys.sorted()
      let encoding = EncodingParameters(sites: sites.count, samplesReference: 1000, scalars: [.weight, .samples])
      let plan = RoundPlan(
        job: "j", round: 1, attempt: 1, roster: roster.view, sites: sites, weightsDigest: BLAKE2b.hash([1]),
        configurationDigest: BLAKE2b.hash([2]), sections: encoding.sections(parameters: 3, statistics: 1), mechanism: encoding.encoded())
      func evidence(_ hashes: [UInt8]) -> Evidence {
        let messages = hashes.map { hash in
          SignedMessage(ConsistencyBody(hash: BLAKE2b.hash([hash])), context: plan.context, sender: culprit.site, key: signing)
        }
        return Evidence(.equivocation, culprit.site, plan: plan, messages)
      }
      let folder = EvidenceFolder(stateDirectory: world.path("server"))
      let good = try #require(try folder.keep(evidence([1, 2]), roster.view)).path
      #expect(try folder.keep(evidence([1, 2]), roster.view)?.path == good)
      // Nothing that does not hold is ever kept.
      #expect(throws: Refusal.self) { try folder.keep(evidence([1, 1]), roster.view) }
      let bad = world.path("bad.evidence")
      try Data(evidence([1, 1]).encoded()).write(to: URL(fileURLWithPath: bad))

      let options = ["--roster", world.path("consortium/roster.json"), "--consortium-key", world.path("consortium/consortium.pub")]
      func check(_ arguments: [String]) throws -> (status: Int32, text: String) {
        try Program.run("secagg-roster", ["check-evidence"] + arguments, in: world)
      }
      let shown = try check([good] + options)
      #expect(shown.status == 0 && shown.text.contains("site-3") && shown.text.contains("SHOWN        site"), "\(shown.text)")
      let both = try check([good, bad, "--json"] + options)
      let words = both.text.filter { $0 != " " }
      #expect(both.status == 1 && words.contains("\"holds\":true") && words.contains("\"holds\":false"), "\(both.text)")
      #expect(try check([world.path("consortium/roster.json")] + options).status == 65)
      #expect(try check([world.path("nothing")] + options).status == 65)
      let other = try ConsortiumFolder()
      #expect(try check([good, options[0], options[1], options[2], other.path("consortium/consortium.pub")]).status == 77)
      #expect(try check([good, options[0], other.path("consortium/roster.json")] + options.suffix(2)).status == 77)
      // A true roster, of others: the evidence is not of it.
      let foreign = ["--roster", other.path("consortium/roster.json"), "--consortium-key", other.path("consortium/consortium.pub")]
      let elsewhere = try check([good] + foreign)
      #expect(elsewhere.status == 1 && elsewhere.text.contains("SA-10"), "\(elsewhere.text)")
    }

    @Test("[RF-03] [RF-04] secagg-client budget --refund takes back what evidence shows, and nothing else") func refund() throws {
      let world = try ConsortiumFolder()
      let key = try KeyFile.readPublic(world.path("consortium/consortium.pub"))
      let roster = try RosterVerifier(consortiumKey: key).load(world.path("consortium/roster.json"), highestSerialSeen: 0)
      let sites = roster.view.siteKeys.keys.sorted()
      var plan = RoundPlan(
        job: "garments", round: 1, attempt: 1, roster: roster.view, sites: sites, weightsDigest: BLAKE2b.hash([1]),
        configurationDigest: BLAKE2b.hash([2]), sections: [], mechanism: [])
      let encoding = try NoisedEncoding.planned(
        sites: 5, dimension: 100, bits: 20, clip: 1, noiseMultiplier: 2, assured: plan.noiseShares)
      (plan.sections, plan.mechanism) = (encoding.sections, encoding.encoded())
      func unopened(_ count: Int, of site: SiteID? = nil) throws -> Evidence {
        let messages = try roster.roster.members.prefix(count).map { member in
          SignedMessage(
            DestroyedBody(), context: plan.context, sender: member.site,
            key: try KeyFile.readSecret(world.path("\(member.name)/identity/\(PartyIdentity.File.protocolKey)")))
        }
        return Evidence(.unopened, site, plan: plan, messages.sorted { $0.sender < $1.sender })
      }
      // n − t + n_C + 1.
      let enough = 5 - plan.threshold + plan.colluders + 1
      let good = try #require(try EvidenceFolder(stateDirectory: world.path("server")).keep(unopened(enough), roster.view)).path
      let bad = world.path("bad.evidence")
      try Data(unopened(enough - 1).encoded()).write(to: URL(fileURLWithPath: bad))
      let other = world.path("other.evidence")
      let member = try #require(roster.roster.members.first { $0.name == "site-4" })
      try Data(unopened(enough, of: member.site).encoded()).write(to: URL(fileURLWithPath: other))
      try world.configureSite(3, port: 7443)
      func budget(_ arguments: [String]) throws -> (status: Int32, text: String) {
        try Program.run("secagg-client", ["budget", "--config", world.path("site-3/site.yaml"), "--json"] + arguments, in: world)
      }
      let config = try SiteConfig.load(world.path("site-3/site.yaml"))
      try FileManager.default.createDirectory(atPath: config.stateDirectory, withIntermediateDirectories: true)
      do {
        let journal = try Journal(directory: config.stateDirectory)
        try journal.record(
          .contextUsed(job: plan.job, round: 1, attempt: 1, kind: 1, context: plan.context, weights: plan.weightsDigest))
        try journal.record(.charged(context: plan.context, charge: try #require(PrivacyCharge(plan))))
        try journal.record(.inputSent(context: plan.context, digest: BLAKE2b.hash([3])))
      }
      #expect(try budget([]).text.filter { $0 != " " }.contains("\"inputs\":1"))
      for wrong in [bad, other, world.path("nothing")] {
        let refused = try budget(["--refund", wrong])
        #expect(refused.status != 0 && !refused.text.contains("inputs"), "\(refused.text)")
      }
      #expect(try budget([]).text.filter { $0 != " " }.contains("\"inputs\":1"))
      let taken = try budget(["--refund", good])
      #expect(taken.status == 0 && taken.text.filter { $0 != " " }.contains("\"inputs\":0"), "\(taken.text)")
      #expect(try budget([]).text.filter { $0 != " " }.contains("\"inputs\":0"))
    }
  }
#endif
