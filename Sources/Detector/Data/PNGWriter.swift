// PNG out, through libpng.
import CPNG

public enum PNGWriter {
  /// The image as the bytes of a PNG file.
  public static func encode(_ image: RGBImage) throws(DataError) -> [UInt8] {
    func failure() -> DataError { DataError(.cannotWrite, "image", "libpng cannot encode it", hint: "is there enough memory?") }
    var size = 0
    guard cpng_encode_rgb(image.pixels, UInt32(image.width), UInt32(image.height), nil, &size) != 0 else { throw failure() }
    var bytes = [UInt8](repeating: 0, count: size)
    guard cpng_encode_rgb(image.pixels, UInt32(image.width), UInt32(image.height), &bytes, &size) != 0 else { throw failure() }
    return Array(bytes[..<size])
  }
}
