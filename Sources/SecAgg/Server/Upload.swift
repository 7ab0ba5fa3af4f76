// A masked input on its way in (spec/03-phases.md, phase 3). It is kept apart until it is complete and its digest is the signed
// one; only then does it enter the sum, whole. What arrives incomplete, altered or too late leaves no trace.
import Masking
import Sodium

/// Where an input waits until it is whole: many large ones need not fit in memory together.
public protocol InputSpool: AnyObject {
  func append(_ bytes: [UInt8]) throws
  /// - Parameter offset: all of these bytes were appended before.
  func read(_ count: Int, at offset: Int) throws -> [UInt8]
}

/// In memory, which is taken with the first piece.
public final class MemorySpool: InputSpool {
  private let capacity: Int
  private let release: @Sendable () -> Void
  private var bytes: [UInt8] = []

  /// - Parameter release: called when the input waits no more.
  public init(capacity: Int, release: @escaping @Sendable () -> Void = {}) { (self.capacity, self.release) = (capacity, release) }
  deinit { release() }

  public func append(_ bytes: [UInt8]) {
    if self.bytes.isEmpty { self.bytes.reserveCapacity(capacity) }
    self.bytes += bytes
  }

  public func read(_ count: Int, at offset: Int) -> [UInt8] { Array(bytes[offset..<offset + count]) }
}

struct Upload {
  let header: SignedMessage
  let spool: any InputSpool
  let hasher: BLAKE2b.Hasher
  var byteCount = 0
  var nextIndex = 0
  var count: Int?
}

extension ServerSession {
  /// Pieces that a payload may come in.
  static let chunksMax = 1 << 16
  /// Coordinates that are added at once: a multiple of 8, so that each piece of any width ends at a whole byte.
  private static let addedAtOnce = 1 << 16

  /// A header (the first or a repeated one) opens a fresh buffer, unless the input is in the sum already.
  func startUpload(_ site: SiteID, _ header: SignedMessage) {
    guard inputs[site] == nil, phase == .maskedInput else { return }
    uploads[site] = Upload(header: header, spool: makeSpool(plan.payloadBytes), hasher: Transcript.inputHasher(context, site))
  }

  func processChunk(_ chunk: [UInt8], index: Int, of count: Int, _ site: SiteID) throws(Refusal) -> [ServerAction] {
    // The rest of a resend whose first copy arrived whole: identical bytes, by the signed digest.
    if inputs[site] != nil { return [] }
    guard phase == .maskedInput, var upload = uploads.removeValue(forKey: site) else {
      throw Refusal(.unexpected, "a piece of an input without its header")
    }
    guard (1...ServerSession.chunksMax).contains(count), index == upload.nextIndex, index < count,
      upload.count == nil || upload.count == count
    else { throw Refusal(.chunkOrder, "piece \(index) of \(count) where piece \(upload.nextIndex) is due", culprit: site) }
    guard !chunk.isEmpty, upload.byteCount + chunk.count <= plan.payloadBytes else {
      throw Refusal(.inputShape, "the pieces are empty or exceed the input's \(plan.payloadBytes) bytes", culprit: site)
    }
    do { try upload.spool.append(chunk) } catch { return abort(spoolFailed(error)) }
    upload.hasher.update(chunk)
    upload.byteCount += chunk.count
    upload.nextIndex += 1
    upload.count = count
    guard index == count - 1 else {
      uploads[site] = upload
      return []
    }
    do {
      try check(upload, site)
      try add(upload.spool)
    } catch let refusal as Refusal { throw refusal } catch { return abort(spoolFailed(error)) }
    inputs[site] = upload.header
    answer(site)
    return advance()
  }

  /// The server's own failure, which is no site's fault.
  private func spoolFailed(_ error: any Error) -> Refusal { Refusal(.over, "the server cannot keep an input: \(error)") }

  /// The whole input, before any of it is added.
  /// - Throws: a refusal, or what the spool throws.
  private func check(_ upload: Upload, _ site: SiteID) throws {
    guard upload.byteCount == plan.payloadBytes else {
      throw Refusal(.inputShape, "an input of \(upload.byteCount) bytes; the plan's has \(plan.payloadBytes)", culprit: site)
    }
    guard try upload.header.open(InputHeaderBody.self).digest == upload.hasher.finalise() else {
      throw Refusal(.inputDigest, "the input is not the one whose digest was signed", culprit: site)
    }
    var end = 0
    for section in plan.sections {
      end += section.packedBytes
      guard section.packedBytes > 0, let last = try upload.spool.read(1, at: end - 1).first else { continue }
      do throws(MaskingError) { try BitPacking.checkPadding(last, count: section.count, bits: section.bits) } catch {
        throw Refusal(.inputShape, "section \(section.name): \(error.reason)", culprit: site)
      }
    }
  }

  private func add(_ spool: any InputSpool) throws {
    var offset = 0
    for (index, section) in plan.sections.enumerated() {
      for first in stride(from: 0, to: section.count, by: Self.addedAtOnce) {
        let count = min(Self.addedAtOnce, section.count - first)
        let bytes = try spool.read(BitPacking.byteCount(count: count, bits: section.bits), at: offset)
        try BitPacking.unpack(bytes[...], bits: section.bits, addingTo: &sum[index], first..<first + count)
        offset += bytes.count
      }
    }
  }
}
