// A ledger in a folder: the one part of this module that touches files. An append is whole or not at all: entries and tiles are on the
// disk before the checkpoint that speaks of them takes the place of the old one, by a rename. What a crash leaves beyond the checkpoint
// was never signed for anybody and is written over.
import Foundation

public final class TileStore: LedgerSource {
  public let folder: String
  private var lock: Int32 = -1

  public init(folder: String) { self.folder = folder }

  deinit {
    guard lock >= 0 else { return }
    flock(lock, LOCK_UN)
    close(lock)
  }

  /// Makes the folder where it is not there, and keeps other writers out until this store is gone.
  /// - Throws: `.unreadable`, `.locked`.
  public func lockForWriting() throws(LedgerError) {
    guard lock < 0 else { return }
    try makeFolder(folder)
    let file = open(folder + "/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw Self.failure(folder) }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      close(file)
      throw LedgerError(.locked, "another process writes to \(folder)", hint: "end it first")
    }
    lock = file
  }

  public func read(_ path: String, bytesMax: Int) throws(LedgerError) -> [UInt8]? {
    try Self.file(folder + "/" + path, bytesMax: bytesMax)
  }

  /// A regular file of at most `bytesMax` bytes; nil where there is none.
  public static func file(_ path: String, bytesMax: Int) throws(LedgerError) -> [UInt8]? {
    // O_NONBLOCK: a named pipe in place of the file must not hang the program.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw failure(path)
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure(path) }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= bytesMax else {
      throw LedgerError(.unreadable, "\(path) is no file of at most \(bytesMax) bytes")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var count = 0
    while count < bytes.count {
      let got = bytes.withUnsafeMutableBytes { Foundation.read(file, $0.baseAddress?.advanced(by: count), $0.count - count) }
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { throw failure(path) }
      count += got
    }
    return bytes
  }

  /// Puts a file in place: whole, and on the disk when this returns.
  func write(_ bytes: [UInt8], to path: String) throws(LedgerError) {
    let target = folder + "/" + path
    let parent = (target as NSString).deletingLastPathComponent
    try makeFolder(parent)
    let temporary = target + ".new"
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard file >= 0 else { throw Self.failure(temporary) }
    defer { close(file) }
    var count = 0
    while count < bytes.count {
      let put = bytes.withUnsafeBytes { Foundation.write(file, $0.baseAddress?.advanced(by: count), $0.count - count) }
      if put < 0, errno == EINTR { continue }
      guard put > 0 else { throw Self.failure(temporary) }
      count += put
    }
    guard fsync(file) == 0, rename(temporary, target) == 0 else { throw Self.failure(target) }
    try Self.sync(parent)
  }

  func remove(_ path: String) { unlink(folder + "/" + path) }

  private func makeFolder(_ path: String) throws(LedgerError) {
    if mkdir(path, 0o755) == 0 { return try Self.sync((path as NSString).deletingLastPathComponent) }
    if errno == EEXIST { return }
    guard errno == ENOENT, path.utf8.count > 1 else { throw Self.failure(path) }
    try makeFolder((path as NSString).deletingLastPathComponent)
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw Self.failure(path) }
    try Self.sync((path as NSString).deletingLastPathComponent)
  }

  /// A name is on the disk only once its folder is.
  private static func sync(_ folder: String) throws(LedgerError) {
    let parent = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard parent >= 0 else { throw failure(folder) }
    defer { close(parent) }
    guard fsync(parent) == 0 else { throw failure(folder) }
  }

  private static func failure(_ path: String) -> LedgerError {
    LedgerError(.unreadable, "\(path): \(String(cString: strerror(errno)))", hint: "check the path and its permissions")
  }
}
