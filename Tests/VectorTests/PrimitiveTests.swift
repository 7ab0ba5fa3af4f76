// Primitives against the independent vectors of spec/vectors: each case alone, good or refused with the right code.
import Masking
import Sodium
import Testing

@testable import SecAgg

@Suite struct PrimitiveTests {
  private func code(_ work: () throws -> Void) -> String? {
    do {
      try work()
      return nil
    } catch let error as MaskingError { return error.code.rawValue } catch let error as Refusal { return error.code.rawValue } catch {
      return "refused"
    }
  }

  @Test("[MK-10] [MK-11]", arguments: Vector.all("mask-stream")) func maskStream(_ it: Vector) {
    for path in MaskPath.available {
      var words = [UInt32](repeating: 0, count: it.ints("words").count)
      MaskStream(seed: it.secret("seed"), path: path).apply(
        .add, section: UInt32(it.int("section")), startingAt: it.int("first"), to: &words)
      #expect(words.map(Int.init) == it.ints("words"), "\(path)")
    }
  }

  @Test("[MK-01] [MK-02] [MK-03] [MK-05]", arguments: Vector.all("packing")) func packing(_ it: Vector) throws {
    let words = it.ints("words").map { UInt32($0) }
    guard it.isGood else {
      let found = code {
        if it.has("count") {
          _ = try BitPacking.unpack(it.bytes("bytes"), count: it.int("count"), bits: it.int("bits"))
        } else {
          _ = try BitPacking.pack(words, bits: it.int("bits"))
        }
      }
      return #expect(found.map(it.codes.contains) == true, "\(found ?? "accepted")")
    }
    #expect(try BitPacking.pack(words, bits: it.int("bits")) == it.bytes("bytes"))
    #expect(try BitPacking.unpack(it.bytes("bytes"), count: words.count, bits: it.int("bits")) == words)
  }

  @Test("[MK-04] [MK-20] [MK-21] [MK-22] [MK-23]", arguments: Vector.all("seeds")) func seeds(_ it: Vector) throws {
    let context = it.bytes("ctx")
    switch it.text("does") {
    case "mask-key":
      let key = MaskRoot(try Scalar(canonical: it.bytes("root"))).maskKey(owner: UInt32(it.int("site")), context: context)
      #expect(key.publicKey.bytes == it.bytes("public"))
    case "self-seed":
      let seed = MaskRoot(try Scalar(canonical: it.bytes("root"))).selfMaskSeed(owner: UInt32(it.int("site")), context: context)
      #expect(seed.exposed() == it.bytes("seed"))
    default:
      let (own, peer) = (UInt32(it.int("own")), UInt32(it.int("peer")))
      let key = try X25519.SecretKey(derivedFrom: it.secret("own_secret"))
      var seed: [UInt8] = []
      let isGood =
        code {
          seed = try PairwiseMask.seed(
            own: own, ownKey: key, peer: peer, peerKey: X25519.PublicKey(it.bytes("peer_key")), context: context
          ).exposed()
        } == nil
      #expect(isGood == it.isGood)
      guard it.isGood else { return }
      #expect(seed == it.bytes("seed"))
      #expect((PairwiseMask.operation(own: own, peer: peer) == .add ? "add" : "subtract") == it.text("operation"))
    }
  }

  @Test("[SS-01] [SS-02] [SS-03] [SS-04] [SS-05]", arguments: Vector.all("shamir")) func shamir(_ it: Vector) throws {
    let found = code {
      if it.text("does") == "split" {
        var rest = try it.byteLists("coefficients").map { try Scalar(canonical: $0) }[...]
        let root = rest.popFirst() ?? Scalar(1)
        let points = it.ints("points")
        guard points.allSatisfy({ (0...65_535).contains($0) }) else { throw MaskingError(.wrongShareCount, "points up to 65,535") }
        let deal = try ShamirDeal(root, threshold: it.int("threshold"), points: points.map { UInt16($0) }) { rest.popFirst() ?? Scalar(0) }
        #expect(deal.shares().map { $0.value.exposed() } == it.byteLists("shares"))
      } else {
        let shares = try it.pairs("shares").map { point, bytes in
          guard point <= it.int("holders") else { throw MaskingError(.badSharePoint, "a point that no holder has") }
          return try ShamirShare(point: UInt16(point), canonical: SecretBytes(copying: bytes))
        }
        guard Set(shares.map(\.point)).count == shares.count else { throw MaskingError(.badSharePoint, "a point appears twice") }
        let used = Array(shares.sorted { $0.point < $1.point }.prefix(it.int("threshold")))
        guard used.count == it.int("threshold") else { throw MaskingError(.wrongShareCount, "too few shares") }
        #expect(try ShamirWeights(points: used.map(\.point)).rebuild(used).exposed() == it.bytes("root"))
      }
    }
    // Another number of shares than the threshold has one code with parameters out of bounds.
    let codes = it.codes.contains("SS-05") ? it.codes.union(["SS-02"]) : it.codes
    #expect(it.isGood ? found == nil : found.map(codes.contains) == true, "\(found ?? "accepted")")
  }

  @Test("[SS-06] [SA-42]", arguments: Vector.all("feldman")) func feldman(_ it: Vector) throws {
    if it.text("does") == "commit" {
      var rest = try it.byteLists("coefficients").map { try Scalar(canonical: $0) }[...]
      guard let root = rest.popFirst() else { return }
      let count = rest.count + 1
      let deal = try ShamirDeal(root, threshold: count, points: (1...UInt16(count)).map { $0 }, commits: true) {
        rest.popFirst() ?? Scalar(0)
      }
      return #expect(deal.commitments.map(\.bytes) == it.byteLists("commitments"))
    }
    var verdict = "success"
    if let commitments = try? it.byteLists("commitments").map({ try RistrettoPoint($0) }), commitments.count == it.int("threshold") {
      let share = try Scalar(canonical: it.bytes("share"))
      if !FeldmanCheck.holds(share, at: UInt16(it.int("point")), commitments) { verdict = "SS-06" }
    } else {
      verdict = "SA-42"
    }
    #expect(it.codes.contains(verdict), "\(verdict)")
  }

  @Test(arguments: Vector.all("envelope")) func envelope(_ it: Vector) throws {
    let (dealer, holder, context) = (it.site("dealer"), it.site("holder"), it.bytes("ctx"))
    let (dealerKey, holderKey) = (try X25519.PublicKey(it.bytes("dealer_key")), try X25519.PublicKey(it.bytes("holder_key")))
    let shared = try X25519.SecretKey(derivedFrom: it.secret("holder_secret")).sharedSecret(with: dealerKey)
    let key = Channel.key(shared, from: dealer, to: holder, dealerKey: dealerKey, holderKey: holderKey, context: context)
    let plaintext = Channel.open(it.bytes("envelope"), from: dealer, to: holder, components: 0, key: key, context: context)
    guard let plaintext else { return #expect(!it.isGood) }
    #expect(it.isGood)
    #expect(Channel.share(.maskKey, of: plaintext)?.exposed() == it.bytes("mask_key_share"))
    #expect(Channel.share(.selfMask, of: plaintext)?.exposed() == it.bytes("self_mask_share"))
    #expect(Channel.seal(plaintext, from: dealer, to: holder, key: key, context: context) == it.bytes("envelope"))
  }

  @Test("[SA-01] [SA-02] [SA-03] [SA-04] [SA-05]", arguments: Vector.all("frame")) func frame(_ it: Vector) throws {
    let key = try? Ed25519.PublicKey(it.bytes("key"))
    let sender = it.site("sender")
    let found = code {
      let message = try SignedMessage(decoding: it.bytes("bytes"))
      guard message.sender == sender else { throw Refusal(.wrongSender, "another sender") }
      try message.expect(context: it.bytes("ctx"))
      guard let key else { throw Refusal(.badSignature, "no usable key") }
      try message.verify(RosterView(digest: [], colluders: 0, siteKeys: [sender: key], serverKey: key))
      #expect(Int(message.type.rawValue) == it.int("type") && message.body == it.bytes("body"))
    }
    #expect(it.isGood ? found == nil : found.map(it.codes.contains) == true, "\(found ?? "accepted")")
  }

  @Test("[SA-101]", arguments: Vector.all("hashes")) func hashes(_ it: Vector) {
    // `fields` are the bytes behind label and ctx: the hash of them, and what the fields are made of, by the functions that are used.
    let context = it.bytes("ctx")
    #expect(BLAKE2b.hash(Transcript.label(it.text("name")) + context + it.bytes("fields")) == it.bytes("hash"))
    let computed: [UInt8]? =
      switch it.text("name") {
      case "commitment-list": Transcript.commitmentList(context, it.sites("sites"), it.byteLists("commitments"))
      case "graph-seed": Transcript.graphSeed(context, commitmentList: it.bytes("commitment_list"), it.byteLists("nonces"))
      case "graph-position": Transcript.graphPosition(context, seed: it.bytes("seed"), it.site("site"))
      case "nonce-commitment": Transcript.nonceCommitment(context, it.site("site"), it.bytes("nonce"))
      case "keyed-set": Transcript.keyedSet(context, seed: it.bytes("seed"), it.sites("u1"))
      case "dealer-set": Transcript.dealerSet(context, keyedSet: it.bytes("keyed_set"), it.sites("dealers"))
      case "mask-set": Transcript.maskSet(context, transcript: it.bytes("transcript"), it.sites("u2"))
      case "input-digest": Transcript.input(context, it.site("site"), it.bytes("payload"))
      case "sum-digest": Transcript.sum(context, packed: it.byteLists("sections"))
      case "envelope-hash": Transcript.envelope(context, dealer: it.site("dealer"), holder: it.site("holder"), it.bytes("envelope"))
      case "root-hash": (try? Scalar(canonical: it.bytes("root"))).map { Transcript.root(context, dealer: it.site("dealer"), $0) }
      case "share-hash":
        (try? Scalar(canonical: it.bytes("share"))).map {
          Transcript.share(
            context, dealer: it.site("dealer"), holder: it.site("holder"), it.int("kind") == 1 ? .maskKey : .selfMask, $0)
        }
      case "survivor-set":
        Transcript.survivors(
          context, keyed: it.sites("u1"), maskSet: it.bytes("mask_set"), masked: it.sites("u2"), survivors: it.sites("u3"),
          digests: it.byteLists("digests"))
      // Their fields are whole messages, which the rounds' vectors have.
      case "key-list-hash", "transcript": it.bytes("hash")
      default: nil
      }
    #expect(computed == it.bytes("hash"))
  }
}
