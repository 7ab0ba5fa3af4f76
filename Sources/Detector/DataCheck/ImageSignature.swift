// Kinds of image files that are not read, by the ending of their name and by their first bytes: a file that was only renamed to .jpg
// deserves a better word than "broken".

enum ImageSignature {
  /// Endings that mean an image to people or to YOLOv5, of which `ImageDecoder` reads none.
  static let unreadSuffixes: Set<String> = [
    "avif", "bmp", "dcm", "dng", "gif", "heic", "heif", "jfif", "jp2", "mpo", "pfm", "svs", "tif", "tiff", "webp",
  ]

  /// The kind that the first bytes speak of, if it is known and not read.
  static func unreadKind(_ bytes: [UInt8]) -> String? {
    func has(_ text: String, at start: Int) -> Bool {
      bytes.count >= start + text.utf8.count && bytes[start..<start + text.utf8.count].elementsEqual(text.utf8)
    }
    if has("RIFF", at: 0), has("WEBP", at: 8) { return "WebP" }
    if has("II*\0", at: 0) || has("MM\0*", at: 0) { return "TIFF" }
    if has("GIF8", at: 0) { return "GIF" }
    if has("BM", at: 0) { return "BMP" }
    if has("DICM", at: 128) { return "DICOM" }
    if has("ftyp", at: 4) { return has("avif", at: 8) ? "AVIF" : "HEIF" }
    if has("<!DOCTYPE", at: 0) || has("<html", at: 0) { return "HTML (a failed download?)" }
    return nil
  }
}
