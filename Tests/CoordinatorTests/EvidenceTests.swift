// A site that breaks a rule in a running job: the coordinator keeps the evidence in its state directory, says so in its log, and goes on.
import Federation
import Foundation
import SecAgg
import Testing
import Transport

@testable import Coordinator

@Suite(.timeLimit(.minutes(2))) struct EvidenceTests {
  @Test func aWrongShareIsKeptAsEvidence() async throws {
    let world = try World()
    let tap = EventTap()
    let server = try world.server(tap: tap)
    let events = world.network.serverEvents()
    let job = Task { await server.run(events) }
    let rogue: UInt32 = 4
    let key = try #require(world.keys[rogue])
    world.network.setFilter { site, frame in
      guard site == rogue, case .message(let bytes) = frame, let message = try? SignedMessage(decoding: bytes),
        let reveal = try? message.open(RevealBody.self), let first = reveal.entries.first
      else { return frame }
      let other = RevealBody.Entry(dealer: first.dealer, kind: first.kind, share: [UInt8](repeating: 0, count: 32))
      let body = RevealBody(entries: [other] + reveal.entries.dropFirst())
      return .message(SignedMessage(body, context: message.context, sender: SiteID(rogue), key: key).bytes)
    }
    let sites = try World.sites.map { try world.start($0) }
    let kept = await tap.next("evidence")
    #expect(kept.site == Int(rogue) && kept.code == RefusalCode.wrongShare.rawValue)
    let evidence = try EvidenceFolder.read(try #require(kept.file))
    let verdict = try evidence.check(world.roster)
    #expect(verdict.culprit == SiteID(rogue) && verdict.claim == .wrongShare)
    // The sum of the attempt is there all the same.
    _ = await tap.next("round_finished")
    await server.stop(reason: "enough")
    _ = await job.value
    world.network.breakAll()
    for site in sites { _ = try? await site.value }
  }
}
