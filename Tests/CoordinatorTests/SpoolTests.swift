// Inputs that wait: in memory up to the pool's room, in nameless files beyond it, the same bytes from both.
import Foundation
import SecAgg
import Testing

@testable import Coordinator

@Suite struct SpoolTests {
  @Test func memoryThenFiles() throws {
    let folder = try TemporaryFolder()
    let pool = SpoolPool(folder: folder.path, memoryMax: 1_000)
    let pieces = (0..<4).map { piece in [UInt8](repeating: UInt8(piece), count: 150) }
    var spools = (0..<3).map { _ in pool.spool(600) }
    #expect(spools.map { $0 is FileSpool } == [false, true, true])
    for spool in spools {
      for piece in pieces { try spool.append(piece) }
      #expect(try spool.read(600, at: 0) == pieces.flatMap(\.self))
      #expect(try spool.read(3, at: 449) == [2, 3, 3])
    }
    // Nothing has a name, and room that is free again is used again.
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    spools = []
    #expect(!(pool.spool(600) is FileSpool))
  }

  @Test func aFolderThatIsGone() {
    let spool = FileSpool(folder: "/nonexistent-\(UUID().uuidString)")
    #expect(throws: FileSpool.Problem.self) { try spool.append([1]) }
    #expect(throws: FileSpool.Problem.self) { try spool.read(1, at: 0) }
  }

  @Test func whatWasNotWrittenIsNotRead() throws {
    let folder = try TemporaryFolder()
    let spool = FileSpool(folder: folder.path)
    try spool.append([1, 2, 3])
    #expect(throws: FileSpool.Problem.self) { try spool.read(4, at: 0) }
  }
}
