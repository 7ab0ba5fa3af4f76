// The small facts beside the weights: class names, strides, fitness, date. They help and are not needed: what is not as YOLOv5 writes
// it is left out, and only a description that cannot be bounded is an error.

import Safetensors

extension PickleReader {
  private static let classesMax = 10_000
  private static let nameBytesMax = 256
  private static let namesBytesMax = 1 << 20

  /// Class names, as a list or as a dictionary from 0 upwards. Control characters, which would split names apart, become spaces.
  func classNames(_ handle: Handle) throws(TorchWeightsError) -> [String]? {
    var handles: [Handle] = []
    if let items = try items(handle) {
      handles = Array(items)
    } else if let pairs = try pairs(handle) {
      var byNumber: [Int: Handle] = [:]
      for index in stride(from: 0, to: pairs.count, by: 2) {
        guard let number = int(pairs[index]), byNumber.updateValue(pairs[index + 1], forKey: number) == nil else { return nil }
      }
      for number in 0..<byNumber.count {
        guard let handle = byNumber[number] else { return nil }
        handles.append(handle)
      }
    }
    guard !handles.isEmpty, handles.count <= Self.classesMax else { return nil }
    var names: [String] = []
    var bytesLeft = Self.namesBytesMax
    for handle in handles {
      guard let name = try text(handle, bytesMax: min(Self.nameBytesMax, bytesLeft)) else { return nil }
      bytesLeft -= name.utf8.count
      let scalars = name.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }
      names.append(String(String.UnicodeScalarView(scalars)))
    }
    return names
  }

  /// A number, as Python's or as NumPy's scalar or array of one: YOLOv5's fitness is the last.
  func double(_ handle: Handle) throws(TorchWeightsError) -> Double? {
    switch pickle[handle] {
    case .float(let value): return value
    case .int(let value): return Double(value)
    case .record: break
    default: return nil
    }
    guard let record = record(handle) else { return nil }
    if record.callable == .numpyScalar {
      let arguments = try arguments(record)
      guard arguments.count == 2, let bytes = try shortBytes(arguments[1]) else { return nil }
      return try number(type: arguments[0], bytes)
    }
    // The state of an array: version, shape, type, order, bytes.
    guard record.callable == .numpyRebuild, let state = record.state, let parts = try items(state).map(Array.init), parts.count == 5,
      let bytes = try shortBytes(parts[4])
    else { return nil }
    return try number(type: parts[2], bytes)
  }

  /// The number that `bytes` are by NumPy's type "f8" or "f4", little-endian.
  private func number(type: Handle, _ bytes: [UInt8]) throws(TorchWeightsError) -> Double? {
    guard let record = record(type), record.callable == .numpyType, let first = try arguments(record).first,
      let spelling = try text(first, bytesMax: 8), let state = record.state,
      let order = try items(state)?.dropFirst().first, try text(order, bytesMax: 1) == "<"
    else { return nil }
    switch (spelling, bytes.count) {
    case ("f8", 8): return bytes.withUnsafeBytes { Double(bitPattern: UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))) }
    case ("f4", 4): return bytes.withUnsafeBytes { Double(Float(bitPattern: UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)))) }
    default: return nil
    }
  }

  /// A date as text, or as `datetime` packs it: year, month, day, hour, minute, second, microseconds, all big-endian.
  func date(_ handle: Handle) throws(TorchWeightsError) -> String? {
    if let date = try text(handle, bytesMax: 64) {
      return date.utf8.allSatisfy { (0x20...0x7e).contains($0) } ? date : nil
    }
    guard let record = record(handle), record.callable == .date, let first = try arguments(record).first,
      let packed = try shortBytes(first), packed.count == 10
    else { return nil }
    func digits(_ value: Int, _ count: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    let parts = packed.map(Int.init)
    let day = "\(digits(parts[0] << 8 | parts[1], 4))-\(digits(parts[2], 2))-\(digits(parts[3], 2))"
    let time = "\(digits(parts[4], 2)):\(digits(parts[5], 2)):\(digits(parts[6], 2))"
    let micro = parts[7] << 16 | parts[8] << 8 | parts[9]
    return micro == 0 ? "\(day)T\(time)" : "\(day)T\(time).\(digits(micro, 6))"
  }
}
