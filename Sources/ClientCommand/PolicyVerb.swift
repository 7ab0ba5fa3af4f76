// secagg-client policy show: what this site takes part in, in words, with the defaults that its file leaves out.
import ArgumentParser
import CommandLineKit
import Federation
import Participant

struct PolicyVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy", abstract: "Show what this site takes part in.", subcommands: [Show.self], defaultSubcommand: Show.self)

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Print the site's own rules.")

    @OptionGroup var file: SiteFile

    func run() throws {
      let policy = try SitePolicy(SiteConfig.load(file.config).policy)
      func line(_ name: String, _ value: String) { Output.line(name + String(repeating: " ", count: max(1, 22 - name.count)) + value) }
      line("sites in a round", "at least \(policy.minimumSites)")
      line("honest in every sum", "at least \(policy.minimumHonest)")
      line("colluders assumed", policy.colludersMax.map { "at most \($0)" } ?? "as the roster says")
      line("models", policy.models?.joined(separator: ", ") ?? "any")
      line("servers", policy.servers?.joined(separator: ", ") ?? "the roster's")
      line("upload in a round", policy.updateBytesMax.map { "at most \(Text.bytes($0))" } ?? "any size")
      line("rounds of a job", policy.roundsMax.map { "at most \($0)" } ?? "any number")
      line("training hours", policy.trainingHours.map { "\(Self.clock($0.from)) to \(Self.clock($0.until))" } ?? "any time")
      let limits = [("round", policy.epsilonMax.round), ("job", policy.epsilonMax.job), ("lifetime", policy.epsilonMax.lifetime)]
      let named = limits.compactMap { name, most in most.map { "\($0) a \(name)" } }
      line(
        "epsilon", named.isEmpty ? "as each job promises" : named.joined(separator: ", ") + (policy.delta.map { " at delta \($0)" } ?? ""))
      line("without privacy", policy.privacyRule.map { "refused (policy.\($0))" } ?? "allowed: masks alone protect this site")
      line("retry without privacy", policy.retryWithoutDP ? "allowed over other survivors" : "only over the same survivors")
    }

    private static func clock(_ minute: Int) -> String {
      func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
      return "\(two(minute / 60)):\(two(minute % 60))"
    }
  }
}
