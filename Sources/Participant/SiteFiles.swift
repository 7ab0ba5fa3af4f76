// A site's own files: read whole and bounded, written whole and durably, folders readable by the owner alone.
import Foundation
import Safetensors

enum SiteFiles {
  static func read(_ path: String, bytesMax: Int) throws(ParticipantError) -> [UInt8] {
    do {
      return try FileBytes.read(path: path, bytesMax: bytesMax)
    } catch {
      throw ParticipantError(.file, error.reason, hint: "check the path and its permissions")
    }
  }

  static func write(_ bytes: [UInt8], to path: String) throws(ParticipantError) {
    do {
      try FileBytes.write(bytes, path: path)
    } catch {
      throw ParticipantError(.file, error.reason, hint: "check the disk's space and the directory's permissions")
    }
  }

  /// Makes a folder, and those above it, for the owner alone.
  static func makeFolder(_ path: String) throws(ParticipantError) {
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw ParticipantError(.file, "cannot make the folder \(path): \(error.localizedDescription)", hint: "check its permissions")
    }
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Removes a file or folder if it is there; what cannot be removed stays, it does no harm.
  static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

  static func names(in folder: String) -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] }
}
