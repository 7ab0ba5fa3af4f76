// Label files that belong to no image: they are never read, so an image was lost, renamed or never copied. A label file is looked for
// wherever an image of the split could have one, and counts as an orphan where no image of any kind has its name.
import Foundation

struct OrphanLabels {
  private(set) var faults: [DataFault] = []
  private var stemsByFolder: [String: Set<String>] = [:]
  private var seen: Set<String> = []
  private var walked: [String] = []

  /// Texts that labelling tools leave among the labels.
  private static let companions: Set<String> = ["classes.txt", "notes.txt", "readme.txt", "license.txt", "obj.names.txt"]

  /// - Parameters:
  ///   - folders: of images, or above folders of images.
  ///   - lists: list files of the data set, which are no labels.
  init(folders: Set<String>, lists: Set<String>) {
    seen = lists
    // Outer folders first: a walk from there reaches the inner ones.
    for images in folders.sorted() {
      let labels = (LabelFile.path(ofImage: images + "/x.jpg") as NSString).deletingLastPathComponent
      if labels == images {
        look(in: labels, images: images)
      } else if !walked.contains(where: { labels == $0 || labels.hasPrefix($0 + "/") }) {
        walked.append(labels)
        walk(labels, images: images)
      }
    }
  }

  private mutating func walk(_ labels: String, images: String) {
    look(in: labels, images: images)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: labels)) ?? []
    for name in names.sorted() where !name.lowercased().hasSuffix(".txt") {
      let kind = (try? FileManager.default.attributesOfItem(atPath: labels + "/" + name))?[.type] as? FileAttributeType
      if kind == .typeDirectory { walk(labels + "/" + name, images: images + "/" + name) }
    }
  }

  private mutating func look(in labels: String, images: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: labels)) ?? []
    for name in names.sorted() where name.hasSuffix(".txt") && !Self.companions.contains(name.lowercased()) {
      let stem = String(name.dropLast(4))
      guard seen.insert(labels + "/" + name).inserted, !stems(images).contains(stem),
        LabelFile.path(ofImage: "\(images)/\(stem).jpg") == labels + "/" + name,
        // Among images lie texts of all kinds: lists, remarks.
        labels != images || Self.beginsWithARow(labels + "/" + name)
      else { continue }
      faults.append(DataFault(.orphanLabels, labels + "/" + name, "no image is called \(images)/\(stem)"))
    }
  }

  private static func beginsWithARow(_ path: String) -> Bool {
    let handle = FileHandle(forReadingAtPath: path)
    defer { try? handle?.close() }
    let front = String(decoding: (try? handle?.read(upToCount: 4096)) ?? Data(), as: UTF8.self)
    let words = front.split(whereSeparator: \.isNewline).first?.split(whereSeparator: \.isWhitespace) ?? []
    return words.count >= 5 && words.prefix(5).allSatisfy { Double($0) != nil }
  }

  private mutating func stems(_ folder: String) -> Set<String> {
    if let known = stemsByFolder[folder] { return known }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let images = names.map { $0 as NSString }.filter {
      let suffix = $0.pathExtension.lowercased()
      return ImageDecoder.suffixes.contains(suffix) || ImageSignature.unreadSuffixes.contains(suffix)
    }
    let stems = Set(images.map(\.deletingPathExtension))
    stemsByFolder[folder] = stems
    return stems
  }
}
