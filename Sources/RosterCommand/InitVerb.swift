// secagg-roster init: a new consortium key and an empty roster.
import ArgumentParser
import CommandLineKit
import Federation
import Foundation
import Sodium

struct InitVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Make the consortium's key and an empty roster.",
    discussion: "Writes consortium.key (secret, for its owner alone), consortium.pub (for every site to pin) and roster.json.")

  @Option(help: "Where the three files go; made if it is not there.") var directory = "."

  func run() throws {
    let file = { (name: String) in (directory as NSString).appendingPathComponent(name) }
    let (secret, open, roster) = (file("consortium.key"), file("consortium.pub"), file("roster.json"))
    for path in [secret, open, roster] where FileManager.default.fileExists(atPath: path) {
      throw FederationError(.identityExists, "\(path) exists already", hint: "a consortium is made once; give another --directory")
    }
    do {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw FederationError(.identityFile, "cannot make the directory \(directory)", hint: "check the path and its permissions")
    }
    let key = Ed25519.SigningKey()
    try KeyFile.writeSecret(key, to: secret)
    try KeyFile.writePublic(key.publicKey, to: open)
    try SignedRoster(roster: Roster(consortiumKey: key.publicKey)).write(to: roster)
    Output.line("made         \(secret) (secret), \(open), \(roster)")
    Output.line(voice(Fingerprint.text(of: key.publicKey.bytes, purpose: "consortium")))
    Output.line("next         every site pins consortium.pub after comparing the fingerprint by voice; then add-server and add-site")
  }
}
