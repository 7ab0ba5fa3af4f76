// What the mechanism bytes of a plan say: one of two encodings (spec/04 without noise, spec/12 with it). Their first fields name which.

public enum Mechanism: Hashable, Sendable {
  case plain(EncodingParameters)
  case noised(NoisedEncoding)

  static let version: UInt8 = 1
  static let plainName = "none"

  public func encoded() -> [UInt8] {
    switch self {
    case .plain(let parameters): parameters.encoded()
    case .noised(let parameters): parameters.encoded()
    }
  }

  /// - Throws: SA-18 for anything but the canonical bytes of valid parameters, SA-17 where a sum could wrap.
  public init(decoding bytes: [UInt8]) throws(Refusal) {
    let name = try Mechanism.parsed { () throws(Refusal) in
      var reader = ByteReader(bytes)
      try Mechanism.readVersion(&reader)
      return try reader.text8()
    }
    switch name {
    case Mechanism.plainName: self = .plain(try EncodingParameters(decoding: bytes))
    case let name where NoisedEncoding.Name(rawValue: name) != nil: self = .noised(try NoisedEncoding(decoding: bytes))
    default:
      let known = NoisedEncoding.Name.allCases.map(\.rawValue).joined(separator: ", ")
      throw Refusal(.badMechanism, "this version knows the noise mechanisms none, \(known) only")
    }
  }

  static func readVersion(_ reader: inout ByteReader) throws(Refusal) {
    guard try reader.u8() == version else { throw Refusal(.badMechanism, "another version of the mechanism") }
  }

  /// What `body` reads; a reader says "malformed", and here the mechanism is what is wrong.
  static func parsed<Result>(_ body: () throws(Refusal) -> Result) throws(Refusal) -> Result {
    do {
      return try body()
    } catch {
      throw error.code == .malformed ? Refusal(.badMechanism, "the mechanism: \(error.reason)") : error
    }
  }

  /// Whether a plan's layout, cohort and least number of survivors are those that the mechanism was made for.
  /// - Throws: SA-16, SA-17, SA-18.
  func validate(for plan: RoundPlan) throws(Refusal) {
    switch self {
    case .plain(let parameters): try parameters.validate(sections: plan.sections, sites: plan.sites.count)
    case .noised(let parameters):
      try parameters.validate()
      guard parameters.sites == plan.sites.count else {
        throw Refusal(.wrapBound, "the encoding is bounded for \(parameters.sites) sites, the plan invites \(plan.sites.count)")
      }
      guard plan.sections == parameters.sections else { throw Refusal(.badLayout, "the sections are not those of the encoding") }
      guard plan.noiseShares >= 1 else {
        throw Refusal(.badMechanism, "\(plan.inputsMin) survivors with \(plan.colluders) colluders assure no noise")
      }
      guard case .removableSkellam(let survivorsMin, let known) = parameters.noise else { return }
      guard survivorsMin == plan.inputsMin, known == plan.noiseKnown, !plan.isSparse else {
        throw Refusal(.badMechanism, "noise that is removed for other survivors, colluders or another graph than the plan's")
      }
    }
  }

  /// Components of a site's noise that may be taken out of a sum again: 0 where none are.
  var removableComponents: Int {
    guard case .noised(let parameters) = self, case .removableSkellam(let survivorsMin, _) = parameters.noise else { return 0 }
    return parameters.sites - survivorsMin
  }
}

extension RoundPlan {
  /// Noise shares in every sum that nobody who sees it knows: the fewest inputs less the colluders, of which a site that looks is one.
  public var noiseShares: Int { inputsMin - noiseKnown }

  /// Components of each site's noise that may be taken out of the sum again.
  package var removableComponents: Int { (try? Mechanism(decoding: mechanism))?.removableComponents ?? 0 }

  /// Noise shares that whoever sees a sum may know.
  public var noiseKnown: Int { max(colluders, 1) }
}
