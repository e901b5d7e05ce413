import CPosix
import TestSupport
import Testing

@testable import UringProxy

/// A server takes another one's place; here both live in this process.
@Suite("Handing over", .blocking)
struct HandoverTests {
    /// The two ends of a conversation.
    private func makeChannel() throws -> (old: Int32, new: Int32) {
        var old: Int32 = -1
        var new: Int32 = -1
        try #require(unsafe cposix_make_channel(&old, &new) == 0)
        return (old, new)
    }

    /// Two servers, the second about to take the place of the first.
    private struct Pair {
        let old: TestProxy
        let upgrade: Upgrade
        let new: Server
        let predecessor: Predecessor
        let channel: Int32
    }

    private func makePair(
        _ driver: TestDriver, _ origin: TestOrigin, threads: (Int, Int) = (1, 1),
        timeout: Nanoseconds = .seconds(20),
        change: (inout Configuration) -> Void = { _ in }
    ) throws -> Pair {
        let old = try TestProxy(driver, upstreams: [origin.address]) { $0.threads = threads.0 }
        let ends = try makeChannel()
        var configuration = Configuration()
        configuration.io = driver.choice
        configuration.threads = threads.1
        configuration.pin = false
        configuration.memoryBytes = 32 << 20
        configuration.via = nil
        configuration.xForwarded = .off
        configuration.listenAddresses = ["127.0.0.1:0"]
        configuration.upstreams = [origin.address]
        change(&configuration)
        return Pair(
            old: old,
            upgrade: Upgrade(server: old.server, admin: nil, arguments: [], timeout: { timeout }),
            new: try Server(configuration: configuration),
            predecessor: Predecessor(channel: HandoverChannel(descriptor: ends.new)), channel: ends.old)
    }

    /// The old side's part, on a thread of its own.
    private struct Handing {
        let thread: SystemThread
        let error: Locked<StartError?>

        func get() throws {
            thread.join()
            if let error = error.withLock({ $0 }) { throw error }
        }
    }

    private func handOver(_ pair: Pair) -> Handing {
        let error = Locked<StartError?>(nil)
        let thread = spawn { [upgrade = pair.upgrade, channel = pair.channel] in
            do throws(StartError) {
                try upgrade.handOver(HandoverChannel(descriptor: channel))
            } catch let failure { error.withLock { $0 = failure } }
            _ = cposix_close(channel)
        }
        return Handing(thread: thread, error: error)
    }

    @Test(
        "Connections of before, between and after are served, whatever number of threads either side has",
        arguments: TestDriver.offered, [(1, 1), (2, 1), (1, 2)])
    func takeover(_ driver: TestDriver, _ threads: (Int, Int)) throws {
        let origin = try TestOrigin()
        let pair = try makePair(driver, origin, threads: threads)
        let address = pair.old.address()
        let running = try pair.old.connect()
        try running.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        let handing = handOver(pair)
        try pair.predecessor.receive()
        try pair.new.start(takingOver: pair.predecessor)
        #expect(pair.new.boundAddresses == [address])
        // Nobody of the old ones accepts any more.
        let clients = try (0..<8).map { _ in try TestSocket(to: address) }
        pair.predecessor.serving()
        try handing.get()
        pair.upgrade.drain()
        for client in clients {
            try client.send(Messages.get)
            let other = try origin.accept()
            try other.expect(Messages.get)
            try other.send(Messages.ok)
            try client.expect(Messages.ok)
        }
        try upstream.send(Messages.ok)
        try running.expect(Messages.okClosing)
        running.close()
        pair.old.waitForDrain()
        #expect(pair.old[.downstreamAccepted] == 1)
        // The listener has not ended with its first owner.
        let late = try TestSocket(to: address)
        try late.send(Messages.get)
        let other = try origin.accept()
        try other.expect(Messages.get)
        for client in clients { client.close() }
        pair.new.stop()
        pair.new.wait()
    }

    @Test("A successor that ends before it serves changes nothing", arguments: TestDriver.offered)
    func failure(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let pair = try makePair(driver, origin)
        let handing = handOver(pair)
        try pair.predecessor.receive()
        pair.predecessor.refuse("for a test")
        #expect(throws: StartError.self) { try handing.get() }
        let client = try pair.old.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test(
        "A successor that falls silent at its turn is given up, and who waited meanwhile is served",
        arguments: TestDriver.offered)
    func silence(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let pair = try makePair(driver, origin, timeout: .milliseconds(300))
        let handing = handOver(pair)
        try pair.predecessor.receive()
        try pair.predecessor.awaitTurn()
        let client = try pair.old.connect()
        try client.send(Messages.get)
        let error = #expect(throws: StartError.self) { try handing.get() }
        #expect(error?.message == "the new process did not serve within 300ms")
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test(
        "A listener that the successor does not want is closed, after those who waited in it were served",
        arguments: TestDriver.offered)
    func unwanted(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let pair = try makePair(driver, origin) { $0.listenAddresses = ["127.0.0.2:0"] }
        let address = pair.old.address()
        let handing = handOver(pair)
        try pair.predecessor.receive()
        try pair.new.start(takingOver: pair.predecessor)
        let waiting = try TestSocket(to: address)
        try waiting.send(Messages.get)
        pair.predecessor.serving()
        try handing.get()
        pair.upgrade.drain()
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try waiting.expect(Messages.okClosing)
        waiting.close()
        pair.old.waitForDrain()
        #expect(throws: TestFailure.self) { try TestSocket(to: address) }
        pair.new.stop()
        pair.new.wait()
    }

    @Test("What is said arrives as it was said")
    func messages() throws {
        let ends = try makeChannel()
        let (old, new) = (HandoverChannel(descriptor: ends.old), HandoverChannel(descriptor: ends.new))
        let deadline = cposix_monotonic_nanoseconds() + TestSocket.patience
        for message: HandoverChannel.Message in [
            .version(1), .end, .ready, .yourTurn, .serving([]), .serving(["a", "b c"]), .refused("x\ny"),
        ] {
            #expect(old.send(message))
            #expect(try new.receive(until: deadline) == message)
        }
        #expect(old.send(.listener(role: "tcp", asked: "a:0", bound: "a:1", descriptors: [0, 1])))
        guard case .listener("tcp", "a:0", "a:1", let descriptors) = try new.receive(until: deadline) else {
            Issue.record("another message")
            return
        }
        #expect(descriptors.count == 2)
        for descriptor in descriptors { _ = cposix_close(descriptor) }
        #expect(throws: HandoverChannel.ReceiveError.timedOut) {
            try new.receive(until: cposix_monotonic_nanoseconds())
        }
        for nonsense in ["", "later", "version\u{0}x", "listener\u{0}a", "ready\u{0}"] {
            let bytes = Array(nonsense.utf8)
            _ = unsafe bytes.withUnsafeBytes {
                unsafe cposix_send_descriptors(ends.old, $0.baseAddress, $0.count, nil, 0)
            }
        }
        _ = cposix_close(ends.old)
        var errors: [HandoverChannel.ReceiveError] = []
        for _ in 0..<6 {
            do throws(HandoverChannel.ReceiveError) { _ = try new.receive(until: deadline) } catch {
                errors.append(error)
            }
        }
        // An empty message looks like the end.
        #expect(errors == [.ended, .notUnderstood, .notUnderstood, .notUnderstood, .notUnderstood, .ended])
        #expect(!new.send(.ready))
        _ = cposix_close(ends.new)
    }
}
