// The images that a `--source` names: a file, a folder, a pattern with * and ?, or a list file.
import Foundation

public enum ImageFiles {
  private static let filesMax = 5_000_000

  /// Paths in order of their names.
  /// - Throws: `DataError` if nothing is there.
  public static func find(_ source: String) throws(DataError) -> [String] {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: source, isDirectory: &isFolder)
    var found: [String] = []
    if exists, isFolder.boolValue {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: source)) ?? []
      found = names.filter(isImage).map { source.hasSuffix("/") ? source + $0 : "\(source)/\($0)" }
    } else if exists, source.hasSuffix(".txt") {
      guard let text = try? String(contentsOfFile: source, encoding: .utf8) else {
        throw DataError(.unreadable, source, "cannot be read as text", hint: "a list file has one image path a line")
      }
      let folder = (source as NSString).deletingLastPathComponent
      return text.split(whereSeparator: \.isNewline).prefix(filesMax).map {
        $0.hasPrefix("/") || folder.isEmpty ? String($0) : "\(folder)/\($0)"
      }
    } else if exists {
      return [source]
    } else if source.contains(where: { "*?[".contains($0) }) {
      found = matches(source).filter(isImage)
    } else {
      throw DataError(.unreadable, source, "does not exist", hint: "give an image, a folder, a pattern in quotes, or a .txt list")
    }
    guard !found.isEmpty else {
      throw DataError(.noImages, source, "no JPEG or PNG there", hint: "give an image, a folder, a pattern in quotes, or a .txt list")
    }
    return found.sorted()
  }

  /// A name for each image's results: its own without the ending, with a number where two images have the same.
  public static func stems(_ paths: [String]) -> [String] {
    var seen: [String: Int] = [:]
    return paths.map { path in
      let stem = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
      let count = seen[stem, default: 0] + 1
      seen[stem] = count
      return count == 1 ? stem : "\(stem)_\(count)"
    }
  }

  private static func isImage(_ name: String) -> Bool { ImageDecoder.suffixes.contains((name as NSString).pathExtension.lowercased()) }

  private static func matches(_ pattern: String) -> [String] {
    var result = glob_t()
    defer { globfree(&result) }
    guard glob(pattern, 0, nil, &result) == 0 else { return [] }
    return (0..<Int(result.gl_pathc)).compactMap { result.gl_pathv[$0].map { String(cString: $0) } }
  }
}
