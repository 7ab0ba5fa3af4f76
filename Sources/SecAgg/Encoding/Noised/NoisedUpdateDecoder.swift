// The noised sum as a mean update (spec/12-noised-rounds.md, "Decoding"). The rotation of whole numbers is exact in doubles, so every party
// that decodes the same sum gets the same bits whatever the order of its additions.
import DPAccountant
import Masking

public struct NoisedUpdateDecoder: Sendable {
  public let parameters: NoisedEncoding

  /// - Throws: the refusal of constants that are out of range.
  public init(_ parameters: NoisedEncoding) throws(Refusal) {
    try parameters.validate()
    self.parameters = parameters
  }

  /// - Parameters:
  ///   - sum: one array, the sum of the section.
  ///   - survivors: |U3|; every site has the same public weight.
  ///   - context: ctx of the attempt.
  /// - Returns: `dimension` parameters and nothing else; of sums over records the mean over the sites of these sums.
  /// - Throws: `.wrongLength`.
  public func decode(sum: [[UInt32]], survivors: Int, context: [UInt8]) throws(EncodingError) -> MeanUpdate {
    guard sum.count == 1, sum[0].count == parameters.paddedDimension else {
      throw EncodingError(.wrongLength, "a sum of another length than the plan's")
    }
    precondition((1...parameters.sites).contains(survivors), "a sum has survivors, all of them invited")
    let ring = Ring(bits: parameters.bits)
    var values = sum[0].map { Double(ring.signed($0)) }
    let rotation = parameters.rotation(context: context)
    rotation.turnBackUnscaled(&values)
    let step = parameters.clip / Double(parameters.resolution) * rotation.scale
    let mean = values.prefix(parameters.dimension).map { $0 * step / Double(survivors) }
    return MeanUpdate(parameters: mean, statistics: [], weight: nil, counts: [:], means: [:])
  }
}
