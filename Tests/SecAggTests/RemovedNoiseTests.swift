// Noise that is removed (spec/12-noised-rounds.md, "Noise that is removed"): what stays in a sum for every number of dropouts, that nobody
// shows what must stay, and that whoever deals or reveals wrongly is named.
import DPAccountant
import GMP
import Masking
import Sodium
import TestSupport
import Testing

@testable import SecAgg

@Suite struct RemovedNoiseTests {
  /// Eight sites with one colluder: t = 6, so that two components may be removed.
  static let count = 8

  static func encoding(_ edit: (inout NoisedEncoding) -> Void = { _ in }) -> NoisedEncoding {
    var made = NoisedEncoding(
      sites: count, dimension: 1000, bits: 24, clip: 1, resolution: 1000, blockBits: 10, coordinateBound: 300,
      normSquaredMax: 1_100_000, variance: Fraction(4_000_000)!, noise: .removableSkellam(survivorsMin: 6, known: 1))
    edit(&made)
    return made
  }

  private func world(minimumSurvivors: Int? = nil, _ edit: (inout NoisedEncoding) -> Void = { _ in }) throws -> World {
    let encoding = Self.encoding(edit)
    return try World(Self.count, minimumSurvivors: minimumSurvivors) {
      ($0.sections, $0.mechanism) = (encoding.sections, encoding.encoded())
    }
  }

  /// Sites that draw the roots of their noise from `roots`, in the order of their components.
  private func draw(_ world: World) throws -> [SiteID: [Scalar]] {
    var roots: [SiteID: [Scalar]] = [:]
    for site in world.plan.sites {
      let own = (0..<world.plan.removableComponents).map { _ in Scalar.random() }
      roots[site] = own
      let queue = Queue(own)
      world.sites[site] = SiteSession(
        site: site, identity: try #require(Keys.sites[site]), roster: world.roster, minimumHonest: 1,
        random: SiteRandom(
          scalar: { $0 == .noiseRoot ? queue.next() : .random() }, channelKey: { X25519.SecretKey() }, nonce: { [] }))
    }
    return roots
  }

  private final class Queue: @unchecked Sendable {
    private var values: [Scalar]
    init(_ values: [Scalar]) { self.values = values }
    func next() -> Scalar { values.removeFirst() }
  }

  /// The plain sum of the survivors with their components up to `last`, by the readable definition.
  private func expected(_ world: World, _ survivors: [SiteID], _ roots: [SiteID: [Scalar]], last: Int) throws -> [[UInt32]] {
    var sum = world.plainSum(survivors)
    let encoding = Self.encoding()
    let noise = try RemovableNoise(assuredVariance: Rational(4_000_000), sites: Self.count, survivorsMin: 6, known: 1)
    for site in survivors {
      for component in 0..<last {
        let root = MaskRoot(try #require(roots[site])[component])
        let seed = root.noiseSeed(owner: site.rawValue, component: UInt8(component + 1), context: world.plan.context)
        var values = [Int64](repeating: 0, count: encoding.paddedDimension)
        try values.withUnsafeMutableBufferPointer { try noise.apply(.add, component: component + 1, seed: seed, to: $0) }
        for index in values.indices { sum[0][index] = sum[0][index] &+ UInt32(truncatingIfNeeded: values[index]) }
      }
    }
    Ring(bits: encoding.bits).reduce(&sum[0])
    return sum
  }

  @Test(
    "[NR-02] [NR-05] [NS-31] what is too much is taken out, whoever drops out and when", arguments: 0...2,
    [Phase.acknowledge, .maskedInput])
  func everyNumberOfDropouts(missing: Int, phase: Phase) throws {
    for lateDeaths in [false, true] {
      let world = try world()
      let roots = try draw(world)
      for index in 0..<missing { world.deathPhase[Fixture.site(index)] = phase }
      // Two more vanish between their inputs and the reveal: their noise is taken out all the same.
      if lateDeaths {
        for index in 6...6 + (missing < 2 ? 1 : 0) where 8 - missing - (index - 5) >= 6 { world.deathPhase[Fixture.site(index)] = .reveal }
      }
      world.run()
      let sum = try #require(world.sum)
      #expect(sum.survivors == Array(world.plan.sites.dropFirst(missing)))
      #expect(sum.sections == (try expected(world, sum.survivors, roots, last: missing)))
      #expect(world.refusals.isEmpty && world.accusations.isEmpty)
    }
  }

  /// [NR-01] [NR-06] Encoders of zero updates: what is left has the variance σ²·h/(h − c), for every h.
  @Test(arguments: 0...2) func theVarianceIsThePlannedOne(missing: Int) throws {
    let world = try world()
    let encoder = try NoisedUpdateEncoder(Self.encoding())
    let zero = [Float](repeating: 0, count: 1000)
    for site in world.plan.sites {
      var source = RandomStream()
      world.inputs[site] = try encoder.encode(local: zero, global: zero, context: world.plan.context, from: &source).sections
    }
    for index in 0..<missing { world.deathPhase[Fixture.site(index)] = .maskedInput }
    world.run()
    let sum = try #require(world.sum)
    let ring = Ring(bits: 24)
    let values = sum.sections[0].map { Double(ring.signed($0)) }
    let survivors = Double(Self.count - missing)
    let expected = 4_000_000 * survivors / (survivors - 1)
    let found = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
    // 1,024 values: a standard error of 4.4 %; five of them.
    #expect(abs(found / expected - 1) < 0.22, "\(found) of \(expected)")
  }

  private func reveals(_ world: World) throws -> [SiteID: RevealBody] {
    var found: [SiteID: RevealBody] = [:]
    for entry in world.log where !entry.toSite && world.type(of: entry.bytes) == .reveal {
      found[entry.site] = try SignedMessage(decoding: entry.bytes).open(RevealBody.self)
    }
    return found
  }

  @Test("[NR-04] nobody shows a component that must stay, or two kinds of a dropout", arguments: 0...2)
  func nothingElseIsShown(missing: Int) throws {
    let world = try world()
    for index in 0..<missing { world.deathPhase[Fixture.site(index)] = .maskedInput }
    world.run()
    let survivors = try #require(world.sum).survivors
    let reveals = try reveals(world)
    #expect(reveals.keys.sorted() == survivors)
    for body in reveals.values {
      for dealer in world.plan.sites {
        let kinds = body.entries.filter { $0.dealer == dealer }.map(\.kind)
        let due: [ShareKind] = survivors.contains(dealer) ? [.selfMask] + (missing..<2).map { .noise($0 + 1) } : [.maskKey]
        #expect(kinds == due)
      }
    }
  }

  @Test("[NR-04] [SA-82] a share of noise that must stay is refused and is evidence; one that is missing is refused")
  func wrongReveals() throws {
    for isShown in [true, false] {
      let world = try world()
      world.deathPhase[Fixture.site(0)] = .maskedInput
      let liar = Fixture.site(3)
      world.toServer = { [unowned world] site, type, bytes in
        guard site == liar, type == .reveal, let body = try? SignedMessage(decoding: bytes).open(RevealBody.self) else { return [bytes] }
        var entries = body.entries
        // One site is missing: component 1 stays, component 2 goes.
        if isShown {
          let share = Scalar.random().exposed()
          let place = entries.firstIndex { $0.kind == .noise(2) } ?? 0
          entries.insert(.init(dealer: entries[place].dealer, kind: .noise(1), share: share), at: place)
        } else {
          entries.removeAll { $0.kind == .noise(2) }
        }
        return [world.siteMessage(RevealBody(entries: entries), site).bytes]
      }
      world.run()
      #expect(world.refusals.map(\.1.code) == [isShown ? .bothShares : .wrongMembers])
      #expect(world.accusations.map(\.claim) == (isShown ? [.bothShares] : []))
      // Six others are enough.
      #expect(world.sum != nil)
    }
  }

  @Test("[NR-03] a dealer that signs another number of components is refused") func otherNumbers() throws {
    let world = try world()
    let dealer = Fixture.site(2)
    world.toServer = { [unowned world] site, type, bytes in
      guard site == dealer, type == .shares, let body = try? SignedMessage(decoding: bytes).open(SharesBody.self),
        let header = try? body.headers[0].open(ShareHeaderBody.self)
      else { return [bytes] }
      let plain = header.entries.map {
        ShareHeaderBody.Entry(
          holder: $0.holder, maskKeyShare: $0.maskKeyShare, selfMaskShare: $0.selfMaskShare, envelope: $0.envelope,
          noiseShares: Array($0.noiseShares.prefix(1)))
      }
      let signed = world.siteMessage(
        ShareHeaderBody(
          keyList: header.keyList, selfMaskRoot: header.selfMaskRoot, commitments: header.commitments, entries: plain,
          noiseRoots: Array(header.noiseRoots.prefix(1))), site)
      return [world.siteMessage(SharesBody(headers: [signed], envelopes: body.envelopes.map { Array($0.prefix(112)) }), site).bytes]
    }
    world.run()
    #expect(world.refusals.map(\.1.code) == [.badCommitments] && world.refusals.first?.0 == dealer)
    #expect(world.sum?.survivors.contains(dealer) == false)
  }

  /// [SA-85] What the shares rebuild is not what the header names.
  @Test func aDealerOfAnotherRoot() throws {
    let world = try world()
    let dealer = Fixture.site(2)
    world.toServer = { [unowned world] site, type, bytes in
      guard site == dealer, type == .shares, let body = try? SignedMessage(decoding: bytes).open(SharesBody.self),
        let header = try? body.headers[0].open(ShareHeaderBody.self), let session = world.sites[site]
      else { return [bytes] }
      let signed = world.siteMessage(
        ShareHeaderBody(
          keyList: header.keyList, selfMaskRoot: header.selfMaskRoot, commitments: header.commitments, entries: header.entries,
          noiseRoots: [header.noiseRoots[0], BLAKE2b.hash([9])]), site)
      session.ownHeaders = [signed]
      return [world.siteMessage(SharesBody(headers: [signed], envelopes: body.envelopes), site).bytes]
    }
    world.run()
    guard case .aborted(let refusal) = world.outcome else {
      Issue.record("a sum with noise that nobody could take out")
      return
    }
    #expect(refusal.code == .wrongDealer && refusal.culprit == dealer)
    #expect(world.accusations.map(\.claim) == [.wrongDealer] && world.accusations.first?.culprit == dealer)
  }

  static let badPlans: [(RefusalCode, @Sendable (inout NoisedEncoding) -> Void)] = [
    (.badMechanism, { $0.noise = .removableSkellam(survivorsMin: 5, known: 1) }),
    (.badMechanism, { $0.noise = .removableSkellam(survivorsMin: 6, known: 2) }),
    (.badMechanism, { $0.noise = .removableSkellam(survivorsMin: 6, known: 0) }),
    (.badMechanism, { $0.noise = .removableSkellam(survivorsMin: 9, known: 1) }),
    (.badMechanism, { $0.noise = .removableSkellam(survivorsMin: 6, known: 6) }),
    (.badMechanism, { $0.noise = .removableSkellam(survivorsMin: 0, known: 0) }),
    (.badMechanism, { $0.noise = .removableSkellam(survivorsMin: 0, known: 1) }),
    (.badMechanism, { $0.noise = .removableSkellam(survivorsMin: 1, known: 1) }),
    (.badMechanism, { $0.noise = .removableSkellam(survivorsMin: 1 << 31, known: 1 << 30) }),
    // The smallest component is below a grid step.
    (.badMechanism, { $0.variance = Fraction(41)! }),
    (.badMechanism, { $0.samplingRate = 0 }), (.badMechanism, { $0.samplingRate = 1.5 }),
    (.wrapBound, { $0.bits = 15 }),
  ]

  @Test("[ND-01] [NR-01] [NR-07] constants that fit neither the plan nor the ring are refused", arguments: badPlans.indices)
  func refusedPlans(index: Int) throws {
    let (code, edit) = Self.badPlans[index]
    let error = #expect(throws: Refusal.self) { try world(edit) }
    #expect(error?.code == code)
  }

  @Test("[RP-13] a sum from a trainer is clamped, whatever whole numbers it has") func clamped() throws {
    let encoding = Self.encoding {
      ($0.samplingRate, $0.coordinateBound) = (0.5, 300)
    }
    var sum = [Int64](repeating: 0, count: encoding.paddedDimension)
    (sum[0], sum[1], sum[2], sum[3]) = (.min, .max, 300, -301)
    var source = RandomStream()
    let update = try NoisedUpdateEncoder(encoding).encode(sum: sum, from: &source)
    #expect(update.saturated == 3)
    let ring = Ring(bits: encoding.bits)
    // Component 0 has a deviation of 756 steps.
    for word in update.sections[0] { #expect(abs(ring.signed(word)) < 300 + 20 * 756) }
    #expect(throws: EncodingError.self) { try NoisedUpdateEncoder(encoding).encode(sum: [1], from: &source) }
    #expect(throws: EncodingError.self) { try NoisedUpdateEncoder(Self.encoding()).encode(sum: sum, from: &source) }
  }

  @Test("mechanism bytes of every kind are read back") func coding() throws {
    for edit: (inout NoisedEncoding) -> Void in [
      { _ in }, { $0.samplingRate = 0.25 }, { $0.noise = .discreteGaussian },
      {
        $0.noise = .discreteGaussian
        $0.samplingRate = 1
      },
    ] {
      let encoding = Self.encoding(edit)
      let bytes = encoding.encoded()
      #expect(try Mechanism(decoding: bytes) == .noised(encoding))
      for bad in [bytes + [0], Array(bytes.dropLast())] {
        #expect(throws: Refusal.self) { try Mechanism(decoding: bad) }
      }
    }
  }

  @Test("[ND-08] what is charged is the assured Skellam noise, sampled where records are", arguments: [nil, 0.1, 1])
  func event(rate: Double?) throws {
    let encoding = Self.encoding { $0.samplingRate = rate }
    let release = encoding.event(assured: 5)
    let inner: NoiseEvent
    if let rate, rate < 1 {
      guard case .poissonSampled(let found, let sampled) = release else {
        Issue.record("no sampling in \(release)")
        return
      }
      #expect(found == rate)
      inner = sampled
    } else {
      inner = release
    }
    guard case .skellam(let noise) = inner else {
      Issue.record("no Skellam noise in \(inner)")
      return
    }
    #expect(noise.variance <= 4_000_000 && noise.variance > 4_000_000 * (1 - 1e-12))
    #expect(noise.l2 * noise.l2 >= 1_100_000 && noise.l1 >= noise.l2 * 32)
    // The assured noise counts, not how many sites there are.
    #expect(encoding.event(assured: 7) == release)
    #expect(encoding.assures(noiseMultiplier: 1.9, shares: 1) && !encoding.assures(noiseMultiplier: 1.91, shares: 7))
  }
}
