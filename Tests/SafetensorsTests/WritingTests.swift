// Writing files and the flat vector: round trips, atomic replacement, and layouts that must not be confused.

import Glibc
import Testing

@testable import Safetensors

private func sample(order: [String] = ["m.weight", "m.running_mean", "m.num", "m.anchors", "m.bias"]) throws -> SafetensorsFile {
  var writer = SafetensorsWriter(metadata: ["z": "1", "a": "\"\\\n"])
  for name in order {
    switch name {
    case "m.weight": writer.add(name, shape: [2, 2], floats: [1, 2, 3, 4])
    case "m.running_mean": writer.add(name, shape: [2], floats: [5, 6])
    case "m.num": writer.add(name, shape: [], int64s: [-7])
    case "m.anchors": writer.add(name, shape: [1], floats: [9])
    default: writer.add(name, shape: [1], floats: [8])
    }
  }
  return try SafetensorsFile(parsing: writer.serialise())
}

@Suite struct WritingTests {
  @Test func tensorsOfAnotherFileComeUnderOtherNames() throws {
    var inner = SafetensorsWriter(metadata: ["k": "v"])
    inner.add("x", shape: [2], floats: [1, 2])
    inner.add("n", shape: [], int64s: [7])
    var outer = SafetensorsWriter()
    outer.add(contentsOf: inner, prefix: "part/")
    let parsed = try SafetensorsFile(parsing: outer.serialise())
    #expect(parsed.entries.map(\.name) == ["part/x", "part/n"] && parsed.metadata.isEmpty)
    var back = SafetensorsWriter(metadata: ["k": "v"])
    for entry in parsed.entries { back.add(entry, as: String(entry.name.dropFirst(5))) }
    #expect(back.serialise() == inner.serialise())
  }

  @Test func roundTripKeepsOrderTypesAndMetadata() throws {
    let file = try sample()
    #expect(file.entries.map(\.name) == ["m.weight", "m.running_mean", "m.num", "m.anchors", "m.bias"])
    #expect(file.metadata == ["z": "1", "a": "\"\\\n"])
    #expect(try file.int64s("m.num") == [-7])
    #expect(try file.floats("m.weight") == [1, 2, 3, 4])
  }

  @Test func flattensIntoSectionsAndBack() throws {
    let file = try sample()
    let layout = WeightsLayout(file)
    #expect(layout.parameterCount == 5)
    #expect(layout.statisticCount == 2)
    let flat = try layout.flatten(file)
    #expect(flat.parameters == [1, 2, 3, 4, 8])
    #expect(flat.statistics == [5, 6])
    let rebuilt = try layout.file(parameters: flat.parameters, statistics: flat.statistics, template: file, metadata: file.metadata)
    var original = SafetensorsWriter(metadata: file.metadata)
    for entry in file.entries { original.add(entry) }
    #expect(rebuilt.serialise() == original.serialise())
    let changed = try layout.file(parameters: [0, 0, 0, 0, -1], statistics: [2, 3], template: file)
    let reread = try SafetensorsFile(parsing: changed.serialise())
    #expect(try reread.floats("m.bias") == [-1])
    #expect(try reread.floats("m.running_mean") == [2, 3])
    #expect(try reread.floats("m.anchors") == [9])
    #expect(try reread.int64s("m.num") == [-7])
  }

  @Test func otherOrderIsAnotherLayout() throws {
    let layout = WeightsLayout(try sample())
    let other = try sample(order: ["m.bias", "m.weight", "m.running_mean"])
    #expect(WeightsLayout(other) != layout)
    #expect(throws: SafetensorsError.self) { try layout.flatten(other) }
    #expect(throws: SafetensorsError.self) { try layout.file(parameters: [], statistics: [], template: other) }
  }

  @Test func wrongSectionLengthsThrow() throws {
    let file = try sample()
    let layout = WeightsLayout(file)
    #expect(throws: SafetensorsError.self) { try layout.file(parameters: [1], statistics: [5, 6], template: file) }
    #expect(throws: SafetensorsError.self) {
      try layout.file(parameters: [1, 2, 3, 4, 8], statistics: [5], template: file)
    }
  }

  @Test func replacesFilesAtomicallyAndReadsThemBack() throws {
    let folder = try temporaryFolder()
    let path = folder + "/weights.safetensors"
    var writer = SafetensorsWriter()
    writer.add("a", shape: [1], floats: [1])
    try writer.write(path: path)
    writer.add("b", shape: [1], floats: [2])
    try writer.write(path: path)
    #expect(try SafetensorsFile.read(path: path).entries.count == 2)
    #expect(throws: SafetensorsError.self) { try SafetensorsFile.read(path: path, bytesMax: 10) }
    #expect(throws: SafetensorsError.self) { try SafetensorsFile.read(path: folder) }
    #expect(throws: SafetensorsError.self) { try SafetensorsFile.read(path: folder + "/absent") }
    #expect(throws: SafetensorsError.self) { try writer.write(path: folder + "/no/such/folder") }
    unlink(path)
    #expect(rmdir(folder) == 0, "no temporary file may be left behind")
  }

  private func temporaryFolder() throws -> String {
    var template = Array("/tmp/safetensors-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { buffer in buffer.baseAddress.flatMap { mkdtemp($0) } != nil }
    try #require(made)
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
