// Requests as JSON lines, as a script writes them: answers, and every way of asking wrongly. [AC-04], [AC-30]
import Foundation
import TestSupport
import Testing

@testable import DPAccountant

@Suite struct RequestTests {
  /// [AC-30] The forms that scripts rely on.
  @Test(arguments: [
    (#"{"op":"rdp","mechanism":"gaussian","noise_multiplier":2,"orders":[2,4]}"#, "rdp"),
    (#"{"op":"rdp","mechanism":"gaussian","noise_multiplier":1.1,"sampling_rate":0.01,"steps":1000,"orders":[1.25,2,64]}"#, "rdp"),
    (#"{"op":"epsilon","noise_multiplier":1.1,"sampling_rate":0.01,"steps":1000,"delta":1e-5}"#, "epsilon"),
    (
      #"{"op":"epsilon","noise_multiplier":1.1,"sampling_rate":0.01,"steps":100,"delta":1e-5,"accountant":"pld","loss_interval":1e-3}"#,
      "epsilon"
    ),
    (#"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"accountant":"best","loss_interval":0.001,"bounds":true}"#, "epsilon_at_least"),
    (#"{"op":"calibrate","target_epsilon":2,"delta":1e-5,"sampling_rate":0.01,"steps":1000}"#, "noise_multiplier"),
    (#"{"op":"rdp","mechanism":"discrete_gaussian_sum","variance":0.5,"count":10,"l2":3,"l1":9,"dimension":9,"orders":[2]}"#, "rdp"),
    (#"{"op":"rdp","mechanism":"discrete_gaussian_sum","variance":"2/5","count":10,"l2":3,"l1":9,"dimension":9,"orders":[2]}"#, "rdp"),
    (#"{"op":"rdp","mechanism":"discrete_gaussian","variance":4,"orders":[2]}"#, "rdp"),
    (#"{"op":"rdp","mechanism":"skellam","variance":100,"l1":30,"l2":10,"orders":[2,3]}"#, "rdp"),
    (#"{"op":"rdp","mechanism":"laplace","scale":2,"orders":[1.5]}"#, "rdp"),
    (#"{"op":"rdp","mechanism":"laplace","scale":2,"sampling_rate":0.1,"orders":[2]}"#, "rdp"),
    (#"{"op":"epsilon","noise_multiplier":1,"sampling":"without_replacement","sampling_rate":0.01,"steps":10,"delta":1e-6}"#, "epsilon"),
    (
      #"{"op":"epsilon","noise_multiplier":1,"sampling":"without_replacement","sample_size":10,"population_size":999,"delta":1e-6}"#,
      "epsilon"
    ),
    (
      #"{"op":"epsilon","mechanism":"tree_aggregation","noise_multiplier":5,"step_counts":[100],"delta":1e-6,"relation":"replace"}"#,
      "epsilon"
    ),
    (#"{"op":"delta","noise_multiplier":1,"epsilon":3}"#, "delta"),
    (#"{"op":"steps","noise_multiplier":1,"sampling_rate":0.01,"target_epsilon":2,"delta":1e-5}"#, "steps"),
    (#"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"rule":"classical"}"#, "epsilon"),
  ])
  func answers(_ request: String, _ name: String) throws {
    let reply = AccountingReply.answering(json: request).json
    let object = try #require(JSONSerialization.jsonObject(with: Data(reply.utf8)) as? [String: Any])
    #expect(object[name] != nil && object["error"] == nil, "\(reply)")
  }

  @Test func answersAreTheAccountants() throws {
    #expect(
      AccountingReply.answering(json: #"{"op":"rdp","noise_multiplier":2,"orders":[2,4]}"#) == .rdp(try gaussian(2, [2, 4]).curve.values))
    let bound = try gaussian(2, RenyiCurve.defaultOrders).epsilon(delta: 1e-6)
    #expect(
      AccountingReply.answering(json: #"{"op":"epsilon","noise_multiplier":2,"delta":1e-6}"#)
        == .epsilon(bound.epsilon, order: bound.order, atLeast: nil))
    #expect(AccountingReply.epsilon(.infinity, order: nil, atLeast: nil).json == #"{"epsilon":"inf","order":null}"#)
    #expect(AccountingReply.rdp([0.5, .infinity]).json == #"{"rdp":[0.5,"inf"]}"#)
    #expect(
      AccountingReply.answering(json: "{}").json == #"{"error":{"code":"AC-04","reason":"`op` is missing"}}"#)
  }

  /// [AC-04]
  @Test(arguments: [
    "", "[]", "5", "nonsense", "{", #"{"op":"rdp""#, #"{"op":"guess"}"#, #"{"op":5}"#, #"{"mechanism":"gaussian"}"#,
    #"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"sample_rate":0.01}"#, #"{"op":"epsilon","noise_multiplier":"1","delta":1e-5}"#,
    #"{"op":"epsilon","noise_multiplier":1}"#, #"{"op":"epsilon","delta":1e-5}"#, #"{"op":"epsilon","noise_multiplier":1,"delta":true}"#,
    #"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"steps":1.5}"#, #"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"scale":2}"#,
    #"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"variance":2}"#, #"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"epsilon":2}"#,
    #"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"sampling":"maybe"}"#,
    #"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"accountant":"rp"}"#,
    #"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"sample_size":5,"population_size":10}"#,
    #"{"op":"epsilon","mechanism":"skellam","variance":2,"l2":1,"delta":1e-5}"#,
    #"{"op":"rdp","mechanism":"discrete_gaussian","variance":"2/4"}"#,
    #"{"op":"rdp","mechanism":"discrete_gaussian","variance":"0.5"}"#, #"{"op":"rdp","mechanism":"discrete_gaussian_sum","variance":2}"#,
    #"{"op":"calibrate","target_epsilon":1,"delta":1e-5,"noise_multiplier":1}"#, #"{"op":"calibrate","delta":1e-5}"#,
    #"{"op":"calibrate","target_epsilon":1}"#,
    #"{"op":"calibrate","target_epsilon":1,"delta":1e-5,"mechanism":"discrete_gaussian","variance":1}"#,
    #"{"op":"delta","noise_multiplier":1}"#, #"{"op":"delta","noise_multiplier":1,"epsilon":1,"accountant":"pld"}"#,
    #"{"op":"steps","noise_multiplier":1,"target_epsilon":1,"delta":1e-5,"steps":5}"#, #"{"op":"rdp","noise_multiplier":1,"orders":2}"#,
    #"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"relation":"both"}"#, #"{"op":"epsilon","noise_multiplier":null,"delta":1e-5}"#,
    "{\"op\":\"\u{0}\"}", #"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"count":3}"#,
  ])
  func malformedRequestsAreRefused(_ request: String) {
    guard case .refused(let error) = AccountingReply.answering(json: request) else {
      Issue.record("\(request) was answered")
      return
    }
    #expect(error.code == .malformedRequest && !error.reason.isEmpty, "\(request): \(error)")
  }

  /// [AC-01], [AC-02], [AC-03] What the accountants refuse keeps its code.
  @Test(arguments: [
    (#"{"op":"epsilon","noise_multiplier":0,"delta":1e-5}"#, "AC-02"), (#"{"op":"epsilon","noise_multiplier":-1,"delta":1e-5}"#, "AC-02"),
    (#"{"op":"epsilon","noise_multiplier":1,"delta":0}"#, "AC-02"), (#"{"op":"epsilon","noise_multiplier":1,"delta":1}"#, "AC-02"),
    (#"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"sampling_rate":2}"#, "AC-02"),
    (#"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"steps":-1}"#, "AC-02"),
    (#"{"op":"rdp","noise_multiplier":1,"orders":[]}"#, "AC-02"),
    (#"{"op":"rdp","noise_multiplier":1,"orders":[1]}"#, "AC-02"), (#"{"op":"rdp","noise_multiplier":1,"orders":[3,2]}"#, "AC-02"),
    (#"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"sampling_rate":0.1,"relation":"replace"}"#, "AC-01"),
    (
      #"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"sampling":"without_replacement","sampling_rate":0.1,"relation":"add_or_remove"}"#,
      "AC-01"
    ),
    (#"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"sampling":"without_replacement","sample_size":5,"population_size":4}"#, "AC-02"),
    (#"{"op":"epsilon","mechanism":"skellam","variance":9,"l2":1,"l1":1,"delta":1e-5,"accountant":"pld"}"#, "AC-01"),
    (#"{"op":"calibrate","target_epsilon":0,"delta":1e-5}"#, "AC-02"),
    (#"{"op":"calibrate","target_epsilon":1e-9,"delta":1e-20}"#, "AC-03"),
    (#"{"op":"steps","noise_multiplier":0.5,"target_epsilon":0.01,"delta":1e-9}"#, "AC-03"),
    (#"{"op":"epsilon","noise_multiplier":1e400,"delta":1e-5}"#, "AC-04"),
    (#"{"op":"epsilon","noise_multiplier":1,"delta":1e-5,"steps":99999999999999999999}"#, "AC-04"),
  ])
  func refusalsKeepTheirCode(_ request: String, _ code: String) {
    guard case .refused(let error) = AccountingReply.answering(json: request) else {
      Issue.record("\(request) was answered")
      return
    }
    #expect(error.code.rawValue == code, "\(request): \(error)")
  }

  /// Random bytes, and requests with a byte changed: an answer or a refusal, never a trap.
  @Test func noTextIsATrap() {
    var generator = SeededGenerator(seed: 3)
    let template = Array(#"{"op":"epsilon","noise_multiplier":1.1,"sampling_rate":0.01,"steps":10,"delta":1e-5}"#.utf8)
    for _ in 0..<3000 {
      var bytes = template
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 32...126, using: &generator)
      }
      let reply = AccountingReply.answering(json: String(decoding: bytes, as: UTF8.self)).json
      #expect(reply.hasPrefix("{"))
    }
  }

  private func gaussian(_ sigma: Double, _ orders: [Double]) throws -> RenyiAccountant {
    var accountant = try RenyiAccountant(orders: orders)
    try accountant.compose(.gaussian(noiseMultiplier: sigma))
    return accountant
  }
}
