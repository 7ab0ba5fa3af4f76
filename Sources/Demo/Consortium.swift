// The consortium as its members would make it: keys, enrolment requests, a signed roster, and one configuration a party.
import CommandLineKit
import Foundation

struct Consortium: Sendable {
  let options: DemoOptions
  let plan: DemoPlan
  let folder: DemoFolder

  func prepare(_ sites: [SiteData]) async throws -> FederatedRun.Commands {
    throw DemoError(.missingProgram, "")
  }
}
