// Where everything lies for one input size. Made once per size and reused every step: offsets into the arenas, which
// gradients are added to and which overwritten, and which planes may share memory because they never live together.

struct Plan {
  let batch: Int
  let height: Int
  let width: Int
  let isTraining: Bool

  /// Offset of each plane in the activation arena; plane 0 (the image) is the caller's and has none.
  private(set) var planes: [Int]
  /// Offset of each convolution's result before the norm, kept for backward; training only.
  private(set) var preNorm: [Int]
  /// Offset of each pooling's Int32 places, by operation; training only.
  private(set) var places: [Int]
  private(set) var activationFloats = 0

  /// Offset of each plane's gradient in the gradient arena, after `home` is applied.
  private(set) var gradients: [Int]
  /// By operation: the input's gradient already holds a part that must be added to.
  private(set) var accumulates: [Bool]
  /// By operation: parts of the input's gradient that nothing has written yet while others have been, to be zeroed first.
  private(set) var clears: [[Slice]]
  private(set) var gradientFloats = 0
  /// Size of the largest normalised convolution's result: the gradient between SiLU and convolution.
  private(set) var largestResult = 0

  private let graph: Graph
  private var homes: [Int: Slice] = [:]

  init(_ graph: Graph, batch: Int, height: Int, width: Int, isTraining: Bool) {
    self.graph = graph
    self.batch = batch
    self.height = height
    self.width = width
    self.isTraining = isTraining
    planes = Array(repeating: 0, count: graph.planes.count)
    gradients = planes
    preNorm = Array(repeating: 0, count: graph.convolutions.count)
    places = Array(repeating: 0, count: graph.operations.count)
    accumulates = Array(repeating: false, count: graph.operations.count)
    clears = Array(repeating: [], count: graph.operations.count)
    placeActivations()
    if isTraining { placeGradients() }
  }

  func rows(_ plane: Int) -> Int { graph.planes[plane].stride.map { height / $0 } ?? 1 }
  func columns(_ plane: Int) -> Int { graph.planes[plane].stride.map { width / $0 } ?? 1 }
  func pixels(_ plane: Int) -> Int { batch * rows(plane) * columns(plane) }

  private mutating func placeActivations() {
    let operations = graph.operations
    var lives: [ClosedRange<Int>?] = Array(repeating: nil, count: graph.planes.count)
    for (step, operation) in operations.enumerated() {
      for slice in operation.slices { lives[slice.plane] = lives[slice.plane].map { $0.lowerBound...step } ?? step...step }
    }
    // Backward reads every activation; outputs are read when the pass is over.
    let end = operations.count
    for output in graph.outputs { lives[output.slice.plane] = lives[output.slice.plane].map { $0.lowerBound...end } }
    var allocator = LifetimeAllocator()
    for plane in 1..<graph.planes.count {
      let life = isTraining ? 0...end : lives[plane] ?? 0...end
      planes[plane] = allocator.place(pixels(plane) * graph.planes[plane].channels, life: life)
    }
    for (step, operation) in operations.enumerated() {
      switch operation {
      case .convolution(let index, _, let output, _) where graph.convolutions[index].isNormalised:
        // In evaluation a batch norm follows each block at once; a group norm needs the whole image first.
        guard isTraining || graph.convolutions[index].isGrouped else { continue }
        let count = pixels(output.plane) * output.channels
        preNorm[index] = allocator.place(count, life: isTraining ? 0...end : step...step)
        largestResult = max(largestResult, count)
      case .pool(_, let output) where isTraining:
        places[step] = allocator.place(pixels(output.plane) * output.channels, life: 0...end)
      default: break
      }
    }
    activationFloats = allocator.total
  }

  /// A shortcut's input and output have the same gradient but for what the convolutions add: they share one buffer, and
  /// the convolutions' backward passes add to it in place.
  private mutating func placeGradients() {
    for case .convolution(_, _, let output, let residual?) in graph.operations {
      precondition(residual.offset == 0 && residual.channels == graph.planes[residual.plane].channels)
      homes[residual.plane] = output
    }
    var written = graph.planes.map { Array(repeating: false, count: $0.channels) }
    var lives: [Int: ClosedRange<Int>] = [:]
    let given = graph.givenGradients
    for (step, operation) in graph.operations.enumerated().reversed() {
      for slice in operation.slices where slice.plane != 0 && !given.contains(slice.plane) {
        let plane = home(slice).plane
        lives[plane] = lives[plane].map { step...$0.upperBound } ?? step...step
      }
      let input = home(operation.input)
      let channels = input.offset..<(input.offset + input.channels)
      let missing = channels.filter { !written[input.plane][$0] }
      accumulates[step] = missing.count < input.channels
      if accumulates[step] {
        clears[step] = Self.runs(missing).map { Slice(plane: input.plane, offset: $0.lowerBound, channels: $0.count) }
      }
      for channel in channels { written[input.plane][channel] = true }
    }
    var allocator = LifetimeAllocator()
    for (plane, life) in lives.sorted(by: { $0.key < $1.key }) {
      gradients[plane] = allocator.place(pixels(plane) * graph.planes[plane].channels, life: life)
    }
    gradientFloats = allocator.total
  }

  /// Ascending numbers as ranges of consecutive ones.
  private static func runs(_ numbers: [Int]) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for number in numbers {
      if let last = runs.last, last.upperBound == number {
        runs[runs.count - 1] = last.lowerBound..<(number + 1)
      } else {
        runs.append(number..<(number + 1))
      }
    }
    return runs
  }

  /// The slice whose gradient buffer `slice` uses.
  func home(_ slice: Slice) -> Slice {
    guard let target = homes[slice.plane] else { return slice }
    return home(Slice(plane: target.plane, offset: target.offset + slice.offset, channels: slice.channels))
  }
}

extension Graph {
  /// Planes of outputs without a norm, whose gradients are used as the caller gives them and need no buffer.
  fileprivate var givenGradients: Set<Int> {
    var planes: Set<Int> = []
    for case .convolution(let index, _, let output, _) in operations where !convolutions[index].isNormalised { planes.insert(output.plane) }
    return planes
  }
}

extension Operation {
  var input: Slice {
    switch self {
    case .convolution(_, let input, _, _), .pool(let input, _), .upsample(let input, _), .mean(let input, _), .copy(let input, _): input
    }
  }

  var output: Slice {
    switch self {
    case .convolution(_, _, let output, _), .pool(_, let output), .upsample(_, let output), .mean(_, let output), .copy(_, let output):
      output
    }
  }

  /// Everything that the operation reads or writes.
  var slices: [Slice] {
    if case .convolution(_, let input, let output, let residual?) = self { return [input, output, residual] }
    return [input, output]
  }
}
