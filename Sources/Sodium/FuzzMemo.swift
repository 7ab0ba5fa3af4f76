// In fuzzing builds alone: the same signatures are made and verified again and again, and each is computed once, by libsodium.
#if SECAGG_FUZZ
  /// Values by the hash of what they were computed from. One owner: a fuzz target runs on one thread.
  package final class FuzzMemo<Value>: @unchecked Sendable {
    private var values: [[UInt8]: Value] = [:]
    private static var valuesMax: Int { 100_000 }

    package init() {}

    package func callAsFunction(_ parts: [[UInt8]], _ compute: () -> Value) -> Value {
      let hasher = BLAKE2b.Hasher()
      for part in parts { hasher.update(part) }
      let key = hasher.finalise()
      if let known = values[key] { return known }
      if values.count >= Self.valuesMax { values = [:] }
      let value = compute()
      values[key] = value
      return value
    }
  }

  extension Ed25519 {
    static let verified = FuzzMemo<Bool>()
    static let signed = FuzzMemo<[UInt8]>()
  }
#endif
