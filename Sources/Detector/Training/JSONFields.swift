// Strict reading of a small JSON object from outside: every key is known, every number in its range, and each fault is
// named with the path of its key. Bounded: the caller limits the file's size, the decoder limits nesting.

import Foundation

/// Any JSON value.
enum JSONValue: Decodable, Equatable {
  case null
  case bool(Bool)
  /// A whole number from 0; apart from `number` because seeds use all 64 bits.
  case whole(UInt64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(UInt64.self) {
      self = .whole(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  /// The value of a number.
  var double: Double? {
    switch self {
    case .whole(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}

/// The keys of one JSON object, taken one by one.
struct JSONFields {
  let file: String
  let path: String
  private var values: [String: JSONValue]

  /// - Throws: `TrainingError.badJob` where `bytes` are no JSON object.
  init(parsing bytes: [UInt8], file: String) throws(TrainingError) {
    let value: JSONValue
    do {
      value = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    } catch {
      throw TrainingError(.badJob, "\(file): not JSON: \(Self.explain(error))", hint: "write the file again, whole")
    }
    guard case .object(let values) = value else {
      throw TrainingError(.badJob, "\(file): not a JSON object", hint: "write one object with the job's keys")
    }
    self.init(file: file, path: "", values: values)
  }

  private init(file: String, path: String, values: [String: JSONValue]) {
    self.file = file
    self.path = path
    self.values = values
  }

  private static func explain(_ error: any Error) -> String {
    guard case DecodingError.dataCorrupted(let context) = error else { return "unreadable" }
    if let underlying = context.underlyingError {
      return (underlying as NSError).userInfo[NSDebugDescriptionErrorKey] as? String ?? "\(underlying)"
    }
    return context.debugDescription
  }

  private func place(_ key: String) -> String { "\(file): \(path.isEmpty ? key : "\(path).\(key)")" }

  private func fault(_ key: String, _ expected: String) -> TrainingError {
    TrainingError(.badJob, "\(place(key)) must be \(expected)", hint: "correct this key; nothing was started")
  }

  /// Whether the key is there, and not null.
  func has(_ key: String) -> Bool { values[key] != nil && values[key] != .null }

  private mutating func take<Value>(
    _ key: String, default fallback: Value?, expected: String, _ read: (JSONValue) -> Value?
  ) throws(TrainingError) -> Value {
    guard let value = values.removeValue(forKey: key) else {
      if let fallback { return fallback }
      throw TrainingError(.badJob, "\(place(key)) is missing", hint: "it must be \(expected)")
    }
    guard let result = read(value) else { throw fault(key, expected) }
    return result
  }

  mutating func integer(
    _ key: String, in range: ClosedRange<Int>, default fallback: Int? = nil
  ) throws(TrainingError) -> Int {
    try take(key, default: fallback, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)") {
      guard let value = $0.double.flatMap({ Int(exactly: $0) }), range.contains(value) else { return nil }
      return value
    }
  }

  /// A whole number of 64 bits.
  mutating func seed(_ key: String) throws(TrainingError) -> UInt64 {
    try take(key, default: 0, expected: "a whole number from 0 to \(UInt64.max)") {
      guard case .whole(let value) = $0 else { return nil }
      return value
    }
  }

  mutating func number(
    _ key: String, in range: ClosedRange<Double>, default fallback: Double? = nil
  ) throws(TrainingError) -> Double {
    try take(key, default: fallback, expected: "a number from \(range.lowerBound) to \(range.upperBound)") {
      guard let number = $0.double, range.contains(number) else { return nil }
      return number
    }
  }

  mutating func flag(_ key: String, default fallback: Bool? = nil) throws(TrainingError) -> Bool {
    try take(key, default: fallback, expected: "true or false") {
      guard case .bool(let value) = $0 else { return nil }
      return value
    }
  }

  mutating func text(_ key: String, default fallback: String? = nil) throws(TrainingError) -> String {
    try take(key, default: fallback, expected: "a text that is not empty") {
      guard case .string(let value) = $0, !value.isEmpty else { return nil }
      return value
    }
  }

  /// A text that may be absent or null.
  mutating func optionalText(_ key: String) throws(TrainingError) -> String? {
    if values[key] == nil || values[key] == .null {
      values[key] = nil
      return nil
    }
    return try text(key)
  }

  /// The fields of a nested object; empty where the key is absent.
  mutating func object(_ key: String) throws(TrainingError) -> JSONFields {
    let inner: [String: JSONValue] = try take(key, default: [:], expected: "an object") {
      guard case .object(let value) = $0 else { return nil }
      return value
    }
    return JSONFields(file: file, path: path.isEmpty ? key : "\(path).\(key)", values: inner)
  }

  /// Call after the last key.
  /// - Throws: where a key is left that nobody asked for: a setting must never be ignored in silence.
  func finish() throws(TrainingError) {
    guard let unknown = values.keys.sorted().first else { return }
    throw TrainingError(
      .badJob, "\(place(String(unknown.prefix(60)))) is an unknown key", hint: "remove it, or use a trainer that knows it")
  }
}
