// Twenty colours that are told apart beside each other, and the text colour that is read on each.

struct DrawingColor: Equatable, Sendable {
  var red: UInt8
  var green: UInt8
  var blue: UInt8

  static let black = DrawingColor(red: 0, green: 0, blue: 0)
  static let white = DrawingColor(red: 255, green: 255, blue: 255)

  init(red: UInt8, green: UInt8, blue: UInt8) { (self.red, self.green, self.blue) = (red, green, blue) }

  private init(_ hex: UInt32) {
    self.init(red: UInt8(hex >> 16), green: UInt8(hex >> 8 & 255), blue: UInt8(hex & 255))
  }

  private static let palette: [DrawingColor] = [
    0xe6194b, 0x3cb44b, 0x4363d8, 0xf58231, 0x911eb4, 0x42d4f4, 0xf032e6, 0xffe119, 0x469990, 0x9a6324, 0xbfef45, 0x800000, 0x000075,
    0x808000, 0xfabed4, 0xaaffc3, 0xdcbeff, 0xffd8b1, 0xfffac8, 0xa9a9a9,
  ].map { DrawingColor($0) }

  /// The colour of a class; the twenty-first has the first's.
  static func ofClass(_ index: Int) -> DrawingColor { palette[index % palette.count] }

  /// Black or white, whichever contrasts more (relative luminance as in WCAG, linearised by a square).
  var text: DrawingColor {
    func part(_ value: UInt8) -> Double { Double(value) / 255 * Double(value) / 255 }
    let luminance = 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue)
    return (luminance + 0.05) * (luminance + 0.05) > 1.05 * 0.05 ? .black : .white
  }
}
