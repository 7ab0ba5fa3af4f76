// PNG out, through libpng.
import CPNG

public enum PNGWriter {
  /// The image as the bytes of a PNG file.
  public static func encode(_ image: RGBImage) throws(DataError) -> [UInt8] {
    // Room for the worst case (bytes that do not compress, a filter byte a row, the headers of zlib's blocks and PNG's chunks): asking
    // libpng for the exact size first would compress twice.
    let raw = image.pixels.count + image.height
    var size = raw + raw / 100 + 4096
    var bytes = [UInt8](repeating: 0, count: size)
    guard cpng_encode_rgb(image.pixels, UInt32(image.width), UInt32(image.height), &bytes, &size) != 0, size <= bytes.count else {
      throw DataError(.cannotWrite, "image", "libpng cannot encode it", hint: "is there enough memory?")
    }
    return Array(bytes[..<size])
  }
}
