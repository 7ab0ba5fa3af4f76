// The images of one split with their labels, found and checked before anything trains. Order is by path, so that a seed means the same
// everywhere.
import Foundation

public struct Dataset: Sendable {
  public enum Split: String, Sendable, CaseIterable { case train, val, test }

  public let names: [String]
  /// Absolute paths, sorted.
  public let imagePaths: [String]
  /// By image.
  public let labels: [[Label]]

  public var count: Int { imagePaths.count }

  static let imagesMax = 5_000_000

  /// Finds the images of `split` and reads their labels.
  /// - Parameters:
  ///   - isSingleClass: take all classes for one, called `item` unless there is but one anyway.
  ///   - leavesOutFaulty: images that cannot be used are left out instead of being an error, and a split may be empty: where images have
  ///     privacy, nobody must see that one has a fault.
  public init(yaml: String, split: Split, isSingleClass: Bool = false, leavesOutFaulty: Bool = false) throws(DataError) {
    let description = try DatasetDescription(yaml: yaml)
    let roots = description.paths(split)
    guard !roots.isEmpty else {
      throw DataError(.noImages, yaml, "has no \(split.rawValue)", hint: "name an image folder under \(split.rawValue):")
    }
    var paths: Set<String> = []
    for root in roots { try Self.collect(root, yaml: yaml, leavesOutFaulty, into: &paths) }
    guard !paths.isEmpty || leavesOutFaulty else {
      throw DataError(
        .noImages, yaml, "no JPEG or PNG below \(roots.joined(separator: ", "))", hint: "check \(split.rawValue): and path: in the file")
    }
    names = isSingleClass && description.names.count > 1 ? ["item"] : description.names
    var usable: [String] = []
    var labels: [[Label]] = []
    labels.reserveCapacity(paths.count)
    for image in paths.sorted() {
      var found: [Label]
      do { found = try LabelFile.read(path: LabelFile.path(ofImage: image), classes: description.names.count) } catch {
        guard leavesOutFaulty else { throw error }
        continue
      }
      if isSingleClass { for index in found.indices { found[index].classIndex = 0 } }
      usable.append(image)
      labels.append(found)
    }
    (imagePaths, self.labels) = (usable, labels)
  }

  /// Native width and height by image, from the files' headers.
  public func sizes() throws(DataError) -> [(width: Int, height: Int)] {
    var sizes: [(width: Int, height: Int)] = []
    sizes.reserveCapacity(count)
    for path in imagePaths { sizes.append(try ImageDecoder.size(path: path)) }
    return sizes
  }

  private static func collect(
    _ root: String, yaml: String, _ leavesOutFaulty: Bool, into paths: inout Set<String>
  ) throws(DataError) {
    func isImage(_ name: some StringProtocol, below folder: String = "") throws(DataError) -> Bool {
      do { return try Self.isImage(name, below: folder) } catch {
        guard leavesOutFaulty else { throw error }
        return false
      }
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: root, isDirectory: &isFolder) else {
      throw DataError(
        .unreadable, root, "does not exist (named in \(yaml))", hint: "paths are relative to path:, and that to the file's folder")
    }
    if isFolder.boolValue {
      // The walk follows no links, not even one in the folder's own place.
      let folder = URL(fileURLWithPath: root).resolvingSymlinksInPath().path
      guard let walker = FileManager.default.enumerator(atPath: folder) else { return }
      for case let name as String in walker where try isImage(name, below: root + "/") {
        paths.insert(root + "/" + name)
        // A wrong path such as `/` ends here, not after hours.
        if paths.count > imagesMax { break }
      }
    } else if root.hasSuffix(".txt") {
      guard let text = try? String(contentsOfFile: root, encoding: .utf8) else {
        throw DataError(.unreadable, root, "cannot be read as text", hint: "a list file has one image path a line")
      }
      let folder = (root as NSString).deletingLastPathComponent
      for line in text.split(whereSeparator: \.isNewline) where try isImage(line) {
        paths.insert(line.hasPrefix("/") ? String(line) : URL(fileURLWithPath: folder + "/" + line).standardizedFileURL.path)
      }
    } else if try isImage(root) {
      paths.insert(root)
    }
    guard paths.count <= imagesMax else {
      throw DataError(.tooLarge, yaml, "more than \(imagesMax) images", hint: "is the path right? otherwise split the data set")
    }
  }

  /// Endings that YOLOv5 takes but `ImageDecoder` does not: an error beats training without those images.
  private static let unreadSuffixes: Set<String> = ["bmp", "dng", "mpo", "pfm", "tif", "tiff", "webp"]

  private static func isImage(_ name: some StringProtocol, below folder: String = "") throws(DataError) -> Bool {
    let suffix = (String(name) as NSString).pathExtension.lowercased()
    guard !unreadSuffixes.contains(suffix) else {
      throw DataError(.badImage, folder + name, "images of kind .\(suffix) are not read", hint: "convert it to JPEG or PNG")
    }
    return ImageDecoder.suffixes.contains(suffix)
  }
}
