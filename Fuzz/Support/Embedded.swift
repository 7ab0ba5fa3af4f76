// The messages inside a message, and the same message with one of them altered: what a server can say together with sites that it
// controls.
import SecAgg

enum Embedded {
  static func messages(in body: any MessageBody) -> [SignedMessage] {
    switch body {
    case let body as KeyListBody: body.keys
    case let body as SharesBody: body.headers
    case let body as ShareDeliveryBody: body.headers
    case let body as AcknowledgementListBody: body.acknowledgements
    case let body as SurvivorsBody: body.headers
    case let body as SignatureListBody: body.signatures
    default: []
    }
  }

  static func messages(in message: SignedMessage) -> [SignedMessage] { list(of: message).map { messages(in: $0) } ?? [] }

  private static func list(of message: SignedMessage) -> (any MessageBody)? {
    switch message.type {
    case .keyList: try? message.open(KeyListBody.self)
    case .shares: try? message.open(SharesBody.self)
    case .shareDelivery: try? message.open(ShareDeliveryBody.self)
    case .acknowledgementList: try? message.open(AcknowledgementListBody.self)
    case .survivors: try? message.open(SurvivorsBody.self)
    case .signatureList: try? message.open(SignatureListBody.self)
    default: nil
    }
  }

  /// The list with other messages in it.
  static func replacing(_ message: SignedMessage, _ inner: [SignedMessage]) -> (any MessageBody)? {
    switch list(of: message) {
    case let body as KeyListBody: KeyListBody(keys: inner, set: body.set)
    case let body as SharesBody: SharesBody(headers: inner, envelopes: body.envelopes)
    case let body as ShareDeliveryBody: ShareDeliveryBody(headers: inner, envelopes: body.envelopes, set: body.set)
    case let body as AcknowledgementListBody: AcknowledgementListBody(acknowledgements: inner, set: body.set)
    case let body as SurvivorsBody: SurvivorsBody(headers: inner, whole: body.whole.map { whole($0, inner) })
    case is SignatureListBody: SignatureListBody(signatures: inner)
    default: nil
    }
  }

  /// The digests of the set follow those of the headers.
  private static func whole(_ whole: SurvivorsBody.Whole, _ headers: [SignedMessage]) -> SurvivorsBody.Whole {
    var digests = whole.digests
    for header in headers {
      guard let index = whole.sites.sortedIndex(of: header.sender), let body = try? header.open(InputHeaderBody.self) else { continue }
      digests[index] = body.digest
    }
    return SurvivorsBody.Whole(sites: whole.sites, digests: digests)
  }
}
