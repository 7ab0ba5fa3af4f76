// An append-only file of records that is durable before `append` returns: what a site's journal and the server's list of attempts
// are made of. A record is framed by its length and by checksums that chain over everything before it, so that a torn tail (a crash
// while writing) is told apart from damage: the first is cut, the second refused. An old copy of the file put back in its place
// cannot be seen from inside; whoever restores a backup must know it.
import Sodium

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Why a record file cannot be used.
public struct RecordFileError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable {
    /// Opening, reading, writing or syncing failed.
    case inputOutput = "RF-01"
    /// Another process holds the file.
    case locked = "RF-02"
    /// A record in the middle is damaged: the file is not what was written.
    case corrupted = "RF-03"
    /// The file is something else.
    case foreign = "RF-04"
  }
  public let code: Code
  public let reason: String

  public init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }
  public var description: String { "\(code.rawValue): \(reason)" }
}

/// One open record file. Not thread-safe: one actor owns it. Frame: length (u32, little-endian) ‖ 4 bytes of head check ‖ payload ‖
/// 16 bytes of check; head check = first 4 bytes of BLAKE2b-128(check before ‖ length),
/// check = BLAKE2b-128(check before ‖ length ‖ payload).
public final class RecordFile {
  /// Longest payload, bytes.
  public static let payloadBytesMax = 1 << 16
  /// Largest file that is opened, bytes.
  public static let fileBytesMax = 256 << 20
  private static let headBytes = 8
  private static let checkBytes = 16
  private static let sectorBytes = 512

  public let path: String
  /// Bytes of a torn last record that were cut when the file was opened.
  public private(set) var tornBytes = 0
  private let descriptor: Int32
  private var chain: [UInt8]
  private var isBroken = false

  /// Opens or creates the file and hands every record to `replay`, oldest first.
  /// - Parameter magic: the file's first 16 ASCII characters.
  /// - Throws: `RecordFileError`, or what `replay` throws.
  public init(path: String, magic: String, replay: ([UInt8]) throws -> Void) throws {
    precondition(magic.utf8.count == 16, "the magic has 16 bytes")
    self.path = path
    let magicBytes = Array(magic.utf8)
    chain = BLAKE2b.hash(magicBytes, size: Self.checkBytes)
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.failure("open", path) }
    // From here on `deinit` runs whatever is thrown.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw errno == EWOULDBLOCK ? RecordFileError(.locked, "\(path) is in use by another process") : Self.failure("lock", path)
    }
    let bytes = try readAll()
    if bytes.count < magicBytes.count, magicBytes.starts(with: bytes) {
      try cut(to: 0)
      try writeAll(magicBytes)
      try Self.syncFolder(of: path)
    } else {
      guard bytes.starts(with: magicBytes) else { throw RecordFileError(.foreign, "\(path) is not such a file") }
      try replayRecords(of: bytes, from: magicBytes.count, replay)
    }
  }

  deinit {
    guard descriptor >= 0 else { return }
    // A child that is just being started may still hold a copy of the descriptor: closing alone would leave the lock with it.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  /// Appends one record; it is on the disk when this returns. After a failure nothing more can be appended: what the file then
  /// holds is only known after it was opened again.
  public func append(_ payload: [UInt8]) throws {
    precondition(!payload.isEmpty && payload.count <= Self.payloadBytesMax, "a record has 1 to \(Self.payloadBytesMax) bytes")
    guard !isBroken else { throw RecordFileError(.inputOutput, "an earlier write to \(path) failed") }
    let length = Self.littleEndian(UInt32(payload.count))
    let check = BLAKE2b.hash(chain + length + payload, size: Self.checkBytes)
    isBroken = true
    try writeAll(length + headCheck(length) + payload + check)
    chain = check
    isBroken = false
  }

  private func replayRecords(of bytes: [UInt8], from start: Int, _ replay: ([UInt8]) throws -> Void) throws {
    var offset = start
    while offset < bytes.count {
      guard let end = try frameEnd(in: bytes, at: offset) else {
        tornBytes = bytes.count - offset
        try cut(to: offset)
        break
      }
      let head = Array(bytes[offset..<(offset + 4)])
      let payload = Array(bytes[(offset + Self.headBytes)..<(end - Self.checkBytes)])
      chain = BLAKE2b.hash(chain + head + payload, size: Self.checkBytes)
      try replay(payload)
      offset = end
    }
    guard lseek(descriptor, off_t(offset), SEEK_SET) == off_t(offset) else { throw Self.failure("seek in", path) }
  }

  /// Where the frame at `offset` ends; nil if it is torn.
  /// - Throws: `.corrupted` if it is whole and wrong.
  private func frameEnd(in bytes: [UInt8], at offset: Int) throws(RecordFileError) -> Int? {
    guard bytes.count - offset >= Self.headBytes else { return nil }
    let length = Array(bytes[offset..<(offset + 4)])
    let count = length.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard Array(bytes[(offset + 4)..<(offset + 8)]) == headCheck(length), (1...Self.payloadBytesMax).contains(count) else {
      // A crash may leave the new length of the file without its data: zeros up to the end.
      if bytes[offset...].allSatisfy({ $0 == 0 }) { return nil }
      throw damaged(at: offset)
    }
    let end = offset + Self.headBytes + count + Self.checkBytes
    guard end <= bytes.count else { return nil }
    let payload = bytes[(offset + Self.headBytes)..<(end - Self.checkBytes)]
    let check = BLAKE2b.hash(chain + length + payload, size: Self.checkBytes)
    guard Array(bytes[(end - Self.checkBytes)..<end]) == check else {
      if Self.lastSectorsAreUnwritten(bytes, after: offset) { return nil }
      throw damaged(at: offset)
    }
    return end
  }

  /// True if from some sector boundary behind `offset` on there are only zeros: sectors that the crash left unwritten.
  private static func lastSectorsAreUnwritten(_ bytes: [UInt8], after offset: Int) -> Bool {
    guard let lastWritten = bytes.lastIndex(where: { $0 != 0 }) else { return true }
    let boundary = (lastWritten / sectorBytes + 1) * sectorBytes
    return boundary > offset && boundary < bytes.count
  }

  private func headCheck(_ length: [UInt8]) -> [UInt8] { Array(BLAKE2b.hash(chain + length, size: Self.checkBytes).prefix(4)) }

  private func damaged(at offset: Int) -> RecordFileError {
    RecordFileError(.corrupted, "\(path) is damaged at byte \(offset): it is not what was written there")
  }

  private static func littleEndian(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
}

extension RecordFile {
  private func readAll() throws(RecordFileError) -> [UInt8] {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.failure("examine", path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw RecordFileError(.foreign, "\(path) is not a regular file") }
    guard status.st_size <= Self.fileBytesMax else { throw RecordFileError(.foreign, "\(path) is larger than \(Self.fileBytesMax) bytes") }
    let size = Int(status.st_size)
    var bytes = [UInt8](repeating: 0, count: size)
    var filled = 0
    while filled < size {
      let got = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress! + filled, size - filled, off_t(filled)) }
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { throw Self.failure("read", path) }
      filled += got
    }
    return bytes
  }

  private func writeAll(_ bytes: [UInt8]) throws(RecordFileError) {
    var written = 0
    while written < bytes.count {
      let put = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, bytes.count - written) }
      if put < 0 && errno == EINTR { continue }
      guard put > 0 else { throw Self.failure("write", path) }
      written += put
    }
    guard fsync(descriptor) == 0 else { throw Self.failure("sync", path) }
  }

  private func cut(to size: Int) throws(RecordFileError) {
    guard ftruncate(descriptor, off_t(size)) == 0, lseek(descriptor, off_t(size), SEEK_SET) == off_t(size), fsync(descriptor) == 0 else {
      throw Self.failure("cut", path)
    }
  }

  private static func syncFolder(of path: String) throws(RecordFileError) {
    let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", folder) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("sync", folder) }
  }

  private static func failure(_ verb: String, _ path: String) -> RecordFileError {
    RecordFileError(.inputOutput, "cannot \(verb) \(path): \(String(cString: strerror(errno)))")
  }
}
