// secagg-server init: the server's keys, its request to the consortium, and a configuration with every setting explained.
import ArgumentParser
import CommandLineKit
import Federation
import Foundation

struct InitVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Make the server's keys, its request for the consortium, and a commented federated.yaml.",
    discussion: "Nothing that exists is overwritten. Hand the request to the consortium and compare the fingerprint by voice.")

  @Option(help: "The server's name in the roster: a-z, 0-9 and hyphens.") var name = "server"
  @Option(help: "Host or address that sites connect to; give it several times for several.") var host: [String] = ["127.0.0.1"]
  @Option(help: "Port that sites connect to.") var port = 7443
  @Option(help: "Where everything is written.") var directory = "."
  @Option(help: "Days that the certificate is valid.") var days = 825

  func validate() throws {
    guard (1...65_535).contains(port) else { throw ValidationError("--port is 1 to 65535") }
    guard (1...3650).contains(days) else { throw ValidationError("--days is 1 to 3650") }
  }

  func run() throws {
    let identity = try PartyIdentity.createServer(name: name, hosts: host, directory: "\(directory)/identity", days: days)
    let addresses = host.map { $0.contains(":") ? "[\($0)]:\(port)" : "\($0):\(port)" }
    let request = try EnrolmentRequest(of: identity, addresses: addresses, now: Date())
    try request.write(to: "\(directory)/\(name).request")
    let config = "\(directory)/federated.yaml"
    if !FileManager.default.fileExists(atPath: config) {
      try Data(Self.template(port: port).utf8).write(to: URL(fileURLWithPath: config))
      Output.line("wrote        \(config)")
    }
    Output.line("keys         \(directory)/identity (never leave this machine)")
    Output.line("request      \(directory)/\(name).request: hand it to the consortium")
    Output.line("fingerprint  \(request.fingerprint)")
  }

  static func template(port: Int) -> String {
    """
    # A federated job. Unknown keys are errors; what is left out has the default that is shown.
    job: job-1                    # a new job needs a new name
    model:
      name: yolov5n
      weights: initial.safetensors  # secagg init-weights --cfg yolov5n --classes N --out initial.safetensors
      image_size: 640
      # classes: [person, bicycle]  # taken from the weights if left out
    training:
      fed_rounds: 100
      local_epochs: 5             # at each site in each round; rounds_per_epoch: 2 in its place trains half an epoch a round
      batch_size: 16
      learning_rate: 0.01
      # momentum: 0.937, weight_decay: 0.0005, warmup_epochs: 3, nominal_batch: 64, final_lr_fraction: 0.01, cosine: false
      # augment: true, seed: 0
      # server_optimizer: fedavgm, server_momentum: 0.9   # in rounds with frozen statistics; without it plain FedAvg
      # freeze_norm_after: 50     # rounds with batch statistics; then all sites normalise with the global ones (100: never)
      # validate: true            # sites measure mAP on their own validation images; only the mean is seen
    security:
      differential_privacy: {enabled: false}
      aggregation:
        min_sites: 3              # more where the roster's number of colluders asks for it
        # graph: auto             # more than 64 sites: neighbours on a ring (sparse); complete: 64 of them, each with all others
        # dropout_rate: 0.05      # how many of its sites a round over a ring may lose
        # bits: 20                # of a coordinate; 2.5 bytes
    communication:
      listen: 0.0.0.0:\(port)
      compression: true           # bit-packed integers
      encryption: true            # mutual TLS
      # attempts: 3               # of one round before the job ends
      # deadlines: {join: 3600, plan: 60, keys: 60, shares: 60, acknowledge: 60, masked_input: 3600, consistency: 60, reveal: 60}
    server:
      identity: identity
      roster: roster.json         # signed by the consortium
      consortium_key: consortium.pub
      state_directory: state

    """
  }
}
