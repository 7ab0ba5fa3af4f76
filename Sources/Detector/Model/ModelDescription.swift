// Model descriptions in YOLOv5's yaml format: nc, depth_multiple, width_multiple, anchors, and the rows of backbone and head as
// [from, repeats, module, arguments]. A row that this program cannot compute is an error with its place, never a guess. Weights files of
// models that are not v7.0's own carry the same as one line of JSON, which is YAML too.
import Foundation
import Yams

public enum ModelDescription {
  static let bytesMax = 1 << 20
  private static let hint = "a model yaml has nc, depth_multiple, width_multiple, anchors, backbone and head, as in YOLOv5"

  /// Reads a model yaml.
  /// - Parameter classes: replaces the file's `nc` if given.
  /// - Throws: `DataError` with the place of the first fault.
  public static func read(path: String, classes: Int? = nil) throws(DataError) -> ModelSpec {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw DataError(.unreadable, path, "cannot be opened", hint: "give a model's name (yolov5n) or the path of a model yaml")
    }
    guard data.count <= bytesMax, let text = String(data: data, encoding: .utf8) else {
      throw DataError(.badModel, path, "not a text of at most \(bytesMax) bytes", hint: hint)
    }
    return try parse(text, path: path, classes: classes)
  }

  /// - Parameter path: named in errors.
  public static func parse(_ text: String, path: String, classes: Int? = nil) throws(DataError) -> ModelSpec {
    guard text.utf8.count <= bytesMax else { throw DataError(.badModel, path, "longer than \(bytesMax) bytes", hint: hint) }
    let mapping: Node.Mapping
    do throws(YAMLText.Fault) {
      guard let found = try YAMLText.mapping(text) else { throw YAMLText.Fault(reason: "not a YAML mapping") }
      mapping = found
    } catch { throw DataError(.badModel, path, line: error.line, column: error.column, error.reason, hint: hint) }
    let reader = ModelDescriptionReader(path: path, hint: hint)
    let spec = try reader.spec(mapping, classes: classes)
    do { try spec.validate() } catch { throw DataError(.badModel, path, error.reason, hint: hint) }
    return spec
  }

  /// The description as one line of JSON.
  public static func text(_ spec: ModelSpec) -> String {
    let rows = spec.layers.map { layer in
      let from = layer.from.count == 1 ? "\(layer.from[0])" : "[\(layer.from.map(String.init).joined(separator: ","))]"
      return "[\(from),\(layer.repeats),\(arguments(layer.module))]"
    }
    let anchors = spec.anchors.map { level in "[\(level.map { "\($0.x),\($0.y)" }.joined(separator: ","))]" }
    return """
      {"nc":\(spec.classes),"depth_multiple":\(spec.depth),"width_multiple":\(spec.width),"anchors":[\(anchors.joined(separator: ","))],\
      "backbone":[\(rows.dropLast().joined(separator: ","))],"head":[\(rows.suffix(1).joined())]}
      """
  }

  /// Module and arguments of a row.
  private static func arguments(_ module: LayerSpec.Module) -> String {
    switch module {
    case .convolution(let channels, let kernel, let stride, let padding): "\"Conv\",[\(channels),\(kernel),\(stride),\(padding)]"
    case .c3(let channels, let shortcut): "\"C3\",[\(channels),\(shortcut)]"
    case .bottleneck(let channels, let shortcut): "\"Bottleneck\",[\(channels),\(shortcut)]"
    case .pyramid(let channels): "\"SPPF\",[\(channels),5]"
    case .upsample: "\"nn.Upsample\",[\"None\",2,\"nearest\"]"
    case .concatenation: "\"Concat\",[1]"
    case .detection: "\"Detect\",[\"nc\",\"anchors\"]"
    case .segmentation(let channels): "\"Segment\",[\"nc\",\"anchors\",\(ModelSpec.prototypes),\(channels)]"
    case .classification: "\"Classify\",[\"nc\"]"
    }
  }
}
