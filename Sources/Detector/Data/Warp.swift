// The affine crop of the augmentation: scale and shift with bilinear interpolation, grey outside. The source position of a whole row
// of pixels advances by a constant, so rows and columns are tabulated once.

extension RGBImage {
  /// The square of `side` pixels in which source point `from` lies at `to`, at `scale`.
  func warped(side: Int, scale: Float, from: (x: Float, y: Float), to: (x: Float, y: Float)) -> RGBImage {
    let columns = Self.positions(side, scale, from.x, to.x, limit: width)
    let rows = Self.positions(side, scale, from.y, to.y, limit: height)
    let (sourceWidth, grey) = (width, Float(Self.padding))
    let out = [UInt8](unsafeUninitializedCapacity: side * side * 3) { out, count in
      pixels.withUnsafeBufferPointer { source in
        for y in 0..<side {
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
      count = side * side * 3
    }
    return RGBImage(width: side, height: side, pixels: out)
  }

  /// For each target index: the source index before it, the part of the next one, and whether each of the two lies inside.
  private static func positions(_ side: Int, _ scale: Float, _ from: Float, _ to: Float, limit: Int) -> [(Int, Float, Bool, Bool)] {
    (0..<side).map { index in
      let position = (Float(index) - to) / scale + from
      let base = Int(position.rounded(.down))
      return (base, position - Float(base), (0..<limit).contains(base), (0..<limit).contains(base + 1))
    }
  }
}
