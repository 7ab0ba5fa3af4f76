// secagg-roster sign: the draft becomes the next roster.
import ArgumentParser
import CommandLineKit
import Federation
import Foundation

struct SignVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sign", abstract: "Sign the roster; its serial number grows by one.",
    discussion: "A withheld revocation cannot outlive the roster's end: choose --valid-days as short as you can renew it.")

  @OptionGroup var file: RosterOption
  @Option(help: "The consortium's secret key.") var key = "consortium.key"
  @Option(help: "How many sites may collude with the server (default: a third of them).") var colluders: Int?
  @Option(help: "Days until the roster ends.") var validDays = 90

  func validate() throws {
    guard (1...3650).contains(validDays) else { throw ValidationError("--valid-days is 1 to 3650") }
    guard colluders ?? 0 >= 0 else { throw ValidationError("--colluders is at least 0") }
  }

  func run() throws {
    var signed = try SignedRoster.read(file.roster)
    try signed.sign(with: KeyFile.readSecret(key), colluders: colluders, now: Date(), validFor: Double(validDays) * 86_400)
    try signed.write(to: file.roster)
    let roster = signed.roster
    Output.line("signed       \(file.roster), serial number \(roster.serial), valid until \(Timestamp.text(roster.validUntil))")
    Output.line("sites        \(roster.members.count), of which \(roster.colluders) may collude with the server")
    Output.line("digest       \(Hexadecimal.text(roster.digest))")
  }
}
