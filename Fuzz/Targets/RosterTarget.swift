// The roster's file: strict JSON, keys, certificates, rules. What is read keeps every rule, is written and read again as the same.
import Federation

struct RosterTarget: Target {
  static let name = "roster"
  private let scratch: Scratch

  init() throws { scratch = try Scratch(Self.name) }

  func run(_ input: [UInt8]) {
    guard let signed = try? SignedRoster.parse(input) else { return }
    let roster = signed.roster
    require((try? roster.validate()) != nil, "a roster that breaks a rule was read")
    _ = roster.digest
    _ = try? roster.view(at: Consortium.now)
    _ = try? RosterVerifier(consortiumKey: roster.consortiumKey).verify(signed, now: Consortium.now, highestSerialSeen: 0)
    let path = "\(scratch.path)/roster.json"
    require((try? signed.write(to: path)) != nil, "a roster that was read cannot be written")
    require((try? SignedRoster.read(path)) == signed, "a roster reads as another after it was written")
  }

  func seeds() throws -> [[UInt8]] {
    let consortium = try Consortium()
    var draft = consortium.roster
    draft.signature = nil
    return try [consortium.roster, draft].map { signed in
      try signed.write(to: "\(scratch.path)/roster.json")
      return scratch.read("roster.json")
    }
  }
}
