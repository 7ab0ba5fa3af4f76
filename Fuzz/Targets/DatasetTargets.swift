// What stands beside the images: label files, data.yaml, model yamls.
import Detector

struct LabelTarget: Target {
  static let name = "label"

  /// The first byte: the number of classes.
  func run(_ input: [UInt8]) {
    guard let first = input.first, let text = String(validating: input.dropFirst(), as: UTF8.self) else { return }
    let classes = max(Int(first), 1)
    do {
      let labels = try LabelFile.parse(text, path: "labels.txt", classes: classes)
      require(Set(labels).count == labels.count, "a row counts twice")
      for label in labels {
        require((0..<classes).contains(label.classIndex), "a class out of range")
        let values = [label.x, label.y, label.w, label.h]
        require(values.allSatisfy { $0 >= 0 && $0 <= 1 } && label.w > 0 && label.h > 0, "a box out of range")
      }
    } catch {
      require(error.line != nil && !error.reason.isEmpty, "a complaint without a place")
    }
  }

  func seeds() -> [[UInt8]] {
    let rows = [
      "0 0.5 0.5 0.25 0.125\n", "2 .1 1e-1 0.2 0.2\r\n1 0.5 0.5 1 1\n\n", "0 0.1 0.1 0.9 0.1 0.5 0.9\n", "1 0.5 0.5 0 0.1",
      "3 nan 0 inf -0",
    ]
    return rows.map { [3] + Array($0.utf8) }
  }
}

struct DatasetTarget: Target {
  static let name = "dataset"

  /// The first byte: even a data.yaml, odd a model yaml.
  func run(_ input: [UInt8]) {
    guard let first = input.first, let text = String(validating: input.dropFirst(), as: UTF8.self) else { return }
    do throws(DataError) {
      if first & 1 == 0 {
        let description = try DatasetDescription(parsing: text, path: "folder/data.yaml")
        require(!description.names.isEmpty && description.names.count <= 10_000, "no names, or too many")
        require((description.trainingPaths + description.validationPaths).allSatisfy { $0.hasPrefix("/") }, "a relative path")
      } else {
        let spec = try ModelDescription.parse(text, path: "model.yaml")
        require(spec.strides.allSatisfy { $0 > 0 } && spec.parameterCount > 0, "a model without cells or parameters")
        guard let again = try? ModelDescription.parse(ModelDescription.text(spec), path: "again") else {
          fatalError("broken property: a model's own description is not understood")
        }
        require(again == spec, "a model's own description means another model")
      }
    } catch {
      require(!error.reason.isEmpty && !error.message.isEmpty, "a complaint without words")
    }
  }

  func seeds() -> [[UInt8]] {
    let data = """
      path: ../blood   # relative
      train: [images/train, more.txt]
      val: images/val
      test:
      nc: 2
      names: {0: cell, 1: "größe"}
      """
    let model = """
      nc: 2
      depth_multiple: 0.33
      width_multiple: 0.25
      anchors: [[10,13, 16,30], [30,61, 62,45]]
      backbone:
        [[-1, 1, Conv, [64, 6, 2, 2]], [-1, 1, Conv, [128, 3, 2]], [-1, 3, C3, [128]], [-1, 2, Bottleneck, [128, False]],
         [-1, 1, Conv, [256, 3, 2]], [-1, 1, SPPF, [256, 5]]]
      head:
        [[-1, 1, nn.Upsample, [None, 2, 'nearest']], [[-1, 3, 3], 1, Concat, [1]], [-1, 1, SPP, [64, [5, 9, 13]]],
         [[8, 5], 1, Detect, [nc, anchors]]]
      """
    return [[0] + Array(data.utf8), [0] + Array("train: a\nval: b\nnames: [x]\n".utf8), [1] + Array(model.utf8)]
      + [[1] + Array(model.replacing("[[10,13, 16,30], [30,61, 62,45]]", with: "3").utf8)]
  }
}
