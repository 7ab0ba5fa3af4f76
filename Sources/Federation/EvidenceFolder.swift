// Where a server or a site keeps evidence (spec/09-evidence.md), one file each: the attempt goes on or ends, and the file is there for the
// consortium. `secagg-roster check-evidence` reads it.
import Foundation
import SecAgg
import Sodium

public struct EvidenceFolder: Sendable {
  public let path: String
  /// More files are not written: whoever breaks rules must not fill the disk.
  public static let filesMax = 1024

  /// - Parameter stateDirectory: of the program; the folder is made with its first file.
  public init(stateDirectory: String) { path = stateDirectory + "/evidence" }

  /// Writes evidence that was checked; the same twice is one file.
  /// - Returns: the file's path; nil where the folder is full.
  /// - Throws: SA-92 and others for evidence that does not hold, RO-11 where it cannot be written.
  public func keep(_ evidence: Evidence, _ roster: RosterView) throws -> (path: String, verdict: Verdict)? {
    let verdict = try evidence.check(roster)
    let bytes = evidence.encoded()
    let culprit = verdict.culprit.map { "site-\($0.rawValue)" } ?? "server"
    let digest = Hexadecimal.text(BLAKE2b.hash(bytes).prefix(4).map(\.self))
    let file = "\(path)/r\(verdict.round)-a\(verdict.attempt)-\(culprit)-\(verdict.claim.rawValue)-\(digest).evidence"
    let manager = FileManager.default
    if manager.fileExists(atPath: file) { return (file, verdict) }
    guard ((try? manager.contentsOfDirectory(atPath: path))?.count ?? 0) < Self.filesMax else { return nil }
    do {
      try manager.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      try BoundedFile.write(bytes, to: file, mode: 0o600, replaces: true)
    } catch {
      let reason = (error as? FileProblem)?.reason ?? error.localizedDescription
      throw FederationError(.evidenceFile, "cannot write \(file): \(reason)", hint: "check the disk's space and the folder's permissions")
    }
    return (file, verdict)
  }

  /// Reads a file; nothing in it is verified yet.
  public static func read(_ path: String) throws -> Evidence {
    do { return try Evidence(decoding: BoundedFile.read(path, bytesMax: Evidence.bytesMax)) } catch {
      let reason = (error as? FileProblem)?.reason ?? (error as? Refusal)?.reason ?? "\(error)"
      throw FederationError(.evidenceFile, "\(path): \(reason)", hint: "give a file from a server's or a site's folder `evidence`")
    }
  }
}
