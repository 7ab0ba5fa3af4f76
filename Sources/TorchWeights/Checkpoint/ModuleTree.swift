// From a tree of modules to the names of PyTorch's `state_dict`: a module's own parameters, then its persistent buffers, then its
// children, each in the order in which the module has them, names joined by dots. A state dict that was saved as such is taken as it is.

struct ModuleTree {
  // A tree of records may share records or contain itself; these end the walk. yolov5x has 9 levels and 1,500 visits.
  private static let depthMax = 64
  private static let visitsMax = 50_000
  /// Most tensors, so that with their names they fit the header of a safetensors file; yolov5x has 745.
  private static let tensorsMax = 10_000
  private static let nameBytesMax = 256

  let reader: PickleReader
  private(set) var tensors: [(name: String, tensor: TorchTensor)] = []
  private var names: Set<String> = []
  private var visits = 0

  init(_ reader: PickleReader) { self.reader = reader }

  /// Adds the tensors of a model: a module or a state dict.
  /// - Returns: false if `handle` is neither.
  mutating func add(_ handle: Handle) throws(TorchWeightsError) -> Bool {
    if reader.module(handle) != nil {
      try add(module: handle, prefix: "", depth: 0)
      return true
    }
    guard let pairs = try reader.pairs(handle) else { return false }
    for index in stride(from: 0, to: pairs.count, by: 2) {
      // Other things, such as a counter or an empty extra state, are no weights.
      guard let tensor = try TorchTensor(reader, pairs[index + 1]) else { continue }
      try add(tensor, prefix: "", key: pairs[index])
    }
    return !tensors.isEmpty
  }

  private mutating func add(module: Handle, prefix: String, depth: Int) throws(TorchWeightsError) {
    visits += 1
    guard depth <= Self.depthMax, visits <= Self.visitsMax else {
      throw TorchWeightsError(.tooComplex, "the model's modules are nested too deeply, or too many")
    }
    guard let state = reader.module(module)?.state else {
      throw TorchWeightsError(.malformedCheckpoint, "\"\(prefix.dropLast())\" should be a module and is not")
    }
    try add(part: "_parameters", of: state, prefix: prefix, except: [])
    try add(part: "_buffers", of: state, prefix: prefix, except: hidden(state))
    guard let modules = try reader.value(state, "_modules") else { return }
    guard let pairs = try reader.pairs(modules) else { throw malformed("_modules", prefix) }
    for index in stride(from: 0, to: pairs.count, by: 2) where !reader.isNone(pairs[index + 1]) {
      try add(module: pairs[index + 1], prefix: name(prefix, pairs[index]) + ".", depth: depth + 1)
    }
  }

  /// Names of the buffers that PyTorch does not save, and of one that older YOLOv5 saved though it follows from the anchors.
  private func hidden(_ state: Handle) throws(TorchWeightsError) -> Set<String> {
    var names: Set<String> = ["anchor_grid"]
    guard let set = try reader.value(state, "_non_persistent_buffers_set"), let members = try reader.members(set) else { return names }
    for member in members {
      if let name = try reader.text(member, bytesMax: Self.nameBytesMax) { names.insert(name) }
    }
    return names
  }

  private mutating func add(
    part: String, of state: Handle, prefix: String, except: Set<String>
  ) throws(TorchWeightsError) {
    guard let dictionary = try reader.value(state, part) else { return }
    guard let pairs = try reader.pairs(dictionary) else { throw malformed(part, prefix) }
    for index in stride(from: 0, to: pairs.count, by: 2) where !reader.isNone(pairs[index + 1]) {
      if let key = try reader.text(pairs[index], bytesMax: Self.nameBytesMax), except.contains(key) { continue }
      guard let tensor = try TorchTensor(reader, pairs[index + 1]) else { throw malformed(part, prefix) }
      try add(tensor, prefix: prefix, key: pairs[index])
    }
  }

  private mutating func add(_ tensor: TorchTensor, prefix: String, key: Handle) throws(TorchWeightsError) {
    let name = try name(prefix, key)
    if name == "anchor_grid" || name.hasSuffix(".anchor_grid") { return }
    guard names.insert(name).inserted else { throw TorchWeightsError(.duplicateName, "two tensors are called \"\(name)\"") }
    guard tensors.count < Self.tensorsMax else { throw TorchWeightsError(.tooComplex, "more than \(Self.tensorsMax) tensors") }
    tensors.append((name, tensor))
  }

  private func name(_ prefix: String, _ key: Handle) throws(TorchWeightsError) -> String {
    guard let key = try reader.text(key, bytesMax: Self.nameBytesMax), !key.isEmpty else {
      throw TorchWeightsError(.malformedCheckpoint, "a name below \"\(prefix)\" is no text, empty, or too long")
    }
    let name = prefix + key
    guard name.utf8.count <= Self.nameBytesMax, name != "__metadata__", name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
      throw TorchWeightsError(.malformedCheckpoint, "the name \"\(printable(name))\" cannot be a tensor's")
    }
    return name
  }

  private func malformed(_ part: String, _ prefix: String) -> TorchWeightsError {
    TorchWeightsError(.malformedCheckpoint, "\(part) of \"\(prefix.dropLast())\" holds something else than it should")
  }
}
