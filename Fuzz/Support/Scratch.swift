// A folder for the targets whose code under test takes paths; in memory where FUZZ_SCRATCH says so (tools/fuzz).
import Foundation

struct Scratch {
  let path: String

  init(_ name: String) throws {
    let base = ProcessInfo.processInfo.environment["FUZZ_SCRATCH"] ?? NSTemporaryDirectory()
    path = "\(base)/secagg-fuzz-\(name)-\(getpid())"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// Replaces a file's bytes.
  func write(_ bytes: [UInt8], _ name: String) -> String {
    let file = "\(path)/\(name)"
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { fatalError("the scratch folder is not there") }
    defer { close(descriptor) }
    let put = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
    guard put == bytes.count else { fatalError("the scratch folder is full") }
    return file
  }

  func read(_ name: String) -> [UInt8] { (try? Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))).map(Array.init) ?? [] }
}
