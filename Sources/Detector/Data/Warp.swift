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
    let (columns, rows, sourceWidth) = (shape.width, shape.height, width)
    let (limitX, limitY) = (Double(width), Double(height))
    let steps = SIMD3(back.rows[0].x, back.rows[1].x, back.rows[2].x)
    let out = [UInt8](unsafeUninitializedCapacity: columns * rows * 3) { out, count in
      pixels.withUnsafeBufferPointer { source in
        for y in 0..<rows {
          let start = SIMD3(
            back.rows[0].y * Double(y) + back.rows[0].z, back.rows[1].y * Double(y) + back.rows[1].z,
            back.rows[2].y * Double(y) + back.rows[2].z)
          for x in 0..<columns {
            let point = start + steps * Double(x)
            let (sx, sy) = (point.x / point.z, point.y / point.z)
            let to = (y &* columns &+ x) &* 3
            // Nothing lies behind the viewer, and no neighbour inside is grey; a comparison with NaN fails.
            guard point.z > 1e-9, sx > -1, sy > -1, sx < limitX, sy < limitY else {
              for c in 0..<3 { out[to &+ c] = Self.padding }
              continue
            }
            let (floorX, floorY) = (sx.rounded(.down), sy.rounded(.down))
            let (x0, y0, fx, fy) = (Int(floorX), Int(floorY), Float(sx - floorX), Float(sy - floorY))
            let (hasLeft, hasRight, hasTop, hasBottom) = (x0 >= 0, x0 &+ 1 < sourceWidth, y0 >= 0, y0 &+ 1 < height)
            let base = (y0 &* sourceWidth &+ x0) &* 3
            for c in 0..<3 {
              @inline(__always) func at(_ inside: Bool, _ offset: Int) -> Float {
                inside ? Float(source[base &+ offset &+ c]) : Float(Self.padding)
              }
              let top = at(hasTop && hasLeft, 0) * (1 - fx) + at(hasTop && hasRight, 3) * fx
              let bottom =
                at(hasBottom && hasLeft, sourceWidth &* 3) * (1 - fx) + at(hasBottom && hasRight, sourceWidth &* 3 &+ 3) * fx
              out[to &+ c] = UInt8(top * (1 - fy) + bottom * fy + 0.5)
            }
          }
        }
      }
      count = columns * rows * 3
    }
    return RGBImage(width: columns, height: rows, pixels: out)
  }
}
