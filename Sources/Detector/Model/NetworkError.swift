// The error type of the detector's model part: weights that do not describe a YOLOv5 model, or optimiser state that
// does not belong to the weights.

/// Why weights, a state file or an input were refused.
public struct NetworkError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Code: String, Sendable {
    /// A tensor that the graph needs is absent.
    case missingTensor
    /// A tensor that the graph does not have.
    case unexpectedTensor
    /// A tensor's shape contradicts the size that the other tensors imply.
    case wrongShape
    /// Names and shapes fit no YOLOv5 model, or not the one that is needed.
    case unknownModel
    /// A value is NaN, infinite, or (variances, anchors) not positive.
    case badValue
    /// An image batch of a size that the network cannot take.
    case badInput
    /// A file that is no well-formed safetensors file.
    case unreadable
  }

  public let code: Code
  public let reason: String

  public init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }

  public var description: String { "\(code.rawValue): \(reason)" }
}
