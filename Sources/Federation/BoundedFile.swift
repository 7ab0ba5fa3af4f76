// Reading and writing small files with the care that keys and rosters need: bounded reads of regular files only, whole-file
// writes through a temporary name, and modes that are set when the file is made, never afterwards.
import Foundation

/// Why a file could not be read or written; callers put their own code on it.
struct FileProblem: Error, Equatable {
  enum Kind { case missing, exposed, exists, other }
  var kind: Kind
  var reason: String

  init(_ kind: Kind, _ reason: String) { (self.kind, self.reason) = (kind, reason) }

  static func system() -> FileProblem {
    let number = errno
    return FileProblem(number == ENOENT ? .missing : number == EEXIST ? .exists : .other, String(cString: strerror(number)))
  }
}

enum BoundedFile {
  /// The whole of a regular file of at most `bytesMax` bytes.
  ///
  /// - Parameter secret: refuse a file that group or others may read.
  static func read(_ path: String, bytesMax: Int, secret: Bool = false) throws(FileProblem) -> [UInt8] {
    // O_NONBLOCK: a named pipe in place of the file must not hang the program.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw .system() }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw .system() }
    guard status.st_mode & S_IFMT == S_IFREG else { throw FileProblem(.other, "not a regular file") }
    if secret, status.st_mode & 0o077 != 0 { throw FileProblem(.exposed, "others than its owner may read it") }
    guard status.st_size <= bytesMax else { throw FileProblem(.other, "larger than \(bytesMax) bytes") }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var count = 0
    while count < bytes.count {
      let got = bytes.withUnsafeMutableBytes { Foundation.read(file, $0.baseAddress?.advanced(by: count), $0.count - count) }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw .system() }
      guard got > 0 else { throw FileProblem(.other, "it changed while it was read") }
      count += got
    }
    return bytes
  }

  /// Writes a file so that it appears whole or not at all and is on the disk when this returns.
  ///
  /// - Parameter replaces: false refuses an existing file, atomically.
  static func write(_ bytes: [UInt8], to path: String, mode: mode_t, replaces: Bool) throws(FileProblem) {
    let temporary = "\(path).\(getpid()).new"
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard file >= 0 else { throw .system() }
    defer {
      close(file)
      unlink(temporary)
    }
    var count = 0
    while count < bytes.count {
      let put = bytes.withUnsafeBytes { Foundation.write(file, $0.baseAddress?.advanced(by: count), $0.count - count) }
      if put < 0, errno == EINTR { continue }
      guard put > 0 else { throw .system() }
      count += put
    }
    guard fsync(file) == 0 else { throw .system() }
    // link() fails where the name exists: of two writers, one keeps the file and the other is told.
    guard (replaces ? rename(temporary, path) : link(temporary, path)) == 0 else { throw .system() }
    let parent = open((path as NSString).deletingLastPathComponent.nonEmpty ?? ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard parent >= 0 else { throw .system() }
    defer { close(parent) }
    guard fsync(parent) == 0 else { throw .system() }
  }
}

extension String {
  var nonEmpty: String? { isEmpty ? nil : self }
}
