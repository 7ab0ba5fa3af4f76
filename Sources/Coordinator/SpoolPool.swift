// Where masked inputs wait until they are whole: in memory as long as there is room, and beyond that in files without a name, so that the
// server's memory does not grow with the number of sites. What waits is masked; no file is left when the process ends.
import Foundation
import SecAgg
import Synchronization

final class SpoolPool: Sendable {
  /// Bytes of inputs that wait in memory together.
  static let memoryMax = 256 << 20

  private let folder: String
  private let memoryMax: Int
  private let used = Mutex(0)

  init(folder: String, memoryMax: Int = SpoolPool.memoryMax) { (self.folder, self.memoryMax) = (folder, memoryMax) }

  /// A place for one input of at most `bytes` bytes.
  func spool(_ bytes: Int) -> any InputSpool {
    let fits = used.withLock { used in
      guard used + bytes <= memoryMax else { return false }
      used += bytes
      return true
    }
    guard fits else { return FileSpool(folder: folder) }
    return MemorySpool(capacity: bytes) { self.used.withLock { $0 -= bytes } }
  }
}

/// In a file that loses its name as soon as it is open.
final class FileSpool: InputSpool {
  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  /// Or why there is none, which the first `append` says.
  private let file: Result<FileHandle, Problem>

  init(folder: String) {
    var name = Array("\(folder)/input-XXXXXX".utf8CString)
    let descriptor = mkstemp(&name)
    guard descriptor >= 0 else {
      file = .failure(Problem(description: "\(folder): \(String(cString: strerror(errno)))"))
      return
    }
    unlink(name)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    file = .success(FileHandle(fileDescriptor: descriptor, closeOnDealloc: true))
  }

  func append(_ bytes: [UInt8]) throws {
    let file = try file.get()
    try file.seekToEnd()
    try file.write(contentsOf: bytes)
  }

  func read(_ count: Int, at offset: Int) throws -> [UInt8] {
    let file = try file.get()
    try file.seek(toOffset: UInt64(offset))
    let bytes = [UInt8](try file.read(upToCount: count) ?? Data())
    guard bytes.count == count else { throw Problem(description: "the file of an input is too short") }
    return bytes
  }
}
