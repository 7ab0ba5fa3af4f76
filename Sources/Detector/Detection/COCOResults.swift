// Detections in the form that COCO's tools read (https://cocodataset.org/#format-results): one object a detection. The file grows image by
// image and takes its name when it is whole.
import Foundation

public final class COCOResults {
  private let path: String
  private let handle: FileHandle
  private var isEmpty = true

  private var partial: String { path + ".part" }

  /// Begins the file at `path`.
  public init(path: String) throws(DataError) {
    self.path = path
    guard FileManager.default.createFile(atPath: path + ".part", contents: Data("[".utf8)),
      let handle = FileHandle(forWritingAtPath: path + ".part"), (try? handle.seekToEnd()) != nil
    else { throw Self.failed(path) }
    self.handle = handle
  }

  private static func failed(_ path: String) -> DataError {
    DataError(.cannotWrite, path, "cannot be written", hint: "check the folder, its permissions, and free space")
  }

  /// Adds an image's detections.
  /// - Parameter stem: the image's file name without its ending; a number stays a number, as YOLOv5 writes it.
  public func add(_ detections: [Detection], stem: String) throws(DataError) {
    let isNumber = !stem.isEmpty && stem.count < 18 && stem.allSatisfy { $0.isASCII && $0.isNumber }
    let id = isNumber ? "\(Int(stem) ?? 0)" : Self.quoted(stem)
    var text = ""
    for found in detections {
      let box = [found.box.x, found.box.y, found.box.z - found.box.x, found.box.w - found.box.y]
      let sides = box.map { Self.rounded($0, 3) }.joined(separator: ",")
      text += isEmpty ? "\n" : ",\n"
      text += "{\"image_id\":\(id),\"category_id\":\(found.classIndex),\"bbox\":[\(sides)],\"score\":\(Self.rounded(found.confidence, 5))}"
      isEmpty = false
    }
    do { try handle.write(contentsOf: Data(text.utf8)) } catch { throw Self.failed(path) }
  }

  /// Ends the file.
  public func finish() throws(DataError) {
    do {
      try handle.write(contentsOf: Data("\n]\n".utf8))
      try handle.close()
    } catch { throw Self.failed(path) }
    guard rename(partial, path) == 0 else { throw Self.failed(path) }
  }

  private static func rounded(_ value: Float, _ decimals: Int) -> String {
    let power = pow(10, Double(decimals))
    return "\((Double(value) * power).rounded(.toNearestOrEven) / power)"
  }

  private static func quoted(_ text: String) -> String {
    (try? String(decoding: JSONEncoder().encode(text), as: UTF8.self)) ?? "\"\""
  }
}
