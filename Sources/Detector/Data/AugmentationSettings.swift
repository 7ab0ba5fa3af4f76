// How much of each random change a training image gets.

/// Strength of the augmentation; YOLOv5's scratch-low values.
public struct AugmentationSettings: Equatable, Sendable {
  /// Probability of a mosaic.
  public var mosaic = 1.0
  /// Probability that a mosaic has a second one mixed into it.
  public var mixup = 0.0
  /// Scale is uniform in 1 ± this.
  public var scale = 0.5
  /// The crop is shifted by up to this fraction of the image.
  public var translate = 0.1
  /// Largest rotation and shear either way, in degrees.
  public var degrees = 0.0
  public var shear = 0.0
  /// Largest change of the homogeneous coordinate a pixel.
  public var perspective = 0.0
  /// Largest relative change of hue, saturation and value.
  public var hue = 0.015
  public var saturation = 0.7
  public var value = 0.4
  /// Probability of a mirror image, and of one that is upside down.
  public var flip = 0.5
  public var flipUpDown = 0.0

  public init() {}

  public init(_ hyper: HyperParameters) {
    (mosaic, mixup, scale, translate) = (hyper.mosaic, hyper.mixup, hyper.scale, hyper.translate)
    (degrees, shear, perspective) = (hyper.degrees, hyper.shear, hyper.perspective)
    (hue, saturation, value) = (hyper.hue, hyper.saturation, hyper.value)
    (flip, flipUpDown) = (hyper.flipLeftRight, hyper.flipUpDown)
  }

  /// Nothing random: letterboxed images as they are.
  public static let none: AugmentationSettings = {
    var settings = AugmentationSettings()
    (settings.mosaic, settings.scale, settings.translate) = (0, 0, 0)
    (settings.hue, settings.saturation, settings.value, settings.flip) = (0, 0, 0, 0)
    return settings
  }()

  /// True if a crop is more than scaled and shifted.
  var turnsOrTilts: Bool { degrees > 0 || shear > 0 || perspective > 0 }
  /// True if single images are cropped at all.
  var crops: Bool { scale > 0 || translate > 0 || turnsOrTilts }
  var shiftsColours: Bool { hue > 0 || saturation > 0 || value > 0 }
}
