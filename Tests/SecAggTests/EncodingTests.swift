// Floats to ring elements and back (spec/04-quantisation-and-wrap-bound.md): bounds, bias, saturation, and what is refused.
import Masking
import TestSupport
import Testing

@testable import SecAgg

@Suite struct EncodingTests {
  private func encoder(_ sites: Int = 5, reference: UInt64 = 1000, scalars: [ScalarSpec]? = nil) throws -> UpdateEncoder {
    var parameters = Fixture.encoding(sites)
    parameters.samplesReference = reference
    if let scalars { parameters.scalars = scalars }
    return try UpdateEncoder(parameters)
  }

  private func layout(_ encoder: UpdateEncoder, _ update: FlatUpdate) -> [VectorSection] {
    encoder.parameters.sections(parameters: update.parameters.count, statistics: update.statistics.count)
  }

  @Test("[SA-17] n(B + 1) < 2^(b - 1), and the next B would not fit", arguments: [3, 5, 10, 64], [4, 8, 16, 20, 32])
  func bound(sites: Int, bits: Int) {
    let bound = EncodingParameters.bound(bits: bits, sites: sites)
    let half = Int64(1) << Int64(bits - 1)
    #expect(Int64(sites) * (bound + 1) < half)
    #expect(Int64(sites) * (bound + 2) >= half)
  }

  @Test("known figures: 20 bits and five sites give B = 104,856, and a half is 52,428 exactly")
  func knownFigures() throws {
    #expect(EncodingParameters.bound(bits: 20, sites: 5) == 104_856)
    let encoder = try encoder(reference: 0, scalars: [])
    var random = SeededGenerator(seed: 1)
    let local = FlatUpdate(parameters: [0.5, -0.5, 1, -1, 0, 9, -9], statistics: [4, 14, -94])
    let global = FlatUpdate(parameters: [Float](repeating: 0, count: 7), statistics: [0, 10, -100])
    let update = try encoder.encode(local: local, global: global, samples: 3, metrics: [:], using: &random)
    let ring = Ring(bits: 20)
    #expect(update.sections[0].map(ring.signed) == [52_428, -52_428, 104_856, -104_856, 0, 104_856, -104_856])
    // Statistics: 4/(4·1), 4/(4·10), 6/(4·100); the last two are rounded up or down.
    let statistics = update.sections[1].map(ring.signed)
    #expect(statistics[0] == 104_856)
    #expect([10_485, 10_486].contains(statistics[1]) && [1572, 1573].contains(statistics[2]))
    #expect(update.saturated == 2)
  }

  @Test("rounding has no bias: the mean of 200,000 roundings of 0.3 grid steps is within five standard errors")
  func unbiased() throws {
    let grid = RoundingGrid(bits: 20, sites: 5)
    var rounding = StochasticRounding()
    var random = SeededGenerator(seed: 5)
    for target in [0.3, -0.3, 1000.75] {
      var sum = 0.0
      let count = 200_000
      for _ in 0..<count { sum += Double(grid.ring.signed(rounding.quantise(target / grid.bound, grid, &random))) }
      // Five standard errors of a Bernoulli mean: a false alarm in 1.7 million.
      #expect(abs(sum / Double(count) - target) < 5 * 0.5 / Double(count).squareRoot())
    }
  }

  @Test("[SA-17] [SA-103] the sum of n extreme updates does not wrap, and decodes to the mean", arguments: 3...8)
  func extremes(sites: Int) throws {
    let encoder = try encoder(sites)
    var random = SeededGenerator(seed: 6)
    for sign: Float in [1, -1] {
      let global = FlatUpdate(parameters: [0.25, -3], statistics: [0.5, 200])
      let local = FlatUpdate(parameters: global.parameters.map { $0 + sign * 50 }, statistics: global.statistics.map { $0 + sign * 1e6 })
      let updates = try (0..<sites).map { _ in
        try encoder.encode(local: local, global: global, samples: 5000, metrics: ["box_loss": 1e9], using: &random)
      }
      #expect(updates.allSatisfy { $0.saturated == 5 })
      let plan = Fixture.plan(sites, roster: Fixture.roster(sites, colluders: 0), parameters: 2, statistics: 2)
      let sum = Fixture.sum(updates.map(\.sections), plan)
      let mean = try UpdateDecoder(encoder.parameters).decode(
        sum: sum, layout: plan.sections, survivors: sites, globalStatistics: global.statistics)
      for value in mean.parameters { #expect(abs(value - Double(sign)) < 1e-9) }
      #expect(abs(mean.statistics[0] - Double(sign) * 4) < 1e-9 && abs(mean.statistics[1] - Double(sign) * 800) < 1e-6)
      #expect(mean.counts["samples"] == 5000 * UInt64(sites))
      let (weight, loss) = (try #require(mean.weight), try #require(mean.means["box_loss"]))
      #expect(abs(weight - Double(sites)) < 1e-6 && abs(loss - 64) < 1e-6)
    }
  }

  @Test("the decoded mean is the weighted mean within the grid")
  func weightedMean() throws {
    let encoder = try encoder()
    var random = SeededGenerator(seed: 7)
    var plain = [Double](repeating: 0, count: 40)
    var weights = 0.0
    var losses = 0.0
    let global = FlatUpdate(parameters: (0..<40).map { Float($0) / 50 }, statistics: [3, -8])
    var sections: [[[UInt32]]] = []
    for site in 0..<5 {
      let samples = UInt64(100 + 150 * site)
      let weight = Double(samples) / 1000
      let local = FlatUpdate(
        parameters: global.parameters.map { $0 + Float.random(in: -0.2...0.2, using: &random) }, statistics: [3.5, -7])
      for index in plain.indices { plain[index] += weight * (Double(local.parameters[index]) - Double(global.parameters[index])) }
      weights += weight
      losses += weight * Double(site)
      sections.append(
        try encoder.encode(local: local, global: global, samples: samples, metrics: ["box_loss": Double(site)], using: &random).sections)
    }
    let plan = Fixture.plan(5, roster: Fixture.roster(5, colluders: 1), parameters: 40, statistics: 2)
    let mean = try UpdateDecoder(encoder.parameters).decode(
      sum: Fixture.sum(sections, plan), layout: plan.sections, survivors: 5, globalStatistics: global.statistics)
    // Five roundings of one grid step each.
    let tolerance = 5.0 / Double(EncodingParameters.bound(bits: 20, sites: 5)) / weights
    for index in plain.indices { #expect(abs(mean.parameters[index] - plain[index] / weights) < tolerance) }
    #expect(abs(mean.statistics[0] - 0.5) < 12 * tolerance && abs(mean.statistics[1] - 1) < 32 * tolerance)
    let (weight, loss) = (try #require(mean.weight), try #require(mean.means["box_loss"]))
    #expect(abs(weight - weights) < 1e-6 && abs(loss - losses / weights) < 1e-5)
    #expect(mean.counts["samples"] == 2000)
  }

  @Test("a census has counts and nothing else")
  func census() throws {
    let encoder = try encoder(5, reference: 0, scalars: [.samples])
    var random = SeededGenerator(seed: 8)
    let nothing = FlatUpdate(parameters: [], statistics: [])
    let counts: [UInt64] = [0, 1, 4_294_967_296, 65_535, 65_536]
    let sections = try counts.map { count in
      try encoder.encode(local: nothing, global: nothing, samples: count, metrics: [:], using: &random).sections
    }
    let layout = layout(encoder, nothing)
    #expect(layout == [VectorSection(name: "scalars", count: 2, bits: 32)])
    let sum = (0..<2).map { word in sections.reduce(UInt32(0)) { $0 &+ $1[0][word] } }
    let mean = try UpdateDecoder(encoder.parameters).decode(sum: [sum], layout: layout, survivors: 5, globalStatistics: [])
    #expect(mean.counts == ["samples": counts.reduce(0, +)] && mean.weight == nil && mean.parameters.isEmpty)
  }

  @Test("[SA-104] NaN and infinity are refused, wherever they stand", arguments: [Float.nan, .infinity, -.infinity, .signalingNaN])
  func notFinite(bad: Float) throws {
    let encoder = try encoder()
    let good = FlatUpdate(parameters: [1, 2], statistics: [3])
    var cases: [(FlatUpdate, FlatUpdate, Double)] = [(good, good, Double(bad))]
    for edit in [{ (update: inout FlatUpdate) in update.parameters[1] = bad }, { $0.statistics[0] = bad }] {
      var altered = good
      edit(&altered)
      cases += [(altered, good, 1), (good, altered, 1)]
    }
    for (local, global, metric) in cases {
      var random = SeededGenerator(seed: 9)
      do throws(EncodingError) {
        _ = try encoder.encode(local: local, global: global, samples: 1, metrics: ["box_loss": metric], using: &random)
        Issue.record("accepted")
      } catch {
        #expect(error.code == .notFinite)
      }
    }
  }

  @Test func whatTheEncoderRefuses() throws {
    let encoder = try encoder()
    let good = FlatUpdate(parameters: [1, 2], statistics: [3])
    func code(_ local: FlatUpdate, _ samples: UInt64, _ metrics: [String: Double]) -> EncodingError.Code? {
      var random = SeededGenerator(seed: 10)
      do throws(EncodingError) {
        _ = try encoder.encode(local: local, global: good, samples: samples, metrics: metrics, using: &random)
        return nil
      } catch { return error.code }
    }
    #expect(code(good, 1, ["box_loss": 1]) == nil)
    #expect(code(FlatUpdate(parameters: [1], statistics: [3]), 1, ["box_loss": 1]) == .wrongLength)
    #expect(code(FlatUpdate(parameters: [1, 2], statistics: []), 1, ["box_loss": 1]) == .wrongLength)
    #expect(code(good, 1, [:]) == .wrongScalars)
    #expect(code(good, 1, ["box_loss": 1, "secret": 2]) == .wrongScalars)
    #expect(code(good, 1, ["box_loss": 1, "weight": 1]) == .wrongScalars)
    #expect(code(good, 1, ["box_loss": 1, "samples": 1]) == .wrongScalars)
    #expect(code(good, 4_294_967_297, ["box_loss": 1]) == .countOutOfRange)
    #expect(code(good, .max, ["box_loss": 1]) == .countOutOfRange)
  }

  @Test func whatTheDecoderRefuses() throws {
    let decoder = try UpdateDecoder(Fixture.encoding(5))
    let layout = decoder.parameters.sections(parameters: 2, statistics: 1)
    let words = layout.map { [UInt32](repeating: 0, count: $0.count) }
    func code(_ edit: (inout [[UInt32]]) -> Void, survivors: Int = 5, statistics: [Float] = [1]) -> EncodingError.Code? {
      var sum = words
      // A weight of one site.
      sum[2][0] = 1 << 20
      edit(&sum)
      do throws(EncodingError) {
        _ = try decoder.decode(sum: sum, layout: layout, survivors: survivors, globalStatistics: statistics)
        return nil
      } catch { return error.code }
    }
    #expect(code { _ in } == nil)
    #expect(code { $0[0].removeLast() } == .wrongLength)
    #expect(code { $0.removeLast() } == .wrongLength)
    #expect(code({ _ in }, survivors: 6) == .wrongLength)
    #expect(code({ _ in }, survivors: 0) == .wrongLength)
    #expect(code({ _ in }, statistics: []) == .wrongLength)
    #expect(code { $0[0][0] = 1 << 19 } == .sumOutOfRange)
    #expect(code({ $0[0][0] = 104_857 }, survivors: 1) == .sumOutOfRange)
    #expect(code { $0[2][2] = .max } == .sumOutOfRange)
    #expect(code { $0[2][3] = 1 << 31 } == .sumOutOfRange)
    #expect(code { $0[2][0] = 0 } == .noWeight)
    #expect(code { $0[2][0] = 0xffff_fff0 } == .noWeight)
  }

  @Test("[SA-18] mechanism bytes: one encoding, no truncation, nothing after it")
  func mechanismBytes() throws {
    let parameters = Fixture.encoding(5)
    let bytes = parameters.encoded()
    #expect(try EncodingParameters(decoding: bytes) == parameters)
    for length in 0..<bytes.count {
      do throws(Refusal) {
        _ = try EncodingParameters(decoding: Array(bytes.prefix(length)))
        Issue.record("a prefix of \(length) bytes is a mechanism")
      } catch { #expect(error.code == .badMechanism) }
    }
  }

  @Test("[SA-17] a count too large for two limbs") func hugeCount() throws {
    var parameters = Fixture.encoding(64)
    parameters.scalars = [ScalarSpec(name: "pixels", range: EncodingParameters.countMax, isCount: true)]
    #expect(throws: Never.self) { try parameters.validate() }
    parameters.sites = 63
    #expect(parameters.scalarWords == 2)
    parameters.scalars = [ScalarSpec(name: "pixels", range: EncodingParameters.countMax * 2, isCount: true)]
    do throws(Refusal) { try parameters.validate() } catch { #expect(error.code == .badMechanism) }
  }

  @Test func bufferedRandomnessHasNoRepeats() {
    var source = BufferedRandomSource()
    // More than two buffers.
    #expect(Set((0..<20_000).map { _ in source.next() }).count == 20_000)
  }
}
