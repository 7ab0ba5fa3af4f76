// The server's lists of sites' messages (spec/03-phases.md). In the sparse graph a list holds the receiver's neighbourhood only, and
// the whole set stands behind it (spec/08-sparse-graph.md, "The phases").

/// U1: sites' signed keys.
package struct KeyListBody: MessageBody {
  package static let type = MessageType.keyList
  package let keys: [SignedMessage]
  /// U1 whole, in the sparse graph.
  package let set: [SiteID]?

  package init(keys: [SignedMessage], set: [SiteID]? = nil) {
    self.keys = keys
    self.set = set
  }

  package func write(to writer: inout ByteWriter) {
    writer.messages(keys)
    writer.set(set)
  }

  package init(from reader: inout ByteReader) throws(Refusal) {
    keys = try reader.messages()
    set = try reader.set()
  }
}

/// A dealer's headers (one; in the sparse graph one for each holder) with the encrypted shares, ascending by holder.
package struct SharesBody: MessageBody {
  package static let type = MessageType.shares
  package let headers: [SignedMessage]
  package let envelopes: [[UInt8]]

  package init(headers: [SignedMessage], envelopes: [[UInt8]]) {
    self.headers = headers
    self.envelopes = envelopes
  }

  package func write(to writer: inout ByteWriter) {
    // By holder: all of them have one sender.
    writer.messages(headers)
    writer.envelopes(envelopes)
  }

  package init(from reader: inout ByteReader) throws(Refusal) {
    headers = try reader.list(elementBytesMin: 4 + SignedMessage.bytesMin) { reader throws(Refusal) in try reader.message() }
    envelopes = try reader.envelopes(like: headers.first)
  }
}

/// Dealers' headers, and the envelopes for one holder, ascending by dealer, none from itself.
package struct ShareDeliveryBody: MessageBody {
  package static let type = MessageType.shareDelivery
  package let headers: [SignedMessage]
  package let envelopes: [[UInt8]]
  /// D whole, in the sparse graph.
  package let set: [SiteID]?

  package init(headers: [SignedMessage], envelopes: [[UInt8]], set: [SiteID]? = nil) {
    self.headers = headers
    self.envelopes = envelopes
    self.set = set
  }

  package func write(to writer: inout ByteWriter) {
    writer.messages(headers)
    writer.envelopes(envelopes)
    writer.set(set)
  }

  package init(from reader: inout ByteReader) throws(Refusal) {
    headers = try reader.messages()
    envelopes = try reader.envelopes(like: headers.first)
    set = try reader.set()
  }
}

package struct AcknowledgementListBody: MessageBody {
  package static let type = MessageType.acknowledgementList
  package let acknowledgements: [SignedMessage]
  /// U2 whole, in the sparse graph.
  package let set: [SiteID]?

  package init(acknowledgements: [SignedMessage], set: [SiteID]? = nil) {
    self.acknowledgements = acknowledgements
    self.set = set
  }

  package func write(to writer: inout ByteWriter) {
    writer.messages(acknowledgements)
    writer.set(set)
  }

  package init(from reader: inout ByteReader) throws(Refusal) {
    acknowledgements = try reader.messages()
    set = try reader.set()
  }
}

/// U3: survivors' signed input headers.
package struct SurvivorsBody: MessageBody {
  /// U3 whole with its digests, in the sparse graph.
  package struct Whole: Hashable, Sendable {
    package let sites: [SiteID]
    package let digests: [[UInt8]]

    package init(sites: [SiteID], digests: [[UInt8]]) {
      self.sites = sites
      self.digests = digests
    }
  }

  package static let type = MessageType.survivors
  package let headers: [SignedMessage]
  package let whole: Whole?

  package init(headers: [SignedMessage], whole: Whole? = nil) {
    self.headers = headers
    self.whole = whole
  }

  package func write(to writer: inout ByteWriter) {
    writer.messages(headers)
    writer.set(whole?.sites)
    for digest in whole?.digests ?? [] { writer.fixed(digest) }
  }

  package init(from reader: inout ByteReader) throws(Refusal) {
    headers = try reader.messages()
    guard let sites = try reader.set() else {
      whole = nil
      return
    }
    var digests: [[UInt8]] = []
    for _ in sites { digests.append(try reader.fixed(32)) }
    whole = Whole(sites: sites, digests: digests)
  }
}

package struct SignatureListBody: MessageBody {
  package static let type = MessageType.signatureList
  package let signatures: [SignedMessage]

  package init(signatures: [SignedMessage]) { self.signatures = signatures }
  package func write(to writer: inout ByteWriter) { writer.messages(signatures) }
  package init(from reader: inout ByteReader) throws(Refusal) { signatures = try reader.messages() }
}

/// Ciphertext and tag of two scalars, and of one more for each component of noise that may be removed.
package enum Envelope {
  package static let byteCount = byteCount(components: 0)

  static func byteCount(components: Int) -> Int { Channel.plaintextBytes(components: components) + 16 }
}

extension ByteWriter {
  fileprivate mutating func envelopes(_ envelopes: [[UInt8]]) {
    count16(envelopes.count)
    for envelope in envelopes { fixed(envelope) }
  }

  fileprivate mutating func set(_ sites: [SiteID]?) {
    if let sites { self.sites(sites) }
  }
}

extension ByteReader {
  /// Envelopes are as long as their headers' components ask for; whether all headers have the same is checked by who knows the plan.
  fileprivate mutating func envelopes(like header: SignedMessage?) throws(Refusal) -> [[UInt8]] {
    let components = try header.map { header throws(Refusal) in try header.open(ShareHeaderBody.self).noiseRoots.count } ?? 0
    let size = Envelope.byteCount(components: components)
    return try list(elementBytesMin: size) { reader throws(Refusal) in try reader.fixed(size) }
  }

  /// The set behind a list: nil where nothing follows.
  fileprivate mutating func set() throws(Refusal) -> [SiteID]? { remaining == 0 ? nil : try sites() }
}
