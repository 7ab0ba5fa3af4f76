// Reading safetensors files, mostly wrong ones: each negative case breaks one rule of the format.

import Testing

@testable import Safetensors

/// A file from header text and data bytes.
private func file(_ header: String, _ data: [UInt8] = []) -> [UInt8] {
  let text = Array(header.utf8)
  return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text + data
}

private func code(_ bytes: [UInt8]) -> SafetensorsError.Code? {
  do {
    _ = try SafetensorsFile(parsing: bytes)
    return nil
  } catch { return error.code }
}

private let eight: [UInt8] = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]

@Suite struct ParsingTests {
  @Test func readsTensorsInOffsetOrder() throws {
    let bytes = file(
      #"{"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}, "__metadata__":{"k":"\u00e9\n\ud83d\ude00"},"#
        + #""a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}   "#, eight)
    let parsed = try SafetensorsFile(parsing: bytes)
    #expect(parsed.entries.map(\.name) == ["a", "b"])
    #expect(try parsed.floats("a") == [1])
    #expect(try parsed.floats("b") == [-2])
    #expect(parsed.metadata == ["k": "é\n😀"])
    #expect(parsed.entries[0].shape == [1, 1])
  }

  @Test func acceptsScalarsAndEmptyTensors() throws {
    let parsed = try SafetensorsFile(
      parsing: file(
        #"{"s":{"dtype":"F64","shape":[],"data_offsets":[0,8]},"e":{"dtype":"U8","shape":[0,7],"data_offsets":[8,8]}}"#,
        [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]))
    #expect(try parsed.floats("s") == [1])
    #expect(try parsed.entry("e").count == 0)
    #expect(try SafetensorsFile(parsing: file("{}")).entries.isEmpty)
  }

  @Test(arguments: [
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#,  // no closing brace
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} x"#,  // text after the end
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},}"#,  // trailing comma
    #"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,  // negative dimension
    #"{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}"#,  // fraction
    #"{"a":{"dtype":"F32","shape":[02],"data_offsets":[0,8]}}"#,  // leading zero
    #"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}"#,  // more than 64 bits
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#,  // one offset
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}"#,  // three offsets
    #"{"a":{"dtype":"F32","data_offsets":[0,8]}}"#,  // no shape
    #"{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}"#,  // a key twice
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":[1]}}"#,  // unknown key
    #"{"a":[2]}"#, #"{"a"}"#, "[]", "", "{", #"{"a":{"dtype":"F32"#, #"{"\ud800":{}}"#, #"{"\x":{}}"#, #"{"\u00g0":{}}"#,
    #"{"a\#u{1}":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,  // control character
    #"{"__metadata__":{"k":1}}"#, #"{"__metadata__":"k"}"#,
  ])
  func refusesMalformedHeader(_ header: String) { #expect(code(file(header, eight)) == .malformedHeader) }

  @Test func refusesInvalidText() {
    var bytes = file(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, eight)
    bytes[10] = 0xff
    #expect(code(bytes) == .malformedHeader)
  }

  @Test(arguments: [
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
      SafetensorsError.Code.duplicateName
    ),
    (#"{"__metadata__":{"k":"1","k":"2"}}"#, .duplicateName),
    (#"{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}"#, .unknownType),
    (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, .inconsistentShape),
    (#"{"a":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,8]}}"#, .inconsistentShape),
    (#"{"a":{"dtype":"F32","shape":[0,4611686018427387904,8],"data_offsets":[0,8]}}"#, .inconsistentShape),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, .badOffsets),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#, .truncated),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, .badOffsets),  // bytes left over
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, .badOffsets),  // gap at the start
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
      .badOffsets
    ),  // two tensors on one place
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[5],"data_offsets":[3,8]}}"#,
      .badOffsets
    ),  // overlap by one byte
    (
      #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
      .badOffsets
    ),  // gap of one byte
  ])
  func refusesInconsistentEntries(_ header: String, _ expected: SafetensorsError.Code) {
    #expect(code(file(header, eight)) == expected)
  }

  @Test func refusesEveryTruncation() {
    let whole = file(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, eight)
    #expect(code(whole) == nil)
    for length in 0..<whole.count { #expect(code(Array(whole[..<length])) != nil, "length \(length)") }
    #expect(code(whole + [0]) == .badOffsets)
  }

  @Test func refusesHeaderLengthsThatLie() {
    #expect(code(Array(repeating: 0xff, count: 64)) == .malformedHeader)
    #expect(code([0, 0, 0, 1, 0, 0, 0, 0, 0x7b]) == .truncated)
    #expect(code([1, 0, 0, 1, 0, 0, 0, 0, 0x7b]) == .malformedHeader)
  }

  @Test func survivesEveryByteFlip() {
    let whole = file(
      #"{"__metadata__":{"k":"v"},"a":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]},"#
        + #""b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}"#, eight)
    for position in whole.indices {
      for bit in 0..<8 {
        var broken = whole
        broken[position] ^= 1 << bit
        // Only that nothing traps: a flip inside a name or the data gives another valid file.
        if let parsed = try? SafetensorsFile(parsing: broken) { for entry in parsed.entries { _ = try? entry.floats() } }
      }
    }
  }

  @Test func widensHalvesExactly() {
    let cases: [(UInt16, Float)] = [
      (0x3c00, 1), (0xc000, -2), (0x7bff, 65504), (0x0400, 0x1p-14), (0x0001, 0x1p-24), (0x03ff, 1023 * 0x1p-24), (0, 0),
      (0x7c00, .infinity), (0xfc00, -.infinity),
    ]
    for (half, value) in cases { #expect(widenHalf(half) == value) }
    #expect(widenHalf(0x7e00).isNaN)
    #expect(widenHalf(0x8000).sign == .minus)
    #expect(widenBrain(0x3f80) == 1)
  }

  @Test func typeAndNameMismatchesThrow() throws {
    let parsed = try SafetensorsFile(
      parsing: file(#"{"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#, [5, 0, 0, 0, 0, 0, 0, 0]))
    #expect(try parsed.int64s("i") == [5])
    #expect(throws: SafetensorsError.self) { try parsed.floats("i") }
    #expect(throws: SafetensorsError.self) { try parsed.floats("j") }
    #expect(parsed.firstNotFinite() == nil)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func findsNonFiniteValues(_ bad: Float) throws {
    var writer = SafetensorsWriter()
    writer.add("good", shape: [2], floats: [1, .greatestFiniteMagnitude])
    writer.add("bad", shape: [3], floats: [0, bad, 1])
    let parsed = try SafetensorsFile(parsing: writer.serialise())
    #expect(parsed.firstNotFinite() == "bad")
    #expect(throws: SafetensorsError.self) { try WeightsLayout(parsed).flatten(parsed) }
  }
}
