import CPosix
import Testing

@testable import UringProxy

@Suite("Upstreams", .blocking)
struct UpstreamTests {
    /// Sends one request on a connection of its own and answers it at whichever origin it comes to; that one's index.
    private func exchange(_ proxy: TestProxy, _ origins: [TestOrigin], _ idle: inout [[TestSocket]]) throws
        -> Int
    {
        let client = try proxy.connect()
        try client.send(Messages.get)
        let deadline = cposix_monotonic_nanoseconds() + TestSocket.patience
        while cposix_monotonic_nanoseconds() < deadline {
            for (index, origin) in origins.enumerated() {
                if let upstream = origin.acceptNow() { idle[index].append(upstream) }
                for upstream in idle[index] where cposix_poll_readable(upstream.descriptor) != 0 {
                    try upstream.expect(Messages.get)
                    try upstream.send(Messages.ok)
                    try client.expect(Messages.ok)
                    return index
                }
            }
        }
        throw TestFailure("no origin got the request")
    }

    @Test("Several upstreams take turns", arguments: TestDriver.offered)
    func roundRobin(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin(), try TestOrigin()]
        let proxy = try TestProxy(driver, upstreams: origins.map(\.address))
        var idle: [[TestSocket]] = [[], [], []]
        var order: [Int] = []
        for _ in 0..<9 { order.append(try exchange(proxy, origins, &idle)) }
        for index in 3..<9 { #expect(order[index] == order[index - 3]) }
        #expect(Set(order) == [0, 1, 2])
        #expect(proxy[.upstreamOpened] == 3)
    }

    @Test("A dead upstream is passed over", arguments: TestDriver.offered)
    func oneDead(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin(), try TestOrigin()]
        let proxy = try TestProxy(driver, upstreams: origins.map(\.address))
        origins[1].close()
        var idle: [[TestSocket]] = [[], [], []]
        let living = [origins[0], origins[2]]
        var order: [Int] = []
        for _ in 0..<9 { order.append(try exchange(proxy, living, &idle)) }
        // Its turns do not all go to the one after it: taking its place is a turn.
        for index in 1..<9 { #expect(order[index] != order[index - 1]) }
        #expect(proxy[.responses5xx] == 0)
        #expect(proxy[.upstreamConnectFailures] == 5)
    }

    @Test(
        "With all of them dead the answer is a 502, and recovery needs no restart",
        arguments: TestDriver.offered)
    func allDead(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let address = origin.address
        origin.close()
        let proxy = try TestProxy(driver, upstreams: [address])
        let client = try proxy.connect()
        for request in [Messages.get, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"] {
            try client.send(request)
            let (head, body) = try client.receiveResponse()
            #expect(head.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
            #expect(!head.contains("Connection: close"))
            #expect(body == "the upstream refused the connection\n")
        }
        let back = try TestOrigin(address)
        try client.send(Messages.get)
        let upstream = try back.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test("Unix sockets on both sides", arguments: TestDriver.offered)
    func unixSockets(_ driver: TestDriver) throws {
        let id = UInt32.random(in: 0...UInt32.max)
        let listen = "unix:/tmp/uproxy-test-\(id)-a"
        let origin = try TestOrigin("unix:/tmp/uproxy-test-\(id)-b")
        defer { unsafe _ = "/tmp/uproxy-test-\(id)-b".withCString { unsafe unlink($0) } }
        let proxy = try TestProxy(driver, origin) { $0.listenAddresses = [listen] }
        let client = try TestSocket(to: listen)
        var upstream: TestSocket?
        for _ in 0..<20 {
            try client.send(Messages.get)
            if upstream == nil { upstream = try origin.accept() }
            try upstream!.expect(Messages.get)
            try upstream!.send(Messages.ok)
            try client.expect(Messages.ok)
        }
        #expect(proxy[.upstreamOpened] == 1)
        upstream!.close()
        origin.close()
        try client.send(Messages.get)
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
        proxy.end()
        unsafe #expect(
            "/tmp/uproxy-test-\(id)-a".withCString { unsafe access($0, F_OK) } != 0, "the file is left")
    }

    @Test("A socket file that nobody listens on is no obstacle, one in use is", arguments: TestDriver.offered)
    func unixListenerFiles(_ driver: TestDriver) throws {
        let listen = "unix:/tmp/uproxy-test-\(UInt32.random(in: 0...UInt32.max))-c"
        try TestOrigin(listen).close()
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.listenAddresses = [listen] }
        #expect(throws: TestFailure.self) { try TestProxy(driver, origin) { $0.listenAddresses = [listen] } }
        let client = try TestSocket(to: listen)
        try client.send(Messages.get)
        try origin.accept().expect(Messages.get)
        proxy.end()
    }

    @Test("Two workers share one unix listener", arguments: TestDriver.offered)
    func sharedUnixListener(_ driver: TestDriver) throws {
        let listen = "unix:@uproxy-test-\(UInt32.random(in: 0...UInt32.max))"
        let origin = try ServedOrigin { _, _ in Messages.ok }
        let proxy = try TestProxy(driver, upstreams: [origin.address]) {
            $0.listenAddresses = [listen]
            $0.threads = 2
        }
        for _ in 0..<50 {
            let client = try TestSocket(to: listen)
            try client.send(Messages.get)
            try client.expect(Messages.ok)
        }
        proxy.end()
        origin.end()
    }

    @Test(
        "One request at a time, spread over four threads, needs two upstream connections",
        arguments: TestDriver.offered)
    func lending(_ driver: TestDriver) throws {
        // A worker that loses its CPU for longer than another one waits for its offer makes that one connect: on a busy machine
        // once in a while, but not time after time.
        var open: [UInt64] = []
        while open.count < 3 && (open.last ?? 3) > 2 { open.append(try connectionsNeeded(driver)) }
        #expect((open.last ?? 3) <= 2, "open after each attempt: \(open)")
    }

    /// Upstream connections that are open after requests, one at a time, over the clients of four threads.
    private func connectionsNeeded(_ driver: TestDriver) throws -> UInt64 {
        let origin = try ServedOrigin { _, _ in Messages.ok }
        let proxy = try TestProxy(driver, upstreams: [origin.address]) { $0.threads = 4 }
        var clients: [TestSocket] = []
        for _ in 0..<32 { clients.append(try proxy.connect()) }
        func round() throws {
            for client in clients {
                try client.send(Messages.get)
                try client.expect(Messages.ok)
            }
        }
        for _ in 0..<8 { try round() }
        let warm = origin.accepted
        for _ in 0..<64 { try round() }
        let requests = clients.count * 64
        let workers = proxy.server.workers.filter { $0.counters[.requests] > 0 }
        #expect(workers.count > 1, "the kernel gave every connection to one worker")
        let opened = origin.accepted - warm
        #expect(
            Double(requests - opened) >= 0.999 * Double(requests),
            "\(opened) new ones for \(requests) requests")
        let open = proxy[.upstreamOpened] - proxy[.upstreamClosed]
        for client in clients { client.close() }
        proxy.end()
        origin.end()
        return open
    }
}
