// Names, calls and objects of the pickle machine: a name is looked up in the allow-list, a call becomes a record.

extension PickleMachine {
  private static let nameBytesMax = 256

  mutating func object(_ opcode: PickleOpcode) throws(TorchWeightsError) {
    switch opcode {
    case .global: try pushGlobal(module: line(), name: line())
    case .stackGlobal:
      let name = try pop()
      let module = try pop()
      try pushGlobal(module: text(module), name: text(name))
    case .reduce, .newObject:
      let arguments = try pop()
      try call(pop(), arguments)
    case .newObjectWithKeywords:
      _ = try pop()
      let arguments = try pop()
      try call(pop(), arguments)
    case .build: try build(pop())
    default: try push(.persistent(pop()))
    }
  }

  private mutating func pushGlobal(module: String, name: String) throws(TorchWeightsError) {
    let global = try Global(module: module, name: name)
    pickle.globals.append(global)
    try push(.global(UInt32(pickle.globals.count - 1)))
  }

  /// Text up to the next line feed.
  private mutating func line() throws(TorchWeightsError) -> String {
    let rest = pickle.bytes[position...].prefix(Self.nameBytesMax + 1)
    guard let end = rest.firstIndex(of: 0x0a) else { throw malformed("has a name without an end") }
    let text = String(decoding: rest[..<end], as: UTF8.self)
    position = end + 1
    return text
  }

  private func text(_ handle: Handle) throws(TorchWeightsError) -> String {
    guard case .text(let start, let count) = pickle[handle], count <= Self.nameBytesMax else {
      throw malformed("has a name that is no text")
    }
    return String(decoding: pickle.raw(start: start, count: count), as: UTF8.self)
  }

  private mutating func call(_ callable: Handle, _ arguments: Handle) throws(TorchWeightsError) {
    guard case .global(let index) = pickle[callable], case .tuple(let start, let count) = pickle[arguments],
      pickle.globals[Int(index)].isCallable
    else { throw malformed("calls what is no class or function") }
    let global = pickle.globals[Int(index)]
    switch global {
    case .orderedDictionary, .dictionary:
      guard count == 0 else { throw malformed("makes a dictionary of something else") }
      return try push(.dictionary(newContainer()))
    case .list where count == 0: return try push(.list(newContainer()))
    case .set where count == 0: return try push(.set(newContainer()))
    case .attribute:
      let pair = Array(pickle.elements(start: start, count: count))
      guard count == 2, case .global(let owner) = pickle[pair[0]], case .module = pickle.globals[Int(owner)], case .text = pickle[pair[1]]
      else { throw TorchWeightsError(.forbiddenGlobal, "the checkpoint asks for \"builtins.getattr\" of something that is no layer") }
    default: break
    }
    pickle.records.append(PickleRecord(callable: global, arguments: arguments))
    try push(.record(UInt32(pickle.records.count - 1)))
  }

  /// Gives the object on the stack its state.
  private mutating func build(_ state: Handle) throws(TorchWeightsError) {
    switch try pickle[top()] {
    case .record(let index):
      guard pickle.records[Int(index)].state == nil else { throw malformed("gives an object its state twice") }
      pickle.records[Int(index)].state = state
    case .dictionary: break  // Attributes of an OrderedDict, such as a state dict's `_metadata`.
    default: throw malformed("gives a state to what has none")
    }
  }
}
