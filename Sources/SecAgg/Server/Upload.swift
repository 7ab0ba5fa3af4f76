// A masked input on its way in (spec/03-phases.md, phase 3). It is kept apart until it is complete and its digest is the signed
// one; only then does it enter the sum, at once and whole. What arrives incomplete, altered or too late leaves no trace.
import Masking

struct Upload {
  let header: SignedMessage
  var payload: [UInt8] = []
  var nextIndex = 0
  var count: Int?
}

extension ServerSession {
  /// Pieces that a payload may come in.
  static let chunksMax = 1 << 16

  /// A header (the first or a repeated one) opens a fresh buffer, unless the input is in the sum already.
  func startUpload(_ site: SiteID, _ header: SignedMessage) {
    guard inputs[site] == nil, phase == .maskedInput else { return }
    uploads[site] = Upload(header: header)
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
    guard !chunk.isEmpty, upload.payload.count + chunk.count <= plan.payloadBytes else {
      throw Refusal(.inputShape, "the pieces are empty or exceed the input's \(plan.payloadBytes) bytes", culprit: site)
    }
    if index == 0 { upload.payload.reserveCapacity(plan.payloadBytes) }
    upload.payload += chunk
    upload.nextIndex += 1
    upload.count = count
    guard index == count - 1 else {
      uploads[site] = upload
      return []
    }
    try complete(upload.payload, upload.header, site)
    answer(site)
    return advance()
  }

  private func complete(_ payload: [UInt8], _ header: SignedMessage, _ site: SiteID) throws(Refusal) {
    guard payload.count == plan.payloadBytes else {
      throw Refusal(.inputShape, "an input of \(payload.count) bytes; the plan's has \(plan.payloadBytes)", culprit: site)
    }
    guard try header.open(InputHeaderBody.self).digest == Transcript.input(context, site, payload) else {
      throw Refusal(.inputDigest, "the input is not the one whose digest was signed", culprit: site)
    }
    // All sections are checked before the first one is added.
    var parts: [ArraySlice<UInt8>] = []
    var position = 0
    for section in plan.sections {
      let part = payload[position..<position + section.packedBytes]
      position += section.packedBytes
      do { try BitPacking.check(part, count: section.count, bits: section.bits) } catch {
        throw Refusal(.inputShape, "section \(section.name): \(error.reason)", culprit: site)
      }
      parts.append(part)
    }
    for (index, section) in plan.sections.enumerated() {
      do { try BitPacking.unpack(parts[index], bits: section.bits, addingTo: &sum[index]) } catch {
        preconditionFailure("length and padding were checked")
      }
    }
    inputs[site] = header
  }
}
