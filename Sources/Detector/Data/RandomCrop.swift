// The random crop around an image's centre. Where it only scales and shifts, as YOLOv5's weakest settings do, rows and columns are
// tabulated once; where it also turns, shears or tilts, every pixel goes through a 3×3 matrix. Boxes follow with their corners, and
// what is left of one decides whether it stays.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension Augmentation {
  /// A random crop of `shape`.
  func crop(_ placed: Placed, to shape: SampleShape, _ random: inout SampleRandom) -> Placed {
    settings.turnsOrTilts ? tilted(placed, to: shape, &random) : scaled(placed, to: shape, &random)
  }

  private func shift(_ shape: SampleShape, _ random: inout SampleRandom) -> (x: Double, y: Double) {
    let x = random.uniform(0.5 - settings.translate, 0.5 + settings.translate)
    let y = random.uniform(0.5 - settings.translate, 0.5 + settings.translate)
    return (x, y)
  }

  private func scaled(_ placed: Placed, to shape: SampleShape, _ random: inout SampleRandom) -> Placed {
    let scale = Float(random.uniform(1 - settings.scale, 1 + settings.scale))
    let shift = shift(shape, &random)
    let (shiftX, shiftY) = (Float(shift.x) * Float(shape.width), Float(shift.y) * Float(shape.height))
    let (centreX, centreY) = (Float(placed.image.width) / 2, Float(placed.image.height) / 2)
    var out = Placed(image: placed.image.warped(to: shape, scale: scale, from: (centreX, centreY), at: (shiftX, shiftY)))
    for box in placed.boxes {
      func x(_ value: Float) -> Float { (value - centreX) * scale + shiftX }
      func y(_ value: Float) -> Float { (value - centreY) * scale + shiftY }
      let moved = Placed.Box(classIndex: box.classIndex, left: x(box.left), top: y(box.top), right: x(box.right), bottom: y(box.bottom))
      out.keep(moved, areaBefore: (box.right - box.left) * (box.bottom - box.top) * scale * scale)
    }
    return out
  }

  private func tilted(_ placed: Placed, to shape: SampleShape, _ random: inout SampleRandom) -> Placed {
    let tilt = (random.uniform(-settings.perspective, settings.perspective), random.uniform(-settings.perspective, settings.perspective))
    let angle = random.uniform(-settings.degrees, settings.degrees) * .pi / 180
    let scale = random.uniform(1 - settings.scale, 1 + settings.scale)
    func slope() -> Double { tan(random.uniform(-settings.shear, settings.shear) * .pi / 180) }
    let shear = (slope(), slope())
    let shift = shift(shape, &random)
    let motion =
      Homography.moving(x: shift.x * Double(shape.width), y: shift.y * Double(shape.height))
      * Homography([1, shear.0, 0], [shear.1, 1, 0], [0, 0, 1])
      * Homography([scale * cos(angle), scale * sin(angle), 0], [-scale * sin(angle), scale * cos(angle), 0], [0, 0, 1])
      * Homography([1, 0, 0], [0, 1, 0], [tilt.0, tilt.1, 1])
      * Homography.moving(x: -Double(placed.image.width) / 2, y: -Double(placed.image.height) / 2)
    // Two shears of 45° flatten the plane to a line, of which nothing is seen.
    guard let back = motion.inverse else {
      return Placed(image: RGBImage(width: shape.width, height: shape.height, grey: RGBImage.padding))
    }
    var out = Placed(image: placed.image.warped(to: shape, from: back))
    for box in placed.boxes {
      guard let frame = motion.frame(left: box.left, top: box.top, right: box.right, bottom: box.bottom) else { continue }
      let moved = Placed.Box(
        classIndex: box.classIndex, left: Float(frame.left), top: Float(frame.top), right: Float(frame.right), bottom: Float(frame.bottom))
      out.keep(moved, areaBefore: (box.right - box.left) * (box.bottom - box.top) * Float(scale * scale))
    }
    return out
  }
}

extension Placed {
  /// Clips a box to the image and keeps it unless too little is left of it: 2 pixels a side, a tenth of its area, a side a hundredth of
  /// the other.
  fileprivate mutating func keep(_ box: Box, areaBefore: Float) {
    let (limitX, limitY) = (Float(image.width), Float(image.height))
    let kept = Box(
      classIndex: box.classIndex, left: min(max(box.left, 0), limitX), top: min(max(box.top, 0), limitY),
      right: min(max(box.right, 0), limitX), bottom: min(max(box.bottom, 0), limitY))
    let (w, h) = (kept.right - kept.left, kept.bottom - kept.top)
    let aspect = max(w / (h + 1e-16), h / (w + 1e-16))
    if w > 2, h > 2, w * h / (areaBefore + 1e-16) > 0.1, aspect < 100 { boxes.append(kept) }
  }
}
