// A pickle machine that executes nothing: it moves indices between a stack, a memo and containers, and where CPython would call or
// instantiate it notes who would have been asked. Work is one step a byte at most, memory in proportion; no step recurses.

struct PickleMachine {
  var pickle: Pickle
  var position = 0
  var stack: [Handle] = []
  private var marks: [Int] = []
  /// By memo number; nil where nothing was put.
  private var memo: [Handle?] = []
  private var memoCount = 0

  private init(_ bytes: [UInt8]) { pickle = Pickle(bytes: bytes) }

  /// Runs a whole pickle.
  static func run(_ bytes: [UInt8]) throws(TorchWeightsError) -> Pickle {
    guard bytes.count <= Pickle.bytesMax else {
      throw TorchWeightsError(.tooComplex, "a pickle of \(bytes.count) bytes; \(Pickle.bytesMax) are accepted")
    }
    var machine = PickleMachine(bytes)
    try machine.begin()
    while true {
      let opcode = try machine.opcode()
      if opcode == .stop { break }
      try machine.step(opcode)
    }
    guard machine.stack.count == 1, machine.marks.isEmpty, machine.position == bytes.count else {
      throw machine.malformed("does not end with exactly one value")
    }
    machine.pickle.root = machine.stack[0]
    return machine.pickle
  }

  private mutating func begin() throws(TorchWeightsError) {
    guard try opcode() == .proto, case 2...5 = try number(1) else { throw malformed("is not of protocol 2 to 5") }
  }

  private mutating func opcode() throws(TorchWeightsError) -> PickleOpcode {
    let byte = UInt8(try number(1))
    guard let opcode = PickleOpcode(rawValue: byte) else {
      throw TorchWeightsError(
        .unsupportedOpcode, "opcode 0x\(String(byte, radix: 16)) at byte \(position - 1) of the pickle is none that PyTorch writes")
    }
    return opcode
  }

  private mutating func step(_ opcode: PickleOpcode) throws(TorchWeightsError) {
    switch opcode {
    case .proto, .stop: throw malformed("begins twice")
    case .frame: _ = try length(8)
    case .mark: marks.append(stack.count)
    case .pop: _ = try pop()
    case .popMark: _ = try popToMark()
    case .duplicate: stack.append(try top())
    case .binPut: try put(number(1))
    case .longBinPut: try put(number(4))
    case .memoize: try put(memoCount)
    case .binGet: try get(number(1))
    case .longBinGet: try get(number(4))
    case .none: stack.append(.none)
    case .newTrue: stack.append(.true)
    case .newFalse: stack.append(.false)
    case .binInt1: try push(.int(number(1)))
    case .binInt2: try push(.int(number(2)))
    case .binInt: try push(.int(Int(Int32(truncatingIfNeeded: number(4)))))
    case .long1: try pushInteger(length(1))
    case .long4: try pushInteger(length(4))
    case .binFloat: try push(.float(float()))
    case .shortBinUnicode: try pushText(length(1))
    case .binUnicode: try pushText(length(4))
    case .binUnicode8: try pushText(length(8))
    case .shortBinBytes: try pushBytes(length(1))
    case .binBytes: try pushBytes(length(4))
    case .binBytes8: try pushBytes(length(8))
    case .emptyTuple, .tuple, .tuple1, .tuple2, .tuple3, .emptyList, .append, .appends, .emptyDictionary, .setItem, .setItems,
      .emptySet, .addItems, .frozenSet:
      try container(opcode)
    case .global, .stackGlobal, .reduce, .newObject, .newObjectWithKeywords, .build, .binPersistentID: try object(opcode)
    }
  }

  private mutating func put(_ number: Int) throws(TorchWeightsError) {
    // Pickle numbers its memo from 0 upwards; a number beyond the bytes read so far would reserve memory for nothing.
    guard number <= position else { throw malformed("leaves numbers of its memo out") }
    while memo.count <= number { memo.append(nil) }
    if memo[number] == nil { memoCount += 1 }
    memo[number] = try top()
  }

  private mutating func get(_ number: Int) throws(TorchWeightsError) {
    guard number < memo.count, let handle = memo[number] else { throw malformed("asks for what was not remembered") }
    stack.append(handle)
  }

  func top() throws(TorchWeightsError) -> Handle {
    guard let handle = stack.last, stack.count > marks.last ?? 0 else { throw malformed("takes from an empty stack") }
    return handle
  }

  mutating func pop() throws(TorchWeightsError) -> Handle {
    let handle = try top()
    stack.removeLast()
    return handle
  }

  /// Everything above the last mark, which goes too.
  mutating func popToMark() throws(TorchWeightsError) -> [Handle] {
    guard let mark = marks.popLast() else { throw malformed("lacks a mark") }
    // An array, not a slice: a slice would share the stack, and the next step copy all of it.
    let items = Array(stack[mark...])
    stack.removeLast(items.count)
    return items
  }

  mutating func push(_ value: PickleValue) throws(TorchWeightsError) {
    guard pickle.values.count < Pickle.valuesMax else {
      throw TorchWeightsError(.tooComplex, "the pickle has more than \(Pickle.valuesMax) values")
    }
    stack.append(Handle(index: UInt32(pickle.values.count)))
    pickle.values.append(value)
  }

  func malformed(_ what: String) -> TorchWeightsError {
    TorchWeightsError(.malformedPickle, "the pickle \(what) (byte \(position) of \(pickle.bytes.count))")
  }
}
