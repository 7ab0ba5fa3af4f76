// federated.yaml as values: everything a server needs to run a job, with the defaults written out. Reading is in
// FederatedReader.swift; this file is what the rest of the program sees.
import Foundation

/// The server's configuration. Paths are absolute or relative to the working directory, already resolved against the file's folder.
public struct FederatedConfig: Equatable, Sendable {
  public struct Model: Equatable, Sendable {
    public enum Classes: Equatable, Sendable {
      case count(Int)
      case names([String])
      /// `class0`, `class1`, … where only a number was given.
      public var names: [String] {
        switch self {
        case .count(let count): (0..<count).map { "class\($0)" }
        case .names(let names): names
        }
      }
    }
    /// Architecture, e.g. `yolov5n`.
    public var name = "yolov5n"
    /// Initial weights (safetensors); without them the job begins from random weights of `training.seed`.
    public var weights: String?
    /// Needed where no weights file says them.
    public var classes: Classes?
    /// Pixels a side, a multiple of 32.
    public var imageSize = 640
  }

  public struct Training: Equatable, Sendable {
    public var rounds = 100
    public var localEpochs = 5
    /// Rounds that each local epoch is cut into; more than 1 goes with one local epoch only.
    public var roundsPerEpoch = 1
    public var batchSize = 16
    public var optimizer = JobPlan.Optimizer.sgd
    public var learningRate = 0.01
    public var momentum = 0.937
    public var weightDecay = 0.0005
    public var warmupEpochs = 3.0
    public var nominalBatch = 64
    public var finalLearningRateFraction = 0.01
    public var cosine = false
    public var augment = true
    public var seed: UInt64 = 0
    /// Whether sites measure mAP on their own validation images every round.
    public var validate = false
    /// Rounds in which batch norms take their own batch's statistics. Then sites take the global ones, which stay as they are: what
    /// they train is the function that is evaluated, however their images differ. At most `rounds`, which never freezes; nil is half
    /// of them.
    public var freezeNormAfter: Int?
    /// How much of its last step the server repeats (`server_optimizer: fedavgm`); 0 is FedAvg.
    public var serverMomentum = 0.0
    public var batchNormRounds: Int { freezeNormAfter ?? (rounds + 1) / 2 }

    public init() {}
  }

  /// What `security.differential_privacy` asks for; see `privacyWaived`.
  public struct Privacy: Equatable, Sendable {
    public enum Unit: String, Sendable { case record, site }
    public var enabled = false
    public var epsilon: Double?
    public var delta: Double?
    /// `record` where nothing is written.
    public var unit = Unit.record
    /// Which noise sites share: `skellam` is taken out of sums that have too much of it.
    public var mechanism: String?
    public var clip: Double?
    public var samplingRate: Double?
    /// For records: the share of gradients that the clip is moved to leave whole.
    public var clipQuantile: Double?
    /// For records: who adds the noise.
    public var form = JobPlan.Privacy.Records.Form.local
    /// For records: what the noised sum of gradients is divided by; the batch size where the file does not say it.
    public var lotSize: Int?

    /// Where the file does not say them: the largest L2 norm of an update or of one image's gradient, and q.
    public static let clipUsual = 1.0
    public static let samplingRateUsual = 0.02
  }

  public struct Aggregation: Equatable, Sendable {
    /// A round begins with at least this many sites, and releases no sum of fewer.
    public var minimumSites = 3
    /// Who shares masks with whom where more than 64 sites are there.
    public enum Graph: String, Sendable, CaseIterable {
      /// Neighbours on a ring for more than 64 sites, everybody with everybody below.
      case auto
      /// Everybody with everybody; of more than 64 sites 64 are drawn.
      case complete
      /// As `auto`; a round does not begin with fewer than 65.
      case sparse
    }

    public var graph = Graph.auto
    /// Which part of the sites a round over a ring may lose.
    public var dropoutRate = 0.05
    /// n_C, if the file states it; it must then be the roster's.
    public var colluders: Int?
    /// Ring width b of weights; 32 without compression. Statistics always have 32.
    public var bits = 20
    /// Largest change of a weight in one round.
    public var parameterRange = 1.0
    /// Largest change of a running statistic, as a multiple of max(1, |global value|).
    public var statisticsRange = 4.0
  }

  /// How long the server waits, in seconds.
  public struct Deadlines: Equatable, Sendable {
    /// For enough sites to be connected.
    public var join = 3600.0
    public var plan = 60.0
    public var keys = 60.0
    public var shares = 60.0
    public var acknowledge = 60.0
    /// Includes the local training.
    public var maskedInput = 3600.0
    public var consistency = 60.0
    public var reveal = 60.0
  }

  public struct Communication: Equatable, Sendable {
    public var listen = HostPort(host: "127.0.0.1", port: 7443)
    /// Bytes of a masked vector in one message.
    public var chunkBytes = 512 * 1024
    public var deadlines = Deadlines()
    /// How often a round is tried before the job ends.
    public var attempts = 3
    public var compression = true
    /// Mutual TLS; false only on loopback.
    public var encryption = true
  }

  public struct Server: Equatable, Sendable {
    public var identity: String
    public var roster: String
    public var consortiumKey: String
    public var stateDirectory: String
    /// Worker threads; nil leaves it to the machine.
    public var threads: Int?
  }

  public var job = "job"
  public var model = Model()
  /// A data set description that the operator keeps beside the job; the server itself reads no images.
  public var data: String?
  public var training = Training()
  public var privacy = Privacy()
  public var aggregation = Aggregation()
  public var communication = Communication()
  public var server: Server
  /// The file asks for differential privacy and the operator said to run without: reports must say "no formal guarantee".
  public var privacyWaived = false
  /// What the operator must be told loudly before anything starts; whole sentences.
  public var warnings: [String] = []

  /// Reads a file.
  ///
  /// - Parameter withoutPrivacy: take a file that asks for differential privacy and run without.
  /// - Throws: CF-01 to CF-11, each with its line and column.
  public static func load(_ path: String, withoutPrivacy: Bool = false) throws(FederationError) -> FederatedConfig {
    let folder = (path as NSString).deletingLastPathComponent
    return try FederatedReader(document: ConfigDocument(path: path), folder: folder, withoutPrivacy: withoutPrivacy).config()
  }

  /// Reads text.
  ///
  /// - Parameters:
  ///   - file: the name that errors show.
  ///   - folder: what relative paths start from; empty for the working directory.
  public static func parse(
    _ text: String, file: String = "federated.yaml", folder: String = "", withoutPrivacy: Bool = false
  ) throws(FederationError) -> FederatedConfig {
    try FederatedReader(document: ConfigDocument(text: text, file: file), folder: folder, withoutPrivacy: withoutPrivacy).config()
  }
}

/// Resolves a path of a configuration file against the file's folder.
func resolved(_ path: String, in folder: String) -> String {
  path.hasPrefix("/") || folder.isEmpty ? path : folder + "/" + path
}
