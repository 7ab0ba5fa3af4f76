// A site as its configuration describes it, with everything checked that can be checked before a connection is made.
import Federation
import Foundation
import Participant
import SecAgg
import TLSIdentity
import Transport

struct Site {
  let config: SiteConfig
  let identity: PartyIdentity
  let roster: VerifiedRoster
  let member: Roster.Member
  let policy: SitePolicy

  init(_ path: String) throws {
    config = try SiteConfig.load(path)
    identity = try PartyIdentity.load(config.identity)
    let key = try KeyFile.readPublic(config.consortiumKey)
    // The journal holds the highest serial number; the driver compares.
    roster = try RosterVerifier(consortiumKey: key).load(config.roster, highestSerialSeen: 0)
    member = try identity.member(of: roster.roster, at: Date())
    policy = SitePolicy(config.policy)
    if let servers = policy.servers, !servers.contains(roster.server.name) {
      throw ParticipantError(
        .policy, "the roster's server is \(roster.server.name), which this site's policy does not name",
        hint: "add it to `policy.servers` in site.yaml if you agree")
    }
  }

  /// The site's own command, or `secagg-trainer` beside this program.
  var trainerCommand: [String] {
    if let command = config.trainer.command { return command }
    let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
    let beside = own + "/secagg-trainer"
    return [FileManager.default.isExecutableFile(atPath: beside) ? beside : "secagg-trainer"]
  }

  var setup: SiteSetup {
    SiteSetup(
      site: member.site, identity: identity.protocolKey, roster: roster.view, rosterSerial: roster.roster.serial, policy: policy,
      trainer: TrainerProcess(command: trainerCommand, deadline: .seconds(config.trainer.timeout)), data: Self.absolute(config.data),
      stateDirectory: Self.absolute(config.stateDirectory), threads: config.threads ?? ProcessInfo.processInfo.activeProcessorCount)
  }

  /// - Parameter giveUpAfter: seconds without a session until the client ends.
  func connection(giveUpAfter: Double) throws -> SiteConnection.Configuration {
    let endpoint = try ServerEndpoint(host: config.server.host, port: config.server.port)
    var configuration = SiteConnection.Configuration(
      endpoint: endpoint, site: member.site.rawValue,
      security: config.encryption ? .mutualTLS(identity.tls, server: roster.server.certificate) : .plaintextLoopback)
    configuration.reconnect.giveUpAfter = .seconds(giveUpAfter)
    return configuration
  }

  // The trainer runs in another working directory.
  private static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }
}
