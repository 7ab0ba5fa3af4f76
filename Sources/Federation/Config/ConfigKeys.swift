// Every key of the two configuration files and where it belongs: the parsers read from this, and so do the hints.

enum FederatedKeys {
  static let top = ["job", "model", "data", "training", "security", "communication", "selection", "store", "dashboard", "spool", "server"]
  static let model = ["name", "weights", "classes", "image_size"]
  static let training = [
    "fed_rounds", "local_epochs", "batch_size", "learning_rate", "optimizer", "server_optimizer", "prox", "seed", "momentum",
    "weight_decay",
    "warmup_epochs", "nominal_batch", "final_lr_fraction", "cosine", "augment", "validate", "freeze_norm_after",
    "server_momentum", "rounds_per_epoch",
  ]
  static let security = ["differential_privacy", "aggregation"]
  static let privacy = ["enabled", "epsilon", "delta", "unit", "mechanism", "clip", "sampling_rate", "form", "clip_quantile", "lot_size"]
  static let aggregation = ["min_sites", "colluders", "graph", "dropout_rate", "bits", "parameter_range", "statistics_range"]
  static let communication = ["listen", "chunk_bytes", "deadlines", "attempts", "compression", "encryption"]
  static let deadlines = ["join", "plan", "keys", "shares", "acknowledge", "masked_input", "consistency", "reveal"]
  static let server = ["identity", "roster", "consortium_key", "state_directory", "threads"]

  /// Key → the section that it belongs to.
  static let homes: [String: String] = {
    var homes: [String: String] = [:]
    let sections: [(String, [String])] = [
      ("model", model), ("training", training), ("security", security), ("security.differential_privacy", privacy),
      ("security.aggregation", aggregation), ("communication", communication), ("communication.deadlines", deadlines), ("server", server),
    ]
    for (section, keys) in sections { for key in keys where homes[key] == nil { homes[key] = section } }
    for key in top { homes[key] = "" }
    return homes
  }()
}

enum SiteKeys {
  static let top = [
    "server", "roster", "consortium_key", "identity", "data", "trainer", "state_directory", "threads", "encryption", "policy",
  ]
  static let trainer = ["command", "timeout"]
  static let policy = [
    "min_sites", "min_honest", "max_colluders", "max_epsilon", "delta", "units", "mechanisms", "models", "max_update_bytes",
    "max_rounds", "training_hours", "servers", "retry_without_dp",
  ]
  static let epsilon = ["round", "job", "lifetime"]

  static let homes: [String: String] = {
    var homes: [String: String] = [:]
    for key in trainer { homes[key] = "trainer" }
    for key in policy { homes[key] = "policy" }
    for key in epsilon { homes[key] = "policy.max_epsilon" }
    for key in top { homes[key] = "" }
    return homes
  }()
}
