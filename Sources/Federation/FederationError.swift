// The one error of this module: a code with a row in docs/errors.md, what was found, where, and what to do about it.
// Reasons name files, keys and numbers; never a secret.

/// A position in a text file, with the line itself so that a caret can be drawn under it.
public struct SourcePlace: Sendable, Equatable {
  public var file: String
  /// Counted from 1.
  public var line: Int
  /// Counted from 1, in Unicode scalars.
  public var column: Int
  /// How many characters are concerned; at least 1.
  public var width: Int
  /// The text of that line, without its line break.
  public var text: String

  public init(file: String, line: Int, column: Int, width: Int, text: String) {
    (self.file, self.line, self.column, self.width, self.text) = (file, line, column, width, text)
  }
}

/// A failure of reading or checking what both sides must agree on: configuration, roster, identities, job plan.
public struct FederationError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable, CaseIterable {
    // Configuration files
    /// The file cannot be read, or is larger than a configuration is.
    case configUnreadable = "CF-01"
    /// The text is no YAML.
    case configSyntax = "CF-02"
    case unknownKey = "CF-03"
    case wrongType = "CF-04"
    case outOfRange = "CF-05"
    case duplicateKey = "CF-06"
    case missingKey = "CF-07"
    /// The format knows the setting, this version does not build it: refused, never ignored.
    case notBuilt = "CF-08"
    /// Differential privacy is asked for and this version has none.
    case privacyNotBuilt = "CF-09"
    /// YAML that a configuration has no use for: anchors, aliases, extreme nesting.
    case forbiddenYAML = "CF-10"
    /// Two settings contradict each other.
    case conflict = "CF-11"

    // Roster
    case rosterUnreadable = "RO-01"
    case rosterMalformed = "RO-02"
    case rosterSignature = "RO-03"
    /// The roster is past its valid-until date, or from the future.
    case rosterExpired = "RO-04"
    /// A roster with a higher serial number was seen before.
    case rosterOutdated = "RO-05"
    /// Two members share a name, an index, a key or a certificate.
    case rosterDuplicate = "RO-06"
    /// The roster names another consortium key than the pinned one.
    case otherConsortium = "RO-07"
    case notInRoster = "RO-08"
    /// An entry breaks a rule: name, dates, certificate, number of colluders.
    case rosterEntry = "RO-09"
    case rosterUnsigned = "RO-10"
    /// Evidence cannot be read or written.
    case evidenceFile = "RO-11"

    // Enrolment
    case enrolmentMalformed = "ER-01"
    case enrolmentSignature = "ER-02"
    case enrolmentCertificate = "ER-03"

    // Identity directories and key files
    case identityFile = "ID-01"
    /// Others than the owner may read a secret.
    case identityExposed = "ID-02"
    case identityMalformed = "ID-03"
    /// A key is never overwritten.
    case identityExists = "ID-04"
    /// The keys here are not those of the roster's entry.
    case identityMismatch = "ID-05"

    // Job plan
    /// The job's parameters break a limit, or their bytes are not the canonical ones.
    case jobPlan = "JP-01"
  }

  public let code: Code
  /// One sentence without a full stop: what was found.
  public let reason: String
  /// One sentence: what to do about it.
  public let hint: String
  public let place: SourcePlace?

  public init(_ code: Code, _ reason: String, hint: String, at place: SourcePlace? = nil) {
    (self.code, self.reason, self.hint, self.place) = (code, reason, hint, place)
  }

  /// A job plan that was refused, as an error of the module.
  public init(_ error: JobPlanError) {
    self.init(.jobPlan, "the job plan is not acceptable: \(error.reason)", hint: "correct the server's federated.yaml; both sides check it")
  }

  /// The process exit status that belongs to it: 78 configuration, 77 identity refused, 65 bad data.
  public var exitStatus: Int32 {
    switch code {
    case .configUnreadable, .configSyntax, .unknownKey, .wrongType, .outOfRange, .duplicateKey, .missingKey, .notBuilt,
      .privacyNotBuilt, .forbiddenYAML, .conflict, .rosterUnreadable, .identityFile, .identityExists:
      78
    case .rosterSignature, .rosterExpired, .rosterOutdated, .rosterDuplicate, .otherConsortium, .notInRoster, .rosterEntry,
      .rosterUnsigned, .enrolmentSignature, .enrolmentCertificate, .identityExposed, .identityMalformed, .identityMismatch:
      77
    case .rosterMalformed, .enrolmentMalformed, .jobPlan, .evidenceFile:
      65
    }
  }

  public var description: String {
    let position = place.map { "\($0.file):\($0.line):\($0.column): " } ?? ""
    return "error[\(code.rawValue)]: \(position)\(reason)\nhint: \(hint)"
  }
}
