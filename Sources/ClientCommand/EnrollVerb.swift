// secagg-client enroll and init: the site's keys, its request to the consortium, and a configuration with every setting explained.
import ArgumentParser
import CommandLineKit
import Federation
import Foundation

struct EnrollVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enroll", abstract: "Make this site's keys and its request for the consortium.",
    discussion: "The keys are made here and never leave. Nothing that exists is overwritten. Compare the fingerprint by voice.")

  @Option(help: "The site's name in the roster: a-z, 0-9 and hyphens.") var name: String
  @Option(help: "Where everything is written.") var directory = "."
  @Option(help: "Days that the certificate is valid.") var days = 825
  @Option(help: "The server as host:port, for the configuration that is written.") var server = "127.0.0.1:7443"
  @Option(help: "This site's data.yaml, for the configuration that is written.") var data = "data.yaml"

  func validate() throws {
    guard (1...3650).contains(days) else { throw ValidationError("--days is 1 to 3650") }
    guard HostPort(server) != nil else { throw ValidationError("--server is host:port") }
  }

  func run() throws {
    let identity = try PartyIdentity.createSite(name: name, directory: "\(directory)/identity", days: days)
    let request = try EnrolmentRequest(of: identity, addresses: [], now: Date())
    try request.write(to: "\(directory)/\(name).request")
    try SiteTemplate.write(to: "\(directory)/site.yaml", server: server, data: data)
    Output.line("keys         \(directory)/identity (never leave this machine)")
    Output.line("request      \(directory)/\(name).request: hand it to the consortium")
    Output.line("fingerprint  \(request.fingerprint)")
  }
}

struct InitVerb: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "init", abstract: "Write a commented site.yaml.")

  @Option(help: "The file to write; one that exists is kept.") var config = "site.yaml"
  @Option(help: "The server as host:port.") var server = "127.0.0.1:7443"
  @Option(help: "This site's data.yaml.") var data = "data.yaml"

  func validate() throws {
    guard HostPort(server) != nil else { throw ValidationError("--server is host:port") }
  }

  func run() throws { try SiteTemplate.write(to: config, server: server, data: data) }
}

enum SiteTemplate {
  static func write(to path: String, server: String, data: String) throws {
    guard !FileManager.default.fileExists(atPath: path) else { return Output.line("kept         \(path)") }
    guard !data.contains(where: \.isNewline) else { throw ValidationError("--data is one path") }
    let quoted = data.replacingOccurrences(of: "'", with: "''")
    let text = """
      # A site's configuration. Unknown keys are errors; what is left out has the default that is shown.
      server: '\(server)'
      roster: roster.json             # signed by the consortium
      consortium_key: consortium.pub  # compared by voice; never taken from the server
      identity: identity              # made by enroll
      data: '\(quoted)'               # stays here; only the trainer reads it
      state_directory: state          # the journal: losing it means enrolling anew
      # threads: 2                    # that the trainer may use
      # trainer: {command: [secagg-trainer], timeout: 86400}
      policy:
        min_sites: 3                  # a round of fewer is refused
        min_honest: 3                 # honest sites in every sum
        # max_colluders: 1            # that the roster may assume
        # models: [yolov5n]
        # servers: [server]
        # max_update_bytes: 20000000
        # max_rounds: 100
        # training_hours: "22:00-06:00"
        # retry_without_dp: false

      """
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    Output.line("wrote        \(path)")
  }
}
