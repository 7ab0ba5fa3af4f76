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
    return fits ? ReservedSpool(bytes, self) : FileSpool(folder: folder)
  }

  fileprivate func release(_ bytes: Int) { used.withLock { $0 -= bytes } }
}

/// In memory that the pool counts.
private final class ReservedSpool: InputSpool {
  private let reserved: Int
  private let pool: SpoolPool
  private var bytes: [UInt8] = []

  init(_ reserved: Int, _ pool: SpoolPool) { (self.reserved, self.pool) = (reserved, pool) }
  deinit { pool.release(reserved) }

  func append(_ bytes: [UInt8]) { self.bytes += bytes }
  func read(_ count: Int, at offset: Int) -> [UInt8] { Array(bytes[offset..<offset + count]) }
}

/// In a file that loses its name as soon as it is open.
final class FileSpool: InputSpool {
  struct Problem: Error, CustomStringConvertible {
    let description: String
    init() { description = String(cString: strerror(errno)) }
  }

  private let file: Int32
  private var end: off_t = 0

  /// Where the file cannot be made, `append` says so.
  init(folder: String) {
    var name = Array("\(folder)/input-XXXXXX".utf8CString)
    file = mkstemp(&name)
    if file >= 0 {
      _ = fcntl(file, F_SETFD, FD_CLOEXEC)
      unlink(name)
    }
  }

  deinit { if file >= 0 { close(file) } }

  func append(_ bytes: [UInt8]) throws {
    var done = 0
    while done < bytes.count {
      let put = bytes.withUnsafeBytes { pwrite(file, $0.baseAddress?.advanced(by: done), $0.count - done, end) }
      if put < 0, errno == EINTR { continue }
      guard put > 0 else { throw Problem() }
      done += put
      end += off_t(put)
    }
  }

  func read(_ count: Int, at offset: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress?.advanced(by: done), $0.count - done, off_t(offset + done)) }
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { throw Problem() }
      done += got
    }
    return bytes
  }
}
