// What a fuzz target is, and the two helpers that all of them use. An input never makes a target fail by itself: only a trap, a
// sanitizer's report or a broken `require` does.

/// One decoder or state machine under attack.
protocol Target {
  /// As in FUZZ_TARGET.
  static var name: String { get }
  /// Everything that is computed once.
  init() throws
  /// Takes one input.
  func run(_ input: [UInt8])
  /// Valid inputs to begin with.
  func seeds() throws -> [[UInt8]]
}

/// A property of the code under test. Stops the process where it is broken, so that libFuzzer keeps the input.
func require(_ holds: Bool, _ what: @autoclosure () -> String) {
  if !holds { fatalError("broken property: \(what())") }
}

/// Reads a fuzz input as a list of decisions; zero behind the end.
struct Source {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position >= bytes.count }

  mutating func u8() -> UInt8 {
    defer { position += 1 }
    return position < bytes.count ? bytes[position] : 0
  }

  mutating func u16() -> Int { Int(u8()) << 8 | Int(u8()) }

  /// A number below `count`, 0 for an empty range.
  mutating func below(_ count: Int) -> Int {
    let value = count > 256 ? u16() : Int(u8())
    return count > 0 ? value % count : 0
  }

  mutating func take(_ count: Int) -> [UInt8] {
    let start = min(position, bytes.count)
    let end = min(start + count, bytes.count)
    position = end
    return Array(bytes[start..<end])
  }

  mutating func rest() -> [UInt8] { take(bytes.count) }

  /// A copy of `original` with one to four changes: a byte, a cut, an insertion.
  mutating func altered(_ original: [UInt8]) -> [UInt8] {
    var out = original
    for _ in 0...below(4) {
      let (kind, place) = (u8() % 8, out.isEmpty ? 0 : u16() % out.count)
      switch kind {
      case 0: out.removeLast(min(out.count, 1 + below(64)))
      case 1: out.insert(u8(), at: place)
      case 2: out += take(below(64))
      case 3 where !out.isEmpty: out[place] = u8()
      default: if !out.isEmpty { out[place] ^= max(1, u8()) }
      }
    }
    return out
  }
}
