// Why a certificate or its key was not accepted: one code a cause, a sentence for people, and what to do next. Never holds key material.

/// A failure of minting, reading, writing or checking a TLS certificate and its key.
public struct TLSIdentityError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The causes; the raw value is what the command line prints as `error[TL-01]`.
  public enum Code: String, Sendable, CaseIterable {
    /// The bytes are no X.509 certificate, or more than one, or too long.
    case malformedCertificate = "TL-01"
    /// The bytes are no P-256 private key.
    case malformedKey = "TL-02"
    /// The key does not belong to the certificate.
    case keyMismatch = "TL-03"
    /// The certificate is not valid yet, or not any more.
    case outsideValidity = "TL-04"
    /// The certificate does not carry exactly one `secagg://` name, or another than the expected one.
    case wrongName = "TL-05"
    /// A file could not be read or written.
    case file = "TL-06"
    /// Others than the owner may read the key file.
    case keyFileExposed = "TL-07"
    /// A name or host that cannot stand in a certificate.
    case unusableName = "TL-08"
    /// The certificate's key is not ECDSA P-256, the one kind that this system makes and takes.
    case unsupportedKey = "TL-09"
  }

  public let code: Code
  /// One sentence: what was found.
  public let reason: String
  /// One sentence: what to do about it.
  public let hint: String

  public init(_ code: Code, _ reason: String, hint: String) {
    self.code = code
    self.reason = reason
    self.hint = hint
  }

  /// The process exit status that belongs to it: 77 identity refused, 65 bad data, 78 configuration (a file), 64 usage.
  public var exitStatus: Int32 {
    switch code {
    case .malformedCertificate, .malformedKey: 65
    case .keyMismatch, .outsideValidity, .wrongName, .keyFileExposed, .unsupportedKey: 77
    case .file: 78
    case .unusableName: 64
    }
  }

  public var description: String { "error[\(code.rawValue)]: \(reason)\nhint: \(hint)" }
}
