// Detections as label files, in YOLOv5's rows: class, then centre and size as fractions of the image, then the confidence if wanted.
import Foundation

public struct LabelRows: Sendable {
  public let isConfident: Bool

  public init(isConfident: Bool) { self.isConfident = isConfident }

  /// One row a detection, six significant digits.
  public func text(_ detections: [Detection], width: Int, height: Int) -> String {
    let size = SIMD2(Float(width), Float(height))
    return detections.reversed().map { found in
      let centre = (found.box.lowHalf + found.box.highHalf) / 2 / size
      let extent = (found.box.highHalf - found.box.lowHalf) / size
      let numbers = [centre.x, centre.y, extent.x, extent.y] + (isConfident ? [found.confidence] : [])
      return "\(found.classIndex) " + numbers.map { String(format: "%g", Double($0)) }.joined(separator: " ") + "\n"
    }.joined()
  }

  /// Writes a label file; without detections there is none, as YOLOv5 has it.
  /// - Parameters:
  ///   - width: of the image in pixels.
  ///   - height: of the image in pixels.
  public func write(_ detections: [Detection], width: Int, height: Int, path: String) throws(DataError) {
    guard !detections.isEmpty else { return }
    let rows = Data(text(detections, width: width, height: height).utf8)
    do { try rows.write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
      throw DataError(.cannotWrite, path, "cannot be written", hint: "check the folder, its permissions, and free space")
    }
  }
}
