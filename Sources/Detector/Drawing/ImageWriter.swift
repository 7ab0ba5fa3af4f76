// Images to files, by the file's ending: JPEG through libjpeg-turbo, PNG through libpng.
import CTurboJPEG
import Foundation

public enum ImageWriter {
  /// Of JPEG, from 1 to 100.
  private static let quality: Int32 = 95

  /// The image as a JPEG file, colours at full resolution: lines and letters would smear otherwise.
  public static func jpeg(_ image: RGBImage) throws(DataError) -> [UInt8] {
    func failed() -> DataError { DataError(.cannotWrite, "image", "libjpeg cannot encode it", hint: "is there enough memory?") }
    guard let handle = tjInitCompress() else { throw failed() }
    defer { tjDestroy(handle) }
    var buffer: UnsafeMutablePointer<UInt8>?
    var size: UInt = 0
    defer { tjFree(buffer) }
    let status = tjCompress2(
      handle, image.pixels, Int32(image.width), Int32(image.width * 3), Int32(image.height), Int32(TJPF_RGB.rawValue), &buffer, &size,
      Int32(TJSAMP_444.rawValue), quality, TJFLAG_ACCURATEDCT)
    guard status == 0, let buffer else { throw failed() }
    return Array(UnsafeBufferPointer(start: buffer, count: Int(size)))
  }

  /// Writes atomically; `.png` gives PNG, anything else JPEG.
  public static func write(_ image: RGBImage, path: String, makingFolder: Bool = false) throws(DataError) {
    let bytes = path.lowercased().hasSuffix(".png") ? try PNGWriter.encode(image) : try jpeg(image)
    do {
      let file = URL(fileURLWithPath: path)
      if makingFolder { try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true) }
      try Data(bytes).write(to: file, options: .atomic)
    } catch {
      throw DataError(.cannotWrite, path, "cannot be written", hint: "check the folder, its permissions, and free space")
    }
  }
}
