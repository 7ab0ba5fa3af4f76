// Exit codes that users and scripts rely on (docs/errors.md). One list for all executables: a new meaning needs a
// new row there, and no command invents a number of its own.

/// How a process ends. Raw values follow `sysexits.h` where that has a name for the case.
public enum ExitStatus: Int32, Sendable, CaseIterable {
  /// Done.
  case success = 0
  /// Something was checked and found false: a proof, a policy, a data set.
  case checkedFalse = 1
  /// The command line was wrong.
  case usage = 64
  /// An input file or message is damaged or does not fit.
  case badData = 65
  /// A service, peer, file or device is not there.
  case unavailable = 69
  /// A fault of the program itself.
  case internalError = 70
  /// Failed now, may work later: a round that ended with a named reason, a lock that is held.
  case tryAgain = 75
  /// A key, certificate, signature or roster was refused.
  case identityRefused = 77
  /// A configuration file is wrong, or asks for what cannot be had.
  case configuration = 78
}
