// A site of five with a journal in a folder of its own: what the tests of its gate and of its budget begin with.
import Foundation
import SecAgg
import Sodium

@testable import Participant

struct GatedSite {
  let roster: RosterView
  let folder: TemporaryFolder
  let journal: Journal

  init() throws {
    let keys = (0..<5).map { (SiteID($0), Ed25519.SigningKey().publicKey) }
    roster = RosterView(
      digest: BLAKE2b.hash([1]), colluders: 1, siteKeys: Dictionary(uniqueKeysWithValues: keys), serverKey: Ed25519.SigningKey().publicKey)
    folder = try TemporaryFolder()
    journal = try Journal(directory: folder.path)
  }

  static func digest(_ value: UInt8) -> [UInt8] { [UInt8](repeating: value, count: 32) }
}
