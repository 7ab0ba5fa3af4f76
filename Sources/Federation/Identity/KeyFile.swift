// Ed25519 keys as files: a seed as 64 hexadecimal digits readable by its owner alone, a public key as 64 digits for everybody.
import Foundation
import Sodium

public enum KeyFile {
  /// Writes a secret key, once: an existing file is never overwritten.
  ///
  /// - Throws: ID-04 if the file exists, ID-01 if it cannot be written.
  public static func writeSecret(_ key: Ed25519.SigningKey, to path: String) throws(FederationError) {
    var seed = key.seed().exposed()
    var text = Array(Hexadecimal.text(seed).utf8) + [UInt8(ascii: "\n")]
    defer {
      SodiumLibrary.wipe(&seed)
      SodiumLibrary.wipe(&text)
    }
    do { try BoundedFile.write(text, to: path, mode: 0o600, replaces: false) } catch {
      if error.kind == .exists {
        throw FederationError(.identityExists, "\(path) exists already; a key is never overwritten", hint: "use it, or give another path")
      }
      throw FederationError(.identityFile, "cannot write \(path): \(error.reason)", hint: "check the path and its permissions")
    }
  }

  /// - Throws: ID-01 unreadable, ID-02 readable by others, ID-03 no seed.
  public static func readSecret(_ path: String) throws(FederationError) -> Ed25519.SigningKey {
    var text: [UInt8]
    do { text = try BoundedFile.read(path, bytesMax: 1024, secret: true) } catch {
      if error.kind == .exposed {
        throw FederationError(.identityExposed, "others than its owner may read the key file \(path)", hint: "run: chmod 600 \(path)")
      }
      throw FederationError(.identityFile, "cannot read \(path): \(error.reason)", hint: "check the path of the keys")
    }
    defer { SodiumLibrary.wipe(&text) }
    if text.last == UInt8(ascii: "\n") { text.removeLast() }
    guard var seed = Hexadecimal.bytes(text, count: Ed25519.seedBytes), let key = try? Ed25519.SigningKey(seed: SecretBytes(taking: &seed))
    else {
      throw FederationError(
        .identityMalformed, "\(path) holds no key: 64 hexadecimal digits are expected", hint: "restore it from a backup")
    }
    return key
  }

  /// Writes a public key.
  public static func writePublic(_ key: Ed25519.PublicKey, to path: String) throws(FederationError) {
    do { try BoundedFile.write(Array((Hexadecimal.text(key.bytes) + "\n").utf8), to: path, mode: 0o644, replaces: true) } catch {
      throw FederationError(.identityFile, "cannot write \(path): \(error.reason)", hint: "check the path and its permissions")
    }
  }

  /// Reads a public key, such as the consortium's that a site pins.
  public static func readPublic(_ path: String) throws(FederationError) -> Ed25519.PublicKey {
    var text: [UInt8]
    do { text = try BoundedFile.read(path, bytesMax: 1024) } catch {
      throw FederationError(.identityFile, "cannot read \(path): \(error.reason)", hint: "check the path of the public key")
    }
    if text.last == UInt8(ascii: "\n") { text.removeLast() }
    guard let bytes = Hexadecimal.bytes(text, count: Ed25519.publicKeyBytes), let key = try? Ed25519.PublicKey(bytes) else {
      throw FederationError(.identityMalformed, "\(path) holds no public key: 64 hexadecimal digits are expected", hint: "fetch it again")
    }
    return key
  }
}
