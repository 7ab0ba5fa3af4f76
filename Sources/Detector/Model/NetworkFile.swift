// Between a network and a weights file: YOLOv5's names and shapes, F32, in YOLOv5's order; and task and size of a network from
// the file alone. The file comes from outside, so everything in it is checked before any value is used.

import Safetensors

extension ModelSpec {
  /// Metadata key under which a weights file carries its model's description where that is not one of v7.0's own (ModelDescription).
  static let descriptionKey = "model"

  /// The model that `file` holds: as its metadata describes it, or one of v7.0's own layers by its names and shapes.
  /// - Throws: `NetworkError` if the file is not exactly one YOLOv5 model for detection, segmentation or classification.
  public static func infer(from file: SafetensorsFile) throws(NetworkError) -> ModelSpec {
    var spec: ModelSpec
    if let text = file.metadata[descriptionKey] { spec = try described(text, file) } else { spec = try standard(file) }
    if file.contains("model.0.bn.weight"), !file.contains("model.0.bn.running_mean") { spec.norm = .group }
    try verify(file, TensorTable(Graph(spec)))
    return spec
  }

  /// From the file's own description; anchors and class count are the tensors'.
  private static func described(_ text: String, _ file: SafetensorsFile) throws(NetworkError) -> ModelSpec {
    var spec: ModelSpec
    do { spec = try ModelDescription.parse(text, path: "the file's description of its model") } catch {
      throw NetworkError(.unknownModel, error.message)
    }
    guard spec.task != .classify else { return spec }
    spec.anchors = try readAnchors(file, "model.\(spec.layers.count - 1).anchors", strides: spec.strides)
    try spec.validate()
    return spec
  }

  private static func standard(_ file: SafetensorsFile) throws(NetworkError) -> ModelSpec {
    let stem = try shape(file, "model.0.conv.weight", 4)
    let widest = try shape(file, "model.7.conv.weight", 4)[0]
    guard stem[0] > 0, stem[0] <= 1024, stem[0].isMultiple(of: 8), (8...16_384).contains(widest), let depth = depth(file) else {
      throw NetworkError(.unknownModel, "a first layer of \(stem[0]) channels with these numbers of blocks is no YOLOv5")
    }
    // Layer 7 has the finest steps of width: what gives its channels gives everybody's.
    let width = Double(widest) / 1024
    if file.contains("model.9.linear.weight") {
      let classes = try shape(file, "model.9.linear.weight", 2)[0]
      guard (1...classesMax).contains(classes) else { throw NetworkError(.unknownModel, "\(classes) classes") }
      return ModelSpec(task: .classify, depth: depth, width: width, classes: classes)
    }
    let outputs = try shape(file, "model.24.m.0.weight", 4)[0]
    let task = file.contains("model.24.proto.cv1.conv.weight") ? ModelTask.segment : .detect
    let others = 5 + (task == .segment ? prototypes : 0)
    guard outputs.isMultiple(of: 3), outputs / 3 > others, outputs / 3 - others <= classesMax else {
      throw NetworkError(.unknownModel, "\(outputs) outputs per cell are not 3 · (\(others) + classes)")
    }
    var spec = ModelSpec(task: task, depth: depth, width: width, classes: outputs / 3 - others)
    spec.anchors = try readAnchors(file, "model.24.anchors", strides: spec.strides)
    return spec
  }

  static let classesMax = 10_000
  private static let repeatsMax = 64

  /// A depth that gives layers 2, 4, 6 and 8 the repeats that they have; the simplest one, where thirds and hundredths do.
  private static func depth(_ file: SafetensorsFile) -> Double? {
    func repeats(_ layer: Int) -> Int {
      (0..<repeatsMax).first { !file.contains("model.\(layer).m.\($0).cv1.conv.weight") } ?? repeatsMax
    }
    let wanted = [2, 4, 6, 8].map(repeats)
    guard wanted.allSatisfy({ (1..<repeatsMax).contains($0) }) else { return nil }
    let depths = (1...3 * repeatsMax).map { Double($0) / 9 } + (1...100 * repeatsMax).map { Double($0) / 100 }
    return depths.first { depth in
      let spec = ModelSpec(depth: depth, width: 1, classes: 1)
      return zip([3, 6, 9, 3], wanted).allSatisfy { spec.repeats($0) == $1 }
    }
  }

  private static func shape(_ file: SafetensorsFile, _ name: String, _ rank: Int) throws(NetworkError) -> [Int] {
    guard let entry = try? file.entry(name) else { throw NetworkError(.missingTensor, "no tensor \"\(name)\"") }
    guard entry.shape.count == rank else {
      throw NetworkError(.wrongShape, "\"\(name)\" has \(entry.shape.count) dimensions, not \(rank)")
    }
    return entry.shape
  }

  private static func readAnchors(_ file: SafetensorsFile, _ name: String, strides: [Int]) throws(NetworkError) -> [[SIMD2<Float>]] {
    let shape = try shape(file, name, 3)
    guard shape[0] == strides.count, (1...16).contains(shape[1]), shape[2] == 2, let values = try? file.floats(name) else {
      throw NetworkError(.wrongShape, "\"\(name)\" must be \(strides.count) x anchors x 2 floating numbers")
    }
    guard values.allSatisfyFinite, values.allSatisfy({ $0 > 0 && $0 < 4096 }) else {
      throw NetworkError(.badValue, "\"\(name)\" holds a size that is not positive")
    }
    let count = shape[1]
    return strides.enumerated().map { level, stride in
      (0..<count).map { SIMD2(values[(level * count + $0) * 2], values[(level * count + $0) * 2 + 1]) * Float(stride) }
    }
  }

  /// Every tensor of the graph is there with its shape, and no other.
  private static func verify(_ file: SafetensorsFile, _ table: TensorTable) throws(NetworkError) {
    var known: Set<String> = []
    for row in table.rows {
      known.insert(row.name)
      guard let entry = try? file.entry(row.name) else { throw NetworkError(.missingTensor, "no tensor \"\(row.name)\"") }
      guard entry.shape == row.shape else {
        throw NetworkError(.wrongShape, "\"\(row.name)\" has shape \(entry.shape), the other tensors imply \(row.shape)")
      }
      guard row.role == .batchCounter ? entry.dtype == .i64 : entry.dtype.isFloating else {
        throw NetworkError(.wrongShape, "\"\(row.name)\" has type \(entry.dtype.rawValue)")
      }
    }
    for entry in file.entries where !known.contains(entry.name) {
      throw NetworkError(.unexpectedTensor, "\"\(entry.name.prefix(80))\" belongs to no YOLOv5 model of this size and task")
    }
  }
}

extension Network {
  /// Replaces all weights, statistics and anchors.
  /// - Throws: `NetworkError`; the network is unchanged then.
  public func load(_ file: SafetensorsFile) throws(NetworkError) {
    let spec = try ModelSpec.infer(from: file)
    guard spec.task == self.spec.task, TensorTable(Graph(spec)).rows == table.rows else {
      throw NetworkError(.wrongShape, "the file holds a network of another task, size or class count")
    }
    var floats: [String: [Float]] = [:]
    var counters: [String: Int64] = [:]
    for row in table.rows {
      do {
        if row.role == .batchCounter {
          counters[row.name] = try file.int64s(row.name).first
        } else {
          floats[row.name] = try file.floats(row.name)
        }
      } catch { throw NetworkError(.unreadable, error.reason) }
      guard let values = floats[row.name] else { continue }
      guard values.allSatisfyFinite, row.role != .runningVariance || values.allSatisfy({ $0 >= 0 }) else {
        throw NetworkError(.badValue, "\"\(row.name)\" holds NaN, an infinity, or a negative variance")
      }
    }
    for parameter in parameters { if let values = floats[parameter.name] { parameter.assign(values) } }
    for row in table.rows {
      guard let buffer = statistic(row) else {
        if row.role == .batchCounter { batchCounters[row.convolution] = counters[row.name] ?? 0 }
        continue
      }
      if let values = floats[row.name] { _ = buffer.update(fromContentsOf: values) }
    }
    anchors = spec.gridAnchors
  }

  /// The whole state under YOLOv5's names, ready to be written.
  public func safetensors(metadata: [String: String] = [:]) -> SafetensorsWriter {
    var writer = SafetensorsWriter(metadata: metadata)
    writer.metadata[ModelSpec.descriptionKey] = spec.hasStandardLayers ? nil : ModelDescription.text(spec)
    let values = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0) })
    for row in table.rows {
      switch row.role {
      case .anchors:
        writer.add(row.name, shape: row.shape, floats: anchors.flatMap { $0.flatMap { [$0.x, $0.y] } })
      case .batchCounter:
        writer.add(row.name, shape: row.shape, int64s: [batchCounters[row.convolution]])
      default:
        if let buffer = statistic(row) {
          writer.add(row.name, shape: row.shape, floats: Array(buffer))
        } else if let parameter = values[row.name] {
          writer.add(row.name, shape: row.shape, floats: parameter.values())
        }
      }
    }
    return writer
  }

  /// The running statistic that a row describes, nil for other rows.
  func statistic(_ row: TensorTable.Row) -> UnsafeMutableBufferPointer<Float>? {
    guard row.convolution >= 0 else { return nil }
    let tensors = store.convolutions[row.convolution]
    switch row.role {
    case .runningMean: return UnsafeMutableBufferPointer(start: tensors.runningMean, count: row.shape[0])
    case .runningVariance: return UnsafeMutableBufferPointer(start: tensors.runningVariance, count: row.shape[0])
    default: return nil
    }
  }
}
