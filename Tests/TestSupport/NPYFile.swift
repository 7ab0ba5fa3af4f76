// Reader of NumPy's `.npy` arrays for reference vectors (format 1.0 and 2.0, little-endian, C order).
// Invariant: a file that it does not understand throws; a vector is never silently misread.

import Foundation

/// An array read from a `.npy` file, widened to `Double`.
public struct NPYFile: Sendable {
  public let shape: [Int]
  public let values: [Double]

  public var floats: [Float] { values.map(Float.init) }

  public struct Malformed: Error, CustomStringConvertible {
    public let description: String
  }

  public init(path: String) throws {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    func fail(_ reason: String) -> Malformed { Malformed(description: "\(path): \(reason)") }
    guard bytes.count >= 12, bytes[0] == 0x93, bytes[1...5].elementsEqual("NUMPY".utf8) else { throw fail("not .npy") }
    let headerStart = bytes[6] == 1 ? 10 : 12
    var headerLength = Int(bytes[8]) | Int(bytes[9]) << 8
    if headerStart == 12 { headerLength |= Int(bytes[10]) << 16 | Int(bytes[11]) << 24 }
    let dataStart = headerStart + headerLength
    guard dataStart <= bytes.count else { throw fail("header is cut") }
    let header = String(decoding: bytes[headerStart..<dataStart], as: UTF8.self)
    guard header.contains("'fortran_order': False") else { throw fail("not in C order") }
    guard let type = Self.quoted(in: header, after: "'descr':") else { throw fail("no type") }
    guard let open = header.firstIndex(of: "("), let close = header[open...].firstIndex(of: ")") else {
      throw fail("no shape")
    }
    let dimensions = header[header.index(after: open)..<close].split(separator: ",")
    shape = dimensions.compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    let count = shape.reduce(1, *)
    let body = bytes[dataStart...]
    guard let decoded = Self.decode(Array(body), type: type, count: count) else { throw fail("type \(type), \(body.count) bytes") }
    values = decoded
  }

  private static func quoted(in text: String, after key: String) -> String? {
    guard let range = text.range(of: key) else { return nil }
    let parts = text[range.upperBound...].split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
    return parts.count >= 2 ? String(parts[1]) : nil
  }

  private static func decode(_ body: [UInt8], type: String, count: Int) -> [Double]? {
    func each<Raw>(_: Raw.Type, _ convert: (Raw) -> Double) -> [Double]? {
      guard body.count == count * MemoryLayout<Raw>.stride else { return nil }
      return body.withUnsafeBytes { raw in
        (0..<count).map { convert(raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Raw>.stride, as: Raw.self)) }
      }
    }
    switch type {
    case "<f4": return each(Float.self) { Double($0) }
    case "<f8": return each(Double.self) { $0 }
    case "<i4": return each(Int32.self) { Double($0) }
    case "<i8": return each(Int64.self) { Double($0) }
    case "|u1", "|b1": return each(UInt8.self) { Double($0) }
    default: return nil
    }
  }
}
