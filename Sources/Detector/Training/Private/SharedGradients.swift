// What a round asks of a trainer whose site shares the noise with others (spec/13, "The form distributed"): one step's sum of clipped
// gradients in whole numbers, to which the client adds its share.

import DPAccountant

public struct SharedGradients: Equatable, Sendable, Codable {
  /// C: the largest L2 norm of one image's gradient.
  public var clip: Double
  /// q: probability with which each image takes part.
  public var samplingRate: Double
  /// S: grid steps that make the clip.
  public var resolution: Int
  /// Δ₂²: the largest squared norm of one image's whole numbers.
  public var normSquaredMax: UInt64
  /// k: blocks of 2^k values are rotated.
  public var blockBits: Int
  /// 32 public bytes that the rotation's signs follow from.
  public var rotationKey: [UInt8]

  public static let resolutionRange = 1...1 << 25
  public static let normSquaredRange = 1...1 << 53
  public static let blockBitsRange = 0...16
  public static let rotationKeyBytes = 32

  public init(clip: Double, samplingRate: Double, resolution: Int, normSquaredMax: UInt64, blockBits: Int, rotationKey: [UInt8]) {
    (self.clip, self.samplingRate, self.resolution, self.normSquaredMax) = (clip, samplingRate, resolution, normSquaredMax)
    (self.blockBits, self.rotationKey) = (blockBits, rotationKey)
  }

  /// Values after padding to whole blocks.
  func paddedCount(_ count: Int) -> Int { BlockRotation.paddedCount(count, blockBits: blockBits) }
}
