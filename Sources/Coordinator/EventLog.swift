// The server's account of a job, one JSON object a line (docs/events.md): for dashboards, the demo and whoever asks later why a site was
// dropped. Nothing of one site's training stands in it, because the server knows nothing of it.
import Foundation

/// A value of an event.
public enum EventValue: Encodable, Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
  case null
  case text(String)
  case integer(Int)
  case number(Double)
  case flag(Bool)
  case list([EventValue])
  case object([String: EventValue])

  public init(stringLiteral value: String) { self = .text(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(booleanLiteral value: Bool) { self = .flag(value) }

  /// Lower-case hexadecimal digits.
  static func hexadecimal(_ bytes: [UInt8]) -> EventValue {
    let digits = Array("0123456789abcdef".utf8)
    return .text(String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .text(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try value.isFinite ? container.encode(value) : container.encodeNil()
    case .flag(let value): try container.encode(value)
    case .list(let values): try container.encode(values)
    case .object(let values): try container.encode(values)
    }
  }
}

/// Appends events to a file. Owned by one actor.
public final class EventLog {
  public static let fileName = "events.jsonl"

  private let handle: FileHandle?
  private let echo: @Sendable (String) -> Void

  /// - Parameters:
  ///   - path: appended to; nil keeps no file.
  ///   - echo: gets every line, without its line break.
  public init(path: String?, echo: @escaping @Sendable (String) -> Void = { _ in }) throws(CoordinatorError) {
    self.echo = echo
    guard let path else {
      handle = nil
      return
    }
    let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw CoordinatorError(.file, "cannot write \(path): \(String(cString: strerror(errno)))", hint: "check the state directory")
    }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    // A killed server may have left half a line.
    if let end = try? handle.seekToEnd(), end > 0, (try? handle.seek(toOffset: end - 1)) != nil,
      (try? handle.read(upToCount: 1)) != Data([10])
    {
      try? handle.write(contentsOf: Data([10]))
    }
    self.handle = handle
  }

  /// Adds `event` and `time` and writes the line. A full disk costs lines, never the job.
  public func write(_ event: String, _ fields: [String: EventValue] = [:]) {
    var all = fields
    all["event"] = .text(event)
    all["time"] = .text(Date().formatted(Self.timeFormat))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let line = try? encoder.encode(EventValue.object(all)) else { return }
    try? handle?.write(contentsOf: line + [10])
    echo(String(decoding: line, as: UTF8.self))
  }

  private static let timeFormat = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}
