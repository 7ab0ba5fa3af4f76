// An image on its way through the augmentation, with its boxes in pixels: mirrors and mixtures change both together.

/// An image with boxes in its pixels.
struct Placed {
  struct Box {
    var classIndex: Int
    var left: Float
    var top: Float
    var right: Float
    var bottom: Float
  }
  var image: RGBImage
  var boxes: [Box] = []

  var labels: [Label] {
    let size = SIMD2(Float(image.width), Float(image.height))
    return boxes.compactMap { box in
      let label = Label(classIndex: box.classIndex, corners: SIMD4(box.left, box.top, box.right, box.bottom), in: size)
      return label.w > 0 && label.h > 0 ? label : nil
    }
  }

  /// Adds an image's labels, the image standing at (x, y) with this size.
  mutating func add(_ labels: [Label], x: Float, y: Float, width: Float, height: Float) {
    boxes += labels.map { label in
      Box(
        classIndex: label.classIndex, left: (label.x - label.w / 2) * width + x, top: (label.y - label.h / 2) * height + y,
        right: (label.x + label.w / 2) * width + x, bottom: (label.y + label.h / 2) * height + y)
    }
  }

  mutating func mirror() {
    let (width, height) = (image.width, image.height)
    image.pixels.withUnsafeMutableBufferPointer { pixels in
      for y in 0..<height {
        for x in 0..<width / 2 {
          let (a, b) = ((y &* width &+ x) &* 3, (y &* width &+ width &- 1 &- x) &* 3)
          for c in 0..<3 { pixels.swapAt(a &+ c, b &+ c) }
        }
      }
    }
    let w = Float(width)
    boxes = boxes.map { Box(classIndex: $0.classIndex, left: w - $0.right, top: $0.top, right: w - $0.left, bottom: $0.bottom) }
  }

  mutating func turnUpsideDown() {
    let (row, height) = (image.width * 3, image.height)
    image.pixels.withUnsafeMutableBufferPointer { pixels in
      for y in 0..<height / 2 {
        for x in 0..<row { pixels.swapAt(y &* row &+ x, (height &- 1 &- y) &* row &+ x) }
      }
    }
    let h = Float(height)
    boxes = boxes.map { Box(classIndex: $0.classIndex, left: $0.left, top: h - $0.bottom, right: $0.right, bottom: h - $0.top) }
  }

  /// Mixes in `other`, of the same size (mix-up, Zhang et al. 2018): `share` of this image, the rest of the other; all objects stay.
  mutating func mix(_ other: Placed, share: Float) {
    precondition(image.width == other.image.width && image.height == other.image.height)
    image.pixels.withUnsafeMutableBufferPointer { pixels in
      other.image.pixels.withUnsafeBufferPointer { others in
        for index in pixels.indices { pixels[index] = UInt8(Float(pixels[index]) * share + Float(others[index]) * (1 - share)) }
      }
    }
    boxes += other.boxes
  }
}
