// How the sparse graph's seed is drawn: commitments first, then nonces (spec/08-sparse-graph.md, "The seed").

/// Every acceptance's commitment is fixed from here on.
package struct GraphCommitmentsBody: MessageBody {
  package static let type = MessageType.graphCommitments
  /// H[commitment-list].
  package let hash: [UInt8]

  package init(hash: [UInt8]) { self.hash = hash }
  package func write(to writer: inout ByteWriter) { writer.fixed(hash) }
  package init(from reader: inout ByteReader) throws(Refusal) { hash = try reader.fixed(32) }
}

package struct GraphNonceBody: MessageBody {
  package static let type = MessageType.graphNonce
  package static let nonceBytes = 32
  package let nonce: [UInt8]

  package init(nonce: [UInt8]) { self.nonce = nonce }
  package func write(to writer: inout ByteWriter) { writer.fixed(nonce) }
  package init(from reader: inout ByteReader) throws(Refusal) { nonce = try reader.fixed(GraphNonceBody.nonceBytes) }
}

/// All nonces, ascending by site.
package struct GraphNoncesBody: MessageBody {
  package struct Entry: Hashable, Sendable {
    package let site: SiteID
    package let nonce: [UInt8]

    package init(site: SiteID, nonce: [UInt8]) {
      self.site = site
      self.nonce = nonce
    }
  }

  package static let type = MessageType.graphNonces
  package let entries: [Entry]

  package init(entries: [Entry]) { self.entries = entries }

  package func write(to writer: inout ByteWriter) {
    writer.count16(entries.count)
    for entry in entries {
      writer.site(entry.site)
      writer.fixed(entry.nonce)
    }
  }

  package init(from reader: inout ByteReader) throws(Refusal) {
    entries = try reader.list(elementBytesMin: 4 + GraphNonceBody.nonceBytes) { reader throws(Refusal) in
      Entry(site: try reader.site(), nonce: try reader.fixed(GraphNonceBody.nonceBytes))
    }
    guard entries.map(\.site).isStrictlyAscending else { throw Refusal(.malformed, "the nonces are not in the order of their sites") }
  }

  /// H[commitment-list] of the commitments that these nonces open.
  package func commitmentList(_ context: [UInt8]) -> [UInt8] {
    Transcript.commitmentList(
      context, entries.map(\.site), entries.map { Transcript.nonceCommitment(context, $0.site, $0.nonce) })
  }

  /// H[graph-seed].
  package func seed(_ context: [UInt8]) -> [UInt8] {
    Transcript.graphSeed(context, commitmentList: commitmentList(context), entries.map(\.nonce))
  }
}
