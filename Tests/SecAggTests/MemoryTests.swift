// [SA-122] Secrets are gone after their last use: the process's whole memory is searched for them, with a control that they are found
// while they live.
import Foundation
import Sodium
import Testing

@testable import SecAgg

@Suite(.serialized) struct MemoryTests {
  /// 32 secret bytes of which the test itself keeps an altered copy only.
  private struct Needle: Sendable {
    let masked: [UInt8]

    init(scalar: Bool) {
      var bytes = RandomBytes.make(32)
      if scalar { bytes[31] = 0 }
      masked = bytes.map { $0 ^ 0xa5 }
      SodiumLibrary.wipe(&bytes)
    }

    /// The bytes of a secret that is there already.
    init(of bytes: UnsafeRawBufferPointer) { masked = bytes.map { $0 ^ 0xa5 } }

    func secret() -> SecretBytes {
      var secret = SecretBytes(count: 32)
      secret.withUnsafeMutableBytes { for index in 0..<32 { $0[index] = masked[index] ^ 0xa5 } }
      return secret
    }
  }

  /// How often each needle is in the writable memory of this process.
  private func search(_ needles: [Needle]) throws -> [Int] {
    let chunk = 1 << 20
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: chunk + 64, alignment: 4096)
    defer {
      memset(buffer, 0, chunk + 64)
      buffer.deallocate()
    }
    let own = UInt(bitPattern: buffer)..<UInt(bitPattern: buffer) + UInt(chunk + 64)
    let memory = open("/proc/self/mem", O_RDONLY)
    defer { close(memory) }
    var counts = [Int](repeating: 0, count: needles.count)
    // Foundation reads one page of a file without a size.
    let maps = try #require(FileHandle(forReadingAtPath: "/proc/self/maps")).readToEnd() ?? Data()
    for line in String(decoding: maps, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: " ")
      let ends = parts[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      guard parts.count > 1, parts[1].hasPrefix("rw"), ends.count == 2 else { continue }
      var start = ends[0]
      while start < ends[1] {
        let count = min(chunk + 31, Int(ends[1] - start))
        // A page may be gone by now: other tests run beside this one.
        let read = pread(memory, buffer, count, off_t(start))
        let shared = (start..<start + UInt(max(read, 0))).clamped(to: own)
        if !shared.isEmpty { memset(buffer + Int(shared.lowerBound - start), 0, shared.count) }
        if read >= 32 { count32(buffer, read, needles, &counts) }
        start += UInt(chunk)
      }
    }
    return counts
  }

  private func count32(_ buffer: UnsafeMutableRawPointer, _ length: Int, _ needles: [Needle], _ counts: inout [Int]) {
    let bytes = buffer.assumingMemoryBound(to: UInt8.self)
    for (number, needle) in needles.enumerated() {
      let first = Int32(needle.masked[0] ^ 0xa5)
      var at = 0
      while at <= length - 32, let hit = memchr(bytes + at, first, length - 31 - at) {
        at = hit.assumingMemoryBound(to: UInt8.self) - UnsafeMutablePointer(bytes)
        if (0..<32).allSatisfy({ bytes[at + $0] == needle.masked[$0] ^ 0xa5 }) { counts[number] += 1 }
        at += 1
      }
    }
  }

  /// A held share; the copy that this takes is wiped.
  private func needle(of dealer: SiteID, at session: SiteSession) throws -> Needle {
    var share = try #require(session.heldShares?.exposed(.maskKey, of: dealer))
    defer { SodiumLibrary.wipe(&share) }
    return share.withUnsafeBytes { Needle(of: $0) }
  }

  @Test("[SA-122] [SA-126] roots, channel key and held shares are nowhere in memory once they are used")
  func secretsAreErased() throws {
    let world = try World(5)
    let victim = Fixture.site(2)
    let key = try #require(Keys.sites[victim])
    let (maskRoot, selfRoot, channel) = (Needle(scalar: true), Needle(scalar: true), Needle(scalar: false))
    let session = SiteSession(
      site: victim, identity: key, roster: world.roster, minimumHonest: 1,
      random: SiteRandom(
        scalar: { use in
          let needle = use == .maskRoot ? maskRoot : selfRoot
          guard use == .maskRoot || use == .selfMaskRoot, let scalar = try? Scalar(canonical: needle.secret()) else { return .random() }
          return scalar
        },
        channelKey: { (try? X25519.SecretKey(derivedFrom: channel.secret())) ?? X25519.SecretKey() }, nonce: { [] }))
    world.sites[victim] = session
    // The victim's last messages are held back, so that the server rebuilds nothing of it.
    world.toServer = { site, type, bytes in site == victim && type == .consistency ? [] : [bytes] }
    world.providesLate = true
    world.perform(world.server.start())
    world.drain()
    let shares = try world.plan.sites.filter { $0 != victim }.map { try needle(of: $0, at: session) }
    let before = try search([maskRoot, selfRoot, channel] + shares)
    #expect(before.allSatisfy { $0 >= 1 }, "the search finds what is there: \(before)")
    // The inputs are masked: roots and keys have had their last use.
    for site in world.plan.sites { world.perform(world.sites[site]?.provide(input: world.inputs[site] ?? []) ?? [], at: site) }
    world.drain()
    #expect(session.phase == .consistency && session.secrets == nil)
    let after = try search([maskRoot, selfRoot, channel] + shares)
    #expect(after.prefix(3).allSatisfy { $0 == 0 }, "left in memory: \(after)")
    #expect(after.dropFirst(3).allSatisfy { $0 >= 1 }, "the shares are still needed")
    // Whatever ends the attempt: here a refusal. Of the dealers' own copies of the shares only their polynomials' values are gone too.
    _ = session.refuse(Refusal(.policy, "the end"))
    #expect(session.heldShares == nil)
    #expect(try search(shares).allSatisfy { $0 == 0 })
  }
}
