// Every tensor of a weights file, in YOLOv5's own order: per convolution weight, norm scale, norm shift, running mean,
// running variance, batch counter; C3 lists cv1, cv2, cv3 before its bottlenecks; the head starts with its anchors. The
// flat vector of the protocol follows this order, so it must never change.

struct TensorTable {
  enum Role: Equatable {
    case weight, scale, shift, bias, runningMean, runningVariance
    case batchCounter, anchors
  }

  struct Row: Equatable {
    let name: String
    let shape: [Int]
    let role: Role
    /// Index into `Graph.convolutions`; -1 for the anchors.
    let convolution: Int
  }

  let rows: [Row]

  init(_ graph: Graph) {
    var rows: [Row] = []
    for index in Self.fileOrder(graph) {
      let convolution = graph.convolutions[index]
      let channels = [convolution.outputs]
      if convolution.name == "model.24.m.0" {
        rows.append(Row(name: "model.24.anchors", shape: [3, 3, 2], role: .anchors, convolution: -1))
      }
      func add(_ suffix: String, _ shape: [Int], _ role: Role) {
        rows.append(Row(name: convolution.name + suffix, shape: shape, role: role, convolution: index))
      }
      let shape = [convolution.outputs, convolution.inputs] + (convolution.isLinear ? [] : [convolution.kernel, convolution.kernel])
      if convolution.isNormalised {
        add(".conv.weight", shape, .weight)
        add(".bn.weight", channels, .scale)
        add(".bn.bias", channels, .shift)
        add(".bn.running_mean", channels, .runningMean)
        add(".bn.running_var", channels, .runningVariance)
        add(".bn.num_batches_tracked", [], .batchCounter)
      } else {
        add(".weight", shape, .weight)
        add(".bias", channels, .bias)
      }
    }
    self.rows = rows
  }

  /// Indices of the convolutions in file order. The graph lists them as they are computed, where a C3's cv2 and cv3 come
  /// after its bottlenecks; the file lists them before. Prototypes come after the detection outputs.
  private static func fileOrder(_ graph: Graph) -> [Int] {
    func key(_ index: Int) -> (Int, Int, Int, Int) {
      let parts = graph.convolutions[index].name.split(separator: ".")
      let layer = Int(parts[1]) ?? 0
      let part = parts.count > 2 ? ["m": 1, "proto": 2][parts[2], default: 0] : 0
      return (layer, part, part == 1 ? index : Int(parts.last?.dropFirst(2) ?? "") ?? 0, index)
    }
    return graph.convolutions.indices.sorted { key($0) < key($1) }
  }
}
