// What the mechanism bytes of a plan say: one of two encodings (spec/04 without noise, spec/12 with it). Their first fields name which.

public enum Mechanism: Hashable, Sendable {
  case plain(EncodingParameters)
  case noised(NoisedEncoding)

  static let version: UInt8 = 1
  static let plainName = "none"
  static let noisedName = "discrete_gaussian"

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
    case Mechanism.noisedName: self = .noised(try NoisedEncoding(decoding: bytes))
    default: throw Refusal(.badMechanism, "this version knows the noise mechanisms none and discrete_gaussian only")
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
    }
  }
}

extension RoundPlan {
  /// Noise shares in every sum that nobody who sees it knows: the fewest inputs less the colluders, of which a site that looks is one.
  public var noiseShares: Int { inputsMin - max(colluders, 1) }
}
