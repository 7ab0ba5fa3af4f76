// What a request costs: the accountants, asked.

extension AccountingRequest {
  /// - Throws: `.malformedRequest` where something is missing, and whatever the accountants refuse.
  public func evaluate() throws(AccountingError) -> AccountingReply {
    switch op {
    case .rdp:
      try forbid([("delta", delta != nil), ("epsilon", epsilon != nil), ("target_epsilon", targetEpsilon != nil)])
      return .rdp(try renyi(try event()).curve.values)
    case .epsilon:
      try forbid([("epsilon", epsilon != nil), ("target_epsilon", targetEpsilon != nil)])
      return try epsilonReply(try event(), delta: try need(delta, "delta"))
    case .delta:
      try forbid([("delta", delta != nil), ("target_epsilon", targetEpsilon != nil)])
      guard accountant == .rdp else { throw AccountingError(.malformedRequest, "`delta` is computed by the accountant rdp") }
      let bound = try renyi(try event()).delta(epsilon: try need(epsilon, "epsilon"))
      return .delta(bound.delta, order: bound.order)
    case .calibrate:
      try forbid([("epsilon", epsilon != nil), ("noise_multiplier", noiseMultiplier != nil), ("scale", scale != nil)])
      return .noiseMultiplier(try calibrated(target: try need(targetEpsilon, "target_epsilon"), delta: try need(delta, "delta")))
    case .steps:
      try forbid([("epsilon", epsilon != nil), ("steps", steps != nil)])
      let target = try need(targetEpsilon, "target_epsilon")
      guard accountant == .rdp else { throw AccountingError(.malformedRequest, "`steps` is computed by the accountant rdp") }
      return .steps(try Calibration.steps(epsilon: target, delta: try need(delta, "delta"), relation: neighbours, try oneStep()))
    }
  }

  private func renyi(_ event: NoiseEvent) throws(AccountingError) -> RenyiAccountant {
    var account = try RenyiAccountant(relation: neighbours, orders: orders ?? RenyiCurve.defaultOrders)
    try account.compose(event)
    return account
  }

  private func losses(_ event: NoiseEvent) throws(AccountingError) -> PLDAccountant {
    var account = try PLDAccountant(relation: neighbours, lossInterval: lossInterval)
    try account.compose(event)
    return account
  }

  private func epsilonReply(_ event: NoiseEvent, delta: Double) throws(AccountingError) -> AccountingReply {
    if accountant == .rdp {
      let bound = try renyi(event).epsilon(delta: delta, rule: rule)
      return .epsilon(bound.epsilon, order: bound.order, atLeast: nil)
    }
    let account = try losses(event)
    let atLeast = bounds ? try account.epsilonAtLeast(delta: delta) : nil
    let bound = try account.epsilon(delta: delta)
    guard accountant == .best else { return .epsilon(bound.epsilon, order: nil, atLeast: atLeast) }
    let other = try renyi(event).epsilon(delta: delta, rule: rule)
    return .epsilon(min(bound.epsilon, other.epsilon), order: other.epsilon < bound.epsilon ? other.order : nil, atLeast: atLeast)
  }

  private func calibrated(target: Double, delta: Double) throws(AccountingError) -> Double {
    guard [.gaussian, .laplace, .treeAggregation, .bandedMatrixFactorisation].contains(mechanism) else {
      throw AccountingError(
        .malformedRequest, "a noise multiplier is calibrated for gaussian, laplace, tree_aggregation and banded_matrix_factorisation")
    }
    try Calibration.checkTarget(target)
    var start = RenyiAccountant.firstGuess
    return try Calibration.smallest(epsilon: target, delta: delta) { noise throws(AccountingError) in
      let event = try event(noise: noise)
      switch accountant {
      case .rdp: return try renyi(event).epsilon(delta: delta, rule: rule, start: &start).epsilon
      case .pld: return try losses(event).epsilon(delta: delta).epsilon
      case .best: return min(try losses(event).epsilon(delta: delta).epsilon, try renyi(event).epsilon(delta: delta, rule: rule).epsilon)
      }
    }
  }

  private func need<Value>(_ value: Value?, _ name: String) throws(AccountingError) -> Value {
    guard let value else { throw AccountingError(.malformedRequest, "`\(name)` is missing") }
    return value
  }

  private func forbid(_ names: [(String, Bool)]) throws(AccountingError) {
    for (name, isGiven) in names where isGiven { throw AccountingError(.malformedRequest, "`\(name)` has no place in \(op.rawValue)") }
  }
}
