// A signed note (C2SP signed-note): a text, an empty line, signature lines. Parsing decides nothing about signatures; who may sign what is
// the checkpoint's affair.
import Sodium

public struct SignedNote: Equatable, Sendable {
  public struct Signature: Equatable, Sendable {
    public let name: String
    /// Tells keys of one name apart: the first four bytes of a hash of name, kind and key.
    public let keyID: [UInt8]
    public let bytes: [UInt8]

    public init(name: String, keyID: [UInt8], bytes: [UInt8]) { (self.name, self.keyID, self.bytes) = (name, keyID, bytes) }

    /// The line without its end.
    public var line: String { "\u{2014} \(name) \(Base64.text(keyID + bytes))" }

    /// nil for anything but a signature line.
    public init?(line: some StringProtocol) {
      let parts = line.split(separator: " ", omittingEmptySubsequences: false)
      guard parts.count == 3, parts[0] == "\u{2014}", SignedNote.isName(parts[1]), let blob = Base64.bytes(String(parts[2])),
        blob.count > 4
      else { return nil }
      self.init(name: String(parts[1]), keyID: Array(blob.prefix(4)), bytes: Array(blob.dropFirst(4)))
    }
  }

  /// The kinds of keys that ledgers use.
  public enum KeyKind: UInt8, Sendable {
    case ed25519 = 0x01
    case cosignature = 0x04
  }

  /// Lines with their ends; the last character is a line feed.
  public var text: String
  public var signatures: [Signature]

  /// A checkpoint with the cosignatures of 10,000 sites has less.
  public static let bytesMax = 4 << 20

  public init(text: String, signatures: [Signature]) { (self.text, self.signatures) = (text, signatures) }

  public init(parsing bytes: [UInt8]) throws(LedgerError) {
    func refuse(_ reason: String) -> LedgerError { LedgerError(.malformedNote, reason) }
    guard bytes.count <= Self.bytesMax else { throw refuse("a note of \(bytes.count) bytes") }
    guard bytes.allSatisfy({ $0 >= 0x20 || $0 == 0x0A }), let whole = String(validating: bytes, as: UTF8.self) else {
      throw refuse("the note is no UTF-8 text without control characters")
    }
    guard bytes.last == 0x0A else { throw refuse("the note does not end with a line") }
    // The last empty line divides text and signatures.
    var lines = whole.split(separator: "\n", omittingEmptySubsequences: false)
    lines.removeLast()
    guard let empty = lines.lastIndex(where: \.isEmpty), empty > 0, empty + 1 < lines.count else {
      throw refuse("the note has no text or no signatures")
    }
    text = lines[..<empty].map { $0 + "\n" }.joined()
    signatures = []
    for line in lines[(empty + 1)...] {
      guard let signature = Signature(line: line) else { throw refuse("a line behind the text is no signature") }
      signatures.append(signature)
    }
  }

  public var encoded: [UInt8] { Array((text + "\n" + signatures.map { $0.line + "\n" }.joined()).utf8) }

  public static func keyID(name: String, kind: KeyKind, key: Ed25519.PublicKey) -> [UInt8] {
    Array(SHA256.hash(Array(name.utf8) + [0x0A, kind.rawValue] + key.bytes).prefix(4))
  }

  static func isName(_ name: some StringProtocol) -> Bool {
    !name.isEmpty && !name.unicodeScalars.contains { $0.properties.isWhitespace || $0 == "+" }
  }
}
