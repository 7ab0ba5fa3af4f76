// Large payloads in pieces: all but the last have the same length, they come in order, and the whole counts only when it is complete
// and its digest is right (spec: transport, payloads in pieces).

/// Cutting a payload into pieces.
public enum Chunking {
  /// How many pieces of `size` bytes a payload of `bytes` bytes needs; 0 for an empty one.
  public static func count(bytes: Int, size: Int = FieldLimits.chunkBytesMax) -> Int {
    precondition(size > 0 && size <= FieldLimits.chunkBytesMax)
    return (bytes + size - 1) / size
  }

  /// The pieces in order; an empty payload has none.
  /// - Throws: ``TransportError`` `tooLarge` when more than 16,384 pieces would be needed.
  public static func pieces(of payload: [UInt8], size: Int = FieldLimits.chunkBytesMax) throws(TransportError) -> [[UInt8]] {
    let count = count(bytes: payload.count, size: size)
    guard count <= Int(FieldLimits.chunkCountMax) else {
      throw TransportError(.tooLarge, "\(payload.count) bytes in pieces of \(size) are too many pieces", hint: "use pieces of 1 MiB")
    }
    return (0..<count).map { Array(payload[$0 * size..<min(($0 + 1) * size, payload.count)]) }
  }
}

/// Puts the pieces of one payload together again. A refusal leaves it unusable: make a new one.
public struct ChunkAssembler: Sendable {
  private let bytesMax: Int
  private var count: UInt32 = 0
  private var next: UInt32 = 0
  private var size = 0
  private var payload: [UInt8] = []
  private var broken = false

  /// Whether no piece was taken yet.
  public var isEmpty: Bool { next == 0 && !broken }

  /// - Parameter bytesMax: the longest payload that is taken, bytes.
  public init(bytesMax: Int) { self.bytesMax = bytesMax }

  /// Takes the next piece.
  /// - Returns: the whole payload with the last piece, nil before.
  /// - Throws: ``TransportError`` `malformed` for a gap, a repetition, a changed count or length; `tooLarge` beyond the limit.
  public mutating func add(index: UInt32, count: UInt32, bytes: [UInt8]) throws(TransportError) -> [UInt8]? {
    guard !broken, !bytes.isEmpty, index == next, index < count, next == 0 || count == self.count else {
      broken = true
      throw WireCodec.malformed("piece \(index) of \(count), where piece \(next) of \(next == 0 ? count : self.count) is due,")
    }
    if next == 0 {
      self.count = count
      size = bytes.count
      // The announced total is checked before anything is kept: `count` pieces of which all but the last have `size` bytes.
      let least = (UInt64(count) - 1) * UInt64(size)
      guard count <= FieldLimits.chunkCountMax, least < UInt64(bytesMax) else { throw over(least) }
    }
    let isLast = index + 1 == count
    guard bytes.count <= FieldLimits.chunkBytesMax, isLast ? bytes.count <= size : bytes.count == size else {
      broken = true
      throw WireCodec.malformed("piece \(index) with \(bytes.count) bytes, where pieces have \(size),")
    }
    guard payload.count + bytes.count <= bytesMax else { throw over(UInt64(payload.count + bytes.count)) }
    payload += bytes
    next += 1
    guard isLast else { return nil }
    broken = true
    defer { payload = [] }
    return payload
  }

  private mutating func over(_ bytes: UInt64) -> TransportError {
    broken = true
    return TransportError(.tooLarge, "a payload of \(bytes) bytes or more; at most \(bytesMax) are taken", hint: "check the model's size")
  }

  /// Checks a whole payload against the digest that it was announced with.
  public static func check(
    _ payload: [UInt8], digest expected: [UInt8], by hash: ([UInt8]) -> [UInt8]
  ) throws(TransportError) {
    guard hash(payload) == expected else {
      throw TransportError(.digestMismatch, "a payload of \(payload.count) bytes does not have its digest", hint: "ask for it again")
    }
  }
}
