// How the sparse graph's seed is drawn: commitments first, then nonces (spec/08-sparse-graph.md, "The seed").

/// Every acceptance's commitment is fixed from here on.
struct GraphCommitmentsBody: MessageBody {
  static let type = MessageType.graphCommitments
  /// H[commitment-list].
  let hash: [UInt8]

  init(hash: [UInt8]) { self.hash = hash }
  func write(to writer: inout ByteWriter) { writer.fixed(hash) }
  init(from reader: inout ByteReader) throws(Refusal) { hash = try reader.fixed(32) }
}

struct GraphNonceBody: MessageBody {
  static let type = MessageType.graphNonce
  static let nonceBytes = 32
  let nonce: [UInt8]

  init(nonce: [UInt8]) { self.nonce = nonce }
  func write(to writer: inout ByteWriter) { writer.fixed(nonce) }
  init(from reader: inout ByteReader) throws(Refusal) { nonce = try reader.fixed(GraphNonceBody.nonceBytes) }
}

/// All nonces, ascending by site.
struct GraphNoncesBody: MessageBody {
  struct Entry: Hashable, Sendable {
    let site: SiteID
    let nonce: [UInt8]
  }

  static let type = MessageType.graphNonces
  let entries: [Entry]

  init(entries: [Entry]) { self.entries = entries }

  func write(to writer: inout ByteWriter) {
    writer.count16(entries.count)
    for entry in entries {
      writer.site(entry.site)
      writer.fixed(entry.nonce)
    }
  }

  init(from reader: inout ByteReader) throws(Refusal) {
    entries = try reader.list(elementBytesMin: 4 + GraphNonceBody.nonceBytes) { reader throws(Refusal) in
      Entry(site: try reader.site(), nonce: try reader.fixed(GraphNonceBody.nonceBytes))
    }
    guard entries.map(\.site).isStrictlyAscending else { throw Refusal(.malformed, "the nonces are not in the order of their sites") }
  }

  /// H[commitment-list] of the commitments that these nonces open.
  func commitmentList(_ context: [UInt8]) -> [UInt8] {
    Transcript.commitmentList(
      context, entries.map(\.site), entries.map { Transcript.nonceCommitment(context, $0.site, $0.nonce) })
  }

  /// H[graph-seed].
  func seed(_ context: [UInt8]) -> [UInt8] {
    Transcript.graphSeed(context, commitmentList: commitmentList(context), entries.map(\.nonce))
  }
}
