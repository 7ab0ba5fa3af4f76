// secagg-roster add-site, add-server, revoke: changes to the draft. None of them counts before `sign`.
import ArgumentParser
import CommandLineKit
import Federation
import Foundation

/// Compares the fingerprint that the other party read out, if it was given.
private func compare(_ request: EnrolmentRequest, with expected: String?) throws {
  guard let expected else {
    Output.note("compare this fingerprint with the party by voice before you sign:")
    return
  }
  let digits = expected.lowercased().filter { $0 != "-" && $0 != " " }
  guard digits == request.fingerprint.filter({ $0 != "-" }) else {
    throw FederationError(
      .enrolmentSignature, "the request has the fingerprint \(request.fingerprint), not the expected one",
      hint: "the file is not what the party made: ask for it again, over another way")
  }
}

struct AddSiteVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add-site", abstract: "Take a site's enrolment request into the draft.")

  @Argument(help: "The file written by `secagg-client enroll`.") var request: String
  @OptionGroup var file: RosterOption
  @Option(help: "The fingerprint that the site read out; the request is refused if it differs.") var fingerprint: String?
  @Option(help: "Days until the site's entry ends.") var validDays = 365

  func validate() throws {
    guard (1...3650).contains(validDays) else { throw ValidationError("--valid-days is 1 to 3650") }
  }

  func run() throws {
    let request = try EnrolmentRequest.read(request)
    try compare(request, with: fingerprint)
    var draft = try SignedRoster.read(file.roster)
    // The same slack as certificates have, for clocks that differ.
    let now = Date()
    let member = try draft.roster.add(request, from: now - 300, until: now + Double(validDays) * 86_400)
    draft.signature = nil
    try draft.write(to: file.roster)
    Output.line("added        \(member.name) as site \(member.site.rawValue)")
    Output.line(voice(request.fingerprint))
    Output.line("next         secagg-roster sign --roster \(file.roster)")
  }
}

struct AddServerVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add-server", abstract: "Set or replace the server in the draft.")

  @Argument(help: "The file written by `secagg-server init`.") var request: String
  @OptionGroup var file: RosterOption
  @Option(help: "The fingerprint that the operator read out; the request is refused if it differs.") var fingerprint: String?

  func run() throws {
    let request = try EnrolmentRequest.read(request)
    try compare(request, with: fingerprint)
    var draft = try SignedRoster.read(file.roster)
    try draft.roster.setServer(request)
    draft.signature = nil
    try draft.write(to: file.roster)
    Output.line("server       \(request.name)")
    Output.line(voice(request.fingerprint))
    Output.line("next         secagg-roster sign --roster \(file.roster)")
  }
}

struct RevokeVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "Remove a site from the draft.",
    discussion: "Counts from the moment at which the parties hold the newly signed roster. The site's index is never used again.")

  @Argument(help: "The site's name.") var name: String
  @OptionGroup var file: RosterOption

  func run() throws {
    var draft = try SignedRoster.read(file.roster)
    try draft.roster.revoke(name)
    draft.signature = nil
    try draft.write(to: file.roster)
    Output.line("revoked      \(name)")
    Output.line("next         secagg-roster sign --roster \(file.roster), and give the new roster to everybody")
  }
}
