// The model: graph, tensors, threads and the buffers of a step. A network belongs to one thread at a time (it owns
// its pool's threads while it runs). Forward and backward are in Layers/.

import Safetensors

/// What norms normalise with in training.
public enum NormMode: String, Sendable, CaseIterable {
  /// Mean and variance of the batch; the running statistics follow with momentum 0.03.
  case batch
  /// The running statistics, which stay as they are: training and evaluation compute the same function, so what one site trains does not
  /// depend on how its images differ from the others' (Zhong et al. 2023, "Making Batch Normalization Great in Federated Deep Learning").
  case frozen
  /// Each image's own groups of channels; the model must have been made with group norms (`NormKind.group`).
  case group
}

/// A YOLOv5 v7.0 model that can be trained: detector, segmentation model or classifier.
///
/// Buffers are allocated at the first batch of a size and reused; a training step allocates nothing but its outputs. Unsafe buffers are
/// behind this type because array element access costs up to twenty times in these loops.
public final class Network {
  public let spec: ModelSpec
  public let pool: WorkerPool
  /// Input pixels per cell of each map.
  public let strides: [Int]
  /// Height and width of an input must be multiples of this.
  public let sizeMultiple: Int
  /// Anchors in grid units: level, anchor, (width, height).
  public internal(set) var anchors: [[SIMD2<Float>]]
  /// Learnable tensors in the order of the weights file.
  public private(set) var parameters: [Parameter] = []

  /// What training forwards normalise with.
  public var norm: NormMode

  let graph: Graph
  let table: TensorTable
  let store: TensorStore
  /// Training forwards seen by each norm, as the file's `num_batches_tracked`.
  var batchCounters: [Int64]
  /// Group norms' statistics of the last training forward.
  var groupStatistics: [GroupStatistics?]

  // Buffers of a step.
  var plan: Plan?
  let activations = Arena()
  let gradients = Arena()
  let normGradient = Arena()
  let engine: ConvolutionEngine
  /// The weights as the direct kernels read them, renewed by each forward; nil without such kernels.
  let packed: PackedWeights?
  /// Per thread: a block's result in evaluation, private weight gradients, per-channel sums.
  let results: [Arena]
  let privateGradients: [Arena]
  let sums: [UnsafeMutableBufferPointer<Double>]
  /// The images of the last training forward, which the first convolution's backward needs.
  var images: ImageBatch?

  /// A network with fresh weights, reproducible from `seed`; see `initialise(seed:)` for the distributions.
  public convenience init(spec: ModelSpec, seed: UInt64, threads: Int) {
    self.init(spec: spec, pool: WorkerPool(threads: threads))
    initialise(seed: seed)
  }

  /// A network from a weights file; size and class count follow from its names and shapes.
  /// - Throws: `NetworkError` if the file is not exactly one YOLOv5 model with finite values.
  public convenience init(weights: SafetensorsFile, threads: Int) throws(NetworkError) {
    self.init(spec: try ModelSpec.infer(from: weights), pool: WorkerPool(threads: threads))
    try load(weights)
  }

  private init(spec: ModelSpec, pool: WorkerPool) {
    self.spec = spec
    self.pool = pool
    strides = spec.strides
    sizeMultiple = spec.sizeMultiple
    norm = spec.norm == .group ? .group : .batch
    anchors = spec.gridAnchors
    graph = Graph(spec)
    table = TensorTable(graph)
    let store = TensorStore(graph)
    self.store = store
    batchCounters = Array(repeating: 0, count: graph.convolutions.count)
    groupStatistics = Array(repeating: nil, count: graph.convolutions.count)
    engine = ConvolutionEngine(pool: pool)
    packed = engine.path == nil ? nil : PackedWeights(graph.convolutions)
    results = (0..<pool.threads).map { _ in Arena() }
    privateGradients = (1..<max(pool.threads, 1)).map { _ in Arena(store.count) }
    let widest = graph.convolutions.map(\.outputs).max() ?? 0
    sums = (0..<pool.threads).map { _ in
      let buffer = UnsafeMutableBufferPointer<Double>.allocate(capacity: 2 * widest)
      buffer.initialize(repeating: 0)
      return buffer
    }
    parameters = table.rows.compactMap { parameter($0) }
  }

  deinit { for buffer in sums { buffer.deallocate() } }

  private func parameter(_ row: TensorTable.Row) -> Parameter? {
    guard row.convolution >= 0 else { return nil }
    let tensors = store.convolutions[row.convolution]
    let count = row.shape.reduce(1, *)
    func make(
      _ group: ParameterGroup, _ value: UnsafeMutablePointer<Float>, _ gradient: UnsafeMutablePointer<Float>
    ) -> Parameter {
      Parameter(
        name: row.name, shape: row.shape, group: group, value: UnsafeMutableBufferPointer(start: value, count: count),
        gradient: UnsafeMutableBufferPointer(start: gradient, count: count))
    }
    switch row.role {
    case .weight: return make(.weight, tensors.weight, tensors.weightGradient)
    case .scale: return make(.norm, tensors.scale, tensors.scaleGradient)
    case .shift, .bias: return make(.bias, tensors.shift, tensors.shiftGradient)
    case .runningMean, .runningVariance, .batchCounter, .anchors: return nil
    }
  }

  /// Number of learnable values.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// Sets all gradients to zero.
  public func zeroGradients() { store.gradients.clear() }

  /// The raw outputs of `images`: a detector's maps by level; a segmentation model's maps, then its mask prototypes
  /// (32 outputs, one anchor, a quarter of the input's size); a classifier's scores (one cell, one anchor).
  ///
  /// In training, `norm` says which statistics are used and whether running statistics are updated, and what `backward` needs is
  /// kept. In evaluation, running statistics are used and buffers are shared between layers.
  /// - Precondition: `accepts(images)`.
  public func forward(_ images: ImageBatch, training: Bool) -> [FeatureMap] {
    precondition(accepts(images), "image size must be a positive multiple of \(sizeMultiple), at least one image")
    prepare(images, training: training)
    self.images = training ? images : nil
    return runForward(images, training: training)
  }

  /// Adds the gradients of a loss to the parameters' gradients, given its gradient by the outputs of the last forward.
  /// - Precondition: the last forward was a training forward; the gradients have its outputs' shapes.
  public func backward(_ gradients: [FeatureMap]) {
    guard let images, let plan, plan.isTraining else { preconditionFailure("backward needs a training forward") }
    precondition(gradients.count == graph.outputs.count)
    for (map, output) in zip(gradients, graph.outputs) {
      precondition(map.values.count == plan.pixels(output.slice.plane) * output.slice.channels, "gradient of another shape")
    }
    runBackward(images, gradients)
  }

  /// True if the batch's size suits the network.
  public func accepts(_ images: ImageBatch) -> Bool {
    images.count > 0 && images.height > 0 && images.width > 0 && images.height.isMultiple(of: sizeMultiple)
      && images.width.isMultiple(of: sizeMultiple)
  }

  private func prepare(_ images: ImageBatch, training: Bool) {
    if let plan, plan.batch == images.count, plan.height == images.height, plan.width == images.width,
      plan.isTraining == training
    {
      return
    }
    let made = Plan(graph, batch: images.count, height: images.height, width: images.width, isTraining: training)
    activations.reserve(made.activationFloats)
    if training {
      gradients.reserve(made.gradientFloats)
      normGradient.reserve(made.largestResult)
    }
    plan = made
    for case .convolution(let index, _, let output, _) in graph.operations {
      let convolution = graph.convolutions[index]
      let (height, width) = (made.rows(output.plane), made.columns(output.plane))
      engine.reserve(convolution, outputHeight: height, outputWidth: width)
      if training { continue }
      let blocking = engine.blocking(convolution, outputHeight: height, outputWidth: width)
      for result in results { result.reserve(blocking.pixels * convolution.outputs) }
    }
  }
}
