// JPEG through libjpeg-turbo and PNG through libpng, chosen by the file's first bytes. Bounded in file size and pixels; whatever is
// wrong with a file is an error that names it. EXIF orientation is applied, as YOLOv5 does.
import CPNG
import CTurboJPEG
import Foundation

public enum ImageDecoder {
  public static let fileBytesMax = 256 << 20
  public static let pixelsMax = 1 << 27

  /// File name endings that count as images.
  public static let suffixes: Set<String> = ["jpg", "jpeg", "png"]

  /// Decodes the file to RGB; grey images are widened, alpha is dropped.
  public static func decode(path: String) throws(DataError) -> RGBImage {
    try decode(read(path, bytesMax: nil), path: path)
  }

  /// Decodes an image in memory; `path` is for errors.
  public static func decode(_ bytes: [UInt8], path: String) throws(DataError) -> RGBImage {
    let (width, height) = try size(of: bytes, path: path)
    guard !isPNG(bytes) else { return try png(bytes, width, height, path) }
    return try jpeg(bytes, width, height, path).turned(Orientation.ofJPEG(bytes))
  }

  /// Width and height as `decode` would give them, from the file's header.
  public static func size(path: String) throws(DataError) -> (width: Int, height: Int) {
    // The header stands at the front, only a large preview or profile before it reaches further.
    if let front = try? read(path, bytesMax: headerBytes), let size = try? upright(front, path: path) { return size }
    return try upright(read(path, bytesMax: nil), path: path)
  }

  private static let headerBytes = 128 << 10

  private static func upright(_ bytes: [UInt8], path: String) throws(DataError) -> (width: Int, height: Int) {
    let stored = try size(of: bytes, path: path)
    let isUpright = isPNG(bytes) || Orientation.ofJPEG(bytes) < 5
    return isUpright ? stored : (stored.height, stored.width)
  }

  private static func size(of bytes: [UInt8], path: String) throws(DataError) -> (width: Int, height: Int) {
    let (width, height) = isPNG(bytes) ? try pngSize(bytes, path) : try jpegSize(bytes, path)
    guard width > 0, height > 0 else { throw bad(path, "the image has no pixels") }
    guard width <= 1 << 16, height <= 1 << 16, width * height <= pixelsMax else {
      throw DataError(.tooLarge, path, "\(width)×\(height) pixels", hint: "the limit is \(pixelsMax) pixels; shrink the image")
    }
    guard bytes.count >= leastBytes(bytes, width, height) else {
      throw bad(path, "\(width)×\(height) pixels cannot be in \(bytes.count) bytes")
    }
    return (width, height)
  }

  /// What an image of this size takes at least, so that a small file with a large header costs no memory: deflate packs 1032 bytes into
  /// one; a JPEG has a bit or more for each block of 64 pixels, halved here for what nobody writes.
  private static func leastBytes(_ bytes: [UInt8], _ width: Int, _ height: Int) -> Int {
    guard isPNG(bytes), bytes.count > 25 else { return width * height / 1024 }
    let channels = [2: 3, 4: 2, 6: 4][bytes[25], default: 1]
    return (width * channels * Int(bytes[24]) + 7) / 8 * height / 1032
  }

  /// - Parameter bytesMax: read no more; nil: the whole file, which may have `fileBytesMax`.
  private static func read(_ path: String, bytesMax: Int?) throws(DataError) -> [UInt8] {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw DataError(.unreadable, path, "cannot be opened", hint: "does it exist, and may you read it?")
    }
    defer { try? handle.close() }
    guard let data = try? handle.read(upToCount: bytesMax ?? fileBytesMax + 1) else {
      throw bad(path, "the file is empty or cannot be read")
    }
    guard data.count <= fileBytesMax else {
      throw DataError(.tooLarge, path, "more than \(fileBytesMax) bytes", hint: "is this really an image?")
    }
    return [UInt8](data)
  }

  private static func isPNG(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) }

  private static func bad(_ path: String, _ reason: String) -> DataError {
    DataError(.badImage, path, reason, hint: "replace or remove the image; JPEG and PNG are read")
  }

  private static func text(_ message: [CChar]) -> String {
    String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  // MARK: PNG

  private static func pngSize(_ bytes: [UInt8], _ path: String) throws(DataError) -> (Int, Int) {
    var (width, height): (UInt32, UInt32) = (0, 0)
    var message = [CChar](repeating: 0, count: 64)
    guard cpng_size(bytes, bytes.count, &width, &height, &message) != 0 else { throw bad(path, "damaged PNG: \(text(message))") }
    return (Int(width), Int(height))
  }

  private static func png(_ bytes: [UInt8], _ width: Int, _ height: Int, _ path: String) throws(DataError) -> RGBImage {
    var message = [CChar](repeating: 0, count: 64)
    var isWhole = false
    let rgba = [UInt8](unsafeUninitializedCapacity: width * height * 4) { out, count in
      isWhole = cpng_decode_rgba(bytes, bytes.count, UInt32(width), UInt32(height), out.baseAddress, &message) != 0
      count = isWhole ? width * height * 4 : 0
    }
    guard isWhole else { throw bad(path, "damaged PNG: \(text(message))") }
    let rgb = [UInt8](unsafeUninitializedCapacity: width * height * 3) { out, count in
      for pixel in 0..<width * height {
        for channel in 0..<3 { out[pixel * 3 + channel] = rgba[pixel * 4 + channel] }
      }
      count = width * height * 3
    }
    return RGBImage(width: width, height: height, pixels: rgb)
  }

  // MARK: JPEG

  private static func jpegSize(_ bytes: [UInt8], _ path: String) throws(DataError) -> (Int, Int) {
    guard bytes.starts(with: [0xff, 0xd8]) else { throw bad(path, "neither a JPEG nor a PNG") }
    guard let handle = tjInitDecompress() else { throw bad(path, "the JPEG decoder cannot start") }
    defer { tjDestroy(handle) }
    var (width, height, sampling, colours): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
    guard tjDecompressHeader3(handle, bytes, UInt(bytes.count), &width, &height, &sampling, &colours) == 0 else {
      throw bad(path, "damaged JPEG: \(String(cString: tjGetErrorStr2(handle)))")
    }
    return (Int(width), Int(height))
  }

  private static func jpeg(_ bytes: [UInt8], _ width: Int, _ height: Int, _ path: String) throws(DataError) -> RGBImage {
    guard let handle = tjInitDecompress() else { throw bad(path, "the JPEG decoder cannot start") }
    defer { tjDestroy(handle) }
    let flags = TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING
    var status: Int32 = -1
    let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { out, count in
      status = tjDecompress2(
        handle, bytes, UInt(bytes.count), out.baseAddress, Int32(width), Int32(width * 3), Int32(height), Int32(TJPF_RGB.rawValue),
        Int32(flags))
      count = status == 0 ? width * height * 3 : 0
    }
    guard status == 0 else { throw bad(path, "damaged JPEG: \(String(cString: tjGetErrorStr2(handle)))") }
    return RGBImage(width: width, height: height, pixels: pixels)
  }
}
