// What must hold of everything that a site's session says, whatever it was told (spec/03-phases.md, "The site"; spec/07): one input, one
// survivor set, one share of each dealer, each written to disk before it leaves; a resend repeats bytes.
import SecAgg

struct SiteWatch {
  private var sent: [MessageType: [UInt8]] = [:]
  private var payload: [UInt8]?
  private var input: [UInt8]?
  private var survivors: [SiteID]?
  private var survivorHash: [UInt8]?
  private var isRevealPermitted = false
  private var kinds: [SiteID: ShareKind] = [:]
  private var lastPersisted: SiteRecord?
  private var hasEnded = false

  mutating func see(_ actions: [SiteAction]) {
    if hasEnded { require(actions.isEmpty, "a session goes on after its end") }
    for action in actions {
      switch action {
      case .consider: break
      case .send(let bytes): see(message: bytes)
      case .persist(let record): see(record)
      case .sendInput(let header, let payload):
        require(self.payload == nil || self.payload == payload, "a second, different payload")
        self.payload = payload
        see(message: header)
      case .completed:
        require(isRevealPermitted, "completed without a reveal")
        hasEnded = true
      case .evidence(let shown): require((try? Evidence(decoding: shown.encoded())) == shown, "evidence that cannot be read again")
      case .aborted: hasEnded = true
      }
    }
  }

  private mutating func see(_ record: SiteRecord) {
    lastPersisted = record
    switch record {
    case .contextUsed: break
    case .inputSent(_, let digest):
      require(input == nil, "a second input is journalled")
      input = digest
    case .survivorsSigned(_, let survivors, let hash):
      require(self.survivors == nil, "a second survivor set is journalled")
      (self.survivors, survivorHash) = (survivors, hash)
    case .revealed:
      require(survivors != nil, "a reveal without survivors")
      isRevealPermitted = true
    }
  }

  private mutating func see(message bytes: [UInt8]) {
    guard let message = try? SignedMessage(decoding: bytes) else { fatalError("a site sends what is no message") }
    if message.type == .refusal { return }
    if let before = sent[message.type] {
      require(before == bytes, "two different \(message.type.name) messages")
      return
    }
    sent[message.type] = bytes
    switch message.type {
    case .inputHeader:
      let body = try? message.open(InputHeaderBody.self)
      require(body?.digest == input, "an input leaves before it is journalled")
    case .consistency:
      let body = try? message.open(ConsistencyBody.self)
      require(body != nil && body?.hash == survivorHash, "a survivor set is signed before it is journalled")
    case .reveal: see(reveal: try? message.open(RevealBody.self))
    default: break
    }
  }

  private mutating func see(reveal: RevealBody?) {
    guard let reveal, let survivors else { fatalError("a reveal that cannot be read, or without survivors") }
    require(isRevealPermitted, "a reveal leaves before it is journalled")
    for entry in reveal.entries {
      require(kinds[entry.dealer] == nil || kinds[entry.dealer] == entry.kind, "both kinds of share of one dealer")
      kinds[entry.dealer] = entry.kind
      require((entry.kind == .selfMask) == survivors.contains(entry.dealer), "a share of the wrong kind")
    }
  }
}
