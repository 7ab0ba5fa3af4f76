// Where a site keeps what belongs to one round of its trainer, and what goes from round to round.
import Federation
import Foundation
import Sodium

/// The folders of one round at the site: the job directory of the trainer, and the optimiser's state from round to round.
struct JobFiles: Sendable {
  private let home: String
  private let round: UInt32
  let folder: String
  var optimizerState: String { folder + "/optimizer.state" }

  init(stateDirectory: String, job: JobPlan, round: UInt32) {
    let name = BLAKE2b.hash(Array(job.name.utf8) + [0] + job.digest, size: 16).prefix(8).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 2 ? digits : "0" + digits
    }.joined()
    home = "\(stateDirectory)/jobs/\(name)"
    self.round = round
    folder = "\(home)/round-\(round)"
  }

  /// A fresh job directory with the optimiser's state of the last round that this site trained; older job directories go.
  func prepare() throws(ParticipantError) {
    for name in SiteFiles.names(in: home) where name.hasPrefix("round-") { SiteFiles.remove("\(home)/\(name)") }
    try SiteFiles.makeFolder(folder)
    guard let last = savedRounds().filter({ $0 < round }).max() else { return }
    let bytes = try SiteFiles.read(saved(last), bytesMax: 1 << 31)
    try SiteFiles.write(bytes, to: optimizerState)
  }

  /// Keeps the state that the trainer left, for the next round; an attempt that is repeated begins with the one before.
  func keepOptimizerState() {
    guard SiteFiles.exists(optimizerState) else { return }
    _ = rename(optimizerState, saved(round))
    for old in savedRounds() where old + 1 < round { SiteFiles.remove(saved(old)) }
  }

  private func saved(_ round: UInt32) -> String { "\(home)/optimizer-after-\(round).state" }

  private func savedRounds() -> [UInt32] {
    SiteFiles.names(in: home).compactMap { name in
      guard name.hasPrefix("optimizer-after-"), name.hasSuffix(".state") else { return nil }
      return UInt32(name.dropFirst("optimizer-after-".count).dropLast(".state".count))
    }
  }
}
