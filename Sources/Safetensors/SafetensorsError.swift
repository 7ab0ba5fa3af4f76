// The one error type of the Safetensors module: a stable code for programs, a reason for people. Everything a file can
// do wrong ends here; nothing that a file contains may trap.

/// Why a safetensors file was refused. `reason` names the tensor and the rule, never its contents.
public struct SafetensorsError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Code: String, Sendable {
    /// The file could not be opened, read, or written.
    case inputOutput
    /// The file is larger than the caller allows.
    case tooLarge
    /// The file ends before its header or its data does.
    case truncated
    /// The header is not the JSON that the format prescribes.
    case malformedHeader
    /// Two entries carry the same name.
    case duplicateName
    /// A data type that the format does not know.
    case unknownType
    /// A shape whose element or byte count overflows, or disagrees with the data's length.
    case inconsistentShape
    /// Offsets that overlap, leave a gap, or leave bytes over at the end.
    case badOffsets
    /// A tensor that the caller asked for is absent.
    case missingTensor
    /// A tensor exists but holds another type or size than the caller needs.
    case unexpectedContents
    /// NaN or an infinity where a finite number is required.
    case notFinite
  }

  public let code: Code
  public let reason: String

  public init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }

  public var description: String { "\(code.rawValue): \(reason)" }
}
