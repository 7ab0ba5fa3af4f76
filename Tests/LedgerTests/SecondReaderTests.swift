// The auditor reads plans, mechanisms, jobs, rosters, sets and certificates with code of its own. Here it is held to the code that it
// audits.
import DPAccountant
import Federation
import Foundation
import Sodium
import TLSIdentity
import Testing

@testable import Ledger
@testable import SecAgg

@Suite struct SecondReaderTests {
  private func noised(_ sites: Int, _ dimension: Int, bits: Int = 20, multiplier: Double = 1) throws -> NoisedEncoding {
    try NoisedEncoding.planned(
      sites: sites, dimension: dimension, bits: bits, clip: 1.5, noiseMultiplier: multiplier, assured: max(1, sites / 2),
      blockBits: dimension > 500 ? 6 : 0)
  }

  private func plan(_ mechanism: Mechanism, _ sections: [VectorSection], sites: Int, colluders: Int, least: Int, isSparse: Bool? = nil)
    -> RoundPlan
  {
    let roster = RosterView(digest: BLAKE2b.hash([1]), colluders: colluders, siteKeys: [:], serverKey: Ed25519.SigningKey().publicKey)
    return RoundPlan(
      job: "größe", round: 7, attempt: 3, roster: roster, sites: (0..<sites).map { SiteID(UInt32(3 * $0)) }, minimumSurvivors: least,
      isSparse: isSparse,
      weightsDigest: BLAKE2b.hash([2]), configurationDigest: BLAKE2b.hash([3]), sections: sections, mechanism: mechanism.encoded())
  }

  /// [LG-40] [LG-44]: one plan, one context, one charge, one event.
  @Test(arguments: [(5, 1, 4), (10, 3, 7), (10, 0, 9), (50, 16, 40), (128, 20, 100)])
  func plansAndWhatTheyCost(_ sites: Int, _ colluders: Int, _ least: Int) throws {
    for dimension in [1, 63, 1000, 70_000] {
      let encoding = try noised(sites, dimension, bits: 24)
      let plan = plan(.noised(encoding), encoding.sections, sites: sites, colluders: colluders, least: least, isSparse: false)
      let read = try LedgerPlan(plan.encoded())
      #expect(read.context == plan.context && read.noiseShares == plan.noiseShares && read.inputsMin == plan.inputsMin)
      #expect(read.quorum == plan.threshold && !read.isSparse)
      let charge = try #require(PrivacyCharge(plan))
      guard case .noised(let sum) = try LedgerMechanism(read.mechanism) else { throw EncodingFault("no noise") }
      #expect(charge.mechanism == read.mechanism && Int(charge.shares) == read.noiseShares)
      #expect(sum.event(shares: read.noiseShares) == charge.event)
      for multiplier in [0.5, 1, 1.0000001, 3] {
        let (own, other) = (
          sum.assures(noiseMultiplier: multiplier, shares: read.noiseShares),
          encoding.assures(noiseMultiplier: multiplier, shares: plan.noiseShares)
        )
        #expect(own == other)
      }
    }
  }

  /// What one of both refuses, the other does.
  @Test func mechanismsAreRefusedAlike() throws {
    let good = try noised(10, 1000)
    let changes: [(inout NoisedEncoding) -> Void] = [
      { $0.sites = 1 }, { $0.bits = 33 }, { $0.bits = 12 }, { $0.clip = 0 }, { $0.clip = -1 }, { $0.clip = .nan }, { $0.resolution = 0 },
      { $0.blockBits = 3 },
      { $0.blockBits = 18 }, { $0.coordinateBound = 0 }, { $0.coordinateBound = $0.resolution + 1 }, { $0.normSquaredMax = 1 },
      { $0.normSquaredMax = 1 << 54 },
      { $0.variance = Fraction(3) ?? $0.variance }, { $0.variance = Fraction(1 << 60) ?? $0.variance }, { $0.dimension = 0 },
      { $0.dimension = 1 << 29 },
      { $0.sites = 10_001 }, { _ in },
    ]
    for (number, change) in changes.enumerated() {
      var encoding = good
      change(&encoding)
      let bytes = Mechanism.noised(encoding).encoded()
      let (own, other) = ((try? LedgerMechanism(bytes)) != nil, (try? Mechanism(decoding: bytes)) != nil)
      #expect(own == other, "change \(number)")
      #expect((try? LedgerMechanism(Array(bytes.dropLast()))) == nil && (try? LedgerMechanism(bytes + [0])) == nil)
    }
  }

  /// [LG-40] [LG-41] [LG-44]: noise that is taken out again, and sums over sampled images.
  @Test(arguments: [(5, 1, 4), (10, 3, 7), (50, 16, 40)])
  func otherNoise(_ sites: Int, _ colluders: Int, _ least: Int) throws {
    for noise in [NoisedEncoding.Noise.discreteGaussian, .removableSkellam(survivorsMin: max(least, 1), known: max(colluders, 1))] {
      for rate in [nil, 0.02, 1.0] as [Double?] {
        var encoding = try noised(sites, 1000, bits: 26)
        (encoding.noise, encoding.samplingRate) = (noise, rate)
        encoding.variance = Fraction(encoding.variance.numerator * 40_000, encoding.variance.denominator) ?? encoding.variance
        for change in 0..<4 {
          var changed = encoding
          if change == 1 { changed.variance = Fraction(1 << 58) ?? changed.variance }
          if change == 2 { changed.samplingRate = 1e-9 }
          if change == 3 { changed.coordinateBound = changed.resolution + 1 }
          let bytes = Mechanism.noised(changed).encoded()
          let (own, other) = (try? LedgerMechanism(bytes), try? Mechanism(decoding: bytes))
          #expect((own == nil) == (other == nil), "change \(change) of \(noise), \(rate ?? 0)")
          guard case .noised(let sum)? = own, case .noised(let theirs)? = other else { continue }
          #expect(sum.event(shares: 3) == theirs.event(assured: 3))
          for multiplier in [0.5, 1, 30, 200, 2000] {
            #expect(sum.assures(noiseMultiplier: multiplier, shares: 3) == theirs.assures(noiseMultiplier: multiplier, shares: 3))
          }
        }
      }
    }
  }

  @Test func graphsHaveTheSameNumbers() throws {
    var graph = GraphNumbers()
    for (n, colluders, dropouts) in [
      (100, 5, 5), (100, 20, 10), (200, 40, 20), (500, 100, 50), (65, 3, 3), (65, 20, 20), (64, 3, 3), (1000, 50, 50),
    ] {
      let (own, other) = (
        graph.find(sites: n, colluders: colluders, dropouts: dropouts),
        GraphParameters.find(sites: n, colluders: colluders, dropouts: dropouts)
      )
      #expect(own?.neighbours == other?.neighbours && own?.threshold == other?.threshold)
    }
  }

  /// [LG-43] [LG-57]: what survivors sign.
  @Test func setsAndSignatures() throws {
    let context = BLAKE2b.hash([4])
    func ids(_ sites: [UInt32]) -> [SiteID] { sites.map { SiteID($0) } }
    let digests = [UInt8(1), 2, 3].map { BLAKE2b.hash([$0]) }
    let maskSet = BLAKE2b.hash([5])
    let preimage = Transcript.survivorsPreimage(
      keyed: ids([1, 2, 3, 9]), maskSet: maskSet, masked: ids([1, 2, 3, 9]), survivors: ids([1, 3, 9]), digests: digests)
    let sets = try SurvivorSets(preimage, context: context)
    #expect(sets.survivors == [1, 3, 9] && sets.digests == digests && sets.masked == [1, 2, 3, 9])
    #expect(sets.hash == Transcript.survivors(context, preimage: preimage))
    let key = Ed25519.SigningKey()
    let message = SignedMessage(type: .consistency, body: sets.hash, context: context, sender: SiteID(3), key: key)
    #expect(key.publicKey.verify(message.signature, of: sets.signedBytes(context: context, site: 3)))
    for cut in 0..<preimage.count {
      #expect(throws: EncodingFault.self) { try SurvivorSets(Array(preimage.prefix(cut)), context: context) }
    }
  }

  /// [LG-54]: the certificate is evidence of spec/09, and both checks agree.
  @Test(arguments: [2, 3, 5])
  func refunds(_ count: Int) throws {
    let encoding = try noised(5, 100)
    let keys = (0..<5).map { _ in Ed25519.SigningKey() }
    let sites = (0..<5).map { SiteID(UInt32($0)) }
    let roster = RosterView(
      digest: BLAKE2b.hash([1]), colluders: 1, siteKeys: Dictionary(uniqueKeysWithValues: zip(sites, keys.map(\.publicKey))),
      serverKey: Ed25519.SigningKey().publicKey)
    let plan = RoundPlan(
      job: "j", round: 1, attempt: 0, roster: roster, sites: sites, weightsDigest: BLAKE2b.hash([2]),
      configurationDigest: BLAKE2b.hash([3]),
      sections: encoding.sections, mechanism: Mechanism.noised(encoding).encoded())
    let messages = (0..<count).map { SignedMessage(type: .destroyed, body: [], context: plan.context, sender: sites[$0], key: keys[$0]) }
    let evidence = Evidence(.unopened, nil, plan: plan, messages)
    let certificate = try RefundCertificate(evidence.encoded())
    let read = try LedgerPlan(plan.encoded())
    let own = (try? certificate.check(read) { keys[Int($0)].publicKey }) != nil
    #expect(own == ((try? evidence.check(roster)) != nil))
    #expect(own == (count >= 3))
    #expect(throws: EncodingFault.self) { try certificate.check(read) { _ in keys[4].publicKey } }
    #expect(throws: EncodingFault.self) { try RefundCertificate(Evidence(.unopened, sites[0], plan: plan, messages).encoded()) }
  }

  /// [LG-30] [LG-44]: jobs, and the steps of their trainers.
  @Test func jobs() throws {
    var plan = JobPlan(
      name: "größe", model: "yolov5n", classes: ["a", "b"], imageSize: 320, rounds: 12, parameterCount: 1000, statisticCount: 10,
      layoutDigest: BLAKE2b.hash([1]), initialWeightsDigest: BLAKE2b.hash([2]))
    let plain = try LedgerJob(plan.encoded())
    #expect(plain.digest == plan.digest && plain.unit == .none && plain.weightsDigest == plan.initialWeightsDigest && plain.rounds == 12)
    (plan.training.batchNormRounds, plan.statisticCount) = (0, 0)
    plan.privacy = JobPlan.Privacy(clip: 1, noiseMultiplier: 1.1, epsilon: 8, delta: 1e-5)
    let site = try LedgerJob(plan.encoded())
    #expect(site.unit == .site && site.privacy?.epsilon == 8 && site.digest == plan.digest)
    for (rate, quantile, parts) in [(0.02, nil, 1), (0.02, 0.5, 1), (0.013, 0.9, 3), (1.0, nil, 1)] as [(Double, Double?, Int)] {
      plan.privacy?.records = JobPlan.Privacy.Records(samplingRate: rate, clipQuantile: quantile, lotSize: 16)
      plan.training.roundsPerEpoch = parts
      let record = try LedgerJob(plan.encoded())
      let (step, steps) = try #require(try record.recordSteps())
      #expect(record.unit == .record && step == plan.recordMechanism && steps == plan.recordStepsPerRound)
      let round = self.plan(.noised(try noised(5, 100)), [], sites: 5, colluders: 1, least: 4)
      let charge = try #require(plan.charge(for: round))
      #expect(LedgerJob.chargeBytes(step) == charge.mechanism && steps == Int(charge.shares))
      #expect(charge.event == .repeated(step.event, count: steps))
    }
    plan.training.roundsPerEpoch = 1
    plan.privacy?.noise = .skellam
    plan.privacy?.records = JobPlan.Privacy.Records(samplingRate: 0.02, lotSize: 16, form: .distributed)
    let shared = try LedgerJob(plan.encoded())
    let steps = try shared.recordSteps()
    #expect(shared.unit == .record && shared.noisesSums && plan.noisesSums && steps == nil)
    let bytes = plan.encoded()
    for cut in 0..<bytes.count {
      #expect((try? LedgerJob(Array(bytes.prefix(cut)))) == nil || (try? JobPlan.decode(Array(bytes.prefix(cut)))) != nil)
    }
    for place in bytes.indices {
      for bit in [0, 3, 7] {
        var changed = bytes
        changed[place] ^= UInt8(1 << bit)
        #expect(((try? LedgerJob(changed)) != nil) == ((try? JobPlan.decode(changed)) != nil), "bit \(bit) of byte \(place)")
      }
    }
  }

  /// [LG-50] [LG-51]: curves that are added one by one give what server and sites compute from the list of charges.
  @Test func accounts() throws {
    let (one, other) = (try noised(10, 1000), try noised(10, 1000, multiplier: 2))
    let charges = [one, other, one, one, other].map { PrivacyCharge(mechanism: Mechanism.noised($0).encoded(), shares: 6) }
    var (account, curves) = (JobAccount(delta: 1e-5), ChargeCurves())
    for (number, charge) in charges.enumerated() {
      let event = try #require(charge.event)
      let found = curves.curve(LeafCharge(mechanism: charge.mechanism, shares: 6), event)
      let curve = try #require(found)
      account.add(JobAccount.Charge(curve: curve, isSparse: false))
      let theirs = PrivacyAccount.epsilon(Array(charges.prefix(number + 1)), delta: 1e-5)
      #expect(abs(account.epsilon - theirs) <= 1e-12 * theirs)
    }
    #expect(JobAccount.accepts(1.00001, own: 1) && !JobAccount.accepts(1.00002, own: 1) && !JobAccount.accepts(0.99999, own: 1))
    #expect(!JobAccount.accepts(1, own: .infinity) && JobAccount.accepts(0, own: 0))
  }
}
