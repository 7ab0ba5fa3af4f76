// The discrete Fourier transform of a real sequence: its even and odd places are the real and imaginary parts of a sequence of half the
// length, whose spectrum is taken apart. Half the memory and half the time of a complex transform.
import Foundation

struct RealTransform {
  let count: Int
  private let half: FourierTransform
  /// cos and −sin of 2πk / count, k being the frequency at a place of the half transform: in bit-reversed order a place 2^j + r has the
  /// angle of r and π / 2^{j+1} more.
  private let cosines: [Double]
  private let sines: [Double]

  /// - Precondition: count is a power of two, at least 8.
  init(count: Int) {
    self.count = count
    half = FourierTransform(count: count / 2)
    var (cosines, sines) = ([Double](repeating: 1, count: count / 2), [Double](repeating: 0, count: count / 2))
    var block = 1
    while block < count / 2 {
      let (cosine, sine) = (cos(Double.pi / Double(2 * block)), -sin(Double.pi / Double(2 * block)))
      for place in 0..<block {
        cosines[block + place] = cosines[place] * cosine - sines[place] * sine
        sines[block + place] = sines[place] * cosine + cosines[place] * sine
      }
      block *= 2
    }
    (self.cosines, self.sines) = (cosines, sines)
  }

  /// No frequency, and no value of `backward` before the division by `count`, is off by more than this times the inputs' magnitudes in sum:
  /// one stage more, whose angles are off by two units a level, and both halves of the spectrum count in a frequency.
  var relativeError: Double { 2 * half.relativeError + Double(2 * count.trailingZeroBitCount + 16) * Double.ulpOfOne }

  /// Hands the frequencies 0 ... count/2 to `take` as place, real and imaginary part. Places are those of `backward`.
  func forward(_ sequence: [Double], _ take: (Int, Double, Double) -> Void) {
    precondition(sequence.count == count, "the transform's length")
    var (real, imaginary) = ([Double](repeating: 0, count: count / 2), [Double](repeating: 0, count: count / 2))
    for index in 0..<count / 2 { (real[index], imaginary[index]) = (sequence[2 * index], sequence[2 * index + 1]) }
    half.forward(&real, &imaginary)
    take(0, real[0] + imaginary[0], 0)
    take(count / 2, real[0] - imaginary[0], 0)
    eachPair { place, mirror, cosine, sine in
      let (p, q, r, s) = (real[place], imaginary[place], real[mirror], imaginary[mirror])
      // Spectra of the even places (a, b) and of the odd ones (c, d), the latter turned.
      let (a, b, c, d) = ((p + r) / 2, (q - s) / 2, (q + s) / 2, (r - p) / 2)
      let (x, y) = (c * cosine - d * sine, d * cosine + c * sine)
      take(place, a + x, b + y)
      if mirror != place { take(mirror, a - x, y - b) }
    }
  }

  /// The sequence of a spectrum that is given at the places of `forward`.
  func backward(_ spectrum: (real: [Double], imaginary: [Double])) -> [Double] {
    let (first, last) = (spectrum.real[0], spectrum.real[count / 2])
    var (real, imaginary) = ([Double](repeating: 0, count: count / 2), [Double](repeating: 0, count: count / 2))
    (real[0], imaginary[0]) = ((first + last) / 2, (first - last) / 2)
    eachPair { place, mirror, cosine, sine in
      let (p, q, r, s) = (spectrum.real[place], spectrum.imaginary[place], spectrum.real[mirror], spectrum.imaginary[mirror])
      let (a, b, x, y) = ((p + r) / 2, (q - s) / 2, (p - r) / 2, (q + s) / 2)
      let (c, d) = (x * cosine + y * sine, y * cosine - x * sine)
      (real[place], imaginary[place]) = (a - d, b + c)
      if mirror != place { (real[mirror], imaginary[mirror]) = (a + d, c - b) }
    }
    half.backward(&real, &imaginary)
    var sequence = [Double](repeating: 0, count: count)
    for index in 0..<count / 2 { (sequence[2 * index], sequence[2 * index + 1]) = (real[index], imaginary[index]) }
    return sequence
  }

  /// Every place of the half transform but 0 with its mirror, once.
  @inline(__always)
  private func eachPair(_ body: (_ place: Int, _ mirror: Int, _ cosine: Double, _ sine: Double) -> Void) {
    for place in 1..<count / 2 {
      let mirror = FourierTransform.mirror(place)
      if place <= mirror { body(place, mirror, cosines[place], sines[place]) }
    }
  }
}
