// The recorded case of the loss tests: raw maps, targets and expected numbers, made with independent software.
// Invariant: maps are re-laid from [image][anchor][y][x][output] into this project's [image][y][x][anchor][output].

import Foundation
import TestSupport

@testable import Detector

let gridAnchors = ModelSpec.yolov5n(classes: 3).gridAnchors

struct LossVector {
  struct Expected: Decodable {
    var imgszGain: Int
    var nc: Int
    var lossTotalF64: Double
    var itemsF64: [Double]
    var detectBiasGradients: [[Double]]
  }

  let maps: [FeatureMap]
  let targets: [Target]
  let expected: Expected

  init(_ name: String, maps mapsName: String) throws {
    maps = try (0..<3).map { try Self.map(vectorPath("\(mapsName)_train_out\($0).npy")) }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    expected = try decoder.decode(
      Expected.self, from: Data(contentsOf: URL(fileURLWithPath: vectorPath("\(name)_loss.json"))))
    targets = name.hasSuffix("empty") ? [] : try Self.targets(vectorPath("\(name)_targets.npy"))
  }

  var loss: DetectionLoss {
    DetectionLoss(
      classes: expected.nc, anchors: gridAnchors,
      gains: .standard(classes: expected.nc, imageSize: expected.imgszGain))
  }

  static func targets(_ path: String) throws -> [Target] {
    let array = try NPYFile(path: path)
    return (0..<array.shape[0]).map { row in
      let v = array.values[(row * 6)..<(row * 6 + 6)].map(Float.init)
      return Target(image: Int(v[0]), classIndex: Int(v[1]), x: v[2], y: v[3], w: v[4], h: v[5])
    }
  }

  static func map(_ path: String) throws -> FeatureMap {
    let array = try NPYFile(path: path)
    let (batch, anchors, height, width, outputs) =
      (array.shape[0], array.shape[1], array.shape[2], array.shape[3], array.shape[4])
    var values = [Float](repeating: 0, count: array.values.count)
    var source = 0
    for b in 0..<batch {
      for a in 0..<anchors {
        for y in 0..<height {
          for x in 0..<width {
            let target = (((b * height + y) * width + x) * anchors + a) * outputs
            for o in 0..<outputs {
              values[target + o] = Float(array.values[source])
              source += 1
            }
          }
        }
      }
    }
    return FeatureMap(batch: batch, height: height, width: width, anchors: anchors, outputs: outputs, values: values)
  }
}
