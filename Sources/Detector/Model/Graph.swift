// A model's graph as data: convolutions in the order in which they are computed, and operations on *slices of planes*. A plane is one
// channels-last activation tensor; a concatenation is a plane whose slices several operations write. GraphBuilder makes it.

/// Constants of a norm.
struct NormConstants: Equatable {
  let epsilon: Double
  /// Share of the batch in the running statistics.
  let momentum: Float
  /// Groups of channels that one image is normalised over; nil: batch norm.
  var groups: Int?

  /// Everywhere in YOLOv5 but in the classification head.
  static let standard = NormConstants(epsilon: 1e-3, momentum: 0.03)
  /// The classification head's, which keeps its framework's defaults.
  static let classifier = NormConstants(epsilon: 1e-5, momentum: 0.1)

  /// The largest power of two up to 32 (Wu and He's choice) that leaves every group at least 8 channels, all groups alike.
  static func groups(of channels: Int) -> Int {
    var groups = 32
    while groups > 1, !channels.isMultiple(of: groups) || channels / groups < 8 { groups /= 2 }
    return groups
  }
}

/// One convolution: its name in the file and its shape.
struct Convolution: Equatable {
  let name: String
  let inputs: Int
  let outputs: Int
  let kernel: Int
  let stride: Int
  let padding: Int
  /// No bias, norm and SiLU follow; nil: bias only (detection outputs and class scores).
  let norm: NormConstants?
  /// On one cell per image: the file has its weight as a matrix.
  var isLinear = false

  var isNormalised: Bool { norm != nil }
  /// Group norm: statistics of each image's own.
  var isGrouped: Bool { norm?.groups != nil }
  /// Length of one output's weights, in the kernels' order [ky][kx][input].
  var patch: Int { kernel * kernel * inputs }
}

/// An activation tensor at 1/`stride` of the input's size; nil: one cell per image.
struct Plane: Equatable {
  let stride: Int?
  let channels: Int
}

/// Consecutive channels of a plane.
struct Slice: Hashable {
  let plane: Int
  let offset: Int
  let channels: Int
}

enum Operation: Equatable {
  /// `output = silu(norm(convolution(input))) (+ residual)`, or with bias only.
  case convolution(Int, input: Slice, output: Slice, residual: Slice?)
  /// 5 x 5 maximum, stride 1.
  case pool(input: Slice, output: Slice)
  /// Nearest doubling.
  case upsample(input: Slice, output: Slice)
  /// Mean over an image's cells.
  case mean(input: Slice, output: Slice)
  case copy(input: Slice, output: Slice)
}

/// Something that the network gives back.
struct GraphOutput: Equatable {
  let slice: Slice
  let anchors: Int
}

/// The whole network. Plane 0 is the image.
struct Graph: Equatable {
  let spec: ModelSpec
  var convolutions: [Convolution] = []
  var planes: [Plane] = [Plane(stride: 1, channels: 3)]
  var operations: [Operation] = []
  /// A detector's maps, and for segmentation the mask prototypes; or the class scores alone.
  var outputs: [GraphOutput] = []

  /// Begins the names of the head's tensors.
  var headName: String { "model.\(spec.layers.count - 1)" }
}
