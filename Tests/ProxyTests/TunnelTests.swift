import CPosix
import Testing

@testable import UringProxy

@Suite("Tunnels", .blocking)
struct TunnelTests {
    static let upgrade =
        "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n"
    static let upgradeForwarded =
        "GET /ws HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Key: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    static let switching =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"

    /// A CONNECT tunnel: the client's end and the origin's.
    private func tunnel(_ proxy: TestProxy, _ origin: TestOrigin) throws -> (TestSocket, TestSocket) {
        let client = try proxy.connect()
        try client.send("CONNECT \(origin.address) HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n")
        let upstream = try origin.accept()
        try client.expect("HTTP/1.1 200 Connection established\r\n\r\n")
        return (client, upstream)
    }

    @Test("Upgrade opens a tunnel; bytes behind either head belong to it", arguments: TestDriver.offered)
    func upgrade(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(Self.upgrade + "early from client")
        let upstream = try origin.accept()
        try upstream.expect(Self.upgradeForwarded)
        try upstream.send(Self.switching + "early from origin")
        try client.expect(Self.switching + "early from origin")
        try upstream.expect("early from client")
        for round in 0..<50 {
            try client.send("c\(round)")
            try upstream.expect("c\(round)")
            try upstream.send("o\(round)")
            try client.expect("o\(round)")
        }
        client.finish()
        try upstream.expectEnd()
        try upstream.send("last")
        upstream.close()
        #expect(try client.receiveAll() == "last")
        try proxy.wait(for: "the tunnel's end") { proxy[.tunnelsClosed] == 1 }
    }

    @Test("An upgrade that the origin ignores stays HTTP", arguments: TestDriver.offered)
    func upgradeDeclined(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(Self.upgrade)
        let upstream = try origin.accept()
        try upstream.expect(Self.upgradeForwarded)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        try client.send(Messages.get)
        try upstream.expect(Messages.get)
    }

    @Test("A 101 that nobody asked for is a 502", arguments: TestDriver.offered)
    func unexpectedUpgrade(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Self.switching + "smuggled")
        let (head, body) = try client.receiveResponse()
        #expect(head.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
        #expect(body == "the upstream switched protocols without being asked\n")
    }

    @Test(
        "CONNECT: the client's end is passed on, and the origin may still speak",
        arguments: TestDriver.offered)
    func clientHalfCloses(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver)
        let (client, upstream) = try tunnel(proxy, origin)
        try client.send("question")
        client.finish()
        #expect(try upstream.receiveAll() == "question")
        try upstream.send("answer")
        try client.expect("answer")
        try upstream.send("and more")
        upstream.finish()
        #expect(try client.receiveAll() == "and more")
    }

    @Test(
        "CONNECT: the origin's end is passed on, and the client may still speak",
        arguments: TestDriver.offered)
    func originHalfCloses(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver)
        let (client, upstream) = try tunnel(proxy, origin)
        try upstream.send("greeting")
        upstream.finish()
        #expect(try client.receiveAll() == "greeting")
        try client.send("still here")
        try upstream.expect("still here")
        client.finish()
        try upstream.expectEnd()
    }

    @Test("CONNECT: bytes behind the head wait for the tunnel", arguments: TestDriver.offered)
    func earlyBytes(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver)
        let client = try proxy.connect()
        try client.send("CONNECT \(origin.address) HTTP/1.1\r\nHost: \(origin.address)\r\n\r\nhello")
        let upstream = try origin.accept()
        try upstream.expect("hello")
        try client.expect("HTTP/1.1 200 Connection established\r\n\r\n")
    }

    @Test("CONNECT: a reset is passed on as one", arguments: TestDriver.offered)
    func resets(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver)
        do {
            let (client, upstream) = try tunnel(proxy, origin)
            client.reset()
            #expect(try upstream.receiveUntilClosed().isReset)
        }
        do {
            let (client, upstream) = try tunnel(proxy, origin)
            upstream.reset()
            #expect(try client.receiveUntilClosed().isReset)
        }
    }

    @Test("CONNECT: megabytes pass both ways at once, unchanged", arguments: TestDriver.offered)
    func bulk(_ driver: TestDriver) throws {
        let size = 4 << 20
        let origin = try ServedOrigin { socket in
            // Full duplex: what comes goes back at once.
            while let bytes = try socket.receive() { try socket.send(bytes) }
        }
        let proxy = try TestProxy(forward: driver)
        let client = try proxy.connect()
        try client.send("CONNECT \(origin.address) HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n")
        try client.expect("HTTP/1.1 200 Connection established\r\n\r\n")
        let body = pattern(size)
        let sender = spawn { [descriptor = client.descriptor] in
            let socket = TestSocket(descriptor: cposix_duplicate(descriptor))
            try? socket.send(pattern(4 << 20))
            socket.finish()
        }
        let received = try client.receiveAll()
        sender.join()
        #expect(difference(latin1(received), body) == nil)
        proxy.end()
        origin.end()
    }

    @Test("CONNECT: messages of several slices do not wait for a timer", arguments: TestDriver.offered)
    func noStall(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver)
        let (client, upstream) = try tunnel(proxy, origin)
        let message = pattern(65_550)
        let started = cposix_monotonic_nanoseconds()
        for _ in 0..<20 {
            try client.send(message)
            #expect(difference(try upstream.receive(exactly: message.count), message) == nil)
            try upstream.send(message)
            #expect(difference(try client.receive(exactly: message.count), message) == nil)
        }
        // A stall lasts until the once-a-second maintenance; without one this takes milliseconds.
        #expect(cposix_monotonic_nanoseconds() - started < 5_000_000_000)
    }

    @Test(
        "CONNECT that cannot be connected is a 502, and the connection lives on",
        arguments: TestDriver.offered)
    func refused(_ driver: TestDriver) throws {
        let nobody = try TestOrigin.nobody()
        let proxy = try TestProxy(forward: driver)
        let client = try proxy.connect()
        for _ in 0..<2 {
            try client.send("CONNECT \(nobody) HTTP/1.1\r\nHost: \(nobody)\r\n\r\n")
            let (head, body) = try client.receiveResponse()
            #expect(head.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
            #expect(body == "the upstream refused the connection\n")
        }
    }

    @Test("CONNECT to a reverse proxy is not allowed", arguments: TestDriver.offered)
    func notOnReverse(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send("CONNECT \(origin.address) HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n")
        let (head, _) = try client.receiveResponse()
        #expect(head.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n"))
        #expect(origin.acceptNow() == nil)
    }

    @Test(
        "An idle tunnel ends after --timeout-tunnel-idle, a busy one does not", arguments: TestDriver.offered)
    func idle(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver) { $0.timeoutTunnelIdle = .milliseconds(300) }
        let (client, upstream) = try tunnel(proxy, origin)
        let (idle, idleUpstream) = try tunnel(proxy, origin)
        // Bytes in one direction keep the whole tunnel.
        while proxy[.timeoutsTunnel] == 0 {
            try client.send("x")
            try upstream.expect("x")
        }
        try idle.expectEnd()
        try idleUpstream.expectEnd()
        try upstream.send("y")
        try client.expect("y")
    }

    @Test(
        "What stands behind a CONNECT that is refused was the tunnel's: never a request",
        arguments: TestDriver.offered)
    func refusedWithMore(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver)
        let refused = "CONNECT 10.0.0.1:80 HTTP/1.1\r\nHost: 10.0.0.1:80\r\n\r\n"
        let get = "GET http://\(origin.address)/ HTTP/1.1\r\nHost: h\r\n\r\n"
        let client = try proxy.connect()
        try client.send(refused + get)
        let (head, _) = try client.receiveResponse()
        #expect(head.hasPrefix("HTTP/1.1 403 ") && head.contains("\r\nConnection: close\r\n"))
        client.finish()
        try client.expectEnd()
        #expect(proxy[.requests] == 1)
        #expect(origin.acceptNow() == nil)

        // With nothing behind it the connection goes on.
        let other = try proxy.connect()
        for _ in 0..<2 {
            try other.send(refused)
            let (head, _) = try other.receiveResponse()
            #expect(head.hasPrefix("HTTP/1.1 403 ") && !head.contains("close"))
        }
        try other.send(get)
        let upstream = try origin.accept()
        _ = try upstream.receiveHead()
        try upstream.send(Messages.ok)
        try other.expect(Messages.ok)
    }
}
