// The images of the splits, found as training finds them, with everything that training would refuse or silently pass over on the
// way. Invariant: each file is listed once, with the splits that name it; order is train, val, test and then by path.
import Foundation

struct ImageListing {
  private(set) var paths: [String] = []
  /// By image.
  private(set) var splits: [[Dataset.Split]] = []
  private(set) var faults: [DataFault] = []
  /// Folders that hold images or that data.yaml names.
  private(set) var folders: Set<String> = []

  private var indexByPath: [String: Int] = [:]
  private static let listBytesMax = 1 << 30

  /// Adds the images that `sources` of data.yaml at `yaml` name for `split`.
  mutating func add(_ sources: [DescriptionCheck.Source], _ split: Dataset.Split, yaml: String) throws(DataError) {
    var found: [String: String] = [:]
    for source in sources {
      var isFolder: ObjCBool = false
      if !FileManager.default.fileExists(atPath: source.path, isDirectory: &isFolder) {
        let detail = "\(split.rawValue): \(source.path) does not exist"
        faults.append(DataFault(.missingPath, yaml, line: source.line, column: source.column, detail))
      } else if isFolder.boolValue {
        folders.insert(source.path)
        try walk(source.path, split, &found)
      } else if source.path.hasSuffix(".txt") {
        try readList(source.path, split, &found)
      } else {
        try take(source.path, split, from: (yaml, source.line), &found)
      }
    }
    for path in found.keys.sorted() {
      folders.insert((path as NSString).deletingLastPathComponent)
      if let known = indexByPath[path] {
        splits[known].append(split)
      } else {
        indexByPath[path] = paths.count
        paths.append(path)
        splits.append([split])
      }
    }
    if found.isEmpty {
      faults.append(DataFault(.noImages, yaml, line: sources.first?.line, column: sources.first?.column, "\(split.rawValue) has no images"))
    }
  }

  /// `found` says for each path of this split what named it.
  private mutating func take(
    _ path: String, _ split: Dataset.Split, from place: (file: String, line: Int?), _ found: inout [String: String]
  ) throws(DataError) {
    let suffix = (path as NSString).pathExtension.lowercased()
    guard ImageDecoder.suffixes.contains(suffix) else {
      let isImage = ImageSignature.unreadSuffixes.contains(suffix)
      let detail = isImage ? "images of kind .\(suffix) are not read" : "'\(path)' is not the path of a JPEG or PNG"
      faults.append(DataFault(isImage ? .imageKind : .missingPath, isImage ? path : place.file, line: isImage ? nil : place.line, detail))
      return
    }
    let name = place.line.map { "\(place.file):\($0)" } ?? place.file
    if let first = found.updateValue(name, forKey: path) {
      let detail = "\(split.rawValue) lists \(path) again; it stands in \(first) already"
      faults.append(DataFault(.listedTwice, place.line == nil ? path : place.file, line: place.line, detail))
    }
    guard found.count <= Dataset.imagesMax else {
      throw DataError(
        .tooLarge, place.file, "more than \(Dataset.imagesMax) images", hint: "is the path right? otherwise split the data set")
    }
  }

  private mutating func walk(_ folder: String, _ split: Dataset.Split, _ found: inout [String: String]) throws(DataError) {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      faults.append(DataFault(.missingPath, folder, "the folder cannot be read: may you?"))
      return
    }
    for name in names.sorted() {
      let path = folder + "/" + name
      let suffix = (name as NSString).pathExtension.lowercased()
      if ImageDecoder.suffixes.contains(suffix) || ImageSignature.unreadSuffixes.contains(suffix) {
        try take(path, split, from: (folder, nil), &found)
      } else if suffix != "txt" {
        // The kind of the entry itself: training does not follow links on its way down.
        let kind = (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
        var isFolder: ObjCBool = false
        if kind == .typeDirectory {
          try walk(path, split, &found)
        } else if kind == .typeSymbolicLink, FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
          faults.append(DataFault(.linkedFolder, path, "a link to a folder: what is behind it is not trained with"))
        }
      }
    }
  }

  private mutating func readList(_ list: String, _ split: Dataset.Split, _ found: inout [String: String]) throws(DataError) {
    guard let handle = FileHandle(forReadingAtPath: list) else {
      faults.append(DataFault(.missingPath, list, "the list cannot be opened: may you?"))
      return
    }
    defer { try? handle.close() }
    let data = (try? handle.read(upToCount: Self.listBytesMax + 1)) ?? Data()
    guard data.count <= Self.listBytesMax, let text = String(data: data, encoding: .utf8) else {
      faults.append(DataFault(.missingPath, list, "not a UTF-8 text with one image path a line"))
      return
    }
    let folder = (list as NSString).deletingLastPathComponent
    var number = 0
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      number += 1
      guard !line.allSatisfy(\.isWhitespace) else { continue }
      let path = line.hasPrefix("/") ? String(line) : URL(fileURLWithPath: folder + "/" + line).standardizedFileURL.path
      let isImage = ImageDecoder.suffixes.contains((path as NSString).pathExtension.lowercased())
      if isImage, !FileManager.default.fileExists(atPath: path) {
        faults.append(DataFault(.missingPath, list, line: number, "\(line) does not exist"))
      } else {
        try take(path, split, from: (list, number), &found)
      }
    }
  }
}
