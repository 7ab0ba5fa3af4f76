// Looking into the values of a pickle. Shared and cyclic values make a graph of few bytes an endless tree, so every look costs steps
// and the steps are counted: walking ends, whatever the pickle says.

final class PickleReader {
  /// yolov5x takes 300,000; this many take a second at worst.
  private static let stepsMax = 4_000_000

  let pickle: Pickle
  private var steps = 0

  init(_ pickle: Pickle) { self.pickle = pickle }

  func spend(_ count: Int) throws(TorchWeightsError) {
    steps += count
    guard steps <= Self.stepsMax else { throw TorchWeightsError(.tooComplex, "the pickle's values refer to each other too often") }
  }

  func isNone(_ handle: Handle) -> Bool {
    if case .none = pickle[handle] { true } else { false }
  }

  func int(_ handle: Handle) -> Int? {
    if case .int(let value) = pickle[handle] { value } else { nil }
  }

  /// Text of at most `bytesMax` bytes of UTF-8.
  func text(_ handle: Handle, bytesMax: Int) throws(TorchWeightsError) -> String? {
    guard case .text(let start, let count) = pickle[handle], count <= bytesMax else { return nil }
    try spend(Int(count) / 16)
    return String(decoding: pickle.raw(start: start, count: count), as: UTF8.self)
  }

  private func isText(_ handle: Handle, _ text: String) -> Bool {
    guard case .text(let start, let count) = pickle[handle], Int(count) == text.utf8.count else { return false }
    return pickle.raw(start: start, count: count).elementsEqual(text.utf8)
  }

  /// Items of a list or tuple, or of a `torch.Size`; nil for anything else.
  func items(_ handle: Handle) throws(TorchWeightsError) -> ArraySlice<Handle>? {
    var items: ArraySlice<Handle>?
    switch pickle[handle] {
    case .list(let slot): items = pickle.containers[Int(slot)][...]
    case .tuple(let start, let count): items = pickle.elements(start: start, count: count)
    case .record(let index) where pickle.records[Int(index)].callable == .size:
      guard let inner = tuple(pickle.records[Int(index)].arguments)?.first else { return nil }
      items = tuple(inner)
    default: return nil
    }
    try spend(1 + (items?.count ?? 0))
    return items
  }

  private func tuple(_ handle: Handle) -> ArraySlice<Handle>? {
    if case .tuple(let start, let count) = pickle[handle] { pickle.elements(start: start, count: count) } else { nil }
  }

  /// Members of a set, in either form that protocols write.
  func members(_ handle: Handle) throws(TorchWeightsError) -> ArraySlice<Handle>? {
    if case .set(let slot) = pickle[handle] {
      try spend(1 + pickle.containers[Int(slot)].count)
      return pickle.containers[Int(slot)][...]
    }
    guard let record = record(handle), record.callable == .set, let first = tuple(record.arguments)?.first else { return nil }
    return try items(first)
  }

  /// Keys and values in turn; nil if it is no dictionary.
  func pairs(_ handle: Handle) throws(TorchWeightsError) -> [Handle]? {
    guard case .dictionary(let slot) = pickle[handle] else { return nil }
    try spend(1 + pickle.containers[Int(slot)].count)
    return pickle.containers[Int(slot)]
  }

  /// The value of a dictionary's `key`, nil if there is none.
  /// - Throws: if the key stands there twice: which one counts would depend on the reader.
  func value(_ dictionary: Handle, _ key: String) throws(TorchWeightsError) -> Handle? {
    guard let pairs = try pairs(dictionary) else { return nil }
    var found: Handle?
    for index in stride(from: 0, to: pairs.count, by: 2) where isText(pairs[index], key) {
      guard found == nil else { throw TorchWeightsError(.duplicateName, "a dictionary has the key \"\(key)\" twice") }
      found = pairs[index + 1]
    }
    return found
  }

  func record(_ handle: Handle) -> PickleRecord? {
    if case .record(let index) = pickle[handle] { pickle.records[Int(index)] } else { nil }
  }

  /// The arguments of a call.
  func arguments(_ record: PickleRecord) throws(TorchWeightsError) -> [Handle] {
    let arguments = tuple(record.arguments) ?? []
    try spend(arguments.count)
    return Array(arguments)
  }

  /// Full name and state of a layer or model.
  func module(_ handle: Handle) -> (name: String, state: Handle)? {
    guard let record = record(handle), case .module(let name) = record.callable, let state = record.state else { return nil }
    return (name, state)
  }

  /// Bytes, at most 64, as themselves or as text of code points below 256, which is how protocol 2 writes them.
  func shortBytes(_ handle: Handle) throws(TorchWeightsError) -> [UInt8]? {
    if case .bytes(let start, let count) = pickle[handle], count <= 64 { return Array(pickle.raw(start: start, count: count)) }
    guard let record = record(handle), record.callable == .encode, let first = try arguments(record).first,
      let text = try text(first, bytesMax: 128)
    else { return nil }
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      guard let byte = UInt8(exactly: scalar.value) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
