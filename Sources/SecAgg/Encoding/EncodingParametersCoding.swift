// The canonical bytes of the mechanism (spec/04-quantisation-and-wrap-bound.md, "Mechanism bytes").

extension EncodingParameters {
  public func encoded() -> [UInt8] {
    var writer = ByteWriter()
    writer.u8(Mechanism.version)
    writer.text8(Mechanism.plainName)
    writer.u32(UInt32(clamping: sites))
    writer.double(parameterRange)
    writer.double(statisticsRange)
    writer.u8(UInt8(clamping: parameterBits))
    writer.u8(UInt8(clamping: statisticsBits))
    writer.u64(samplesReference)
    writer.u16(UInt16(clamping: scalars.count))
    for scalar in scalars {
      writer.text8(scalar.name)
      writer.u8(scalar.isCount ? 1 : 0)
      writer.double(scalar.range)
    }
    return writer.bytes
  }

  /// - Throws: SA-18 for anything but the canonical bytes of valid parameters, SA-17 where a sum could wrap.
  public init(decoding bytes: [UInt8]) throws(Refusal) {
    self = try Mechanism.parsed { () throws(Refusal) in try EncodingParameters(parsing: bytes) }
    try validate()
  }

  private init(parsing bytes: [UInt8]) throws(Refusal) {
    var reader = ByteReader(bytes)
    try Mechanism.readVersion(&reader)
    guard try reader.text8() == Mechanism.plainName else { throw Refusal(.badMechanism, "a mechanism with noise") }
    let sites = Int(try reader.u32())
    let parameterRange = try reader.double()
    let statisticsRange = try reader.double()
    let parameterBits = Int(try reader.u8())
    let statisticsBits = Int(try reader.u8())
    let samplesReference = try reader.u64()
    let count = Int(try reader.u16())
    guard count <= EncodingParameters.scalarsMax else { throw Refusal(.badMechanism, "\(count) scalars") }
    var scalars: [ScalarSpec] = []
    for _ in 0..<count {
      let name = try reader.text8()
      let flag = try reader.u8()
      guard flag <= 1 else { throw Refusal(.badMechanism, "a flag is neither 0 nor 1") }
      scalars.append(ScalarSpec(name: name, range: try reader.double(), isCount: flag == 1))
    }
    try reader.finish()
    self.init(
      sites: sites, parameterRange: parameterRange, statisticsRange: statisticsRange, parameterBits: parameterBits,
      statisticsBits: statisticsBits, samplesReference: samplesReference, scalars: scalars)
  }
}
