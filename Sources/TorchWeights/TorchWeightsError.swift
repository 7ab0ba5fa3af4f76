// The one error type of the TorchWeights module: a stable code for programs, a reason for people. Everything that a file can do
// wrong ends here; nothing that a file contains may trap, and nothing of it is ever run.

/// Why a checkpoint was refused. `reason` names the place and the rule, never values.
public struct TorchWeightsError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Code: String, Sendable, CaseIterable {
    /// The file could not be opened or read.
    case inputOutput
    /// The file is larger than the caller allows.
    case tooLarge
    /// The file is not a PyTorch checkpoint, or one of another kind (TorchScript).
    case notACheckpoint
    /// A file as PyTorch wrote it before 1.6.
    case legacyFormat
    /// The file ends before its directory or its data does.
    case truncated
    /// The zip archive breaks its format, or its parts contradict or overlap each other.
    case malformedArchive
    /// An entry is encrypted.
    case encrypted
    /// An entry is compressed; PyTorch stores entries as they are.
    case compressed
    /// Contents do not have their CRC-32.
    case badChecksum
    /// The file was written on a big-endian machine.
    case bigEndian
    /// The pickle refers to data that the archive lacks.
    case missingEntry
    /// The pickle breaks the rules of its own format.
    case malformedPickle
    /// An opcode that PyTorch does not write.
    case unsupportedOpcode
    /// A class or function that has no place in weights.
    case forbiddenGlobal
    /// More values, nesting or bytes than a checkpoint has use for.
    case tooComplex
    /// A tensor that disagrees with its storage, or overflows.
    case inconsistentTensor
    /// Two tensors, or two keys, carry the same name.
    case duplicateName
    /// A pickle in order, but no model inside.
    case malformedCheckpoint
  }

  public let code: Code
  public let reason: String

  public init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }

  public var description: String { "\(code.rawValue): \(reason)" }
}

/// A name from outside made safe to print: bounded, and without control characters.
func printable(_ text: String) -> String {
  String(String.UnicodeScalarView(text.unicodeScalars.prefix(120).map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 }))
}
