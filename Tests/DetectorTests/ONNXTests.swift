// ONNX files compute what the network computes: boxes as MapDecoder gives them, for every task, kind of norm and shape of graph.

import Safetensors
import TestSupport
import Testing

@testable import Detector

@Suite struct ONNXTests {
  /// A network whose statistics are those of some images, so that folding a norm into its convolution shows.
  private func trained(_ spec: ModelSpec) -> Network {
    let network = Network(spec: spec, seed: 11, threads: 2)
    for seed in 0..<20 { _ = network.forward(randomImages(count: 2, height: 64, width: 64, seed: UInt64(seed)), training: true) }
    return network
  }

  private func channelsFirst(_ images: ImageBatch) -> ONNXTensor {
    let (h, w) = (images.height, images.width)
    let values = (0..<images.count * 3 * h * w).map { index in
      images.pixels[((index / (3 * h * w)) * h * w + index % (h * w)) * 3 + index / (h * w) % 3]
    }
    return ONNXTensor(shape: [images.count, 3, h, w], values: values)
  }

  @Test(arguments: [ModelTask.detect, .segment, .classify], [NormKind.batch, .group])
  func filesComputeWhatTheNetworkComputes(task: ModelTask, norm: NormKind) throws {
    var spec = ModelSpec(task: task, depth: 1.0 / 3, width: 0.125, classes: 3)
    spec.norm = norm
    try expectSame(trained(spec), count: task == .detect ? nil : 2)
  }

  @Test func aGraphWithCopiesAndManyLevels() throws {
    let text = """
      {"nc": 2, "depth_multiple": 0.33, "width_multiple": 0.125, "anchors": 2,
       "backbone": [[-1,1,Conv,[64,6,2,2]], [-1,1,Conv,[128,3,2]], [-1,3,Bottleneck,[128]], [-1,1,Conv,[256,3,2]], [-1,1,SPPF,[256,5]]],
       "head": [[-1,1,nn.Upsample,[None,2,nearest]], [[-1,2,1],1,Concat,[1]], [-1,3,C3,[128,False]], [[4,3],1,Concat,[1]],
                [[7,8],1,Detect,[nc,anchors]]]}
      """
    try expectSame(trained(try ModelDescription.parse(text, path: "x.yaml")), count: 1)
  }

  private func expectSame(_ network: Network, count: Int?) throws {
    let images = randomImages(count: count ?? 2, height: 64, width: 96, seed: 77)
    var export = ONNXExport(height: 64, width: 96, batch: count)
    export.classNames = ["a", "it's", "c\\d"]
    let model = try #require(ONNXInterpreter(export.bytes(network)))
    #expect(model.opset == 17 && model.metadata["names"] == #"{0: 'a', 1: 'it\'s', 2: 'c\\d'}"#)
    let found = model.run(channelsFirst(images))
    for (output, declared) in zip(found, model.outputs) {
      #expect(zip(output.shape, declared.shape).allSatisfy { $1 == nil || $0 == $1 } && output.shape.count == declared.shape.count)
    }
    let maps = network.forward(images, training: false)
    guard network.spec.task != .classify else {
      #expect(largestDifference(found[0].values, maps[0].values) < 1e-4)
      return
    }
    let decoded = MapDecoder.decode(
      Array(maps.prefix(network.strides.count)), anchors: network.anchors, strides: network.strides, coefficients: network.spec.coefficients
    )
    #expect(found[0].shape == [decoded.batch, decoded.count, decoded.outputs])
    #expect(largestDifference(found[0].values, decoded.values) < 5e-3)
    guard network.spec.task == .segment else { return }
    let prototypes = channelsFirstValues(maps[maps.count - 1])
    #expect(largestDifference(found[1].values, prototypes) < 1e-4)
  }

  private func channelsFirstValues(_ map: FeatureMap) -> [Float] {
    let cells = map.height * map.width
    return (0..<map.values.count).map { index in
      map.values[(index / (cells * map.outputs) * cells + index % cells) * map.outputs + index / cells % map.outputs]
    }
  }
}
