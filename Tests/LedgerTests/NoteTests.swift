// Signed notes, checkpoints, cosignatures and proofs as texts: round trips, and every way to be none.
import Sodium
import Testing

@testable import Ledger

@Suite struct NoteTests {
  private func good() throws -> (corpus: LedgerCorpus, report: AuditReport) {
    let corpus = try LedgerCorpus.loaded()
    return (corpus, try corpus.audit(#require(corpus.cases.first { $0.name == "good" }).files))
  }

  @Test func aNoteIsWrittenAsItWasRead() throws {
    let (corpus, _) = try good()
    let bytes = try #require(corpus.cases.first { $0.name == "good" }?.files["checkpoint"])
    let signed = try SignedCheckpoint(parsing: bytes)
    #expect(signed.note.encoded == bytes && signed.checkpoint.text == signed.note.text)
    #expect(signed.note.signatures.count == 7)
  }

  /// [LG-01]
  @Test(arguments: [
    "", "\n", "a\n", "a\n\n", "a\n\n\u{2014} b AAAAAAAA", "a\n\n- b AAAAAAAA\n", "a\n\n\u{2014} b AAAA\n", "a\n\n\u{2014} b AAAAAA==\n",
    "a\n\n\u{2014}  b AAAAAAAA\n", "a\n\n\u{2014} b+c AAAAAAAA\n", "a\n\n\u{2014} b\u{2003}c AAAAAAAA\n", "a\n\n\u{2014} b AAAAAAA\n",
    "a\t\n\n\u{2014} b AAAAAAAA\n",
    "a\n\n\u{2014} b AAAAAAAA\n\n", "a\n\n\u{2014} b AAAAAAAA c\n", "\n\u{2014} b AAAAAAAA\n",
  ])
  func isNoNote(_ text: String) { #expect(throws: LedgerError.self) { try SignedNote(parsing: Array(text.utf8)) } }

  /// [LG-01]
  @Test func isNoCheckpoint() throws {
    let root = Base64.text([UInt8](repeating: 1, count: 32))
    #expect(try Checkpoint(text: "o\n0\n\(root)\n").size == 0)
    for text in [
      "\n1\n\(root)\n", "o\n-1\n\(root)\n", "o\n+1\n\(root)\n", "o\n01\n\(root)\n", "o\n1\nAAAA\n", "o\n1\n\(root)\nmore\n",
      "o\n1\n\(root)",
      "o\n99999999999999999999\n\(root)\n", "o\n1 \n\(root)\n", "o\n١\n\(root)\n",
    ] {
      #expect(throws: LedgerError.self, "\(text)") { try Checkpoint(text: text) }
    }
  }

  /// [LG-07] [LG-08]: what is signed are the bytes that the formats fix.
  @Test func signaturesCoverWhatTheFormatsSay() throws {
    let (corpus, report) = try good()
    let signed = try #require(report.checkpoint)
    let (log, witness) = (try LedgerCorpus.key("consortium log"), try LedgerCorpus.key("consortium witness 2"))
    let line = signed.checkpoint.signed(by: log)
    #expect(signed.note.signatures.contains(line))
    #expect(line.keyID == Array(SHA256.hash(Array(line.name.utf8) + [10, 1] + log.publicKey.bytes).prefix(4)))
    #expect(log.publicKey.verify(line.bytes, of: Array(signed.note.text.utf8)))
    let roster = try #require(corpus.rosters["2"])
    let found = try #require(signed.cosignature(name: roster.witnessName(2), key: witness.publicKey))
    #expect(found.isGood)
    let again = signed.checkpoint.cosigned(by: witness, name: roster.witnessName(2), time: found.time)
    #expect(signed.note.signatures.contains(again))
    let text = Array("cosignature/v1\ntime \(found.time)\n\(signed.note.text)".utf8)
    #expect(witness.publicKey.verify(Array(again.bytes.dropFirst(8)), of: text))
  }

  @Test func aProofStandsOnItsOwn() throws {
    let (corpus, report) = try good()
    let (logged, checkpoint, roster) = (try #require(report.logged), try #require(report.checkpoint), try #require(corpus.rosters["2"]))
    for index in logged.leaves.indices {
      let proof = LogProof(
        entry: logged.leaves[index], index: index, hashes: logged.tree.inclusionProof(index: index, size: logged.leaves.count),
        checkpoint: checkpoint)
      let read = try LogProof(parsing: proof.encoded)
      #expect(read == proof && read.isIncluded)
      #expect(read.checkpoint.logSignature(roster.logKey) == .good)
      let other = LogProof(entry: proof.entry + [0], index: index, hashes: proof.hashes, checkpoint: checkpoint)
      #expect(!other.isIncluded)
      let moved = LogProof(entry: proof.entry, index: (index + 1) % logged.leaves.count, hashes: proof.hashes, checkpoint: checkpoint)
      #expect(!moved.isIncluded)
    }
  }

  @Test func malformedProofs() throws {
    let (_, report) = try good()
    let (logged, checkpoint) = (try #require(report.logged), try #require(report.checkpoint))
    let proof = LogProof(
      entry: logged.leaves[3], index: 3, hashes: logged.tree.inclusionProof(index: 3, size: logged.leaves.count), checkpoint: checkpoint)
    let text = String(decoding: proof.encoded, as: UTF8.self)
    for (old, new) in [
      ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"), ("index 3", "index 03"), ("index 3", "index -3"), ("extra ", "more "),
      ("\n\n", "\n"),
    ] {
      let changed = text.replacingFirst(old, with: new)
      #expect(changed != text)
      #expect(throws: LedgerError.self, "\(new)") { try LogProof(parsing: Array(changed.utf8)) }
    }
    #expect(throws: LedgerError.self) { try LogProof(parsing: []) }
  }
}

extension String {
  func replacingFirst(_ old: String, with new: String) -> String {
    guard let range = firstRange(of: old) else { return self }
    return replacingCharacters(range, with: new)
  }

  private func firstRange(of text: String) -> Range<String.Index>? { ranges(of: text).first }
  private func replacingCharacters(_ range: Range<String.Index>, with text: String) -> String {
    self[..<range.lowerBound] + text + self[range.upperBound...]
  }
}
