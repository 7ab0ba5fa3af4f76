// Independent pieces of computation on all cores, for the drivers that mask and unmask.
import Dispatch
import Masking

extension Workers {
  /// As many threads as there are processors.
  public static let allCores = Workers { count, body in DispatchQueue.concurrentPerform(iterations: count, execute: body) }
}
