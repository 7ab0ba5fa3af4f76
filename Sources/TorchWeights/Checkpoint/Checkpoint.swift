// What the root of a checkpoint is: YOLOv5's dictionary with `model` and `ema`, a model by itself, or a state dict by itself or under
// `model` or `state_dict`. Which of the weights are meant is decided here, once.

struct Checkpoint {
  let reader: PickleReader
  /// The module or state dict that was chosen.
  let model: Handle
  /// The module that describes the model: the chosen one, or its sibling where only that one does.
  private let modules: [Handle]
  private let root: Handle

  init(_ pickle: Pickle, _ weights: TorchFile.Weights) throws(TorchWeightsError) {
    let reader = PickleReader(pickle)
    func entry(_ key: String) throws(TorchWeightsError) -> Handle? {
      guard let handle = try reader.value(pickle.root, key), !reader.isNone(handle) else { return nil }
      return handle
    }
    let ema = try entry("ema")
    var plain = try entry("model")
    if plain == nil { plain = try entry("state_dict") }
    if plain == nil, ema == nil { plain = pickle.root }
    let chosen: Handle?
    switch weights {
    case .best: chosen = ema ?? plain
    case .model: chosen = plain
    case .ema: chosen = ema
    }
    guard let chosen else {
      throw TorchWeightsError(.malformedCheckpoint, "the checkpoint has no \(weights == .ema ? "averaged weights (ema)" : "model")")
    }
    var modules = [chosen]
    for other in [ema, plain] { if let other, other != chosen { modules.append(other) } }
    self.reader = reader
    root = pickle.root
    model = chosen
    self.modules = modules.filter { reader.module($0) != nil }
  }

  var className: String? { modules.first.flatMap { reader.module($0)?.name } }

  /// An attribute of the model, from the first module that has it.
  func attribute(_ name: String) throws(TorchWeightsError) -> Handle? {
    for module in modules {
      guard let state = reader.module(module)?.state, let value = try reader.value(state, name), !reader.isNone(value) else { continue }
      return value
    }
    return nil
  }

  /// An entry beside the model; none where the root is the model.
  func entry(_ name: String) throws(TorchWeightsError) -> Handle? {
    root == model ? nil : try reader.value(root, name)
  }
}
