// The crops of the augmentation with bilinear interpolation, grey outside: by scale and shift alone, where the source position of a
// whole row of pixels advances by a constant, so that rows and columns are tabulated once; and by any 3×3 matrix, which is also the
// readable definition that the tests hold the first one to.

extension RGBImage {
  /// The image of `shape` in which source point `from` lies at `to`, at `scale`.
  func warped(to shape: SampleShape, scale: Float, from: (x: Float, y: Float), at to: (x: Float, y: Float)) -> RGBImage {
    let side = shape.width
    let columns = Self.positions(side, scale, from.x, to.x, limit: width)
    let rows = Self.positions(shape.height, scale, from.y, to.y, limit: height)
    let (sourceWidth, grey) = (width, Float(Self.padding))
    let out = [UInt8](unsafeUninitializedCapacity: side * shape.height * 3) { out, count in
      pixels.withUnsafeBufferPointer { source in
        for y in 0..<shape.height {
          let (y0, fy, hasTop, hasBottom) = rows[y]
          for x in 0..<side {
            let (x0, fx, hasLeft, hasRight) = columns[x]
            let base = (y0 &* sourceWidth &+ x0) &* 3
            // All four neighbours inside, as for nearly every pixel, or none.
            if hasTop && hasBottom && hasLeft && hasRight {
              let below = base &+ sourceWidth &* 3
              for c in 0..<3 {
                let top = Float(source[base &+ c]) * (1 - fx) + Float(source[base &+ 3 &+ c]) * fx
                let bottom = Float(source[below &+ c]) * (1 - fx) + Float(source[below &+ 3 &+ c]) * fx
                out[(y &* side &+ x) &* 3 &+ c] = UInt8(truncatingIfNeeded: Int32(top * (1 - fy) + bottom * fy + 0.5))
              }
              continue
            }
            guard (hasTop || hasBottom) && (hasLeft || hasRight) else {
              for c in 0..<3 { out[(y &* side &+ x) &* 3 &+ c] = Self.padding }
              continue
            }
            for c in 0..<3 {
              func at(_ inside: Bool, _ offset: Int) -> Float { inside ? Float(source[base &+ offset &+ c]) : grey }
              let top = at(hasTop && hasLeft, 0) * (1 - fx) + at(hasTop && hasRight, 3) * fx
              let bottom =
                at(hasBottom && hasLeft, sourceWidth &* 3) * (1 - fx) + at(hasBottom && hasRight, sourceWidth &* 3 &+ 3) * fx
              out[(y &* side &+ x) &* 3 &+ c] = UInt8(top * (1 - fy) + bottom * fy + 0.5)
            }
          }
        }
      }
      count = side * shape.height * 3
    }
    return RGBImage(width: side, height: shape.height, pixels: out)
  }

  /// For each target index: the source index before it, the part of the next one, and whether each of the two lies inside.
  private static func positions(_ side: Int, _ scale: Float, _ from: Float, _ to: Float, limit: Int) -> [(Int, Float, Bool, Bool)] {
    (0..<side).map { index in
      let position = (Float(index) - to) / scale + from
      let base = Int(position.rounded(.down))
      return (base, position - Float(base), (0..<limit).contains(base), (0..<limit).contains(base + 1))
    }
  }

  /// The image of `shape` whose pixel (x, y) is this image at `back` of (x, y).
  func warped(to shape: SampleShape, from back: Homography) -> RGBImage {
    let (columns, rows) = (shape.width, shape.height)
    let (a, b, c) = (back.rows[0], back.rows[1], back.rows[2])
    let isAffine = c == [0, 0, 1]
    let out = [UInt8](unsafeUninitializedCapacity: columns * rows * 3) { out, count in
      pixels.withUnsafeBufferPointer { source in
        guard let first = source.baseAddress, var to = out.baseAddress else { return }
        let sampler = Sampler(source: first, width: width, height: height)
        for y in 0..<rows {
          let line = (x: a.y * Double(y) + a.z, y: b.y * Double(y) + b.z, z: c.y * Double(y) + c.z)
          for x in 0..<columns {
            var (sx, sy) = (line.x + a.x * Double(x), line.y + b.x * Double(x))
            if !isAffine {
              // Nothing lies behind the viewer: no number, so no pixel.
              let depth = line.z + c.x * Double(x)
              (sx, sy) = depth > 1e-9 ? (sx / depth, sy / depth) : (.nan, .nan)
            }
            sampler.write(sx, sy, to: to)
            to += 3
          }
        }
      }
      count = columns * rows * 3
    }
    return RGBImage(width: columns, height: rows, pixels: out)
  }
}

/// Bilinear samples of an image that is surrounded by grey.
private struct Sampler {
  let source: UnsafePointer<UInt8>
  let width: Int
  let height: Int

  /// Writes the pixel at (x, y); grey where x or y is no number.
  @inline(__always)
  func write(_ x: Double, _ y: Double, to: UnsafeMutablePointer<UInt8>) {
    guard x > -1, y > -1, x < Double(width), y < Double(height) else {
      for c in 0..<3 { to[c] = RGBImage.padding }
      return
    }
    let (floorX, floorY) = (x.rounded(.down), y.rounded(.down))
    let (x0, y0, fx, fy) = (Int(floorX), Int(floorY), Float(x - floorX), Float(y - floorY))
    let (hasLeft, hasRight, hasTop, hasBottom) = (x0 >= 0, x0 &+ 1 < width, y0 >= 0, y0 &+ 1 < height)
    let base = source + (y0 &* width &+ x0) &* 3
    let below = base + width &* 3
    // All four neighbours inside, as for nearly every pixel.
    if hasLeft && hasRight && hasTop && hasBottom {
      for c in 0..<3 {
        let upper = Float(base[c]) * (1 - fx) + Float(base[c &+ 3]) * fx
        let lower = Float(below[c]) * (1 - fx) + Float(below[c &+ 3]) * fx
        to[c] = UInt8(truncatingIfNeeded: Int32(upper * (1 - fy) + lower * fy + 0.5))
      }
      return
    }
    let grey = Float(RGBImage.padding)
    for c in 0..<3 {
      let upper = (hasTop && hasLeft ? Float(base[c]) : grey) * (1 - fx) + (hasTop && hasRight ? Float(base[c &+ 3]) : grey) * fx
      let lower = (hasBottom && hasLeft ? Float(below[c]) : grey) * (1 - fx) + (hasBottom && hasRight ? Float(below[c &+ 3]) : grey) * fx
      to[c] = UInt8(upper * (1 - fy) + lower * fy + 0.5)
    }
  }
}
