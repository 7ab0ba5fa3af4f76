// The mean over an image's cells, which a classifier takes before its scores. Sums run in double precision in the cells' order, so the
// result does not depend on how images are shared between threads.

enum CellMean {
  /// One image; `to` has one cell per image.
  static func forward(_ from: PixelPointer, _ to: PixelPointer, image: Int, channels: Int) {
    let cells = from.height * from.width
    for channel in 0..<channels {
      var sum = 0.0
      for cell in 0..<cells { sum += Double(from.image(image)[cell * from.ld + channel]) }
      to.image(image)[channel] = Float(sum / Double(cells))
    }
  }

  /// Gradient `from` of the means, written (or added, if `accumulates`) to the cells of `to`.
  static func backward(_ from: PixelPointer, _ to: PixelPointer, image: Int, channels: Int, accumulates: Bool) {
    let cells = to.height * to.width
    for cell in 0..<cells {
      for channel in 0..<channels {
        let share = from.image(image)[channel] / Float(cells)
        let place = to.image(image) + cell * to.ld + channel
        place.pointee = accumulates ? place.pointee + share : share
      }
    }
  }
}
