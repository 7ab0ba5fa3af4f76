// One row of a model description: where a layer's input comes from, how often it is repeated, what it is. YOLOv5's yaml files and its
// published models are lists of such rows; channels and repeats are nominal, the model's width and depth scale them.

/// A layer of a model description.
public struct LayerSpec: Equatable, Sendable {
  /// What a layer computes; channels are nominal.
  public enum Module: Equatable, Sendable {
    /// Convolution, norm, SiLU.
    case convolution(channels: Int, kernel: Int, stride: Int, padding: Int)
    /// cv3(concat(bottlenecks(cv1 x), cv2 x)); the layer's repeats count the bottlenecks.
    case c3(channels: Int, shortcut: Bool)
    /// 1 × 1 then 3 × 3, added to the input if `shortcut` and the channels agree; half of the channels between the two.
    case bottleneck(channels: Int, shortcut: Bool)
    /// Three chained 5 × 5 maxima beside the input (SPPF, and SPP with 5, 9, 13, which computes the same).
    case pyramid(channels: Int)
    /// Nearest doubling.
    case upsample
    /// The channels of all inputs.
    case concatenation
    /// Boxes with classes, one level an input.
    case detection
    /// The same with mask coefficients, and mask prototypes from the first input with `channels` inside.
    case segmentation(channels: Int)
    /// Class scores.
    case classification
  }

  /// Layers before this one, by number from 0; `image` is the network's input.
  public var from: [Int]
  /// Nominal repeats, at least 1.
  public var repeats: Int
  public var module: Module

  /// The network's input as a source.
  public static let image = -1

  public init(from: [Int], repeats: Int = 1, _ module: Module) {
    (self.from, self.repeats, self.module) = (from, repeats, module)
  }

  var isHead: Bool {
    switch module {
    case .detection, .segmentation, .classification: true
    default: false
    }
  }

  /// What v7.0's models of a task are made of, all sizes alike.
  public static func standard(_ task: ModelTask) -> [LayerSpec] {
    var rows: [LayerSpec] = []
    func add(_ module: Module, repeats: Int = 1, and others: [Int] = []) {
      rows.append(LayerSpec(from: [rows.count - 1] + others, repeats: repeats, module))
    }
    func convolution(_ channels: Int, kernel: Int = 3, stride: Int = 2) -> Module {
      .convolution(channels: channels, kernel: kernel, stride: stride, padding: kernel / 2)
    }
    add(.convolution(channels: 64, kernel: 6, stride: 2, padding: 2))
    for (channels, repeats) in [(128, 3), (256, 6), (512, 9), (1024, 3)] {
      add(convolution(channels))
      add(.c3(channels: channels, shortcut: true), repeats: repeats)
    }
    guard task != .classify else {
      add(.classification)
      return rows
    }
    add(.pyramid(channels: 1024))
    for (channels, lateral) in [(512, 6), (256, 4)] {
      add(convolution(channels, kernel: 1, stride: 1))
      add(.upsample)
      add(.concatenation, and: [lateral])
      add(.c3(channels: channels, shortcut: false), repeats: 3)
    }
    for (channels, lateral) in [(256, 14), (512, 10)] {
      add(convolution(channels))
      add(.concatenation, and: [lateral])
      add(.c3(channels: channels * 2, shortcut: false), repeats: 3)
    }
    rows.append(LayerSpec(from: [17, 20, 23], task == .segment ? .segmentation(channels: 256) : .detection))
    return rows
  }
}
