// The fast sampler's table: magnitudes in 1023 bins of 2^j values and a last bin for all beyond, integer heights above the density that
// sum to 2^26 exactly, an alias table over them in integers, and for each bin what decides nearly every acceptance without the density
// (spec/11-samplers.md, "The table"). Built from bounds, rounded to the safe side: heights up, squeezes and lower lines down.
import GMP

struct EnvelopeTable: Sendable {
  static let binBits = 10
  static let bins = 1 << binBits
  /// The bin of everything beyond the others.
  static let tailBin = bins - 1
  static let coinBits = 16
  /// Sum of all heights.
  static let total = bins << coinBits
  /// Precision of the bounds that the table is made from.
  static let precision = 144

  /// j: a bin has 2^j magnitudes.
  let widthBits: Int
  /// C: the density's scale. f(m) C is at most the height of m's bin.
  let scale: UInt64
  let heights: [UInt64]
  /// Per bin ⌊2^16 · smallest acceptance⌋, at most 2^16 − 1; 0 for the tail.
  let squeezes: [UInt64]
  let lines: [AcceptanceLines]
  /// Per slot: what the sampler's loop reads (see `AliasTable`).
  let slots: [UInt64]

  /// The smallest j with 2^j ≥ σ/128, so that 1023 bins reach 7.99 σ or further.
  static func widthBits(variance: Rational) -> Int {
    var width = 0
    while Rational(BigInteger(1) << (2 * width + 14)) < variance { width += 1 }
    return width
  }

  init(density: any LatticeDensity, widthBits: Int) {
    let edges = EnvelopeTable.edges(density, widthBits)
    let regular = edges.prefix(EnvelopeTable.tailBin)
    let sum = regular.reduce(BigInteger(0)) { $0 + $1.upper }
    let room = BigInteger(EnvelopeTable.total - EnvelopeTable.bins) << EnvelopeTable.precision
    let scale = BigInteger.quotient(room, sum)
    var heights = regular.map { edge in
      // ⌈C · upper⌉; at most C · upper + 1, so that all of them leave at least one unit to the tail.
      -((-(scale * edge.upper)) >> EnvelopeTable.precision)
    }
    heights.append(BigInteger(EnvelopeTable.total) - heights.reduce(BigInteger(0), +))
    EnvelopeTable.checkTail(edges, scale)

    self.widthBits = widthBits
    self.scale = UInt64(scale.unsigned!)
    self.heights = heights.map { UInt64($0.unsigned!) }
    lines = heights.indices.map { bin in
      if bin == EnvelopeTable.tailBin { return .undecided }
      return widthBits == 0
        ? AcceptanceLines(constant: edges[bin], scale: scale, height: heights[bin])
        : AcceptanceLines(edges: Array(edges[bin...bin + 2]), scale: scale, height: heights[bin])
    }
    squeezes = lines.map { $0.atEnd.lower >> 48 }
    slots = AliasTable.slots(heights: self.heights, squeezes: squeezes)
  }

  /// Bounds of f at the first magnitude of every bin and of two more. A bin of one magnitude proposes zero with both signs: half its f.
  private static func edges(_ density: any LatticeDensity, _ widthBits: Int) -> [Enclosure] {
    let negligible = BigInteger(1) << (precision - 100)
    var edges: [Enclosure] = []
    for bin in 0..<bins + 2 {
      // f falls: what follows a negligible value is no larger, and no better bound of it is of use.
      if let last = edges.last, last.upper < negligible {
        edges.append(Enclosure(lower: BigInteger(0), upper: last.upper))
        continue
      }
      let edge = density.bounds(BigInteger(bin) << widthBits, bits: precision)
      edges.append(
        bin == 0 && widthBits == 0 ? Enclosure(lower: edge.lower >> 1, upper: (edge.upper + BigInteger(1)) >> 1) : edge)
    }
    return edges
  }

  /// What the tail sampler relies on [NS-26]: an acceptance below 2^−8 in its first block, that does not rise from block to block.
  private static func checkTail(_ edges: [Enclosure], _ scale: BigInteger) {
    let start = edges[tailBin].upper
    precondition(start << 4 <= BigInteger(1) << precision, "log-concavity makes f fall by half a block: f(0) is at least 1/8")
    precondition((scale * start) << (binBits + 9) <= BigInteger(1) << precision, "the tail is thin")
  }
}
