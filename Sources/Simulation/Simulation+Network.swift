// The virtual network: every site has one connection to the server, on which messages may be late, doubled, out of order, altered, or lost
// with the connection.
import SecAgg

extension Simulation {
  func latency() -> UInt64 {
    let jitter = options.faults.jitterMicroseconds
    return 20_000 + (jitter == 0 ? 0 : random.next() % jitter)
  }

  func connect(_ id: SiteID) {
    guard let site = sites[id], site.isUp, site.connection == nil else { return }
    site.connections += 1
    site.connection = site.connections
    site.lastArrival = (0, 0)
    guard let session, session.phase != .done || outcome == nil else { return }
    perform(meter.server(session.phase) { session.reconnected(id) })
  }

  /// From the server, past an adversary that may be the server.
  func fromServer(_ bytes: [UInt8], to id: SiteID) {
    let altered = adversary?.fromServer(bytes, to: id, self) ?? [bytes]
    for bytes in altered { deliver(bytes, to: id) }
  }

  /// Puts bytes on a site's connection as they are.
  func deliver(_ bytes: [UInt8], to id: SiteID) {
    guard let site = sites[id], let connection = site.connection else { return }
    meter.serverSent(bytes.count, phase(of: bytes), to: id)
    if random.happens(options.faults.disconnect) { return disconnect(id) }
    for bytes in copies(of: bytes) {
      let arrival = arrival(after: site.lastArrival.atSite)
      site.lastArrival.atSite = max(site.lastArrival.atSite, arrival)
      events.add(.toSite(id, connection: connection, bytes), at: arrival)
    }
  }

  /// From a site, past an adversary that may be this site.
  func fromSite(_ packet: Packet, _ site: SimulatedSite) {
    let altered = adversary?.fromSite(packet, site, self) ?? [packet]
    for packet in altered { deliver(packet, from: site) }
  }

  private func deliver(_ packet: Packet, from site: SimulatedSite) {
    guard let connection = site.connection else { return }
    switch packet {
    case .message(let bytes): meter.siteSent(bytes.count, phase(of: bytes), from: site.id)
    case .piece(let bytes, _, _): meter.siteSent(bytes.count, .maskedInput, from: site.id)
    case .goodbye: break
    }
    if random.happens(options.faults.disconnect) { return disconnect(site.id) }
    let packets: [Packet] =
      switch packet {
      case .message(let bytes): copies(of: bytes).map { .message($0) }
      case .piece(let bytes, let index, let count): copies(of: bytes).map { .piece($0, index: index, count: count) }
      case .goodbye: [packet]
      }
    for packet in packets {
      let arrival = arrival(after: site.lastArrival.atServer)
      site.lastArrival.atServer = max(site.lastArrival.atServer, arrival)
      events.add(.toServer(site.id, connection: connection, packet), at: arrival)
    }
  }

  private func arrival(after last: UInt64) -> UInt64 {
    let time = now + latency()
    return random.happens(options.faults.reorder) ? time : max(time, last + 1)
  }

  /// Once, or twice; sometimes altered in one bit.
  private func copies(of bytes: [UInt8]) -> [[UInt8]] {
    let count = random.happens(options.faults.duplicate) ? 2 : 1
    return (0..<count).map { _ in
      guard random.happens(options.faults.corrupt), !bytes.isEmpty else { return bytes }
      var altered = bytes
      let draw = random.next()
      altered[Int(draw >> 3 % UInt64(bytes.count))] ^= 1 << UInt8(draw & 7)
      return altered
    }
  }

  private func phase(of bytes: [UInt8]) -> Phase {
    guard bytes.count > 1, let type = MessageType(rawValue: bytes[1]) else { return .done }
    switch type {
    case .plan, .acceptance: return .plan
    case .graphCommitments, .graphNonce, .graphNonces: return .graph
    case .keys, .keyList: return .keys
    case .shareHeader, .shares, .shareDelivery: return .shares
    case .acknowledgement, .acknowledgementList: return .acknowledge
    case .inputHeader: return .maskedInput
    case .survivors, .consistency: return .consistency
    case .signatureList, .reveal: return .reveal
    case .closed, .refusal, .destroyed: return .done
    }
  }
}
