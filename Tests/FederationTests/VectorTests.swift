// Requests for enrolment and the layout of a weights file, made by independent software (Vectors/README.md).
import Foundation
import Safetensors
import Sodium
import Testing

@testable import Federation

@Suite struct VectorTests {
  private static func object(_ name: String) throws -> Any { try JSONSerialization.jsonObject(with: Data(Fixtures.vector(name))) }

  private static func bytes(_ value: Any?) throws -> [UInt8] {
    let text = try #require(value as? String)
    return try #require(Hexadecimal.bytes(text, count: text.utf8.count / 2))
  }

  @Test func requestsOfOthersAreReadAndTheirFingerprintsAgree() throws {
    let cases = try #require(try Self.object("enrolment.json") as? [[String: Any]])
    #expect(cases.count == 2)
    for vector in cases {
      var file = try #require(vector["request"] as? [String: Any])
      func parse() throws -> EnrolmentRequest { try EnrolmentRequest.parse(Array(JSONSerialization.data(withJSONObject: file))) }
      let request = try parse()
      #expect(request.name == file["name"] as? String)
      #expect(request.role == (file["addresses"] as? [String]).map { .server(addresses: $0) } ?? .site)
      #expect(BLAKE2b.hash(request.canonicalBytes, size: 32) == (try Self.bytes(vector["digest"])))
      #expect(request.fingerprint == vector["fingerprint"] as? String)
      file["created"] = "2026-01-02T00:00:00Z"
      #expect(Fixtures.code { _ = try parse() } == .enrolmentSignature)
    }
  }

  @Test func theFlatVectorOfAnotherWritersFileIsTheSame() throws {
    let vector = try #require(try Self.object("layout.json") as? [String: Any])
    let bytes = try Self.bytes(vector["file"])
    let file = try SafetensorsFile(parsing: bytes)
    let layout = WeightsLayout(file)
    #expect(JobPlan.layoutDigest(layout) == (try Self.bytes(vector["digest"])))
    #expect(JobPlan.weightsDigest(bytes) == (try Self.bytes(vector["weights_digest"])))
    let flat = try layout.flatten(file)
    for (name, values) in [("parameters", flat.parameters), ("statistics", flat.statistics)] {
      let expected = try #require(vector[name] as? [String]).map { try #require(UInt32($0, radix: 16)) }
      #expect(values.map(\.bitPattern) == expected, "\(name)")
    }
  }
}
