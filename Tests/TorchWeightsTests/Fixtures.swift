// The files in Vectors: what they are called says what must happen to them. And a zip archive by hand around a pickle, so that a test
// can change a pickle without breaking its checksum.

import Foundation
import Safetensors
import TestSupport
import TorchWeights

enum Fixtures {
  /// Names without extension of the `.pt` files that begin with `prefix`.
  static func names(_ prefix: String) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: vectorPath(""))) ?? []
    return files.filter { $0.hasPrefix(prefix) && $0.hasSuffix(".pt") }.map { String($0.dropLast(3)) }.sorted()
  }

  static func bytes(_ name: String) throws -> [UInt8] { try FileBytes.read(path: vectorPath(name), bytesMax: 16 << 20) }

  /// An archive of stored entries.
  static func archive(_ files: [(name: String, contents: [UInt8])]) -> [UInt8] {
    func little(_ value: Int, _ size: Int) -> [UInt8] { (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    var (out, directory): ([UInt8], [UInt8]) = ([], [])
    for (name, contents) in files {
      let place = out.count
      let sizes =
        little(Int(slowChecksum(contents)), 4) + little(contents.count, 4) + little(contents.count, 4) + little(name.utf8.count, 2)
      out += [0x50, 0x4b, 3, 4, 20, 0] + little(0, 8) + sizes + little(0, 2) + Array(name.utf8) + contents
      directory += [0x50, 0x4b, 1, 2, 20, 0, 20, 0] + little(0, 8) + sizes + little(0, 12) + little(place, 4) + Array(name.utf8)
    }
    let counts = little(files.count, 2) + little(files.count, 2)
    return out + directory + [0x50, 0x4b, 5, 6] + little(0, 4) + counts + little(directory.count, 4) + little(out.count, 4) + little(0, 2)
  }

  /// CRC-32, bit by bit.
  static func slowChecksum(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = ~0
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
    }
    return ~crc
  }
}

/// The code with which `bytes` are refused, nil if they are read.
func refusal(_ bytes: [UInt8], weights: TorchFile.Weights = .best) -> TorchWeightsError.Code? {
  do throws(TorchWeightsError) {
    let file = try TorchFile(parsing: bytes, weights: weights)
    // What is read must also be writable, whatever it was.
    _ = file.safetensors().serialise()
    return nil
  } catch { return error.code }
}
