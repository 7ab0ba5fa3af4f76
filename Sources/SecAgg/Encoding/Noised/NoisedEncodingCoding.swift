// The canonical bytes of the noised mechanism (spec/12-noised-rounds.md, "Mechanism bytes").

extension NoisedEncoding {
  /// Names of the mechanism bytes: which noise, and whether inputs are sums over sampled records.
  enum Name: String, CaseIterable {
    case discreteGaussian = "discrete_gaussian"
    case skellam
    case sampledDiscreteGaussian = "sampled_discrete_gaussian"
    case sampledSkellam = "sampled_skellam"

    var isSampled: Bool { self == .sampledDiscreteGaussian || self == .sampledSkellam }
    var isSkellam: Bool { self == .skellam || self == .sampledSkellam }
  }

  private var name: Name {
    noise == .discreteGaussian
      ? samplingRate == nil ? .discreteGaussian : .sampledDiscreteGaussian : samplingRate == nil ? .skellam : .sampledSkellam
  }

  public func encoded() -> [UInt8] {
    var writer = ByteWriter()
    writer.u8(Mechanism.version)
    writer.text8(name.rawValue)
    writer.u32(UInt32(clamping: sites))
    writer.u32(UInt32(clamping: dimension))
    writer.u8(UInt8(clamping: bits))
    writer.double(clip)
    writer.u32(resolution)
    writer.u8(UInt8(clamping: blockBits))
    writer.u32(coordinateBound)
    writer.u64(normSquaredMax)
    writer.u64(variance.numerator)
    writer.u64(variance.denominator)
    if case .removableSkellam(let survivorsMin, let known) = noise {
      writer.u32(UInt32(clamping: survivorsMin))
      writer.u32(UInt32(clamping: known))
    }
    if let samplingRate { writer.double(samplingRate) }
    return writer.bytes
  }

  /// - Throws: SA-18 for anything but the canonical bytes of valid constants, SA-17 where a sum could wrap.
  init(decoding bytes: [UInt8]) throws(Refusal) {
    self = try Mechanism.parsed { () throws(Refusal) in try NoisedEncoding(parsing: bytes) }
    try validate()
  }

  private init(parsing bytes: [UInt8]) throws(Refusal) {
    var reader = ByteReader(bytes)
    try Mechanism.readVersion(&reader)
    guard let name = Name(rawValue: try reader.text8()) else { throw Refusal(.badMechanism, "a mechanism without noise") }
    let sites = Int(try reader.u32())
    let dimension = Int(try reader.u32())
    let bits = Int(try reader.u8())
    let clip = try reader.double()
    let resolution = try reader.u32()
    let blockBits = Int(try reader.u8())
    let coordinateBound = try reader.u32()
    let normSquaredMax = try reader.u64()
    guard let variance = Fraction(try reader.u64(), try reader.u64()) else {
      throw Refusal(.badMechanism, "a variance is a fraction in lowest terms")
    }
    let noise =
      name.isSkellam ? Noise.removableSkellam(survivorsMin: Int(try reader.u32()), known: Int(try reader.u32())) : .discreteGaussian
    let samplingRate = name.isSampled ? try reader.double() : nil
    try reader.finish()
    self.init(
      sites: sites, dimension: dimension, bits: bits, clip: clip, resolution: resolution, blockBits: blockBits,
      coordinateBound: coordinateBound, normSquaredMax: normSquaredMax, variance: variance, noise: noise, samplingRate: samplingRate)
  }
}
