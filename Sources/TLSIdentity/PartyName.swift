// The name that a certificate speaks for: `secagg://<name>` as a URI in the subject alternative names. A name is what the roster
// calls the party; its alphabet is narrow so that a name is one URI host and cannot be confused with another.

/// A party's name as it stands in certificates and rosters: 1 to 63 of `a-z 0-9 - .`, starting and ending with a letter or digit.
public struct PartyName: Hashable, Sendable, CustomStringConvertible {
  public let text: String

  /// - Throws: ``TLSIdentityError`` with `unusableName` for a name outside that alphabet or length.
  public init(_ text: String) throws(TLSIdentityError) {
    func alphanumeric(_ byte: UInt8) -> Bool {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    let bytes = Array(text.utf8)
    guard (1...63).contains(bytes.count), let first = bytes.first, let last = bytes.last, alphanumeric(first), alphanumeric(last),
      bytes.allSatisfy({ alphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") })
    else {
      throw TLSIdentityError(
        .unusableName, "\"\(text.prefix(80))\" cannot stand as a name in a certificate",
        hint: "use 1 to 63 lower-case letters, digits, hyphens or dots, starting and ending with a letter or digit")
    }
    self.text = text
  }

  /// Reads `secagg://<name>`; nil for any other URI.
  public init?(uri: String) {
    guard uri.hasPrefix(Self.scheme), let name = try? PartyName(String(uri.dropFirst(Self.scheme.count))) else { return nil }
    self = name
  }

  /// `secagg://<name>`.
  public var uri: String { Self.scheme + text }
  public var description: String { text }

  private static let scheme = "secagg://"
}
