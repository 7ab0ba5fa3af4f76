// A party's request to be taken into the roster: strict JSON, two signatures, a certificate.
import Federation

struct EnrolmentTarget: Target {
  static let name = "enrolment"

  func run(_ input: [UInt8]) {
    guard let request = try? EnrolmentRequest.parse(input) else { return }
    require((try? EnrolmentRequest.parse(request.encoded())) == request, "a request reads as another after it was written")
    require(!request.fingerprint.isEmpty, "a request without a fingerprint")
  }

  func seeds() throws -> [[UInt8]] { try Consortium().requests.map { $0.encoded() } }
}
