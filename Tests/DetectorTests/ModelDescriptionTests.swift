// Model yamls: the published layers written out give the published models; other layers, levels and paths give networks whose gradients
// are right; what cannot be computed is refused with its place.

import Safetensors
import TestSupport
import Testing

@testable import Detector

private let backbone = """
  backbone:
    [[-1, 1, Conv, [64, 6, 2, 2]],  # 0
     [-1, 1, Conv, [128, 3, 2]],
     [-1, 3, C3, [128]],
     [-1, 1, Conv, [256, 3, 2]],
     [-1, 6, C3, [256]],
     [-1, 1, Conv, [512, 3, 2]],  # 5
     [-1, 9, C3, [512]],
     [-1, 1, Conv, [1024, 3, 2]],
     [-1, 3, C3, [1024]],
     [-1, 1, SPPF, [1024, 5]]]
  """

private func yaml(head: String, width: Double = 0.25, anchors: String = "3", backbone: String = backbone) -> String {
  "nc: 80\ndepth_multiple: 0.33\nwidth_multiple: \(width)\nanchors: \(anchors)\n\(backbone)\nhead:\n  [\(head)]\n"
}

private let published = """
  [-1, 1, Conv, [512, 1, 1]], [-1, 1, nn.Upsample, [None, 2, 'nearest']], [[-1, 6], 1, Concat, [1]], [-1, 3, C3, [512, False]],
  [-1, 1, Conv, [256, 1, 1]], [-1, 1, nn.Upsample, [None, 2, 'nearest']], [[-1, 4], 1, Concat, [1]], [-1, 3, C3, [256, False]],
  [-1, 1, Conv, [256, 3, 2]], [[-1, 14], 1, Concat, [1]], [-1, 3, C3, [512, False]],
  [-1, 1, Conv, [512, 3, 2]], [[-1, 10], 1, Concat, [1]], [-1, 3, C3, [1024, False]],
  [[17, 20, 23], 1, Detect, [nc, anchors]]
  """
private let publishedAnchors = "[[10,13, 16,30, 33,23], [30,61, 62,45, 59,119], [116,90, 156,198, 373,326]]"

/// Four levels from stride 4 on, a layer that two concatenations take, repeated convolutions and bottlenecks, a chain that is read again
/// after it was joined.
private let unusual = """
  [-1, 1, Conv, [512, 1, 1]], [-1, 1, nn.Upsample, ["None", 2, nearest]], [[-1, 6], 1, Concat, [1]], [-1, 6, Bottleneck, [512]],
  [-1, 1, Conv, [256, 1, 1]], [-1, 1, nn.Upsample, [None, 2, nearest]], [[-1, 4], 1, Concat, [1]], [-1, 3, C3, [256, False]],
  [-1, 1, Conv, [128]], [-1, 1, nn.Upsample, [None, 2, nearest]], [[-1, 2], 1, Concat, [1]], [-1, 6, Conv, [128, 3]],
  [-1, 1, Conv, [128, 3, 2]], [[-1, 18, 4], 1, Concat, [1]], [-1, 3, Bottleneck, [256, False]],
  [-1, 1, Conv, [256, 3, 2]], [[-1, 14, 6, 13], 1, Concat, [1]], [-1, 3, C3, [512]],
  [[-1, 6], 1, Concat, [1]], [-1, 1, SPP, [512, [5, 9, 13]]],
  [27, 1, Conv, [512, 3, 2]], [[-1, 10], 1, Concat, [1]], [-1, 3, C3, [1024, False]],
  [[21, 24, 29, 32], 1, Detect, [nc, anchors]]
  """

@Suite struct ModelDescriptionTests {
  @Test(arguments: [("yolov5n", 0.33, 0.25), ("yolov5s", 0.33, 0.5), ("yolov5m", 0.67, 0.75), ("yolov5l", 1, 1), ("yolov5x", 1.33, 1.25)])
  func thePublishedLayersGiveThePublishedModels(name: String, depth: Double, width: Double) throws {
    let text = yaml(head: published, width: width, anchors: publishedAnchors).replacing("0.33", with: "\(depth)")
    let spec = try ModelDescription.parse(text, path: "x.yaml")
    let known = try #require(ModelSpec.named(name, classes: 80))
    #expect(spec.layers == known.layers && spec.anchors == known.anchors && spec.strides == [8, 16, 32])
    #expect(TensorTable(Graph(spec)).rows == TensorTable(Graph(known)).rows)
    #expect(try ModelDescription.parse(ModelDescription.text(spec), path: "x") == spec)
  }

  @Test func aDescribedModelGoesOutAndInWithItsDescription() throws {
    let spec = try ModelDescription.parse(yaml(head: unusual), path: "x.yaml", classes: 2)
    #expect(spec.strides == [4, 8, 16, 32] && spec.classes == 2)
    let network = Network(spec: spec, seed: 3, threads: 1)
    let file = try SafetensorsFile(parsing: network.safetensors().serialise())
    let again = try Network(weights: file, threads: 1)
    #expect(again.spec.layers == spec.layers)
    let images = randomImages(count: 1, height: 64, width: 32, seed: 1)
    #expect(network.forward(images, training: false).map(\.values) == again.forward(images, training: false).map(\.values))
  }

  /// Names in PyTorch's order: a repeated block is a sequence below its layer's number.
  @Test func repeatedBlocksAreNumbered() throws {
    let spec = try ModelDescription.parse(yaml(head: unusual), path: "x.yaml")
    let names = TensorTable(Graph(spec)).rows.map(\.name).filter { $0.hasSuffix("conv.weight") }
    #expect(names.filter { $0.hasPrefix("model.13.") } == ["0.cv1", "0.cv2", "1.cv1", "1.cv2"].map { "model.13.\($0).conv.weight" })
    #expect(names.filter { $0.hasPrefix("model.21.") } == ["model.21.0.conv.weight", "model.21.1.conv.weight"])
    #expect(TensorTable(Graph(spec)).rows.first { $0.name == "model.33.anchors" }?.shape == [4, 3, 2])
  }

  @Test(
    arguments: [NormKind.batch, .group],
    ["model.0.conv", "model.6", "model.13", "model.21", ".bn.weight", ".bn.bias", "model.29", "model.33"])
  func gradientsPredictHowOutputsChange(norm: NormKind, part: String) throws {
    var spec = try ModelDescription.parse(yaml(head: unusual, width: 0.14), path: "x.yaml", classes: 2)
    spec.norm = norm
    let network = Network(spec: spec, seed: 8, threads: 2)
    if norm == .batch {
      // Statistics of real activations: with fresh ones, deep layers hardly move.
      for seed in 0..<60 { _ = network.forward(randomImages(count: 2, height: 64, width: 32, seed: UInt64(seed)), training: true) }
      network.norm = .frozen
    }
    try expectGradientsPredict(network, part: part)
  }

  struct Refused: CustomTestStringConvertible {
    let text: String
    let place: Int?
    let reason: String
    var testDescription: String { reason }
  }

  static let refused = [
    Refused(text: "nc: 80", place: nil, reason: "no backbone"),
    Refused(text: "[1, 2]", place: 1, reason: "not a YAML mapping"),
    Refused(text: "nc: [", place: 2, reason: "not YAML"),
    Refused(text: yaml(head: published).replacing("nc: 80", with: "nc: 0"), place: 1, reason: "nc must be"),
    Refused(text: yaml(head: published).replacing("depth_multiple: 0.33", with: "depth_multiple: -1"), place: 2, reason: "depth_multiple"),
    Refused(
      text: yaml(head: published).replacing("width_multiple: 0.25", with: "width_multiple: wide"), place: 3, reason: "width_multiple"),
    Refused(text: yaml(head: published, anchors: "[[1, 2], [3]]"), place: 4, reason: "pairs of width and height"),
    Refused(text: yaml(head: published, anchors: "[[10,13], [30,61]]"), place: nil, reason: "3 levels need as many lists"),
    Refused(text: yaml(head: published).replacing("SPPF", with: "Ghost"), place: 15, reason: "Ghost is not computed"),
    Refused(text: yaml(head: published).replacing("[512, 3, 2]", with: "[512, 3, 2, 1, 8]"), place: 11, reason: "groups"),
    Refused(text: yaml(head: published).replacing("[64, 6, 2, 2]", with: "[64, 6, 2, 0]"), place: nil, reason: "does not give one cell"),
    Refused(text: yaml(head: published).replacing("[-1, 14]", with: "[-1, 24]"), place: 19, reason: "no layer that comes before"),
    Refused(text: yaml(head: published).replacing("[-1, 14]", with: "[-1, 10]"), place: nil, reason: "different sizes"),
    Refused(text: yaml(head: published).replacing("[[17, 20, 23]", with: "[[17, 20, 22]"), place: nil, reason: "nothing reads layer 23"),
    Refused(text: yaml(head: "[-1, 1, Conv, [64]]"), place: nil, reason: "no Detect"),
    Refused(text: yaml(head: "[9, 1, Detect, [nc, anchors]], [9, 1, Detect, [nc, anchors]]"), place: nil, reason: "exactly the last"),
    Refused(text: yaml(head: published, width: 60), place: nil, reason: "parameters"),
    Refused(text: yaml(head: published).replacing("[-1, 9, C3, [512]]", with: "[-1, 9, C3]"), place: 12, reason: "a row is"),
    Refused(text: "activation: nn.ReLU()\n" + yaml(head: published), place: 1, reason: "activation"),
  ]

  @Test(arguments: refused)
  func whatCannotBeComputedIsRefused(_ refused: Refused) {
    let error = #expect(throws: DataError.self) { _ = try ModelDescription.parse(refused.text, path: "x.yaml") }
    #expect(error?.code == .badModel && error?.line == refused.place, "\(error?.message ?? "")")
    #expect(error?.reason.contains(refused.reason) ?? false, "\(error?.reason ?? "")")
  }

  @Test func aFileThatDescribesAnotherModelIsRefused() throws {
    let spec = try ModelDescription.parse(yaml(head: unusual), path: "x.yaml", classes: 2)
    var writer = Network(spec: spec, seed: 3, threads: 1).safetensors()
    for text in [ModelDescription.text(ModelSpec.yolov5n(classes: 2)), "{}", "nc: [", String(repeating: "[", count: 5000)] {
      writer.metadata[ModelSpec.descriptionKey] = text
      let file = try SafetensorsFile(parsing: writer.serialise())
      #expect(throws: NetworkError.self) { _ = try ModelSpec.infer(from: file) }
    }
  }
}
