// The messages of an attempt and the label that each one's signature starts with (spec/03-phases.md, "Messages").

package enum MessageType: UInt8, CaseIterable, Sendable {
  case plan = 1
  case acceptance = 2
  case keys = 3
  case keyList = 4
  case shareHeader = 5
  case shares = 6
  case shareDelivery = 7
  case acknowledgement = 8
  case acknowledgementList = 9
  case inputHeader = 10
  case survivors = 11
  case consistency = 12
  case signatureList = 13
  case reveal = 14
  case closed = 15
  case refusal = 16
  case graphCommitments = 17
  case graphNonce = 18
  case graphNonces = 19
  case destroyed = 20

  /// The phase in the label `secagg/v1/PHASE`.
  package var name: String {
    switch self {
    case .plan: "plan"
    case .acceptance: "accept"
    case .keys: "keys"
    case .keyList: "key-list"
    case .shareHeader: "share-header"
    case .shares: "shares"
    case .shareDelivery: "share-delivery"
    case .acknowledgement: "acknowledge"
    case .acknowledgementList: "acknowledgement-list"
    case .inputHeader: "masked-input"
    case .survivors: "survivors"
    case .consistency: "consistency"
    case .signatureList: "signature-list"
    case .reveal: "reveal"
    case .closed: "closed"
    case .refusal: "refusal"
    case .graphCommitments: "graph-commitments"
    case .graphNonce: "graph-nonce"
    case .graphNonces: "graph-nonces"
    case .destroyed: "destroyed"
    }
  }

  /// What a message of this type says.
  package var body: any MessageBody.Type {
    switch self {
    case .plan: PlanBody.self
    case .acceptance: AcceptanceBody.self
    case .keys: KeysBody.self
    case .keyList: KeyListBody.self
    case .shareHeader: ShareHeaderBody.self
    case .shares: SharesBody.self
    case .shareDelivery: ShareDeliveryBody.self
    case .acknowledgement: AcknowledgementBody.self
    case .acknowledgementList: AcknowledgementListBody.self
    case .inputHeader: InputHeaderBody.self
    case .survivors: SurvivorsBody.self
    case .consistency: ConsistencyBody.self
    case .signatureList: SignatureListBody.self
    case .reveal: RevealBody.self
    case .closed: ClosedBody.self
    case .refusal: RefusalBody.self
    case .graphCommitments: GraphCommitmentsBody.self
    case .graphNonce: GraphNonceBody.self
    case .graphNonces: GraphNoncesBody.self
    case .destroyed: DestroyedBody.self
    }
  }

  /// The phase in which a site's message of this type is due at the server; nil for the server's own and for refusals.
  package var duePhase: Phase? {
    switch self {
    case .acceptance: .plan
    case .graphNonce: .graph
    case .keys: .keys
    case .shares: .shares
    case .acknowledgement: .acknowledge
    case .inputHeader: .maskedInput
    case .consistency: .consistency
    case .reveal: .reveal
    default: nil
    }
  }

  /// The phase in which the server's message of this type is due at a site.
  package var awaitedPhase: Phase? {
    switch self {
    case .plan: .plan
    case .graphCommitments: .commitments
    case .graphNonces: .graph
    case .keyList: .keys
    case .shareDelivery: .shares
    case .acknowledgementList: .acknowledge
    case .survivors: .maskedInput
    case .signatureList: .consistency
    case .closed: .reveal
    default: nil
    }
  }
}
