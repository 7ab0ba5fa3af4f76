// Whole files in and out. Writing is atomic: a temporary file beside the target, fsync, rename, fsync of the folder, so
// that a reader sees the old bytes or the new ones and a crash leaves no half file under the target's name.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public enum FileBytes {
  /// Reads a regular file of at most `bytesMax` bytes.
  public static func read(path: String, bytesMax: Int) throws(SafetensorsError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("examine", path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw SafetensorsError(.inputOutput, "\(path) is not a regular file") }
    guard status.st_size <= bytesMax else {
      throw SafetensorsError(.tooLarge, "\(path) has \(status.st_size) bytes, more than \(bytesMax)")
    }
    let size = Int(status.st_size)
    var filled = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialised in
      while filled < size, let base = buffer.baseAddress {
        let got = systemRead(descriptor, base + filled, size - filled)
        if got < 0 && errno == EINTR { continue }
        if got <= 0 { break }
        filled += got
      }
      initialised = filled
    }
    guard filled == size else { throw SafetensorsError(.truncated, "\(path) ended after \(filled) of \(size) bytes") }
    return bytes
  }

  /// Replaces the file at `path` by `bytes`, atomically and durably.
  public static func write(_ bytes: [UInt8], path: String) throws(SafetensorsError) {
    let temporary = path + ".tmp-\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure("create", temporary) }
    var written = 0
    var succeeded = true
    bytes.withUnsafeBytes { buffer in
      while written < bytes.count, let base = buffer.baseAddress {
        let put = systemWrite(descriptor, base + written, bytes.count - written)
        if put < 0 && errno == EINTR { continue }
        if put <= 0 { break }
        written += put
      }
    }
    succeeded = written == bytes.count && fsync(descriptor) == 0
    succeeded = close(descriptor) == 0 && succeeded
    guard succeeded, rename(temporary, path) == 0 else {
      let error = failure("write", path)
      unlink(temporary)
      throw error
    }
    syncFolder(of: path)
  }

  /// Makes the rename durable; a file system that refuses to sync folders is no reason to fail.
  private static func syncFolder(of path: String) {
    let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  private static func failure(_ verb: String, _ path: String) -> SafetensorsError {
    SafetensorsError(.inputOutput, "cannot \(verb) \(path): \(String(cString: strerror(errno)))")
  }
}

// The system calls under names that the static functions above do not shadow.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
  read(descriptor, buffer, count)
}
private func systemWrite(_ descriptor: Int32, _ buffer: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, buffer, count)
}
