// The specification's bytes, computed by other software (Vectors/README.md): plan and ctx, frames, hashes, rounding.
import Foundation
import Masking
import Sodium
import Testing

@testable import SecAgg

private struct Vectors: Decodable {
  struct Plan: Decodable {
    let job: String
    let round, attempt: UInt32
    let rosterDigest, weightsDigest, configurationDigest, mechanism: String
    let sites: [UInt32]
    let colluders, threshold, neighbours, minimumSurvivors: Int
    let sections: [Section]
  }
  struct Section: Decodable {
    let section: VectorSection
    init(from decoder: any Decoder) throws {
      var list = try decoder.unkeyedContainer()
      section = VectorSection(
        name: try list.decode(String.self), count: try list.decode(Int.self), bits: try list.decode(Int.self))
    }
  }
  struct Frame: Decodable {
    let type: UInt8
    let sender: UInt32
    let body, signature, bytes, signed: String
  }
  struct Channel: Decodable {
    let dealer, holder: UInt32
    let dealerSecret, holderSecret, dealerKey, holderKey, maskKeyShare, selfMaskShare, envelope, notCanonical: String
  }
  struct Rounding: Decodable {
    let value: Double
    let bits, sites: Int
    let word: String
    let element: UInt32
  }

  let plan: Plan
  let frame: Frame
  let planBytes, ctx, keyListHash, transcript, maskSet, survivorSet, payload, inputDigest, scalar, shareHash: String
  let rootHash, envelope, envelopeHash, sumDigest: String
  let keys, headers, digests: [String]
  let masked, survivors: [UInt32]
  let rounding: [Rounding]
  let channel: Channel

  static func load() throws -> Vectors {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Vectors/protocol.json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Vectors.self, from: Data(contentsOf: file))
  }
}

private func bytes(_ hex: String) -> [UInt8] {
  let digits = hex.utf8.compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }
  return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

private struct OneWord: RandomNumberGenerator {
  let word: UInt64
  mutating func next() -> UInt64 { word }
}

@Suite struct VectorTests {
  @Test("[SA-102] plan bytes and ctx") func plan() throws {
    let vectors = try Vectors.load()
    let it = vectors.plan
    let plan = RoundPlan(
      job: it.job, round: it.round, attempt: it.attempt, rosterDigest: bytes(it.rosterDigest), sites: it.sites.map { SiteID($0) },
      colluders: it.colluders, threshold: it.threshold, neighbours: it.neighbours, minimumSurvivors: it.minimumSurvivors,
      weightsDigest: bytes(it.weightsDigest), configurationDigest: bytes(it.configurationDigest),
      sections: it.sections.map(\.section), mechanism: bytes(it.mechanism))
    #expect(plan.encoded() == bytes(vectors.planBytes) && plan.context == bytes(vectors.ctx))
    #expect(try RoundPlan(decoding: bytes(vectors.planBytes)) == plan)
    try plan.validate()
    let encoding = EncodingParameters(
      sites: 5, samplesReference: 1234,
      scalars: [.weight, .samples, ScalarSpec(name: "box_loss", range: 64, isCount: false)])
    #expect(encoding.encoded() == plan.mechanism)
  }

  @Test("[SA-101] the frame of a message, and what its signature covers") func frame() throws {
    let vectors = try Vectors.load()
    let message = try SignedMessage(decoding: bytes(vectors.frame.bytes))
    #expect(message.type == .keys && message.sender == SiteID(17) && message.body == bytes(vectors.frame.body))
    #expect(message.context == bytes(vectors.ctx) && message.signature == bytes(vectors.frame.signature))
    let key = Ed25519.SigningKey()
    let own = SignedMessage(
      type: .keys, body: bytes(vectors.frame.body), context: bytes(vectors.ctx), sender: SiteID(17), key: key)
    #expect(key.publicKey.verify(own.signature, of: bytes(vectors.frame.signed)))
    #expect(own.bytes.dropLast(64) == message.bytes.dropLast(64))
  }

  @Test("[SA-101] every hash") func hashes() throws {
    let vectors = try Vectors.load()
    let context = bytes(vectors.ctx)
    let keys = try vectors.keys.map { try SignedMessage(decoding: bytes($0)) }
    let headers = try vectors.headers.map { try SignedMessage(decoding: bytes($0)) }
    #expect(Transcript.keyList(context, keys) == bytes(vectors.keyListHash))
    #expect(Transcript.phases1And2(context, keys: keys, headers: headers) == bytes(vectors.transcript))
    let masked = vectors.masked.map { SiteID($0) }
    #expect(Transcript.maskSet(context, transcript: bytes(vectors.transcript), masked) == bytes(vectors.maskSet))
    #expect(
      Transcript.survivors(
        context, keyed: [0, 3, 17, 256].map { SiteID($0) }, maskSet: bytes(vectors.maskSet), masked: masked,
        survivors: vectors.survivors.map { SiteID($0) }, digests: vectors.digests.map(bytes)) == bytes(vectors.survivorSet))
    let payload = bytes(vectors.payload)
    #expect(Transcript.input(context, SiteID(17), payload) == bytes(vectors.inputDigest))
    #expect(Transcript.sum(context, packed: [Array(payload.prefix(30)), Array(payload.dropFirst(30))]) == bytes(vectors.sumDigest))
    let scalar = try Scalar(canonical: bytes(vectors.scalar))
    #expect(Transcript.share(context, dealer: SiteID(3), holder: SiteID(17), .selfMask, scalar) == bytes(vectors.shareHash))
    #expect(Transcript.share(context, dealer: SiteID(3), holder: SiteID(17), .maskKey, scalar) != bytes(vectors.shareHash))
    #expect(Transcript.root(context, dealer: SiteID(3), scalar) == bytes(vectors.rootHash))
    #expect(
      Transcript.envelope(context, dealer: SiteID(3), holder: SiteID(17), bytes(vectors.envelope)) == bytes(vectors.envelopeHash))
  }

  @Test("[SA-101] an envelope and the key of its direction") func envelope() throws {
    let vectors = try Vectors.load()
    let (it, context) = (vectors.channel, bytes(vectors.ctx))
    let (dealer, holder) = (SiteID(it.dealer), SiteID(it.holder))
    let dealerSecret = try X25519.SecretKey(derivedFrom: SecretBytes(copying: bytes(it.dealerSecret)))
    let holderSecret = try X25519.SecretKey(derivedFrom: SecretBytes(copying: bytes(it.holderSecret)))
    let dealerKey = try X25519.PublicKey(bytes(it.dealerKey))
    let holderKey = try X25519.PublicKey(bytes(it.holderKey))
    #expect(dealerSecret.publicKey == dealerKey && holderSecret.publicKey == holderKey)
    let sealed = try Channel.seal(
      SecretBytes(copying: bytes(it.maskKeyShare) + bytes(it.selfMaskShare)), from: dealer, to: holder, own: dealerSecret, peer: holderKey,
      context: context)
    #expect(sealed == bytes(it.envelope))
    func open(_ envelope: String, from sender: SiteID = dealer, to receiver: SiteID = holder) throws -> [[UInt8]]? {
      let shared = try holderSecret.sharedSecret(with: dealerKey)
      let key = Channel.key(shared, from: sender, to: receiver, dealerKey: dealerKey, holderKey: holderKey, context: context)
      let plaintext = Channel.open(bytes(envelope), from: sender, to: receiver, components: 0, key: key, context: context)
      guard let plaintext else { return nil }
      return [Channel.share(.maskKey, of: plaintext)?.exposed() ?? [], Channel.share(.selfMask, of: plaintext)?.exposed() ?? []]
    }
    #expect(try open(it.envelope) == [bytes(it.maskKeyShare), bytes(it.selfMaskShare)])
    #expect(try open(it.notCanonical) == nil, "a share that is the group's order")
    #expect(try open(it.envelope, from: holder, to: dealer) == nil, "the other direction has another key")
    #expect(try open(String(it.envelope.dropLast(2))) == nil)
  }

  @Test("[SA-103] stochastic rounding with given random words") func rounding() throws {
    for case let vector in try Vectors.load().rounding {
      var rounding = StochasticRounding()
      var random = OneWord(word: try #require(UInt64(vector.word)))
      let grid = RoundingGrid(bits: vector.bits, sites: vector.sites)
      #expect(rounding.quantise(vector.value, grid, &random) == vector.element)
      #expect(rounding.saturated == (abs(vector.value) > 1 ? 1 : 0))
    }
  }
}
