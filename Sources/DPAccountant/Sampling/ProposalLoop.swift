// The loop that makes proposals, and what follows where the squeeze does not accept (spec/11-samplers.md [NS-25] fixes its bytes).
// Samples leave in the order of their proposals, so positions say nothing about values. Measured on a 2.5 GHz Xeon core (Skylake), random
// bytes included: 80 million Gaussian and 69 million Skellam samples a second at σ = 1000, 107 million where a bin is one magnitude.
import GMP
import Sodium

extension NoiseSampler {
  /// Samples are made in blocks of so many, each from its own words: a buffer may be filled in pieces that are multiples of it.
  public static let blockSamples = 1024
  /// Offsets up to here fit in the proposal's own word: 64 − 10 − 16 − 16 − 1.
  static let ownOffsetBits = 21
  private var wordsPerProposal: Int { table.widthBits > NoiseSampler.ownOffsetBits ? 2 : 1 }

  /// One block after the other.
  func fillBlocks(_ samples: UnsafeMutableBufferPointer<Int64>, from source: inout some RandomSource & ~Copyable) {
    guard let target = samples.baseAddress else { return }
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: NoiseSampler.blockSamples * wordsPerProposal) { words in
      defer { SodiumLibrary.wipe(UnsafeMutableRawBufferPointer(words)) }
      for start in stride(from: 0, to: samples.count, by: NoiseSampler.blockSamples) {
        let count = min(NoiseSampler.blockSamples, samples.count - start)
        fillBlock(target + start, count, words.baseAddress!, from: &source)
      }
    }
  }

  /// As many proposals as samples are missing, until none is.
  private func fillBlock(
    _ target: UnsafeMutablePointer<Int64>, _ count: Int, _ words: UnsafeMutablePointer<UInt64>,
    from source: inout some RandomSource & ~Copyable
  ) {
    var done = 0
    while done < count {
      let end = (count - done) * wordsPerProposal
      source.fill(UnsafeMutableRawBufferPointer(start: words, count: 8 * end))
      var next = 0
      while let proposal = acceptRun(words, &next, end, target, &done) {
        guard let sample = decide(proposal, &source) else { continue }
        target[done] = sample
        done += 1
      }
    }
  }

  /// Takes proposals while the squeeze accepts them; the first that it does not accept is the result, nil at the end of the words.
  /// Not generic: the compiler would not specialise it for sources of other modules.
  private func acceptRun(
    _ words: UnsafePointer<UInt64>, _ next: inout Int, _ end: Int, _ target: UnsafeMutablePointer<Int64>, _ done: inout Int
  ) -> Proposal? {
    let step = wordsPerProposal
    let offsetShift = UInt64(63 - table.widthBits)
    let widthShift = UInt64(table.widthBits)
    // A bin of one magnitude holds zero at half its weight, and takes it with both signs; otherwise −0 is refused.
    let signedZero: UInt64 = table.widthBits == 0 ? 0 : 1
    return table.slots.withUnsafeBufferPointer { slots in
      let slots = slots.baseAddress!
      while next < end {
        let word = UInt64(littleEndian: words[next])
        let last = UInt64(littleEndian: words[next &+ step &- 1])
        next &+= step
        let slot = word & 1023
        let entry = slots[Int(truncatingIfNeeded: slot)]
        let isOwn = (word &>> 10) & 0xffff < entry & 0xffff
        let bin = isOwn ? slot : (entry &>> 16) & 1023
        let squeeze = (isOwn ? entry &>> 42 : entry &>> 26) & 0xffff
        let level = (word &>> 26) & 0xffff
        let sign = (word &>> 42) & 1
        let magnitude = bin &<< widthShift | (last &>> offsetShift) &>> 1
        // Negative where level < squeeze and the magnitude is no zero with a sign.
        let accepted = (level &- squeeze) & ~(magnitude &- (sign & signedZero))
        guard Int64(bitPattern: accepted) < 0 else {
          return Proposal(bin: bin, magnitude: magnitude, isNegative: sign == 1, level: level)
        }
        target[done] = Int64(bitPattern: (magnitude ^ (0 &- sign)) &+ sign)
        done &+= 1
      }
      return nil
    }
  }
}

/// A proposal that the squeeze did not accept.
struct Proposal {
  let bin: UInt64
  let magnitude: UInt64
  let isNegative: Bool
  /// The first 16 bits of the uniform number that is compared with the acceptance.
  let level: UInt64
}

extension NoiseSampler {
  /// The sample, or nil where the proposal is refused.
  @inline(never)
  func decide(_ proposal: Proposal, _ source: inout some RandomSource & ~Copyable) -> Int64? {
    if table.widthBits > 0, proposal.magnitude == 0, proposal.isNegative { return nil }
    var uniform = LazyUniform(level: proposal.level, from: &source)
    if proposal.bin == UInt64(EnvelopeTable.tailBin) { return decideTail(proposal, &uniform, &source) }
    let sample = proposal.isNegative ? -Int64(proposal.magnitude) : Int64(proposal.magnitude)
    let offset = proposal.magnitude - proposal.bin << UInt64(table.widthBits)
    let bounds = table.lines[Int(proposal.bin)].bounds(offset: offset, widthBits: table.widthBits)
    if uniform.leading < bounds.lower { return sample }
    if uniform.leading > bounds.upper { return nil }
    // A bin of one magnitude holds half of f(0).
    let halving = table.widthBits == 0 && proposal.magnitude == 0 ? 1 : 0
    let accepted = uniform.isBelow(
      density, at: BigInteger(UInt(proposal.magnitude)), numerator: BigInteger(UInt(table.scale)),
      denominator: BigInteger(UInt(table.heights[Int(proposal.bin)])) << halving, from: &source)
    return accepted ? sample : nil
  }

  /// Beyond the bins: block k ≥ 0 of 2^(10+j) magnitudes with probability 2^−(k+1), a uniform offset in it, and the acceptance
  /// C f(m) 2^(k+11) / height, which is below 2^−8 throughout (`EnvelopeTable.checkTail`).
  @inline(never)
  private func decideTail(
    _ proposal: Proposal, _ uniform: inout LazyUniform, _ source: inout some RandomSource & ~Copyable
  ) -> Int64? {
    if uniform.leading >> 56 != 0 { return nil }
    var block = 0
    while source.word() & 1 == 1 { block += 1 }
    let bits = EnvelopeTable.binBits + table.widthBits
    let offset = BigInteger(UInt(source.word() >> UInt64(64 - bits)))
    let start = BigInteger(EnvelopeTable.tailBin) << table.widthBits
    let magnitude = start + (BigInteger(block) << bits) + offset
    let accepted = uniform.isBelow(
      density, at: magnitude, numerator: BigInteger(UInt(table.scale)) << (block + EnvelopeTable.binBits + 1),
      denominator: BigInteger(UInt(table.heights[EnvelopeTable.tailBin])), from: &source)
    guard accepted else { return nil }
    // Beyond 2^62 only with a probability below e^−(2^50): the integers of the result end before the distribution does.
    guard let value = magnitude.int else { preconditionFailure("a sample beyond 64 bits") }
    return Int64(proposal.isNegative ? -value : value)
  }
}
