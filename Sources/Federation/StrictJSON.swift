// Helpers for the JSON files of this module: unknown keys are errors, fields have one spelling, sizes are bounded before parsing.
import Foundation
import Sodium
import TLSIdentity

enum StrictJSON {
  private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// The keyed container of `decoder`, after checking that every key in the file is one of `Key`'s cases.
  static func container<Key: CodingKey & CaseIterable>(_ decoder: any Decoder, _: Key.Type) throws -> KeyedDecodingContainer<Key> {
    let known = Set(Key.allCases.map(\.stringValue))
    let found = try decoder.container(keyedBy: AnyKey.self)
    if let stranger = found.allKeys.first(where: { !known.contains($0.stringValue) }) {
      throw DecodingError.dataCorruptedError(
        forKey: stranger, in: found, debugDescription: "unknown key \(stranger.stringValue.prefix(60))")
    }
    return try decoder.container(keyedBy: Key.self)
  }

  static func encode(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    guard let data = try? encoder.encode(value) else { preconditionFailure("strings and whole numbers always encode") }
    return Array(data) + [UInt8(ascii: "\n")]
  }

  /// Reads the fields of one kind of file, with that file's error code.
  struct Fields {
    var code: FederationError.Code
    var what: String
    var hint: String

    func error(_ reason: String) -> FederationError { FederationError(code, "\(what) is malformed: \(reason)", hint: hint) }

    func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8], bytesMax: Int) throws(FederationError) -> Value {
      guard bytes.count <= bytesMax else { throw error("larger than \(bytesMax) bytes") }
      do {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(bytes))
      } catch DecodingError.keyNotFound(let key, _) {
        throw error("`\(Self.written(key.stringValue))` is missing")
      } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
        throw error("`\(Self.path(context))` has the wrong type")
      } catch DecodingError.dataCorrupted(let context) {
        throw error(context.debugDescription.hasPrefix("unknown key") ? context.debugDescription : "not JSON")
      } catch {
        throw self.error("not JSON")
      }
    }

    private static func path(_ context: DecodingError.Context) -> String {
      context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? Self.written($0.stringValue) }.joined(separator: ".")
    }

    /// A key as the file spells it.
    private static func written(_ name: String) -> String {
      name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
    }

    func key(_ text: String, _ place: String) throws(FederationError) -> Ed25519.PublicKey {
      guard let bytes = Hexadecimal.bytes(text, count: Ed25519.publicKeyBytes), let key = try? Ed25519.PublicKey(bytes) else {
        throw error("a key of \(place) is not 64 digits of a valid Ed25519 key")
      }
      return key
    }

    func certificate(_ base64: String, _ fingerprint: String, _ place: String) throws(FederationError) -> PeerCertificate {
      guard base64.utf8.count <= 2 * PeerCertificate.bytesMax, let data = Data(base64Encoded: base64),
        let certificate = try? PeerCertificate(der: Array(data))
      else { throw error("the certificate of \(place) is none that SecAgg makes") }
      guard certificate.fingerprint.description == fingerprint else {
        throw error("the certificate of \(place) does not have the fingerprint beside it")
      }
      return certificate
    }

    func time(_ text: String, _ place: String) throws(FederationError) -> Int64 {
      guard let seconds = Timestamp.seconds(text) else { throw error("a date of \(place) is not written like 2026-01-31T12:00:00Z") }
      return seconds
    }

    func signature(_ text: String) throws(FederationError) -> [UInt8] {
      guard let bytes = Hexadecimal.bytes(text, count: Ed25519.signatureBytes) else { throw error("a signature has 128 digits") }
      return bytes
    }
  }
}

/// Times in files: UTC, whole seconds, one spelling.
public enum Timestamp {
  private static let style = Date.ISO8601FormatStyle()

  public static func text(_ seconds: Int64) -> String { Date(timeIntervalSince1970: Double(seconds)).formatted(style) }

  /// Seconds since 1970, of the years 1970 to 9999; nil for any other spelling than that of `text`.
  public static func seconds(_ text: String) -> Int64? {
    guard text.utf8.count == 20, let date = try? style.parse(text) else { return nil }
    let seconds = Int64(date.timeIntervalSince1970)
    return seconds >= 0 && Timestamp.text(seconds) == text ? seconds : nil
  }
}
