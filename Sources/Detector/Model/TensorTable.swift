// Every tensor of a weights file, in YOLOv5's own order: per convolution weight, norm scale, norm shift, and for a batch norm running
// mean, running variance, batch counter; C3 lists cv1, cv2, cv3 before its bottlenecks; the head starts with its anchors. The
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
      if convolution.name == graph.headName + ".m.0" {
        let shape = [graph.spec.anchors.count, graph.spec.anchors[0].count, 2]
        rows.append(Row(name: graph.headName + ".anchors", shape: shape, role: .anchors, convolution: -1))
      }
      func add(_ suffix: String, _ shape: [Int], _ role: Role) {
        rows.append(Row(name: convolution.name + suffix, shape: shape, role: role, convolution: index))
      }
      let shape = [convolution.outputs, convolution.inputs] + (convolution.isLinear ? [] : [convolution.kernel, convolution.kernel])
      if convolution.isNormalised {
        add(".conv.weight", shape, .weight)
        add(".bn.weight", channels, .scale)
        add(".bn.bias", channels, .shift)
        guard !convolution.isGrouped else { continue }
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
    let keys = graph.convolutions.map { fileKey($0.name) }
    return graph.convolutions.indices.sorted { keys[$0].lexicographicallyPrecedes(keys[$1]) }
  }

  /// Numbers by which names come in file order: cv1 to cv3 by number, then the parts of `m`, then `proto`.
  private static func fileKey(_ name: String) -> [Int] {
    name.split(separator: ".").dropFirst().map { part in
      if let number = Int(part) { return number }
      if part.hasPrefix("cv"), let number = Int(part.dropFirst(2)) { return number }
      return ["conv": 0, "linear": 1, "m": 100, "proto": 200][part, default: 0]
    }
  }
}
