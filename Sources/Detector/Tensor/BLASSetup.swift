// Which kernels OpenBLAS uses. It decides in its library constructor, so the choice must be in the environment before the
// process starts: `main` calls this first, and it may start the program anew. Reason: before 0.3.30, OpenBLAS picks its
// Cooperlake kernels on AVX512_BF16 processors, and those are reported to crash on Zen 5; its SkylakeX kernels are right
// and as fast there. Whatever the user set is respected. Tests do not call this.

import COpenBLAS

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

public enum BLASSetup {
  /// The kernels OpenBLAS chose and its version, for printing.
  public static var description: String {
    "\(String(cString: openblas_get_config())), running \(String(cString: openblas_get_corename())) kernels"
  }

  /// What convolutions run on, for printing.
  public static var kernels: String { DirectPath.best.map { "direct (\($0)), else \(description)" } ?? description }

  /// Restarts the program with `OPENBLAS_CORETYPE=SkylakeX` if the variable is unset, OpenBLAS is older than 0.3.30, and it
  /// chose Cooperlake. Call at the top of `main`, before threads exist. Returns if nothing has to change, and also if the
  /// restart fails.
  public static func prepare() {
    #if os(Linux)
      guard
        needsOtherKernels(
          coreType: getenv("OPENBLAS_CORETYPE").map { String(cString: $0) },
          configuration: String(cString: openblas_get_config()), chosen: String(cString: openblas_get_corename()))
      else { return }
      // Set now, so that the restarted program does not come here again.
      setenv("OPENBLAS_CORETYPE", "SkylakeX", 1)
      execv("/proc/self/exe", CommandLine.unsafeArgv)
    #endif
  }

  /// The decision, apart from its execution.
  static func needsOtherKernels(coreType: String?, configuration: String, chosen: String) -> Bool {
    guard coreType == nil, chosen.lowercased() == "cooperlake", let version = version(configuration) else { return false }
    return version < (0, 3, 30)
  }

  /// The version in a configuration text such as "OpenBLAS 0.3.21 NO_LAPACKE …".
  static func version(_ configuration: String) -> (Int, Int, Int)? {
    let words = configuration.split(separator: " ")
    guard words.count >= 2, words[0] == "OpenBLAS" else { return nil }
    let numbers = words[1].split(separator: ".").map { Int($0.prefix { $0.isASCII && $0.isNumber }) }
    guard numbers.count >= 3, let major = numbers[0], let minor = numbers[1], let patch = numbers[2] else { return nil }
    return (major, minor, patch)
  }

  /// Compares one product with plain loops; a wrong result means broken kernels, and training must not start.
  /// - Returns: false if OpenBLAS computes wrongly.
  public static func productsAreRight() -> Bool {
    var generator = WeightGenerator(seed: 7)
    let (rows, columns, depth) = (67, 45, 131)
    let a = (0..<(rows * depth)).map { _ in generator.uniform() - 0.5 }
    let b = (0..<(columns * depth)).map { _ in generator.uniform() - 0.5 }
    var c = [Float](repeating: .nan, count: rows * columns)
    c.withUnsafeMutableBufferPointer { result in
      guard let base = result.baseAddress else { return }
      MatrixProduct.forward(pixels: rows, outputs: columns, patch: depth, patches: a, stride: depth, weight: b, result: base)
    }
    for row in 0..<rows {
      for column in 0..<columns {
        let exact = (0..<depth).reduce(0.0) { $0 + Double(a[row * depth + $1]) * Double(b[column * depth + $1]) }
        guard abs(Double(c[row * columns + column]) - exact) < 1e-4 else { return false }
      }
    }
    return true
  }
}
