// What the verbs read besides the ledger: the roster with the pinned key, and checkpoints.
import ArgumentParser
import Dispatch
import Ledger
import Sodium
import Synchronization

struct RosterOptions: ParsableArguments {
  @Option(help: "The roster's file, from the consortium.") var roster: String?
  @Option(help: "The consortium's public key, pinned by whoever audits.") var consortiumKey: String?

  func validate() throws {
    guard roster == nil || consortiumKey != nil else {
      throw ValidationError("--roster needs --consortium-key: a roster is believed for its signature")
    }
  }

  /// - Throws: LD-05.
  func pinnedKey() throws -> Ed25519.PublicKey? {
    guard let consortiumKey else { return nil }
    let refuse = LedgerError(
      .roster, "\(consortiumKey) is not 64 hexadecimal digits of an Ed25519 key", hint: "ask the consortium for `consortium.pub`")
    guard let bytes = try TileStore.file(consortiumKey, bytesMax: 4096) else { throw refuse }
    var text = String(decoding: bytes, as: UTF8.self)
    if text.last == "\n" { text.removeLast() }
    guard let key = Hex.bytes(text, count: 32).flatMap({ try? Ed25519.PublicKey($0) }) else { throw refuse }
    return key
  }

  /// - Throws: LD-01, LD-05.
  func pinnedRoster() throws -> LedgerRoster? {
    guard let roster, let key = try pinnedKey() else { return nil }
    guard let bytes = try TileStore.file(roster, bytesMax: LedgerRosterFile.bytesMax) else {
      throw LedgerError(.unreadable, "there is no file \(roster)", hint: "check the path of the roster")
    }
    return try LedgerRosterFile.read(bytes, consortiumKey: key)
  }
}

enum AuditInputs {
  /// - Throws: LD-01, LD-04.
  static func checkpoint(_ path: String) throws -> SignedCheckpoint {
    guard let bytes = try TileStore.file(path, bytesMax: SignedNote.bytesMax) else {
      throw LedgerError(.unreadable, "there is no file \(path)", hint: "give the file of a checkpoint")
    }
    return try SignedCheckpoint(parsing: bytes)
  }

  /// Verifies on all cores: signatures are independent of each other.
  static let onAllCores: SignatureVerifier = { claims in
    let block = 64
    let wrong = Mutex<[Int]>([])
    DispatchQueue.concurrentPerform(iterations: (claims.count + block - 1) / block) { number in
      let range = number * block..<min(claims.count, (number + 1) * block)
      let found = range.filter { !claims[$0].holds }
      if !found.isEmpty { wrong.withLock { $0 += found } }
    }
    return wrong.withLock { $0 }
  }

  static func request(_ options: RosterOptions, since: String? = nil) throws -> AuditRequest {
    AuditRequest(
      roster: try options.pinnedRoster(), consortiumKey: try options.pinnedKey(), since: try since.map { try checkpoint($0) },
      verifier: onAllCores)
  }
}
