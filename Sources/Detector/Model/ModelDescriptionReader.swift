// Reads the nodes of a model description. Names of modules are YOLOv5's; what it knows and this program does not is named in the error.
import Yams

struct ModelDescriptionReader {
  let path: String
  let hint: String

  private func bad(_ node: Node?, _ reason: String) -> DataError {
    let mark = node?.mark
    return DataError(.badModel, path, line: mark?.line, column: mark?.column, reason, hint: hint)
  }

  func spec(_ mapping: Node.Mapping, classes: Int?) throws(DataError) -> ModelSpec {
    func positive(_ key: String, default standard: Double) throws(DataError) -> Double {
      guard let node = mapping[key] else { return standard }
      guard let value = node.float ?? node.int.map(Double.init), value > 0, value <= 64 else {
        throw bad(node, "\(key) must be a number above 0")
      }
      return value
    }
    let depth = try positive("depth_multiple", default: 1)
    let width = try positive("width_multiple", default: 1)
    if let node = mapping["activation"], node.string.map({ !$0.contains("SiLU") }) ?? true {
      throw bad(node, "only the activation nn.SiLU() is computed")
    }
    if let node = mapping["ch"], node.int != 3 { throw bad(node, "images have 3 channels") }
    let count: Int
    if let classes { count = classes } else { count = try self.classes(mapping["nc"]) }
    var layers: [LayerSpec] = []
    for part in ["backbone", "head"] {
      guard let node = mapping[part] else { if part == "head" { continue } else { throw bad(nil, "no \(part)") } }
      guard let rows = node.sequence else { throw bad(node, "\(part) is not a list") }
      for row in rows {
        guard layers.count < ModelSpec.layersMax else { throw bad(row, "more than \(ModelSpec.layersMax) layers") }
        layers.append(try layer(row, number: layers.count))
      }
    }
    guard let head = layers.last, let task = head.task else { throw bad(nil, "the last layer is no Detect, Segment or Classify") }
    let anchors = task == .classify ? [] : try self.anchors(mapping["anchors"], levels: head.from.count)
    return ModelSpec(task: task, depth: depth, width: width, classes: count, anchors: anchors, layers: layers)
  }

  private func classes(_ node: Node?) throws(DataError) -> Int {
    guard let count = node?.int, (1...ModelSpec.classesMax).contains(count) else {
      throw bad(node, "nc must be a number from 1 to \(ModelSpec.classesMax)")
    }
    return count
  }

  /// Lists of pixel sizes by level; or a number of anchors, which stand until training fits them to the data.
  private func anchors(_ node: Node?, levels: Int) throws(DataError) -> [[SIMD2<Float>]] {
    if let count = node?.int {
      guard (1...16).contains(count) else { throw bad(node, "from 1 to 16 anchors") }
      return (0..<levels).map { level in
        (0..<count).map { index in
          // Squares from 1.5 to 4 cells of the level's stride, 8 pixels for the first.
          let cells = 1.5 + 2.5 * Float(index) / Float(max(count - 1, 1))
          return SIMD2(repeating: cells * Float(8 << level))
        }
      }
    }
    guard let rows = node?.sequence else { throw bad(node, "anchors must be a list for each level, or their number") }
    var anchors: [[SIMD2<Float>]] = []
    for row in rows {
      var values: [Float] = []
      for value in row.sequence ?? [] {
        guard let number = value.float ?? value.int.map(Double.init), number > 0, number < 65_536 else {
          throw bad(value, "an anchor has no size")
        }
        values.append(Float(number))
      }
      guard !values.isEmpty, values.count.isMultiple(of: 2) else { throw bad(row, "a level's anchors are pairs of width and height") }
      anchors.append(stride(from: 0, to: values.count, by: 2).map { SIMD2(values[$0], values[$0 + 1]) })
    }
    return anchors
  }

  private func layer(_ row: Node, number: Int) throws(DataError) -> LayerSpec {
    guard let fields = row.sequence, fields.count == 4 else { throw bad(row, "a row is [from, repeats, module, arguments]") }
    guard let repeats = fields[1].int, (1...256).contains(repeats) else { throw bad(fields[1], "repeats must be from 1 to 256") }
    guard let name = fields[2].string, let arguments = fields[3].sequence else { throw bad(fields[2], "a module and its arguments") }
    let sources = try (fields[0].sequence.map(Array.init) ?? [fields[0]]).map { node throws(DataError) -> Int in
      guard let value = node.int, value < number, value >= -number - 1 else { throw bad(node, "no layer that comes before") }
      // Counted from this layer where negative; the first layer's is the image.
      return value < 0 ? max(number + value, LayerSpec.image) : value
    }
    return LayerSpec(from: sources, repeats: repeats, try module(name, Array(arguments), row))
  }

  private func module(_ name: String, _ arguments: [Node], _ row: Node) throws(DataError) -> LayerSpec.Module {
    func number(_ index: Int, _ standard: Int? = nil) throws(DataError) -> Int {
      guard index < arguments.count, arguments[index].string != "None", !arguments[index].isNull else {
        if let standard { return standard }
        throw bad(row, "\(name) lacks an argument")
      }
      guard let value = arguments[index].int, (0...1 << 16).contains(value) else { throw bad(arguments[index], "not a number") }
      return value
    }
    func flag(_ index: Int, _ standard: Bool) throws(DataError) -> Bool {
      guard index < arguments.count else { return standard }
      guard let value = arguments[index].bool ?? ["True": true, "False": false][arguments[index].string ?? ""] else {
        throw bad(arguments[index], "True or False")
      }
      return value
    }
    func atMost(_ count: Int, _ what: String) throws(DataError) {
      guard arguments.count <= count else { throw bad(arguments[count], "\(name) with \(what) is not computed by this program") }
    }
    switch name {
    case "Conv":
      let kernel = try number(1, 1)
      // Groups of 1 and the standard activation may be spelt out.
      if arguments.count > 4, try number(4, 1) != 1 { throw bad(arguments[4], "Conv with groups is not computed by this program") }
      try atMost(5, "another activation")
      return .convolution(channels: try number(0), kernel: kernel, stride: try number(2, 1), padding: try number(3, kernel / 2))
    case "C3":
      try atMost(2, "groups or another expansion")
      return .c3(channels: try number(0), shortcut: try flag(1, true))
    case "Bottleneck":
      try atMost(2, "groups or another expansion")
      return .bottleneck(channels: try number(0), shortcut: try flag(1, true))
    case "SPPF":
      guard try number(1, 5) == 5 else { throw bad(arguments[1], "SPPF pools over 5 cells") }
      return .pyramid(channels: try number(0))
    case "SPP":
      if arguments.count > 1, arguments[1].sequence.map({ $0.map(\.int) }) != [5, 9, 13] {
        throw bad(arguments[1], "SPP pools over [5, 9, 13] cells")
      }
      return .pyramid(channels: try number(0))
    case "nn.Upsample":
      guard arguments.count == 3, arguments[1].float == 2, arguments[2].string == "nearest" else {
        throw bad(row, "only nearest doubling is computed")
      }
      return .upsample
    case "Concat":
      guard try number(0, 1) == 1 else { throw bad(arguments[0], "only channels are joined") }
      return .concatenation
    case "Detect": return .detection
    case "Segment":
      guard try number(2, 32) == ModelSpec.prototypes else {
        throw bad(arguments[2], "\(ModelSpec.prototypes) mask coefficients are computed")
      }
      return .segmentation(channels: try number(3, 256))
    case "Classify": return .classification
    default:
      let known = "Conv, C3, Bottleneck, SPPF, SPP, nn.Upsample, Concat, Detect and Segment"
      throw bad(row, "the module \(name.prefix(40)) is not computed by this program; it knows \(known)")
    }
  }
}

extension Node {
  fileprivate var isNull: Bool { self.null != nil }
}
