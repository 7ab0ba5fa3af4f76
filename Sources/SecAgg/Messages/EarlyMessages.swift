// Bodies of phases 0 to 2b: plan, acceptance, keys, a dealer's header, acknowledgement (spec/03-phases.md).
import Sodium

package struct PlanBody: MessageBody {
  package static let type = MessageType.plan
  package let plan: RoundPlan

  package init(plan: RoundPlan) { self.plan = plan }
  package func write(to writer: inout ByteWriter) { writer.block32(plan.encoded()) }
  package init(from reader: inout ByteReader) throws(Refusal) { plan = try RoundPlan(decoding: reader.block32()) }
}

/// Says yes to the plan; the frame's ctx says to which.
package struct AcceptanceBody: MessageBody {
  package static let type = MessageType.acceptance
  /// H[nonce-commitment], in the sparse graph.
  package let commitment: [UInt8]?

  package init(commitment: [UInt8]? = nil) { self.commitment = commitment }
  package func write(to writer: inout ByteWriter) { writer.fixed(commitment ?? []) }
  package init(from reader: inout ByteReader) throws(Refusal) { commitment = reader.remaining == 0 ? nil : try reader.fixed(32) }
}

/// A site's fresh public keys.
package struct KeysBody: MessageBody {
  package static let type = MessageType.keys
  package let maskKey: X25519.PublicKey
  package let channelKey: X25519.PublicKey
  /// H[graph-seed], in the sparse graph.
  package let graphSeed: [UInt8]?

  package init(maskKey: X25519.PublicKey, channelKey: X25519.PublicKey, graphSeed: [UInt8]? = nil) {
    self.maskKey = maskKey
    self.channelKey = channelKey
    self.graphSeed = graphSeed
  }

  package func write(to writer: inout ByteWriter) {
    writer.fixed(maskKey.bytes)
    writer.fixed(channelKey.bytes)
    writer.fixed(graphSeed ?? [])
  }

  package init(from reader: inout ByteReader) throws(Refusal) {
    maskKey = try KeysBody.key(reader.fixed(X25519.keyBytes))
    channelKey = try KeysBody.key(reader.fixed(X25519.keyBytes))
    graphSeed = reader.remaining == 0 ? nil : try reader.fixed(32)
  }

  private static func key(_ bytes: [UInt8]) throws(Refusal) -> X25519.PublicKey {
    do { return try X25519.PublicKey(bytes) } catch { throw Refusal(.malformed, error.reason) }
  }
}

/// What a dealer signs about its shares; everybody sees it.
package struct ShareHeaderBody: MessageBody {
  package struct Entry: Hashable, Sendable {
    package let holder: SiteID
    package let maskKeyShare: [UInt8]
    package let selfMaskShare: [UInt8]
    package let envelope: [UInt8]
    /// One for each component of noise that may be removed.
    package let noiseShares: [[UInt8]]

    package init(holder: SiteID, maskKeyShare: [UInt8], selfMaskShare: [UInt8], envelope: [UInt8], noiseShares: [[UInt8]] = []) {
      self.noiseShares = noiseShares
      self.holder = holder
      self.maskKeyShare = maskKeyShare
      self.selfMaskShare = selfMaskShare
      self.envelope = envelope
    }

    /// The signed hash of the holder's share of one kind; nil for a component that there is not.
    func hash(_ kind: ShareKind) -> [UInt8]? {
      switch kind {
      case .maskKey: maskKeyShare
      case .selfMask: selfMaskShare
      case .noise(let component): noiseShares.indices.contains(component - 1) ? noiseShares[component - 1] : nil
      }
    }
  }

  /// The encodings of two points; whether they are points is another question.
  package struct Commitment: Hashable, Sendable {
    package let maskKey: [UInt8]
    package let selfMask: [UInt8]

    package init(maskKey: [UInt8], selfMask: [UInt8]) {
      self.maskKey = maskKey
      self.selfMask = selfMask
    }
  }

  package static let type = MessageType.shareHeader
  package static let hashBytes = 32
  /// Hash of the key list that the dealer saw.
  package let keyList: [UInt8]
  /// Commitment to the root of the self-mask; the mask key's is its public key.
  package let selfMaskRoot: [UInt8]
  /// Feldman's, one for each coefficient of both polynomials; none in the sparse graph.
  package let commitments: [Commitment]
  /// One for each member of U1, the dealer included, ascending; in the sparse graph one for the header's holder.
  package let entries: [Entry]
  /// Commitments to the roots of the components of noise that may be removed, and with them each entry has shares of those.
  package let noiseRoots: [[UInt8]]

  package init(
    keyList: [UInt8], selfMaskRoot: [UInt8], commitments: [Commitment], entries: [Entry], noiseRoots: [[UInt8]] = []
  ) {
    precondition(entries.allSatisfy { $0.noiseShares.count == noiseRoots.count }, "a share of each component for each holder")
    self.noiseRoots = noiseRoots
    self.keyList = keyList
    self.selfMaskRoot = selfMaskRoot
    self.commitments = commitments
    self.entries = entries
  }

  package func write(to writer: inout ByteWriter) {
    writer.fixed(keyList)
    writer.fixed(selfMaskRoot)
    writer.count16(commitments.count)
    for commitment in commitments {
      writer.fixed(commitment.maskKey)
      writer.fixed(commitment.selfMask)
    }
    writer.count16(entries.count)
    for entry in entries {
      writer.site(entry.holder)
      writer.fixed(entry.maskKeyShare)
      writer.fixed(entry.selfMaskShare)
      writer.fixed(entry.envelope)
    }
    guard !noiseRoots.isEmpty else { return }
    writer.count16(noiseRoots.count)
    for hash in noiseRoots + entries.flatMap(\.noiseShares) { writer.fixed(hash) }
  }

  package init(from reader: inout ByteReader) throws(Refusal) {
    let size = ShareHeaderBody.hashBytes
    keyList = try reader.fixed(size)
    selfMaskRoot = try reader.fixed(size)
    commitments = try reader.list(elementBytesMin: 2 * RistrettoPoint.byteCount) { reader throws(Refusal) in
      Commitment(maskKey: try reader.fixed(RistrettoPoint.byteCount), selfMask: try reader.fixed(RistrettoPoint.byteCount))
    }
    let plain = try reader.list(elementBytesMin: 4 + 3 * size) { reader throws(Refusal) in
      Entry(
        holder: try reader.site(), maskKeyShare: try reader.fixed(size), selfMaskShare: try reader.fixed(size),
        envelope: try reader.fixed(size))
    }
    guard plain.map(\.holder).isStrictlyAscending else {
      throw Refusal(.malformed, "the holders of shares are not ascending and distinct")
    }
    guard reader.remaining > 0 else {
      (entries, noiseRoots) = (plain, [])
      return
    }
    let components = Int(try reader.u16())
    guard (1...ShareKind.componentsMax).contains(components), reader.remaining == size * components * (plain.count + 1) else {
      throw Refusal(.malformed, "\(components) components of noise")
    }
    func hashes(_ reader: inout ByteReader) throws(Refusal) -> [[UInt8]] {
      var hashes: [[UInt8]] = []
      for _ in 0..<components { hashes.append(try reader.fixed(size)) }
      return hashes
    }
    noiseRoots = try hashes(&reader)
    var whole: [Entry] = []
    for entry in plain {
      whole.append(
        Entry(
          holder: entry.holder, maskKeyShare: entry.maskKeyShare, selfMaskShare: entry.selfMaskShare, envelope: entry.envelope,
          noiseShares: try hashes(&reader)))
    }
    entries = whole
  }
}

/// The dealers whose shares opened and matched, and what exactly was seen of phases 1 and 2.
package struct AcknowledgementBody: MessageBody {
  package static let type = MessageType.acknowledgement
  package let transcript: [UInt8]
  package let dealers: [SiteID]

  package init(transcript: [UInt8], dealers: [SiteID]) {
    self.transcript = transcript
    self.dealers = dealers
  }

  package func write(to writer: inout ByteWriter) {
    writer.fixed(transcript)
    writer.sites(dealers)
  }

  package init(from reader: inout ByteReader) throws(Refusal) {
    transcript = try reader.fixed(32)
    dealers = try reader.sites()
  }
}
