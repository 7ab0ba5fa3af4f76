// Where test vectors lie: beside the test sources, found from the file that asks, so that no bundle is needed.

import Foundation

/// The path of `name` in the folder `Vectors` beside the calling source file.
public func vectorPath(_ name: String, file: String = #filePath) -> String {
  URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("Vectors/\(name)").path
}

/// Makes an empty folder, hands it to `body`, and removes it afterwards.
public func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("secagg-test-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: url) }
  return try body(url.path)
}
