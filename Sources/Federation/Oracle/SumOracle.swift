// The plain-sum oracle of test builds: sites write down their quantised input in clear, the server its unmasked sum, and the two are
// compared bit for bit over the survivors. It defeats the whole purpose of the system, so a product build does not contain it.
#if SECAGG_ORACLE
  import Foundation
  import Safetensors
  import SecAgg

  public struct SumOracle: Sendable {
    /// Environment variable with the folder.
    public static let variable = "SECAGG_ORACLE_DIR"
    public let folder: String

    public init(folder: String) { self.folder = folder }

    /// The oracle that the environment asks for.
    public static var fromEnvironment: SumOracle? {
      ProcessInfo.processInfo.environment[variable].map { SumOracle(folder: $0) }
    }

    private struct SumFile: Codable {
      let round: UInt32
      let attempt: UInt32
      let survivors: [UInt32]
      let bits: [Int]
      let counts: [Int]
    }

    private func path(_ round: UInt32, _ attempt: UInt32, _ what: String) -> String {
      "\(folder)/round-\(round)-attempt-\(attempt)-\(what)"
    }

    /// A site's plain input.
    public func recordInput(round: UInt32, attempt: UInt32, site: SiteID, sections: [[UInt32]]) throws {
      try FileBytes.write(Self.bytes(sections), path: path(round, attempt, "site-\(site.rawValue).u32"))
    }

    /// The server's sum.
    public func recordSum(round: UInt32, attempt: UInt32, survivors: [SiteID], layout: [VectorSection], sections: [[UInt32]]) throws {
      try FileBytes.write(Self.bytes(sections), path: path(round, attempt, "sum.u32"))
      let file = SumFile(
        round: round, attempt: attempt, survivors: survivors.map(\.rawValue), bits: layout.map(\.bits), counts: layout.map(\.count))
      try FileBytes.write([UInt8](JSONEncoder().encode(file)), path: path(round, attempt, "sum.json"))
    }

    /// What the comparison of one sum found.
    public struct Verdict: Sendable, Equatable, Codable {
      public let round: UInt32
      public let attempt: UInt32
      public let survivors: [UInt32]
      public let coordinates: Int
      /// Coordinates in which the unmasked sum is not the plain sum.
      public let differences: Int
    }

    /// Compares every sum in the folder with the inputs of its survivors.
    /// - Throws: where a file is missing or cannot be read.
    public func verify() throws -> [Verdict] {
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix("-sum.json") }
      let files = try names.map { try JSONDecoder().decode(SumFile.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)"))) }
      return try files.sorted { ($0.round, $0.attempt) < ($1.round, $1.attempt) }.map(verify)
    }

    private func verify(_ file: SumFile) throws -> Verdict {
      let sum = try words(path(file.round, file.attempt, "sum.u32"))
      var plain = [UInt32](repeating: 0, count: sum.count)
      for site in file.survivors {
        let input = try words(path(file.round, file.attempt, "site-\(site).u32"))
        guard input.count == sum.count else {
          throw SafetensorsError(.inconsistentShape, "site \(site) wrote another number of coordinates")
        }
        for index in plain.indices { plain[index] &+= input[index] }
      }
      var (differences, begin) = (abs(file.counts.reduce(0, +) - sum.count), 0)
      for (bits, count) in zip(file.bits, file.counts) {
        let mask = bits == 32 ? UInt32.max : (1 << UInt32(bits)) - 1
        for index in begin..<min(begin + count, sum.count) where plain[index] & mask != sum[index] { differences += 1 }
        begin += count
      }
      return Verdict(
        round: file.round, attempt: file.attempt, survivors: file.survivors, coordinates: sum.count, differences: differences)
    }

    private func words(_ path: String) throws -> [UInt32] {
      let bytes = try FileBytes.read(path: path, bytesMax: 1 << 31)
      return bytes.withUnsafeBytes { raw in
        (0..<raw.count / 4).map { UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)) }
      }
    }

    private static func bytes(_ sections: [[UInt32]]) -> [UInt8] {
      sections.flatMap { $0.map(\.littleEndian).withUnsafeBytes { Array($0) } }
    }
  }
#endif
