// What must hold after every event, whoever lies: it looks at everything that leaves an honest site, as a malicious server that loses
// nothing would, and adds what the colluding sites hold. The rules are those of spec/03, spec/07 and spec/08.
import Masking
import Participant
import SecAgg

struct Monitor {
  /// Sites that an adversary plays: nothing is promised to them, and whatever they hold the server knows.
  let colluders: Set<SiteID>
  private(set) var violations: [String] = []
  /// Attempts, or one site's input in them, of which evidence says that nobody can open them.
  private var unopened: [(context: [UInt8], site: SiteID?)] = []
  /// How much evidence there is of each claim.
  private(set) var accusations: [RefusalCode: Int] = [:]

  /// What is known of one attempt; contexts of plans that only an adversary made have one too.
  private struct Known {
    let plan: RoundPlan
    /// Of noise that may be removed.
    let components: Int
    var inputSeeds: [SiteID: UInt64] = [:]
    var inputs: [SiteID: (header: [UInt8], payload: [UInt8])] = [:]
    var signed: [SiteID: [UInt8]] = [:]
    /// Which survivors each honest site revealed for.
    var revealedFor: [SiteID: [SiteID]] = [:]
    /// Roots of the noise that may be removed, of each site that handed in an input.
    var noiseRoots: [SiteID: [MaskRoot]] = [:]
    /// Who showed which of a dealer's shares.
    var shares: [SiteID: [ShareKind: Set<SiteID>]] = [:]
  }

  private var attempts: [[UInt8]: Known] = [:]
  /// The one set for which a site revealed anything on these weights, with the integers that it handed in.
  private var released: [SiteID: (survivors: [SiteID], input: UInt64)] = [:]

  init(colluders: Set<SiteID>) { self.colluders = colluders }

  mutating func violate(_ reason: String) { violations.append(reason) }

  mutating func begin(_ plan: RoundPlan) {
    attempts[plan.context] = attempts[plan.context] ?? Known(plan: plan, components: plan.removableComponents)
  }

  func inputSeed(of site: SiteID, context: [UInt8]) -> UInt64? { attempts[context]?.inputSeeds[site] }

  /// Of a site whose input left.
  func noiseRoots(of site: SiteID, context: [UInt8]) -> [MaskRoot] { attempts[context]?.noiseRoots[site] ?? [] }

  mutating func provides(_ site: SimulatedSite, _ plan: RoundPlan, seed: UInt64, noiseRoots: [MaskRoot]) {
    begin(plan)
    attempts[plan.context]?.noiseRoots[site.id] = noiseRoots
    if let before = attempts[plan.context]?.inputSeeds[site.id], before != seed {
      violate("\(site.id) handed in two inputs in one attempt")
    }
    attempts[plan.context]?.inputSeeds[site.id] = seed
  }

  /// A site's masked input is about to leave: always the same bytes, and recorded before.
  mutating func siteSendsInput(_ header: [UInt8], _ payload: [UInt8], _ site: SimulatedSite, _ plan: RoundPlan) {
    guard !colluders.contains(site.id) else { return }
    if let before = attempts[plan.context]?.inputs[site.id], before != (header, payload) {
      violate("[SA-66] \(site.id) sent two inputs under the same masks")
    }
    // Kept only where it can come again: a thousand inputs would be gigabytes.
    if payload.count < 1 << 16 { attempts[plan.context]?.inputs[site.id] = (header, payload) }
    let record = site.journal.attempt(context: plan.context)
    if record?.input == nil { violate("[SA-120] \(site.id) sent an input without a record") }
    if (attempts[plan.context]?.components ?? 0) > 0, record?.charge == nil {
      violate("[ND-10] \(site.id) sent an input that is not paid for")
    }
  }

  /// A protocol message is about to leave an honest site.
  mutating func siteSends(_ bytes: [UInt8], _ site: SimulatedSite) {
    guard !colluders.contains(site.id), let message = try? SignedMessage(decoding: bytes), let plan = site.plan,
      message.context == plan.context
    else { return }
    begin(plan)
    let record = site.journal.attempt(context: plan.context)
    switch message.type {
    case .acceptance, .keys:
      if record == nil { violate("[SA-120] \(site.id) took part without a record of the context") }
    case .consistency:
      if let before = attempts[plan.context]?.signed[site.id], before != message.body {
        violate("[SA-82] \(site.id) signed two survivor sets of one attempt")
      }
      attempts[plan.context]?.signed[site.id] = message.body
      if record?.survivors == nil { violate("[SA-120] \(site.id) signed survivors without a record") }
    case .reveal:
      if record?.isRevealed != true { violate("[SA-120] \(site.id) revealed without a record") }
      if let body = try? message.open(RevealBody.self) { reveals(body, site, plan, record?.survivors?.survivors ?? []) }
    default: break
    }
  }

  private mutating func reveals(_ body: RevealBody, _ site: SimulatedSite, _ plan: RoundPlan, _ survivors: [UInt32]) {
    let set = survivors.map { SiteID($0) }
    let components = attempts[plan.context]?.components ?? 0
    if !set.sortedContains(site.id) { violate("[SA-71] \(site.id) revealed for survivors that it is not among") }
    for entry in body.entries {
      if !ShareKind.due(of: entry.dealer, survivors: set, sites: plan.sites.count, components: components).contains(entry.kind) {
        violate("[SA-82] \(site.id) revealed the share of \(entry.dealer) that its survivors forbid")
      }
      attempts[plan.context]?.shares[entry.dealer, default: [:]][entry.kind, default: []].insert(site.id)
      checkSecrets(of: entry.dealer, site, plan)
    }
    attempts[plan.context]?.revealedFor[site.id] = set
    let input = attempts[plan.context]?.inputSeeds[site.id] ?? 0
    // With fresh noise every attempt is paid for, and may be another sum.
    if let before = released[site.id], before != (set, input), components == 0 {
      violate("[SA-74] \(site.id) takes part in sums of one round that differ: \(before.survivors.count) and \(set.count) survivors")
    }
    released[site.id] = (set, input)
  }

  /// Never both secrets of an honest site, with all that the colluders hold.
  private mutating func checkSecrets(of dealer: SiteID, _ site: SimulatedSite, _ plan: RoundPlan) {
    guard !colluders.contains(dealer), let shown = attempts[plan.context]?.shares[dealer] else { return }
    let colluding = Set(site.session?.holders(of: dealer) ?? plan.sites).intersection(colluders)
    let open = [ShareKind.maskKey, .selfMask].filter { (shown[$0] ?? []).union(colluding).count >= plan.threshold }
    if open.count == 2 { violate("[SA-82] both secrets of \(dealer) can be rebuilt") }
    guard let survivors = attempts[plan.context]?.revealedFor.values.first(where: { $0.sortedContains(dealer) }) else { return }
    let components = attempts[plan.context]?.components ?? 0
    let due = ShareKind.due(of: dealer, survivors: survivors, sites: plan.sites.count, components: components)
    for (kind, holders) in shown where !due.contains(kind) && holders.union(colluding).count >= plan.threshold {
      violate("[NR-04] \(kind) of \(dealer) can be rebuilt, and must stay secret")
    }
  }

  /// Somebody has evidence: it holds for everybody, and never against who keeps to the protocol, whatever the network did.
  mutating func accused(_ evidence: Evidence, _ roster: RosterView, serverIsHonest: Bool) {
    accusations[evidence.claim, default: 0] += 1
    if !evidence.isAccusation { unopened.append((evidence.context, evidence.culprit)) }
    let isHonest = evidence.culprit.map { !colluders.contains($0) } ?? serverIsHonest
    if isHonest, evidence.isAccusation { violate("evidence against \(evidence.culpritName), who is honest: \(evidence.claim.rawValue)") }
    do throws(Refusal) {
      let travelled = try Evidence(decoding: evidence.encoded())
      _ = try travelled.check(roster)
      if travelled != evidence { violate("evidence that is another one after it was written") }
    } catch { violate("evidence that does not hold: \(error.code.rawValue) \(error.reason)") }
  }

  /// The server released a sum: enough honest sites are in it, and each honest one signed it.
  mutating func finished(_ sum: RoundSum, _ plan: RoundPlan) {
    let honest = sum.survivors.filter { !colluders.contains($0) }
    for (context, site) in unopened where context == plan.context {
      if site.map(sum.survivors.contains) ?? true { violate("[RF-02] [RF-03] an input was opened that nobody could open") }
    }
    // The promise is for n_C bad sites; each one above it may cost an honest one.
    let promised = plan.honestMin - max(0, colluders.count - plan.colluders)
    if honest.count < promised { violate("a sum over \(honest.count) honest sites; \(promised) are promised") }
    if sum.survivors.count < plan.inputsMin { violate("[SA-73] a sum over \(sum.survivors.count) sites") }
    let signers = honest.filter { attempts[plan.context]?.signed[$0] != nil }
    if signers.count + colluders.count < plan.threshold { violate("[SA-80] a sum that only \(signers.count) honest sites signed") }
  }
}
