import Testing

@testable import UringProxy

@Suite("Drain and stop", .blocking)
struct DrainTests {
    /// Waits until nobody listens any more.
    private func waitForRefusal(_ proxy: TestProxy, _ address: String) throws {
        try proxy.wait(for: "the listener's end") {
            do { _ = try TestSocket(to: address) } catch { return true }
            return false
        }
    }

    @Test("A drain lets the exchange finish, closes what is idle, and ends", arguments: TestDriver.offered)
    func drain(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let address = proxy.address()
        let idle = try proxy.connect()
        try idle.send(Messages.get)
        let pooled = try origin.accept()
        try pooled.expect(Messages.get)
        let busy = try proxy.connect()
        try busy.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try pooled.send(Messages.ok)
        try idle.expect(Messages.ok)
        proxy.server.drain()
        try idle.expectEnd()
        try pooled.expectEnd()
        try waitForRefusal(proxy, address)
        try upstream.send(Messages.ok)
        try busy.expect(Messages.okClosing)
        try busy.expectEnd()
        busy.close()
        try upstream.expectEnd()
        proxy.waitForDrain()
    }

    @Test("A response under way is finished in a drain, without a cut", arguments: TestDriver.offered)
    func drainMidBody(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        try client.expect("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        let idle = try proxy.connect()
        proxy.server.drain()
        // It never asked for anything: a moment later it is closed.
        try idle.expectEnd()
        try upstream.send("def")
        try client.expect("def")
        try client.expectEnd()
        client.close()
        proxy.waitForDrain()
    }

    @Test(
        "A request that comes just after the drain began is answered, with Connection: close",
        arguments: TestDriver.offered)
    func lateRequest(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send("GET /a HTTP/1.1\r\nHo")
        try proxy.wait(for: "the connection") { proxy.downstreamConnections == 1 }
        proxy.server.drain()
        try client.send("st: h\r\n\r\n")
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.okClosing)
        try client.expectEnd()
        client.close()
        proxy.waitForDrain()
    }

    @Test("Pipelined requests behind the running one are not begun in a drain", arguments: TestDriver.offered)
    func drainPipelined(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(Messages.get + Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        proxy.server.drain()
        try waitForRefusal(proxy, proxy.address())
        try upstream.send(Messages.ok)
        try client.expect(Messages.okClosing)
        try client.expectEnd()
        client.close()
        try upstream.expectEnd()
        proxy.waitForDrain()
        #expect(proxy[.requests] == 1)
    }

    @Test(
        "Connections that wait in the backlog when the drain begins are served", arguments: TestDriver.offered
    )
    func backlog(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(Messages.get)
        proxy.server.drain()
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        #expect(try client.receiveAll() == Messages.okClosing)
        client.close()
        proxy.waitForDrain()
    }

    @Test("A tunnel outlives the drain until it ends; a stop ends it", arguments: TestDriver.offered)
    func tunnels(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver)
        var tunnels: [(TestSocket, TestSocket)] = []
        for _ in 0..<2 {
            let client = try proxy.connect()
            try client.send("CONNECT \(origin.address) HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n")
            tunnels.append((client, try origin.accept()))
            try client.expect("HTTP/1.1 200 Connection established\r\n\r\n")
        }
        proxy.server.drain()
        try waitForRefusal(proxy, proxy.address())
        try tunnels[0].0.send("x")
        try tunnels[0].1.expect("x")
        tunnels[0].0.close()
        try tunnels[0].1.expectEnd()
        tunnels[0].1.close()
        proxy.server.stop()
        #expect(try tunnels[1].0.receiveUntilClosed().text == "")
        proxy.waitForDrain()
    }

    @Test("A stop ends everything at once", arguments: TestDriver.offered)
    func stop(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let address = proxy.address()
        let idle = try proxy.connect()
        let busy = try proxy.connect()
        try busy.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        let uploading = try proxy.connect()
        try uploading.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc")
        let second = try origin.accept()
        proxy.end()
        for socket in [idle, busy, uploading, upstream, second] { _ = try socket.receiveUntilClosed() }
        try waitForRefusal(proxy, address)
    }

    @Test("Starting and stopping many times leaves no descriptor behind", arguments: TestDriver.offered)
    func restarts(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { _, _ in Messages.ok }
        for _ in 0..<10 {
            let proxy = try TestProxy(driver, upstreams: [origin.address]) { $0.threads = 2 }
            let client = try proxy.connect()
            try client.send(Messages.get)
            try client.expect(Messages.ok)
            client.close()
            proxy.server.drain()
            proxy.waitForDrain()
        }
        origin.end()
    }
}
