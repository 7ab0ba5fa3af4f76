// The bounded queue, the reconnect delays and the addresses: the small parts that everything else leans on.
import Testing
import Transport

@Suite(.timeLimit(.minutes(1))) struct QueueTests {
  @Test func orderIsKept() async {
    let queue = BoundedQueue<Int>(costMax: 1_000_000)
    for index in 0..<3_000 { #expect(queue.offer(index, cost: 1) == .accepted) }
    for index in 0..<3_000 { #expect(await queue.next() == index) }
  }

  @Test func aFullLaneRefusesAndOthersDoNot() async {
    let queue = BoundedQueue<Int>(costMax: 10)
    #expect(queue.offer(1, cost: 8, lane: 1) == .accepted)
    #expect(queue.offer(2, cost: 3, lane: 1) == .full)
    #expect(queue.offer(3, cost: 10, lane: 2) == .accepted)
    #expect(!queue.hasRoom(lane: 2) && queue.hasRoom(lane: 1))
    #expect(await queue.next() == 1)
    #expect(queue.offer(4, cost: 3, lane: 1) == .accepted)
    #expect(queue.force(5, cost: 100, lane: 1) == .accepted)
  }

  @Test func anElementLargerThanTheLimitPassesAlone() async {
    let queue = BoundedQueue<Int>(costMax: 10)
    #expect(queue.offer(1, cost: 1_000) == .accepted)
    #expect(queue.offer(2, cost: 1) == .full)
    #expect(await queue.next() == 1)
    #expect(queue.offer(2, cost: 1) == .accepted)
  }

  @Test func finishDeliversWhatIsQueuedAndDiscardDoesNot() async {
    let queue = BoundedQueue<Int>(costMax: 10)
    _ = queue.offer(1, cost: 1)
    queue.finish()
    #expect(queue.offer(2, cost: 1) == .finished)
    #expect(await queue.put(2, cost: 1) == false)
    #expect(await queue.next() == 1)
    #expect(await queue.next() == nil)
    let other = BoundedQueue<Int>(costMax: 10)
    _ = other.offer(1, cost: 1)
    other.discard()
    #expect(await other.next() == nil)
  }

  @Test func waitersEnterInOrderAsRoomAppears() async {
    let queue = BoundedQueue<Int>(costMax: 1)
    let producer = Task { for index in 0..<500 { #expect(await queue.put(index, cost: 1)) } }
    for index in 0..<500 { #expect(await queue.next() == index) }
    await producer.value
  }

  @Test func manyProducersLoseNothing() async {
    let queue = BoundedQueue<Int>(costMax: 8)
    let sum = await withTaskGroup(of: Int.self) { group in
      for producer in 0..<8 {
        group.addTask {
          for index in 0..<200 { _ = await queue.put(producer * 200 + index, cost: 3, lane: UInt32(producer % 3)) }
          return 0
        }
      }
      group.addTask {
        var sum = 0
        for _ in 0..<1_600 { sum += await queue.next() ?? 0 }
        return sum
      }
      return await group.reduce(0, +)
    }
    #expect(sum == 1_600 * 1_599 / 2)
  }

  @Test func cancelledWaitersLeave() async {
    let queue = BoundedQueue<Int>(costMax: 1)
    #expect(queue.offer(0, cost: 1) == .accepted)
    let producer = Task { await queue.put(1, cost: 1) }
    producer.cancel()
    #expect(await producer.value == false)
    #expect(await queue.next() == 0)
    let consumer = Task { await queue.next() }
    consumer.cancel()
    #expect(await consumer.value == nil)
    // Neither left anything behind.
    #expect(queue.offer(2, cost: 1) == .accepted)
    #expect(await queue.next() == 2)
  }

  @Test func aFinishedQueueFreesItsWaiters() async {
    let queue = BoundedQueue<Int>(costMax: 1)
    _ = queue.offer(0, cost: 1)
    async let waiting = queue.put(1, cost: 1)
    queue.discard()
    #expect(await waiting == false)
  }
}

@Suite struct ReconnectTests {
  @Test func delaysGrowToTheCeilingAndScatter() {
    var policy = ReconnectPolicy()
    policy.initial = .seconds(1)
    policy.max = .seconds(10)
    policy.multiplier = 2
    #expect([1, 2, 3, 4, 5, 6].map { policy.delay(attempt: $0, spread: 0) } == [1, 2, 4, 8, 10, 10].map { .seconds($0) })
    #expect(policy.delay(attempt: 1, spread: 1) == .seconds(1.2))
    #expect(policy.delay(attempt: 1, spread: -1) == .seconds(0.8))
    #expect(policy.delay(attempt: 1, spread: 50) == .seconds(1.2))
    #expect(policy.delay(attempt: 0, spread: 0) == .seconds(1))
    #expect(policy.delay(attempt: .max, spread: 0) == .seconds(10))
  }

  @Test func onlyWhatRetryCanMendIsTransient() {
    let transient = Set(TransportError.Code.allCases.filter { TransportError($0, "", hint: "").isTransient })
    #expect(transient == [.unreachable, .connectionLost, .deadline, .unavailable])
  }

  @Test func everyCodeHasItsOwnNumberAndAnExitStatus() {
    #expect(Set(TransportError.Code.allCases.map(\.rawValue)).count == TransportError.Code.allCases.count)
    for code in TransportError.Code.allCases { #expect([65, 69, 75, 77, 78].contains(TransportError(code, "", hint: "").exitStatus)) }
  }
}

@Suite struct EndpointTests {
  @Test(arguments: [("127.0.0.1:7443", "127.0.0.1", 7_443), ("[::1]:0", "::1", 0), ("host.example:65535", "host.example", 65_535)])
  func addressesAreRead(text: String, host: String, port: Int) throws {
    let endpoint = try ServerEndpoint(parsing: text)
    #expect(endpoint.host == host && endpoint.port == port && endpoint.description == text)
  }

  @Test(arguments: [
    "", ":", "host", "host:", ":1", "host:65536", "host:-1", "host:1x", "::1:80", "a b:1", "https://host:1", "h\u{e9}:1",
    String(repeating: "h", count: 254) + ":1",
  ])
  func whatIsNoAddressIsRefused(text: String) {
    #expect { try ServerEndpoint(parsing: text) } throws: { ($0 as? TransportError)?.code == .unusableAddress }
  }

  @Test func loopbackIsThisMachineAlone() throws {
    for host in ["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST", "::1"] { #expect(try ServerEndpoint(host: host, port: 1).isLoopback) }
    for host in ["0.0.0.0", "::", "128.0.0.1", "localhost.example", "10.0.0.1", "::ffff:127.0.0.1"] {
      #expect(try !ServerEndpoint(host: host, port: 1).isLoopback)
    }
  }
}
