// Where a server or a site keeps evidence (spec/09-evidence.md), one file each: the attempt goes on or ends, and the file is there for the
// consortium. `secagg-roster check-evidence` reads it.
import Foundation
import SecAgg
import Sodium

public struct EvidenceFolder: Sendable {
  private let stateDirectory: String
  /// More accusations are not written: whoever breaks rules must not fill the disk. What is for a refund is one small file at most for each
  /// site and attempt.
  public static let accusationsMax = 1024

  /// - Parameter stateDirectory: of the program; the folder is made with its first file.
  public init(stateDirectory: String) { self.stateDirectory = stateDirectory }

  /// Accusations lie in `evidence`, what shows that an input can be opened by nobody in `refunds`.
  public func path(of evidence: Evidence) -> String { stateDirectory + (evidence.isAccusation ? "/evidence" : "/refunds") }

  /// Writes evidence that was checked; the same twice is one file.
  /// - Returns: the file's path; nil where the folder is full.
  /// - Throws: SA-92 and others for evidence that does not hold, RO-11 where it cannot be written.
  public func keep(_ evidence: Evidence, _ roster: RosterView) throws -> (path: String, verdict: Verdict)? {
    let verdict = try evidence.check(roster)
    let bytes = evidence.encoded()
    let path = path(of: evidence)
    let culprit = verdict.culprit.map { "site-\($0.rawValue)" } ?? (evidence.isAccusation ? "server" : "all")
    let digest = Hexadecimal.text(BLAKE2b.hash(bytes).prefix(4).map(\.self))
    let file = "\(path)/r\(verdict.round)-a\(verdict.attempt)-\(culprit)-\(verdict.claim.rawValue)-\(digest).evidence"
    let manager = FileManager.default
    if manager.fileExists(atPath: file) { return (file, verdict) }
    let isFull = ((try? manager.contentsOfDirectory(atPath: path))?.count ?? 0) >= Self.accusationsMax
    if isFull, evidence.isAccusation { return nil }
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
      throw FederationError(
        .evidenceFile, "\(path): \(reason)", hint: "give a file from a server's or a site's folder `evidence` or `refunds`")
    }
  }
}
