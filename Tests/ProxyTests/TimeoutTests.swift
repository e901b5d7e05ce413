import CPosix
import Testing

@testable import UringProxy

@Suite("Timeouts and rates", .blocking)
struct TimeoutTests {
    /// The status line of the next answer, which the end of the connection follows.
    private func finalStatus(_ client: TestSocket) throws -> String {
        let (head, _) = try client.receiveResponse()
        #expect(head.contains("Connection: close\r\n"))
        try client.expectEnd()
        return String(head.split(separator: "\r\n")[0])
    }

    /// Whether something can be read, waiting for it at most so long.
    private func isReadable(_ socket: TestSocket, within milliseconds: Int64) -> Bool {
        cposix_await_until(
            socket.descriptor, Int16(POLLIN), cposix_monotonic_nanoseconds() + milliseconds * 1_000_000) != 0
    }

    @Test("A head that takes too long is a 408", arguments: TestDriver.offered)
    func slowHead(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.timeoutHead = .milliseconds(200) }
        let client = try proxy.connect()
        try client.send("GET /a HTTP/1.1\r\nHo")
        #expect(try finalStatus(client) == "HTTP/1.1 408 Request Timeout")
        // Nor do bytes that keep coming make it longer.
        let dripping = try proxy.connect()
        try dripping.send("GET /a HTTP/1.1\r\n")
        var count = 0
        while !isReadable(dripping, within: 20) && count < 500 {
            try dripping.send("A: b\r\n")
            count += 1
        }
        #expect(try finalStatus(dripping) == "HTTP/1.1 408 Request Timeout")
        #expect(proxy[.timeoutsHead] == 2)
    }

    @Test("A connection on which nothing is said is closed without a word", arguments: TestDriver.offered)
    func silent(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.timeoutHead = .milliseconds(200) }
        try proxy.connect().expectEnd()
    }

    @Test("A body that pauses is a 408", arguments: TestDriver.offered)
    func bodyIdle(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.timeoutBodyIdle = .milliseconds(200) }
        let client = try proxy.connect()
        let head = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n"
        try client.send(head + "abc")
        let upstream = try origin.accept()
        try upstream.expect(head + "abc")
        #expect(try finalStatus(client) == "HTTP/1.1 408 Request Timeout")
        #expect(try upstream.receiveUntilClosed().text == "")
    }

    @Test(
        "A body that drips below --limit-rate-min is cut, one above it is not", arguments: TestDriver.offered)
    func drippingBody(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) {
            $0.limitRateMin = MinimumRate(bytesPerSecond: 200, grace: .seconds(1))
        }
        let head = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"
        let slow = try proxy.connect()
        let quick = try proxy.connect()
        try slow.send(head)
        let slowUpstream = try origin.accept()
        try quick.send(head)
        let quickUpstream = try origin.accept()
        // 20 and 1000 bytes a second.
        var count = 0
        while !isReadable(slow, within: 50) && count < 200 {
            try slow.send("x")
            try quick.send(pattern(50))
            count += 1
        }
        #expect(try finalStatus(slow) == "HTTP/1.1 408 Request Timeout")
        #expect(proxy[.timeoutsRate] == 1)
        #expect(try slowUpstream.receiveUntilClosed().text.hasPrefix(head))
        try quick.send(pattern(100_000 - 50 * count))
        _ = try quickUpstream.receive(exactly: head.utf8.count + 100_000)
        try quickUpstream.send(Messages.ok)
        try quick.expect(Messages.ok)
    }

    @Test(
        "An upload below --limit-rate-min is cut where it is spliced as well", arguments: TestDriver.offered)
    func slowSplicedUpload(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) {
            $0.limitRateMin = MinimumRate(bytesPerSecond: 200_000, grace: .seconds(1))
        }
        let client = try proxy.connect()
        try client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 8000000\r\n\r\n")
        let upstream = try origin.accept()
        spawn { [descriptor = cposix_duplicate(upstream.descriptor)] in
            _ = try? TestSocket(descriptor: descriptor).receiveUntilClosed()
        }
        // 130,000 bytes a second at most, in pieces that are worth a pipe.
        let piece = pattern(20_000)
        var count = 0
        while !isReadable(client, within: 150) && count < 40 {
            try client.send(piece)
            count += 1
        }
        #expect(try finalStatus(client) == "HTTP/1.1 408 Request Timeout")
        #expect(proxy[.bytesSpliced] > 0)
        #expect(proxy[.timeoutsRate] == 1)
    }

    @Test(
        "A reader below the minimum is cut, one at 10 KiB/s is not, and others do not wait",
        arguments: TestDriver.offered)
    func slowReaders(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) {
            // Longer than a small receive buffer takes to be read: on loopback, where a segment is larger than the
            // buffer, the receiver opens its window only when the buffer is empty.
            $0.limitRateMin = MinimumRate(bytesPerSecond: 1000, grace: .seconds(2))
        }
        let body = pattern(16 << 20)
        let response = latin1("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n") + body
        var pairs: [(client: TestSocket, upstream: TestSocket)] = []
        for _ in 0..<2 {
            let client = try proxy.connect(receiveBuffer: 4096)
            try client.send(Messages.get)
            let upstream = try origin.accept()
            try upstream.expect(Messages.get)
            spawn { [descriptor = cposix_duplicate(upstream.descriptor)] in
                try? TestSocket(descriptor: descriptor).send(response)
            }
            pairs.append((client, upstream))
        }
        let stalled = pairs[0].client
        let slow = pairs[1].client
        let other = try proxy.connect()
        var third: TestSocket?
        let end = cposix_monotonic_nanoseconds() + 7_500_000_000
        var received: [UInt8] = []
        while cposix_monotonic_nanoseconds() < end {
            // 1 KiB every 0.1 s; meanwhile others are served without delay.
            received += try slow.receive(exactly: 1024)
            let pause = cposix_monotonic_nanoseconds() + 100_000_000
            while cposix_monotonic_nanoseconds() < pause {
                try other.send(Messages.get)
                if third == nil { third = try origin.accept() }
                try third!.expect(Messages.get)
                try third!.send(Messages.ok)
                try other.expect(Messages.ok)
            }
        }
        #expect(proxy[.timeoutsRate] == 1)
        #expect(proxy[.requests] > 300)
        let rest = try stalled.receiveUntilClosed()
        #expect(rest.text.utf8.count < body.count)
        #expect(response.starts(with: received))
        // The slow one still gets everything; it has proved its point and may now be quick.
        _ = cposix_setsockopt_int(slow.descriptor, SOL_SOCKET, SO_RCVBUF, 4 << 20)
        received += try slow.receive(exactly: response.count - received.count)
        #expect(difference(received, response) == nil)
    }

    @Test(
        "A reader that takes nothing at all is cut after --timeout-send-idle", arguments: TestDriver.offered)
    func sendIdle(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) {
            $0.limitRateMin = .off
            $0.timeoutSendIdle = .milliseconds(300)
        }
        let client = try proxy.connect(receiveBuffer: 8192)
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        let size = 16 << 20
        do {
            try upstream.send(latin1("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n") + pattern(size))
        } catch {}
        #expect(try upstream.receiveUntilClosed().text == "")
        #expect(try client.receiveUntilClosed().text.utf8.count < size)
        #expect(proxy[.timeoutsSend] == 1)
    }

    @Test("An upstream that does not answer is a 504", arguments: TestDriver.offered)
    func upstreamSilent(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.timeoutUpstream = .milliseconds(200) }
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        let (head, body) = try client.receiveResponse()
        #expect(head.hasPrefix("HTTP/1.1 504 Gateway Timeout\r\n"))
        #expect(body == "the upstream took too long to answer; see --timeout-upstream\n")
        #expect(try upstream.receiveUntilClosed().text == "")
        // The request was read whole, so the connection goes on.
        try client.send(Messages.get)
        _ = try origin.accept()
    }

    @Test("A response that stalls is cut", arguments: TestDriver.offered)
    func upstreamStalls(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.timeoutBodyIdle = .milliseconds(200) }
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        try client.expect("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        #expect(try client.receiveUntilClosed().isReset)
    }

    @Test("An upstream that cannot be connected in time is a 504", arguments: TestDriver.offered)
    func connectTimeout(_ driver: TestDriver) throws {
        let origin = try TestOrigin(backlog: 0)
        let fillers = try origin.fill()
        defer { for filler in fillers { filler.close() } }
        let proxy = try TestProxy(driver, origin) { $0.timeoutConnect = .milliseconds(300) }
        let client = try proxy.connect()
        for _ in 0..<2 {
            try client.send(Messages.get)
            let (head, body) = try client.receiveResponse()
            #expect(head.hasPrefix("HTTP/1.1 504 Gateway Timeout\r\n"))
            #expect(body == "connecting upstream took too long; see --timeout-connect\n")
        }
        #expect(proxy[.timeoutsConnect] == 2)
    }

    @Test("An exchange over --timeout-total is a 504, or is cut", arguments: TestDriver.offered)
    func total(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) {
            $0.timeoutTotal = .milliseconds(300)
            $0.timeoutHead = .milliseconds(200)
        }
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 504 Gateway Timeout\r\n"))
        try client.send(Messages.get)
        let second = try origin.accept()
        try second.expect(Messages.get)
        try second.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try client.expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        // However busy it is.
        var sends = 0
        while !isReadable(second, within: 20) && sends < 500 {
            try second.send("1\r\nx\r\n")
            sends += 1
        }
        let (rest, isReset) = try client.receiveUntilClosed()
        #expect(isReset)
        #expect(!rest.hasSuffix("0\r\n\r\n"))
    }
}
