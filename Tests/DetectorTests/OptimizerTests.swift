// Schedule, averaging and the optimiser itself: recorded tables of independent software, a plain-loop model of the step,
// and state files that must be refused.

import Foundation
import Safetensors
import TestSupport
import Testing

@testable import Detector

private func tinyNetwork(seed: UInt64 = 1, threads: Int = 1) -> Network {
  Network(spec: ModelSpec(depth: 1.0 / 3, width: 0.125, classes: 2), seed: seed, threads: threads)
}

@Suite struct OptimizerTests {
  private struct Run: Decodable {
    var epochs: Int
    var nb: Int
    var bs: Int
    var cos: Bool
    var nw: Int
    var weightDecay: Double
    var rows: [[Double]]
    enum CodingKeys: String, CodingKey {
      case epochs, nb, bs, cos, nw, rows
      case weightDecay = "weight_decay_scaled"
    }
  }

  @Test func scheduleMatchesTheRecord() throws {
    let runs = try JSONDecoder().decode(
      [Run].self, from: Data(contentsOf: URL(fileURLWithPath: vectorPath("lr_schedule.json"))))
    #expect(runs.count == 3)
    for run in runs {
      var schedule = LearningSchedule(epochs: run.epochs, batchesPerEpoch: run.nb, batchSize: run.bs)
      schedule.isCosine = run.cos
      #expect(schedule.warmupIterations == run.nw)
      #expect(schedule.scaledWeightDecay(5e-4) == run.weightDecay)
      var accumulation = Accumulation()
      for row in run.rows {
        let settings = schedule.settings(iteration: Int(row[0]), epoch: Int(row[1]))
        #expect(abs(settings.biasRate - row[2]) < 1e-12 && abs(settings.rate - row[3]) < 1e-12, "iteration \(row[0])")
        #expect(abs(settings.momentum - row[4]) < 1e-12 && Double(settings.accumulate) == row[5], "iteration \(row[0])")
        let steps = accumulation.completes(iteration: Int(row[0]), accumulate: settings.accumulate)
        #expect(steps == (row[6] == 1), "iteration \(row[0])")
      }
    }
  }

  @Test func averageDecayMatchesTheRecord() throws {
    let record = try JSONDecoder().decode(
      [String: [[Double]]].self, from: Data(contentsOf: URL(fileURLWithPath: vectorPath("ema.json"))))
    let rows = try #require(record["ema_decay(updates)"])
    for row in rows { #expect(abs(WeightAverage.decay(update: Int(row[0])) - row[1]) < 1e-12) }
  }

  @Test(arguments: [1, 2], [0.5, 100.0])
  func stepMatchesAPlainLoop(threads: Int, gradientScale: Double) {
    let network = tinyNetwork(threads: threads)
    let optimizer = Optimizer(network: network, weightDecay: 0.01)
    var generator = TestSupport.SeededGenerator(seed: 4)
    var momenta = network.parameters.map { [Double](repeating: 0, count: $0.count) }
    for step in 1...3 {
      var squares = 0.0
      for parameter in network.parameters {
        for index in 0..<parameter.count {
          parameter.gradient[index] = Float.random(in: -1...1, using: &generator) * Float(gradientScale) / 100
          squares += Double(parameter.gradient[index]) * Double(parameter.gradient[index])
        }
      }
      let clip = min(1, 10 / (squares.squareRoot() + 1e-6))
      #expect((clip < 1) == (gradientScale > 1), "both cases, clipped and not, are meant")
      let before = network.parameters.map { Array($0.value) }
      let norm = optimizer.step(.init(biasRate: 0.1, rate: 0.02, momentum: 0.9))
      #expect(abs(norm - squares.squareRoot()) < 1e-5 * norm)
      #expect(optimizer.steps == Int64(step))
      for (number, parameter) in network.parameters.enumerated() {
        let rate = parameter.group == .bias ? 0.1 : 0.02
        let decay = parameter.group == .weight ? 0.01 : 0
        var worst = 0.0
        for index in 0..<parameter.count {
          let value = Double(before[number][index])
          let gradient = Double(parameter.gradient[index]) * clip + decay * value
          momenta[number][index] = 0.9 * momenta[number][index] + gradient
          worst = max(worst, abs(Double(parameter.value[index]) - (value - rate * (gradient + 0.9 * momenta[number][index]))))
        }
        #expect(worst < 1e-6, "\(parameter.name)")
      }
    }
  }

  /// AdamW as its paper writes it down (Loshchilov and Hutter 2019, algorithm 2), and Adam with the decay in the gradient, in double.
  @Test(arguments: [1, 2], [OptimizerKind.adam, .adamW]) func adamMatchesAPlainLoop(threads: Int, kind: OptimizerKind) {
    let network = tinyNetwork(threads: threads)
    let optimizer = Optimizer(network: network, kind: kind, weightDecay: 0.01)
    var generator = TestSupport.SeededGenerator(seed: 4)
    var means = network.parameters.map { [Double](repeating: 0, count: $0.count) }
    var squares = means
    for step in 1...4 {
      for parameter in network.parameters {
        // Large ones too: nothing is clipped.
        for index in 0..<parameter.count { parameter.gradient[index] = Float.random(in: -3...3, using: &generator) }
      }
      let before = network.parameters.map { Array($0.value) }
      let given = network.parameters.map { $0.gradient.map(Double.init) }
      optimizer.step(.init(biasRate: 0.01, rate: 0.002, momentum: 0.9))
      for (number, parameter) in network.parameters.enumerated() {
        let rate = parameter.group == .bias ? 0.01 : 0.002
        let decay = parameter.group == .weight ? 0.01 : 0
        var worst = 0.0
        for index in 0..<parameter.count {
          let value = Double(before[number][index])
          let gradient = given[number][index] + (kind == .adam ? decay * value : 0)
          means[number][index] = 0.9 * means[number][index] + 0.1 * gradient
          squares[number][index] = 0.999 * squares[number][index] + 0.001 * gradient * gradient
          let (mean, square) = (
            means[number][index] / (1 - pow(0.9, Double(step))), squares[number][index] / (1 - pow(0.999, Double(step)))
          )
          let shrinking = kind == .adamW ? decay * value : 0
          let wanted = value - rate * (shrinking + mean / (square.squareRoot() + 1e-8))
          worst = max(worst, abs(Double(parameter.value[index]) - wanted))
        }
        #expect(worst < 1e-6, "\(parameter.name), step \(step)")
      }
    }
  }

  @Test func frozenLayersHaveNoShareInTheNorm() {
    let (whole, part) = (tinyNetwork(), tinyNetwork())
    for network in [whole, part] { for parameter in network.parameters { parameter.gradient.update(repeating: 1) } }
    let norm = Optimizer(network: part, frozenLayers: [0, 1, 2]).step(.init(biasRate: 0.1, rate: 0.1, momentum: 0.9))
    let free = part.parameters.filter { $0.layer > 2 }.reduce(0) { $0 + $1.count }
    #expect(abs(norm * norm - Double(free)) < 1e-6 * Double(free))
    for (before, after) in zip(whole.parameters, part.parameters) {
      #expect((Array(before.value) == Array(after.value)) == (before.layer <= 2), "\(before.name)")
    }
  }

  @Test func biasesOfAdamWWarmUpFromZero() {
    var options = TrainingOptions()
    #expect(options.schedule(images: 100).settings(iteration: 0, epoch: 0).biasRate == 0.1)
    options.optimizer = .adamW
    #expect(options.schedule(images: 100).settings(iteration: 0, epoch: 0).biasRate == 0)
  }

  @Test(arguments: [Float.nan, .infinity])
  func gradientsThatAreNotFiniteChangeNothing(bad: Float) {
    let network = tinyNetwork()
    let optimizer = Optimizer(network: network)
    let before = network.safetensors().serialise()
    network.parameters[7].gradient[3] = bad
    #expect(!optimizer.step(.init(biasRate: 0.1, rate: 0.1, momentum: 0.9)).isFinite)
    #expect(network.safetensors().serialise() == before)
    #expect(optimizer.steps == 0)
  }

  @Test(arguments: OptimizerKind.allCases) func stateRoundTripContinuesExactly(kind: OptimizerKind) throws {
    let first = tinyNetwork()
    let optimizer = Optimizer(network: first, kind: kind)
    func fill(_ network: Network, _ seed: UInt64) {
      var generator = TestSupport.SeededGenerator(seed: seed)
      for parameter in network.parameters {
        parameter.assign(parameter.values())
        for index in 0..<parameter.count { parameter.gradient[index] = Float.random(in: -1...1, using: &generator) / 100 }
      }
    }
    let settings = LearningSchedule.Settings(biasRate: 0.1, rate: 0.02, momentum: 0.9)
    fill(first, 1)
    optimizer.step(settings)
    let second = try Network(weights: SafetensorsFile(parsing: first.safetensors().serialise()), threads: 1)
    let restored = Optimizer(network: second, kind: kind)
    try restored.load(SafetensorsFile(parsing: optimizer.state().serialise()))
    #expect(restored.steps == 1)
    fill(first, 2)
    fill(second, 2)
    optimizer.step(settings)
    restored.step(settings)
    #expect(first.safetensors().serialise() == second.safetensors().serialise())
    #expect(optimizer.state().serialise() == restored.state().serialise())
  }

  @Test func wrongStatesAreRefused() throws {
    let network = tinyNetwork()
    let optimizer = Optimizer(network: network)
    let good = try SafetensorsFile(parsing: optimizer.state().serialise())
    func code(metadata: [String: String]? = nil, _ change: (inout SafetensorsWriter, SafetensorsFile.Entry) -> Void) throws
      -> NetworkError.Code?
    {
      var writer = SafetensorsWriter(metadata: metadata ?? good.metadata)
      for entry in good.entries { change(&writer, entry) }
      let file = try SafetensorsFile(parsing: writer.serialise())
      do {
        try optimizer.load(file)
        return nil
      } catch { return error.code }
    }
    let name = "model.0.bn.bias"
    #expect(try code { $0.add($1) } == nil)
    #expect(try code(metadata: [:]) { $0.add($1) } == .unreadable)
    #expect(try code { if $1.name != name { $0.add($1) } } == .missingTensor)
    #expect(try code { if $1.name != "steps" { $0.add($1) } } == .missingTensor)
    #expect(try code { $1.name == "steps" ? $0.add("steps", shape: [], int64s: [-1]) : $0.add($1) } == .missingTensor)
    #expect(try code { $1.name == name ? $0.add(name, shape: [7], floats: .init(repeating: 0, count: 7)) : $0.add($1) } == .wrongShape)
    #expect(try code { $1.name == name ? $0.add(name, shape: [8], floats: .init(repeating: .nan, count: 8)) : $0.add($1) } == .badValue)
    #expect(
      try code {
        $0.add($1)
        if $1.name == name { $0.add("more", shape: [], floats: [1]) }
      } == .unexpectedTensor)
    #expect(throws: NetworkError.self) {
      try optimizer.load(SafetensorsFile(parsing: network.safetensors().serialise()))
    }
  }

  @Test func statesOfTheOtherOptimizerAreRefused() throws {
    let network = tinyNetwork()
    let (sgd, adamW) = (Optimizer(network: network), Optimizer(network: network, kind: .adamW))
    let states = try [sgd, adamW].map { try SafetensorsFile(parsing: $0.state().serialise()) }
    #expect(throws: NetworkError.self) { try sgd.load(states[1]) }
    #expect(throws: NetworkError.self) { try adamW.load(states[0]) }
    // A mean square is never negative: its root would make every later weight NaN.
    var writer = SafetensorsWriter(metadata: states[1].metadata)
    for entry in states[1].entries {
      entry.name == "square.model.0.bn.bias"
        ? writer.add(entry.name, shape: [8], floats: .init(repeating: -1, count: 8)) : writer.add(entry)
    }
    let negative = try SafetensorsFile(parsing: writer.serialise())
    #expect(throws: NetworkError.self) { try adamW.load(negative) }
  }

  @Test func averageFollowsTheWeights() {
    let network = tinyNetwork()
    let average = WeightAverage(network)
    let parameter = network.parameters[0]
    let start = parameter.value[0]
    parameter.value[0] = start + 1
    average.update(network)
    let decay = Float(WeightAverage.decay(update: 1))
    average.withAverage(in: network) {
      #expect(abs(parameter.value[0] - (decay * start + (1 - decay) * (start + 1))) < 1e-6)
    }
    #expect(parameter.value[0] == start + 1, "the weights are put back")
  }
}
