// What a simulation is asked for.
import Masking
import SecAgg

public struct SimulationOptions: Sendable {
  public var sites = 10
  /// Coordinates of the model's update; a count and a weight come on top.
  public var dimension = 10_000
  public var bits = 20
  /// nil: complete up to 64 sites.
  public var isSparse: Bool?
  /// n_C; nil: a third of the sites in the complete graph, as many as the graph bears (a twentieth) in the sparse one.
  public var colluders: Int?
  /// Which part of the sites vanishes in which phase.
  public var drops: [Phase: Double] = [:]
  public var seed: UInt64 = 1
  public var faults = FaultLevel.none
  /// Name of an `Adversary`; nil: none, or with faults of the highest level one that follows from the seed.
  public var adversary: String?
  /// The sites add Skellam noise, of which what is too much is taken out again; over the complete graph only.
  public var removesNoise = false
  public var attemptsMax = 3
  public var pieceBytes = 1 << 18
  /// Spreads masking and unmasking over cores.
  public var workers = Workers.serial

  public init() {}

  var colludersOrDefault: Int { colluders ?? (usesSparseGraph ? max(1, sites / 20) : RoundPlan.cohortMin < sites ? (sites - 1) / 4 : 0) }
  var usesSparseGraph: Bool { isSparse ?? (sites > RoundPlan.completeGraphUsualMax) }
}

/// How much goes wrong by itself.
public enum FaultLevel: Int, Sendable, CaseIterable {
  /// Nothing; every message takes the same time.
  case none = 0
  /// Delays, duplicates, lost connections that come back.
  case network = 1
  /// Also reordering, corrupted bytes, sites and servers that crash and start again.
  case crashes = 2
  /// Also a malicious server or malicious sites.
  case malicious = 3

  var duplicate: Double { self == .none ? 0 : 0.02 }
  var disconnect: Double { self == .none ? 0 : 0.008 }
  var reorder: Double { rawValue < 2 ? 0 : 0.03 }
  var corrupt: Double { rawValue < 2 ? 0 : 0.002 }
  /// At each action of a site, and at each message to the server.
  var siteCrash: Double { rawValue < 2 ? 0 : 0.0015 }
  var serverCrash: Double { rawValue < 2 ? 0 : 0.0008 }
  var jitterMicroseconds: UInt64 { self == .none ? 0 : 200_000 }
}
