// Certificate and key on disk: two PEM files, the key readable by its owner alone and never overwritten.
import Crypto
import Foundation

extension TLSCredentials {
  /// Writes both files; each appears whole or not at all, and is on the disk when this returns.
  /// - Throws: ``TLSIdentityError`` `file`, also where the key file exists already: a key is never overwritten.
  public func save(certificateFile: String, keyFile: String) throws(TLSIdentityError) {
    try Self.write(Array(key.pemRepresentation.utf8) + [UInt8(ascii: "\n")], to: keyFile, mode: 0o600, replaces: false)
    try Self.write(Array(certificate.pem.utf8), to: certificateFile, mode: 0o644, replaces: true)
  }

  /// Reads both files. A key file that group or others may read is refused.
  public static func load(certificateFile: String, keyFile: String) throws(TLSIdentityError) -> TLSCredentials {
    let certificate = try loadCertificate(certificateFile)
    let text = try read(keyFile, bytesMax: 16_384, secret: true)
    guard let key = try? P256.Signing.PrivateKey(pemRepresentation: text) else {
      throw TLSIdentityError(
        .malformedKey, "\(keyFile) holds no P-256 private key in PEM", hint: "give the file that was written with the certificate")
    }
    return try TLSCredentials(certificate: certificate, key: key)
  }

  /// Reads one PEM certificate.
  public static func loadCertificate(_ path: String) throws(TLSIdentityError) -> PeerCertificate {
    let text = try read(path, bytesMax: 4 * PeerCertificate.bytesMax, secret: false)
    do {
      return try PeerCertificate(pem: text)
    } catch {
      throw TLSIdentityError(error.code, "\(path): \(error.reason)", hint: error.hint)
    }
  }

  private static func failed(_ verb: String, _ path: String) -> TLSIdentityError {
    let cause = String(cString: strerror(errno))
    return TLSIdentityError(.file, "cannot \(verb) \(path): \(cause)", hint: "check the path and its permissions")
  }

  private static func read(_ path: String, bytesMax: Int, secret: Bool) throws(TLSIdentityError) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw failed("read", path) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failed("read", path) }
    if secret, status.st_mode & 0o077 != 0 {
      throw TLSIdentityError(.keyFileExposed, "others than its owner may read the key file \(path)", hint: "run: chmod 600 \(path)")
    }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= bytesMax else {
      throw TLSIdentityError(.file, "\(path) is no file of at most \(bytesMax) bytes", hint: "check the path")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var count = 0
    while count < bytes.count {
      let got = bytes.withUnsafeMutableBytes { Foundation.read(file, $0.baseAddress?.advanced(by: count), $0.count - count) }
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { throw failed("read", path) }
      count += got
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func write(_ bytes: [UInt8], to path: String, mode: mode_t, replaces: Bool) throws(TLSIdentityError) {
    if !replaces, access(path, F_OK) == 0 {
      throw TLSIdentityError(
        .file, "\(path) exists already; a key is never overwritten", hint: "choose another path, or move the old key away")
    }
    let temporary = "\(path).\(getpid()).new"
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard file >= 0 else { throw failed("write", temporary) }
    var done = false
    defer {
      close(file)
      if !done { unlink(temporary) }
    }
    var count = 0
    while count < bytes.count {
      let put = bytes.withUnsafeBytes { Foundation.write(file, $0.baseAddress?.advanced(by: count), $0.count - count) }
      if put < 0, errno == EINTR { continue }
      guard put > 0 else { throw failed("write", path) }
      count += put
    }
    guard fsync(file) == 0 else { throw failed("write", path) }
    // A hard link fails where the name exists, so two processes cannot overwrite each other's key.
    if replaces {
      guard rename(temporary, path) == 0 else { throw failed("write", path) }
    } else {
      guard link(temporary, path) == 0 else { throw failed("write", path) }
      unlink(temporary)
    }
    done = true
    try syncDirectory(of: path)
  }

  /// Makes the new name itself durable.
  private static func syncDirectory(of path: String) throws(TLSIdentityError) {
    let parent = path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) : "."
    let directory = open(parent.isEmpty ? "/" : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw failed("sync", path) }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw failed("sync", path) }
  }
}
