// The values of a pickle in one arena: a value is an index, a container a list of indices. Cycles and shared values therefore cost
// nothing, and letting go of a million nested lists is the freeing of an array. Invariant: every index and byte range is in bounds.

/// A value's place in the arena.
struct Handle: Hashable, Sendable {
  let index: UInt32
}

enum PickleValue {
  case none
  case bool(Bool)
  case int(Int)
  /// An integer of more than 64 bits; nothing in a checkpoint needs one.
  case wideInteger
  case float(Double)
  /// UTF-8 at `start` of the pickle, decoded only where it is needed.
  case text(start: UInt32, count: UInt32)
  case bytes(start: UInt32, count: UInt32)
  /// Of `Pickle.elements`.
  case tuple(start: UInt32, count: UInt32)
  /// Of `Pickle.containers`.
  case list(UInt32)
  case set(UInt32)
  /// Keys and values in turn.
  case dictionary(UInt32)
  /// Of `Pickle.globals`.
  case global(UInt32)
  /// What stands outside of the pickle, by its identification.
  case persistent(Handle)
  /// Of `Pickle.records`.
  case record(UInt32)
}

/// What a call or an instantiation would have made: who was asked, with what, and the state that followed. Nobody was asked.
struct PickleRecord {
  let callable: Global
  let arguments: Handle
  var state: Handle?
}

struct Pickle {
  /// Largest `data.pkl`, bytes; yolov5x with its optimiser's state has 2 MB.
  static let bytesMax = 16 << 20
  /// Most values; yolov5x with its optimiser's state has 500,000.
  static let valuesMax = 4_000_000

  let bytes: [UInt8]
  var values: [PickleValue] = [.none, .bool(false), .bool(true), .tuple(start: 0, count: 0)]
  var elements: [Handle] = []
  var containers: [[Handle]] = []
  var records: [PickleRecord] = []
  var globals: [Global] = []
  var root = Handle.none

  subscript(handle: Handle) -> PickleValue { values[Int(handle.index)] }

  func elements(start: UInt32, count: UInt32) -> ArraySlice<Handle> { elements[Int(start)..<Int(start + count)] }

  func raw(start: UInt32, count: UInt32) -> ArraySlice<UInt8> { bytes[Int(start)..<Int(start + count)] }
}

extension Handle {
  // The values that every arena begins with.
  static let none = Handle(index: 0)
  static let `false` = Handle(index: 1)
  static let `true` = Handle(index: 2)
  static let emptyTuple = Handle(index: 3)
}
