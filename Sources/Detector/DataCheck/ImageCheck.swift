// One image and its label file, looked at from every side. What is kept of it is small: the pixels are gone when the next one comes.
import Foundation

struct ImageCheck: Sendable {
  private(set) var faults: [DataFault] = []
  /// Nil where the image cannot be decoded.
  private(set) var digest: PixelDigest?
  private(set) var look: PerceptualHash?
  /// Good labels by class.
  private(set) var labelCounts: [Int: Int] = [:]
  private(set) var labels: Set<Label> = []

  /// YOLOv5 refuses images with a side below this.
  static let sideMin = 10

  /// - Parameters:
  ///   - classes: classes of labels are below this.
  ///   - gate: keeps the memory of all images that are decoded at a time in bounds.
  init(path: String, classes: Int, gate: MemoryGate) {
    let rows = LabelCheck(path: LabelFile.path(ofImage: path), classes: classes)
    faults = rows.faults
    labels = Set(rows.labels)
    for label in rows.labels { labelCounts[label.classIndex, default: 0] += 1 }
    do {
      try Self.decoded(path, gate) { image, bytes in
        digest = PixelDigest(image)
        look = PerceptualHash(image)
        if min(image.width, image.height) < Self.sideMin {
          faults.append(DataFault(.smallImage, path, "\(image.width)×\(image.height) pixels"))
        }
        let isTurned = Orientation.ofJPEG(bytes) >= 5
        let stored = isTurned ? (image.height, image.width) : (image.width, image.height)
        let isJPEG = bytes.starts(with: [0xff, 0xd8])
        if isJPEG, let finding = ExifFields.ofJPEG(bytes)?.finding(storedWidth: stored.0, storedHeight: stored.1, file: path) {
          faults.append(finding)
        }
      }
      if !rows.isThere { faults.append(DataFault(.background, path, "no \(rows.path)")) }
    } catch {
      faults.append(Self.fault(error, path))
    }
  }

  private static func fault(_ error: DataError, _ path: String) -> DataFault {
    if error.code == .tooLarge { return DataFault(.largeImage, path, error.reason) }
    let handle = FileHandle(forReadingAtPath: path)
    defer { try? handle?.close() }
    if let front = try? handle?.read(upToCount: 160), let kind = ImageSignature.unreadKind([UInt8](front)) {
      return DataFault(.imageKind, path, "the file is a \(kind), whatever its name says")
    }
    let isLeftover = (path as NSString).lastPathComponent.hasPrefix("._")
    return DataFault(.brokenImage, path, isLeftover ? "no image: macOS leaves such files beside those that it copies" : error.reason)
  }

  /// Decodes the image within the gate's bounds and hands it to `body` with the file's bytes.
  static func decoded(_ path: String, _ gate: MemoryGate, _ body: (RGBImage, [UInt8]) -> Void) throws(DataError) {
    let attributes = try? FileManager.default.attributesOfItem(atPath: (path as NSString).resolvingSymlinksInPath)
    let fileBytes = min((attributes?[.size] as? NSNumber)?.intValue ?? 0, ImageDecoder.fileBytesMax)
    // The decoder holds a file twice while it reads, and a pixel in RGBA and RGB, or in RGB twice where it is turned.
    gate.enter(2 * fileBytes)
    let size: (width: Int, height: Int)
    do {
      defer { gate.leave(2 * fileBytes) }
      size = try ImageDecoder.size(path: path)
    }
    let need = 2 * fileBytes + 7 * size.width * size.height
    gate.enter(need)
    defer { gate.leave(need) }
    guard let data = FileManager.default.contents(atPath: path), data.count <= ImageDecoder.fileBytesMax else {
      throw DataError(.unreadable, path, "cannot be read", hint: "does it exist, and may you read it?")
    }
    let bytes = [UInt8](data)
    body(try ImageDecoder.decode(bytes, path: path), bytes)
  }
}
