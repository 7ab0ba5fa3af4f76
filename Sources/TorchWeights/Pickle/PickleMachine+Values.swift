// Numbers, text and containers of the pickle machine. Text and bytes stay where they are: a value is their place in the pickle.

extension PickleMachine {
  /// The unsigned number of the next `size` bytes.
  mutating func number(_ size: Int) throws(TorchWeightsError) -> Int {
    guard let value = pickle.bytes.number(at: position, size: size) else {
      throw malformed(position + size > pickle.bytes.count ? "ends too early" : "has a number that is too large")
    }
    position += size
    return value
  }

  /// A count of `size` bytes that must still follow.
  mutating func length(_ size: Int) throws(TorchWeightsError) -> Int {
    let count = try number(size)
    guard count <= pickle.bytes.count - position else { throw malformed("ends too early") }
    return count
  }

  mutating func float() throws(TorchWeightsError) -> Double {
    guard pickle.bytes.count - position >= 8 else { throw malformed("ends too early") }
    var bits: UInt64 = 0
    for byte in pickle.bytes[position..<(position + 8)] { bits = bits << 8 | UInt64(byte) }
    position += 8
    return Double(bitPattern: bits)
  }

  /// A two's complement number of `count` little-endian bytes.
  mutating func pushInteger(_ count: Int) throws(TorchWeightsError) {
    let digits = pickle.bytes[position..<(position + count)]
    position += count
    guard count <= 8 else { return try push(.wideInteger) }
    var value: UInt64 = (digits.last ?? 0) >= 0x80 ? .max : 0
    for byte in digits.reversed() { value = value << 8 | UInt64(byte) }
    try push(.int(Int(Int64(bitPattern: value))))
  }

  mutating func pushText(_ count: Int) throws(TorchWeightsError) {
    try push(.text(start: UInt32(position), count: UInt32(count)))
    position += count
  }

  mutating func pushBytes(_ count: Int) throws(TorchWeightsError) {
    try push(.bytes(start: UInt32(position), count: UInt32(count)))
    position += count
  }

  mutating func container(_ opcode: PickleOpcode) throws(TorchWeightsError) {
    switch opcode {
    case .emptyTuple: stack.append(.emptyTuple)
    case .tuple: try pushTuple(popToMark())
    case .tuple1: try pushTuple(popMany(1))
    case .tuple2: try pushTuple(popMany(2))
    case .tuple3: try pushTuple(popMany(3))
    case .emptyList: try push(.list(newContainer()))
    case .append: try extend(popMany(1), opcode)
    case .appends: try extend(popToMark(), opcode)
    case .emptyDictionary: try push(.dictionary(newContainer()))
    case .setItem: try extend(popMany(2), opcode)
    case .setItems: try extend(popToMark(), opcode)
    case .emptySet: try push(.set(newContainer()))
    case .addItems: try extend(popToMark(), opcode)
    default:  // A frozen set.
      let items = try popToMark()
      let slot = newContainer()
      pickle.containers[Int(slot)] = items
      try push(.set(slot))
    }
  }

  private mutating func popMany(_ count: Int) throws(TorchWeightsError) -> [Handle] {
    var items: [Handle] = []
    for _ in 0..<count { items.append(try pop()) }
    items.reverse()
    return items
  }

  private mutating func pushTuple(_ items: [Handle]) throws(TorchWeightsError) {
    guard !items.isEmpty else { return stack.append(.emptyTuple) }
    let start = UInt32(pickle.elements.count)
    pickle.elements.append(contentsOf: items)
    try push(.tuple(start: start, count: UInt32(items.count)))
  }

  mutating func newContainer() -> UInt32 {
    pickle.containers.append([])
    return UInt32(pickle.containers.count - 1)
  }

  /// Adds items to the container on the stack, which must be of the opcode's kind.
  private mutating func extend(_ items: [Handle], _ opcode: PickleOpcode) throws(TorchWeightsError) {
    let slot: UInt32
    switch (try pickle[top()], opcode) {
    case (.list(let list), .append), (.list(let list), .appends): slot = list
    case (.set(let set), .addItems): slot = set
    case (.dictionary(let dictionary), .setItem), (.dictionary(let dictionary), .setItems):
      guard items.count.isMultiple(of: 2) else { throw malformed("sets a key without a value") }
      slot = dictionary
    default: throw malformed("adds items to what holds none")
    }
    pickle.containers[Int(slot)].append(contentsOf: items)
  }
}
