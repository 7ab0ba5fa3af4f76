// What a simulation tells: the outcome, what was checked, and each phase's cost for the server and for a site.
import Foundation
import SecAgg

public struct SimulationReport: Encodable, Sendable {
  public struct PhaseCost: Encodable, Sendable {
    public var phase: String
    public var serverSeconds: Double
    /// Of all sites together, and of one on average.
    public var sitesSeconds: Double
    public var siteSeconds: Double
    public var downBytes: Int
    public var upBytes: Int

    enum CodingKeys: String, CodingKey {
      case phase
      case serverSeconds = "server_seconds"
      case sitesSeconds = "sites_seconds"
      case siteSeconds = "site_seconds"
      case downBytes = "down_bytes"
      case upBytes = "up_bytes"
    }
  }

  public var sites: Int
  public var dimension: Int
  public var bits: Int
  public var graph: String
  public var neighbours: Int
  public var threshold: Int
  public var colluders: Int
  public var seed: UInt64
  public var faults: Int
  public var adversary: String?
  /// `sum`, `aborted` or `violated`.
  public var outcome: String
  public var code: String?
  public var reason: String?
  /// Against the plain sum, where there is a sum.
  public var sumCorrect: Bool?
  public var survivors: Int
  public var dropped: [String: Int]
  /// Evidence that servers and sites kept: how often each claim.
  public var evidence: [String: Int]
  public var attempts: Int
  public var events: Int
  public var virtualSeconds: Double
  public var phases: [PhaseCost]
  public var serverSeconds: Double
  public var siteSeconds: Double
  public var upBytesPerSite: Int
  public var downBytesPerSite: Int
  /// Bytes that one site sends over the bytes of its integers, packed, in clear.
  public var expansion: Double
  public var peakMemoryBytes: Int

  enum CodingKeys: String, CodingKey {
    case sites, dimension, bits, graph, neighbours, threshold, colluders, seed, faults, adversary, outcome, code, reason, survivors
    case dropped, attempts, events, phases, expansion
    case sumCorrect = "sum_correct"
    case virtualSeconds = "virtual_seconds"
    case evidence
    case serverSeconds = "server_seconds"
    case siteSeconds = "site_seconds"
    case upBytesPerSite = "up_bytes_per_site"
    case downBytesPerSite = "down_bytes_per_site"
    case peakMemoryBytes = "peak_memory_bytes"
  }
}

extension Simulation {
  public func report() -> SimulationReport {
    let outcome = outcome ?? .violated("the run was not made")
    let (word, code, reason): (String, String?, String?) =
      switch outcome {
      case .sum: ("sum", nil, nil)
      case .aborted(let code, let reason): ("aborted", code.rawValue, reason)
      case .violated(let reason): ("violated", nil, reason)
      }
    let plan = plans.last
    let count = max(1, order.count)
    let costs = Phase.allCases.compactMap { phase -> SimulationReport.PhaseCost? in
      let (server, sites) = (meter.server[phase], meter.sites[phase])
      guard server != nil || sites != nil else { return nil }
      return .init(
        phase: phase.description, serverSeconds: server?.seconds ?? 0, sitesSeconds: sites?.seconds ?? 0,
        siteSeconds: (sites?.seconds ?? 0) / Double(count), downBytes: server?.bytes ?? 0, upBytes: sites?.bytes ?? 0)
    }
    let up = sum.map { $0.survivors.compactMap { meter.sent[$0] }.max() ?? 0 } ?? meter.sent.values.max() ?? 0
    let clear = plan?.payloadBytes ?? 0
    return SimulationReport(
      sites: options.sites, dimension: options.dimension, bits: options.bits, graph: plan?.isSparse == true ? "sparse" : "complete",
      neighbours: plan?.neighbours ?? 0, threshold: plan?.threshold ?? 0, colluders: roster.colluders, seed: options.seed,
      faults: options.faults.rawValue, adversary: adversary?.name, outcome: word, code: code, reason: reason, sumCorrect: isSumCorrect,
      survivors: sum?.survivors.count ?? 0,
      dropped: Dictionary(grouping: dropped.values, by: \.description).mapValues(\.count),
      evidence: Dictionary(uniqueKeysWithValues: monitor.accusations.map { ($0.key.rawValue, $0.value) }), attempts: Int(attempt),
      events: eventCount,
      virtualSeconds: Double(now) / 1e6, phases: costs, serverSeconds: costs.reduce(0) { $0 + $1.serverSeconds },
      siteSeconds: costs.reduce(0) { $0 + $1.siteSeconds }, upBytesPerSite: up, downBytesPerSite: meter.received.values.max() ?? 0,
      expansion: clear == 0 ? 0 : Double(up) / Double(clear), peakMemoryBytes: Self.peakMemoryBytes())
  }

  /// The largest resident set of this process so far.
  private static func peakMemoryBytes() -> Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kilobytes = line.split(separator: " ").compactMap({ Int($0) }).first
    else { return 0 }
    return kilobytes << 10
  }
}
