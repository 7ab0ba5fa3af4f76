// Leaves as bytes: canonical JSON, decimal figures, base64, times; and that every entry is written as it was read.
import Sodium
import Testing

@testable import Ledger

@Suite struct LeafTests {
  private func read(_ text: String) -> JSONValue? { try? JSONReader.read(Array(text.utf8)) }

  @Test func everyEntryOfTheGoodLedgerIsWrittenAsItWasRead() throws {
    let corpus = try LedgerCorpus.loaded()
    for leaf in corpus.leaves { #expect(try LedgerEntry(decoding: leaf).encoded == leaf) }
    #expect(Set(try corpus.entries().map(\.body.type)).count == 9)
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "1.0", "1e3", "-0", "01", "+1", "--1", "-", "true", "null", "nul", "\"", "\"\\x\"",
    "\"\\u12\"",
    "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\\ud83d \\ude00\"", "9007199254740992", "-9007199254740992",
    "99999999999999999999",
    "{\"a\":1,\"a\":2}", "1 2", "\"\u{1}\"", "[[[[[[[[[[1]]]]]]]]]]",
  ])
  func isNoJSONOfLeaves(_ text: String) { #expect(read(text) == nil) }

  @Test func isReadAndWrittenCanonically() {
    #expect(read("9007199254740991") == .integer(9_007_199_254_740_991))
    #expect(read(" { \"b\" : [ 1 , -2 ] , \"a\" : \"\\u00e9\\n\\/\" } ")?.canonicalBytes == Array("{\"a\":\"é\\n/\",\"b\":[1,-2]}".utf8))
    #expect(read("\"\\ud83d\\ude00\"") == .text("😀"))
    // Keys in the order of their UTF-16 units: U+1F600 is before U+FB33.
    let value = JSONValue.object([JSONMember("\u{FB33}", .integer(1)), JSONMember("\u{1F600}", .integer(2))])
    #expect(value.canonicalBytes == Array("{\"\u{1F600}\":2,\"\u{FB33}\":1}".utf8))
    #expect(JSONValue.text("\u{1F}\u{7F}\"\\").canonicalBytes == Array("\"\\u001f\u{7F}\\\"\\\\\"".utf8))
    #expect(JSONValue.object([]).canonicalBytes == Array("{}".utf8) && JSONValue.list([]).canonicalBytes == Array("[]".utf8))
  }

  @Test func decimalsHaveOneSpelling() throws {
    for text in ["0", "1", "0.5", "10.25", "0.000001", "123456789012345678901234567890"] { #expect(try LeafDecimal(text).text == text) }
    for text in ["", ".", "1.", ".5", "01", "00", "1.0", "1.50", "-1", "+1", "1e5", "1,5", " 1", "0x1", "nan", "inf", "1.2.3", "١"] {
      #expect(throws: EncodingFault.self) { try LeafDecimal(text) }
    }
    let values = [0, 1, 8, 0.1, 1e-5, 1.5e-7, 123.456, 1e21, 1.7e22, 2.5e-300, .leastNonzeroMagnitude, 0x1p-40, 1e16, 1234567890123456.8]
    for value in values {
      let found = LeafDecimal(shortest: value)
      #expect(try LeafDecimal(found.text) == found)
      #expect(try LeafDecimal(found.text).value == value, "\(found.text)")
    }
    #expect(LeafDecimal(shortest: 1e-5).text == "0.00001" && LeafDecimal(shortest: 1e21).text == "1" + String(repeating: "0", count: 21))
  }

  @Test func base64HasOneSpelling() {
    for count in 0..<40 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37) }
      #expect(Base64.bytes(Base64.text(bytes)) == bytes)
    }
    #expect(Base64.text(Array("foobar".utf8)) == "Zm9vYmFy" && Base64.text(Array("fo".utf8)) == "Zm8=")
    for text in ["Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm9v\n", "Zm9 ", "====", "=", "Zg==Zg==", "Zm-v", "Zg=a"] {
      #expect(Base64.bytes(text) == nil, "\(text)")
    }
    #expect(Hex.bytes("0aff", count: 2) == [10, 255] && Hex.bytes("0aF0", count: 2) == nil && Hex.bytes("0af", count: 2) == nil)
  }

  @Test func timesAreOfTheCalendar() {
    #expect(CivilTime.text(0) == "1970-01-01T00:00:00Z" && CivilTime.text(951_782_400) == "2000-02-29T00:00:00Z")
    #expect(CivilTime.text(4_107_542_399) == "2100-02-28T23:59:59Z" && CivilTime.text(.max) == "9999-12-31T23:59:59Z")
    for seconds in stride(from: UInt64(0), to: 253_402_300_799, by: 86_399 * 97) {
      #expect(CivilTime.seconds(CivilTime.text(seconds)) == seconds)
    }
    for text in [
      "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01 00:00:00Z", "1969-01-01T00:00:00Z",
      "2024-1-01T00:00:00Z",
    ] {
      #expect(CivilTime.seconds(text) == nil, "\(text)")
    }
  }

  /// [LG-14]: what is cut into attachments is put together again.
  @Test(arguments: [16_384, 16_385, 32_768, 32_769, 65_536, 100_000])
  func longValues(_ count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let (blob, before) = Blob.make(bytes, time: 5)
    #expect(before.isEmpty == (count <= Blob.inlineBytesMax))
    #expect(before.allSatisfy { $0.encoded.count <= LedgerEntry.bytesMax })
    var values = AttachedValues()
    for entry in before {
      guard case .attachment(let part) = try LedgerEntry(decoding: entry.encoded).body else { continue }
      try values.add(part)
    }
    #expect(try values.taken(by: [blob]).bytes(blob) == bytes)
  }
}
