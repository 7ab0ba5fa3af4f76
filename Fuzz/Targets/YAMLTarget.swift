// The two configuration files. An operator writes them, so they are the least hostile input here; but every complaint carries a place in
// the text, and the places are computed from what the text says.
import Federation

struct YAMLTarget: Target {
  static let name = "yaml"

  func run(_ input: [UInt8]) {
    guard let first = input.first, let text = String(validating: input.dropFirst(), as: UTF8.self) else { return }
    do {
      if first & 1 == 0 {
        _ = try FederatedConfig.parse(text, folder: "folder", withoutPrivacy: first & 2 == 0)
      } else {
        _ = try SiteConfig.parse(text, folder: "folder")
      }
    } catch {
      require(!"\(error)".isEmpty && !error.localizedDescription.isEmpty, "a complaint without words")
    }
  }

  func seeds() -> [[UInt8]] {
    let federated = """
      job: garments
      model: {name: yolov5n, classes: [shirt, "größe"], image_size: 320}
      training:
        fed_rounds: 4   # short
        local_epochs: 1
        learning_rate: 1e-2
        optimizer: adamw
        rounds_per_epoch: 2
        server_momentum: 0.5
      security:
        aggregation: {min_sites: 3, colluders: 1, graph: auto, dropout_rate: 0.05, bits: 20}
        differential_privacy: {enabled: true, epsilon: 8, delta: 1e-5, unit: record}
      communication:
        listen: "[::1]:7443"
        deadlines: {join: 60, masked_input: 600}
        compression: true
      server: {identity: id, roster: roster.json, threads: 2}
      """
    let site = """
      server: localhost:7443
      roster: roster.json
      data: data.yaml
      trainer:
        command: [secagg-trainer, --x]
        timeout: 600
      policy:
        min_sites: 3
        max_epsilon: {round: 1, job: 8, lifetime: 20}
        training_hours: "22:00-06:00"
        models: [yolov5n]
      """
    return [[0] + Array(federated.utf8), [2] + Array(federated.utf8), [1] + Array(site.utf8)]
  }
}
