// The components of Skellam noise that the protocol adds and takes out again (spec/12, "Noise that is removed"): each expands from a root
// that its site shared out, so that whoever learns the root subtracts exactly what was added. Component 0 is the encoder's, and stays.
import DPAccountant
import Masking
import Sodium

package struct RemovableComponents {
  private let noise: RemovableNoise

  /// Builds the samplers' tables, some 20 ms a component.
  /// - Throws: SA-18 for a plan without such noise.
  init(_ plan: RoundPlan) throws(Refusal) {
    guard case .noised(let parameters) = try Mechanism(decoding: plan.mechanism),
      case .removableSkellam(let survivorsMin, let known) = parameters.noise,
      let noise = try? RemovableNoise(
        assuredVariance: parameters.exactVariance(), sites: parameters.sites, survivorsMin: survivorsMin, known: known)
    else { throw Refusal(.badMechanism, "a plan whose noise is not removed") }
    self.noise = noise
  }

  /// Adds what must be left of some sites' noise where `missing` are missing: for whoever compares a sum with the plain one.
  package static func add(_ roots: [(site: SiteID, roots: [MaskRoot])], missing: Int, _ plan: RoundPlan, to sum: inout [[UInt32]]) {
    guard missing > 0, plan.removableComponents > 0, let noise = try? RemovableComponents(plan) else { return }
    for (site, roots) in roots {
      for (index, root) in roots.prefix(missing).enumerated() {
        noise.apply(.add, component: index + 1, of: site, root, plan.context, to: &sum[0], .serial)
      }
    }
    Ring(bits: plan.sections[0].bits).reduce(&sum[0])
  }

  /// Adds one component of `site`, or takes it out, modulo 2^32.
  func apply(
    _ operation: RemovableNoise.Operation, component: Int, of site: SiteID, _ root: MaskRoot, _ context: [UInt8], to words: inout [UInt32],
    _ workers: Workers
  ) {
    let seed = root.noiseSeed(owner: site.rawValue, component: UInt8(clamping: component), context: context)
    let chunk = RemovableNoise.chunkCoordinates
    words.withUnsafeMutableBufferPointer { words in
      // The ranges are disjoint.
      nonisolated(unsafe) let words = words
      workers((words.count + chunk - 1) / chunk) { piece in
        let range = piece * chunk..<min((piece + 1) * chunk, words.count)
        noise.withSamples(component: component, seed: seed, chunk: piece, count: range.count) { samples in
          switch operation {
          case .add: for index in samples.indices { words[range.lowerBound + index] &+= UInt32(truncatingIfNeeded: samples[index]) }
          case .remove: for index in samples.indices { words[range.lowerBound + index] &-= UInt32(truncatingIfNeeded: samples[index]) }
          }
        }
      }
    }
  }
}
