import CPosix
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite("TLS", .blocking)
struct TLSTests {
    // MARK: - Handshakes

    @Test("Requests are answered over either version, one after the other", arguments: TestDriver.offered)
    func requests(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address)
        var upstream: TestSocket?
        for version in [Int32(12), 13] {
            let client = try proxy.connect(TLSClient("example.org", versions: version...version))
            #expect(client.session.version == version)
            for _ in 0..<3 {
                try client.send(Messages.get)
                if upstream == nil { upstream = try origin.accept() }
                try upstream?.expect(Messages.get)
                try upstream?.send(Messages.ok)
                try client.expect(Messages.ok)
            }
            try client.end()
            try client.expectEnd()
        }
        #expect(proxy[.tlsHandshakes] == 2)
        #expect(proxy[.tlsTruncated] == 0 && proxy[.tlsErrors] == 0)
    }

    @Test("A session is taken up again", arguments: TestDriver.offered)
    func resumption(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { _, _ in Messages.ok }
        let proxy = try TLSProxy(driver, origin.address)
        for version in [Int32(12), 13] {
            let first = TLSClient("example.org", versions: version...version)
            let client = try proxy.connect(first)
            try client.send(Messages.get)
            try client.expect(Messages.ok)
            let second = try proxy.connect(
                TLSClient("example.org", versions: version...version, after: first))
            #expect(second.session.isResumed)
            try second.send(Messages.get)
            try second.expect(Messages.ok)
        }
        #expect(proxy[.tlsResumed] == 2)
        // Nor is it lost by a reload.
        let first = TLSClient("example.org")
        let client = try proxy.connect(first)
        try client.send(Messages.get)
        try client.expect(Messages.ok)
        try proxy.proxy.reload { _ in }
        #expect(try proxy.connect(TLSClient("example.org", after: first)).session.isResumed)
        // But it ends with what it was begun by.
        try proxy.proxy.reload { $0.listeners[0].tls!.cipherSuites = "TLS_AES_256_GCM_SHA384" }
        #expect(try !proxy.connect(TLSClient("example.org", after: first)).session.isResumed)
        proxy.proxy.end()
        origin.end()
    }

    @Test("All of it may come byte by byte", arguments: TestDriver.offered)
    func drip(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { _, body in
            "HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n" + text(body)
        }
        let proxy = try TLSProxy(driver, origin.address)
        for version in [Int32(12), 13] {
            let session = TLSClient(versions: version...version)
            let socket = try proxy.proxy.connect()
            func sendAll() throws {
                for byte in session.take() { try socket.send([byte]) }
            }
            while !(try session.shakeHands()) {
                try sendAll()
                let answer = try socket.receive()
                session.give(try #require(answer))
            }
            try session.write(latin1("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 300\r\n\r\n"))
            let body = pattern(300)
            try session.write(body)
            try sendAll()
            var answer: [UInt8] = []
            while answer.count < 300 || !text(answer).contains("\r\n\r\n") || answer.suffix(300) != body[...]
            {
                let bytes = try socket.receive()
                session.give(try #require(bytes))
                answer += try session.read() ?? []
            }
        }
        proxy.proxy.end()
        origin.end()
    }

    @Test("The host that is asked for decides what is shown", arguments: TestDriver.offered)
    func names(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(
            driver, origin.address,
            [
                TestCertificate("first.example"), TestCertificate("*.example.org"),
                TestCertificate("a.example.org"),
            ])
        for (host, name) in [
            (nil, "first.example"), ("b.example.org", "*.example.org"), ("a.example.org", "a.example.org"),
        ] {
            #expect(try proxy.connect(TLSClient(host)).session.peerName == name)
        }
        let configuration = proxy.proxy.configuration
        for (host, index) in [("x.test", 0), ("b.example.org:8443", 1), ("a.example.org", 2)] {
            let text: String
            do throws(OptionSyntaxError) {
                text = try Explanation(
                    ExplanationQuery(target: "https://\(host)/"), configuration: configuration, file: nil
                ).text
            } catch { throw TestFailure(error.message) }
            let path = configuration.listeners[0].tls!.certificates[index].certificatePath
            #expect(text.contains(" is shown \(path) (until "), "\(text)")
        }
    }

    @Test("What does not fit is told so, and counted by its cause", arguments: TestDriver.offered)
    func refused(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address)
        func alert(_ bytes: [UInt8]) throws -> [UInt8] {
            let socket = try proxy.proxy.connect()
            try socket.send(bytes)
            let answer = latin1(try socket.receiveUntilClosed().text)
            return Array(answer.suffix(2))
        }
        func hello(_ client: TLSClient) throws -> [UInt8] {
            _ = try client.shakeHands()
            return client.take()
        }
        // protocol_version(70), no_application_protocol(120), handshake_failure(40)
        #expect(try alert(hello(TLSClient(versions: 10...11))) == [2, 70])
        #expect(try alert(hello(TLSClient(alpn: "imap"))) == [2, 120])
        #expect(try alert(hello(TLSClient(versions: 12...12, ciphers: "AES128-SHA"))) == [2, 40])
        #expect(proxy[.tlsIncompatible] == 3)
        #expect(try alert([22, 3, 1, 0, 4, 9, 9, 9, 9]).first == 2)
        // What does not even look like TLS is not answered.
        #expect(try alert([0, 1, 2, 3, 4, 5, 6, 7]) == [])
        #expect(proxy[.tlsMalformed] == 2)
        _ = try alert(hello(TLSClient()) + [21, 3, 3, 0, 2, 2, 40])
        #expect(proxy[.tlsAlerts] == 1)
        let socket = try proxy.proxy.connect()
        try socket.send(Array(hello(TLSClient()).prefix(50)))
        socket.finish()
        try socket.expectEnd()
        #expect(proxy[.tlsAbandoned] == 1)
        // Who says nothing has not failed in anything.
        let silent = try proxy.proxy.connect()
        silent.finish()
        try silent.expectEnd()
        #expect(proxy[.tlsAbandoned] == 1 && proxy[.tlsHandshakes] == 0)
        // The others are served.
        let client = try proxy.connect(TLSClient(alpn: "http/1.1"))
        let upstream = try client.serve(by: origin)
        upstream.close()
    }

    @Test("Plain HTTP where TLS is spoken is told so in clear", arguments: TestDriver.offered)
    func plain(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address)
        let client = try proxy.proxy.connect()
        try client.send(Messages.get)
        let (head, body) = try client.receiveResponse()
        #expect(head.hasPrefix("HTTP/1.1 400 Bad Request\r\n") && head.contains("Connection: close\r\n"))
        #expect(body == "this port speaks TLS: ask for https://\n")
        client.finish()
        try client.expectEnd()
        #expect(proxy.proxy.failures(.tlsExpected) == 1)
    }

    @Test("A handshake has to be done in its time", arguments: TestDriver.offered)
    func timeout(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address) { $0.timeoutTLSHandshake = .milliseconds(200) }
        let silent = try proxy.proxy.connect()
        let slow = try proxy.proxy.connect()
        let session = TLSClient()
        _ = try session.shakeHands()
        try slow.send(Array(session.take().prefix(100)))
        _ = try silent.receiveUntilClosed()
        _ = try slow.receiveUntilClosed()
        #expect(proxy[.timeoutsTLSHandshake] == 2)
    }

    // MARK: - Messages

    @Test("Upstream is told that the client came by https", arguments: TestDriver.offered)
    func scheme(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address) {
            $0.xForwarded = .append
            $0.forwarded = .append
        }
        let client = try proxy.connect()
        try client.send("GET https://h/a HTTP/1.1\r\nHost: h\r\n\r\n")
        let upstream = try origin.accept()
        let head = try upstream.receiveHead()
        #expect(head.hasPrefix("GET /a HTTP/1.1\r\n"))
        #expect(head.contains("\r\nX-Forwarded-Proto: https\r\n"))
        #expect(head.contains(";proto=https"))
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test("Pipelined requests are answered in order", arguments: TestDriver.offered)
    func pipelined(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { head, _ in
            let path = head.split(separator: " ")[1]
            return "HTTP/1.1 200 OK\r\nContent-Length: \(path.utf8.count)\r\n\r\n\(path)"
        }
        let proxy = try TLSProxy(driver, origin.address)
        let client = try proxy.connect()
        let paths = (0..<100).map { "/\($0)" }
        try client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
        for path in paths {
            let body = try client.receiveResponse().body
            #expect(body == path)
        }
        proxy.proxy.end()
        origin.end()
    }

    @Test("Long bodies pass both ways unchanged", arguments: TestDriver.offered, [Int32(12), 13])
    func bodies(_ driver: TestDriver, _ version: Int32) throws {
        let size = 10 << 20
        let origin = try ServedOrigin { socket in
            guard let length = contentLength(try socket.receiveHead()) else { throw TestFailure("no length") }
            try socket.send("HTTP/1.1 200 OK\r\nContent-Length: \(length)\r\n\r\n")
            var left = length
            while left > 0 {
                guard let bytes = try socket.receive(atMost: min(left, 65_536)) else {
                    throw ServedOrigin.Ended()
                }
                left -= bytes.count
                try socket.send(bytes)
            }
        }
        let proxy = try TLSProxy(driver, origin.address)
        let session = TLSClient(versions: version...version)
        let client = try proxy.connect(session)
        let body = pattern(size)
        // The ciphertext is made first: a session is for one thread.
        try session.write(latin1("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n"))
        try session.write(body)
        let ciphertext = session.take()
        let sender = client.socket.sendAside(ciphertext)
        let head = try client.receiveHead()
        #expect(contentLength(head) == size)
        #expect(difference(try client.receive(exactly: size), body) == nil)
        sender.join()
        #expect(proxy[.bytesSpliced] == 0)
        proxy.proxy.end()
        origin.end()
    }

    @Test("A slow reader slows the origin down, and gets all of it", arguments: TestDriver.offered)
    func slowReader(_ driver: TestDriver) throws {
        // More than the kernel keeps for a reader.
        let size = 12 << 20
        let origin = try ServedOrigin { socket in
            _ = try socket.receiveHead()
            try socket.send("HTTP/1.1 200 OK\r\nContent-Length: \(12 << 20)\r\n\r\n")
            try socket.send(pattern(12 << 20))
        }
        let proxy = try TLSProxy(driver, origin.address)
        let client = try proxy.connect(receiveBuffer: 16_384)
        func leased() -> Int { proxy.proxy.server.workers[0].gauges.peakLeasedBytes.load(ordering: .relaxed) }
        let before = leased()
        try client.send(Messages.get)
        try proxy.proxy.wait(for: "the buffers to be full") { proxy[.bytesReceivedUpstream] > 200_000 }
        let head = try client.receiveHead()
        #expect(contentLength(head) == size)
        #expect(leased() - before < 2 << 20, "one stalled stream")
        #expect(difference(try client.receive(exactly: size), pattern(size)) == nil)
        proxy.proxy.end()
        origin.end()
    }

    @Test(
        "A long body reaches the origin as a whole",
        arguments: TestDriver.offered)
    func slowOrigin(_ driver: TestDriver) throws {
        let size = 4 << 20
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address)
        let session = TLSClient()
        let client = try proxy.connect(session)
        let body = pattern(size)
        try session.write(latin1("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n"))
        try session.write(body)
        let ciphertext = session.take()
        let sender = client.socket.sendAside(ciphertext)
        let upstream = try origin.accept()
        _ = try upstream.receiveHead()
        #expect(difference(try upstream.receive(exactly: size), body) == nil)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        sender.join()
    }

    @Test("New keys in the middle of a connection", arguments: TestDriver.offered)
    func newKeys(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address)
        let client = try proxy.connect(TLSClient(versions: 13...13))
        let upstream = try client.serve(by: origin)
        for _ in 0..<3 {
            client.session.updateKeys()
            try client.send(Messages.get)
            try upstream.expect(Messages.get)
            client.session.updateKeys()
            try client.send(Messages.get)
            try upstream.send(Messages.ok)
            try client.expect(Messages.ok)
            try upstream.expect(Messages.get)
            try upstream.send(Messages.ok)
            try client.expect(Messages.ok)
        }
    }

    // MARK: - Ends

    @Test("The last answer is followed by a close_notify", arguments: TestDriver.offered)
    func lastAnswer(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address) { $0.timeoutKeepalive = .milliseconds(200) }
        // Said by the client, by a body without end, and by the time that nothing was said.
        let saying = try proxy.connect()
        try saying.send("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        let upstream = try origin.accept()
        _ = try upstream.receiveHead()
        try upstream.send(Messages.ok)
        #expect(try saying.receiveResponse().body == "hi")
        try saying.expectEnd()
        let old = try proxy.connect()
        try old.send("GET /a HTTP/1.0\r\nHost: h\r\n\r\n")
        _ = try upstream.receiveHead()
        try upstream.send("HTTP/1.1 200 OK\r\n\r\nall of it")
        upstream.close()
        #expect(text(try old.receiveAll()).hasSuffix("\r\n\r\nall of it"))
        let idle = try proxy.connect()
        try idle.serve(by: origin)
        try idle.expectEnd()
    }

    @Test(
        "Who has ended the stream without a word is told that an answer is whole",
        arguments: TestDriver.offered)
    func halfClosed(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address)
        let client = try proxy.connect()
        try client.send(Messages.get)
        client.socket.finish()
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        #expect(try client.receiveResponse().body == "hi")
        try client.expectEnd()
    }

    @Test("A body that the origin cuts has no close_notify behind it", arguments: TestDriver.offered)
    func cutBody(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address)
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome")
        try client.expect("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome")
        upstream.close()
        _ = try client.socket.receiveUntilClosed()
        #expect(!client.hasEnded)
    }

    @Test("A request that is cut, with a close_notify or without, is none", arguments: TestDriver.offered)
    func cutRequest(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address)
        for saysEnd in [true, false] {
            let client = try proxy.connect()
            try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nsome")
            let upstream = try origin.accept()
            _ = try upstream.receiveHead()
            try upstream.expect("some")
            if saysEnd { try client.end() }
            client.socket.finish()
            _ = try upstream.receiveUntilClosed()
        }
        try proxy.proxy.wait(for: "both") { proxy[.downstreamAborted] == 2 }
        #expect(proxy[.tlsTruncated] == 1)
    }

    @Test("What has been changed on its way ends the connection", arguments: TestDriver.offered)
    func changed(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address)
        let client = try proxy.connect()
        try client.serve(by: origin)
        try client.session.write(latin1(Messages.get))
        var bytes = client.session.take()
        bytes[bytes.count - 1] ^= 1
        try client.socket.send(bytes)
        _ = try client.socket.receiveUntilClosed()
        #expect(proxy[.tlsErrors] == 1 && proxy[.requests] == 1)
    }

    // MARK: - Tunnels

    @Test("A tunnel inside TLS: bytes both ways, and each end by itself", arguments: TestDriver.offered)
    func tunnel(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(forward: driver)
        let connect = "CONNECT \(origin.address) HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n"
        let established = "HTTP/1.1 200 Connection established\r\n\r\n"
        do {
            let client = try proxy.connect()
            try client.send(connect + "early")
            let upstream = try origin.accept()
            try client.expect(established)
            try upstream.expect("early")
            let body = pattern(300_000)
            try upstream.send(body)
            #expect(difference(try client.receive(exactly: body.count), body) == nil)
            try client.end()
            try upstream.expectEnd()
            try upstream.send("more")
            upstream.finish()
            #expect(text(try client.receiveAll()) == "more")
            try proxy.proxy.wait(for: "the end") { proxy[.tunnelsClosed] == 1 }
        }
        do {
            let client = try proxy.connect()
            try client.send(connect)
            let upstream = try origin.accept()
            try client.expect(established)
            upstream.finish()
            #expect(try client.receiveAll() == [])
            try client.send("still here")
            try upstream.expect("still here")
            try client.end()
            try upstream.expectEnd()
            try proxy.proxy.wait(for: "the end") { proxy[.tunnelsClosed] == 2 }
        }
        #expect(proxy[.tlsTruncated] == 0)
        // Ours may be answered by the stream's end alone.
        do {
            let client = try proxy.connect()
            try client.send(connect)
            let upstream = try origin.accept()
            try client.expect(established)
            upstream.finish()
            #expect(try client.receiveAll() == [])
            client.socket.finish()
            try upstream.expectEnd()
            try proxy.proxy.wait(for: "the end") { proxy[.tunnelsClosed] == 3 }
            #expect(proxy[.tlsTruncated] == 0)
        }
        // Without a word for it an end is no end.
        let client = try proxy.connect()
        try client.send(connect + "all that came")
        let upstream = try origin.accept()
        try client.expect(established)
        try upstream.expect("all that came")
        client.socket.finish()
        #expect(try upstream.receiveUntilClosed().isReset)
        #expect(proxy[.tlsTruncated] == 1)
    }

    @Test("Megabytes pass through a tunnel both ways at once, unchanged", arguments: TestDriver.offered)
    func bulk(_ driver: TestDriver) throws {
        let size = 4 << 20
        let origin = try ServedOrigin { socket in
            while let bytes = try socket.receive() { try socket.send(bytes) }
        }
        let proxy = try TLSProxy(forward: driver)
        let session = TLSClient()
        let client = try proxy.connect(session)
        try client.send("CONNECT \(origin.address) HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n")
        try client.expect("HTTP/1.1 200 Connection established\r\n\r\n")
        let body = pattern(size)
        try session.write(body)
        session.end()
        let ciphertext = session.take()
        let sender = client.socket.sendAside(ciphertext)
        #expect(difference(try client.receiveAll(), body) == nil)
        sender.join()
        proxy.proxy.end()
        origin.end()
    }

    @Test("A relay of connections takes TLS off them", arguments: TestDriver.offered)
    func relay(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address, role: .tcp)
        let client = try proxy.connect()
        try client.send("hello")
        let upstream = try origin.accept()
        try upstream.expect("hello")
        try upstream.send("hello yourself")
        try client.expect("hello yourself")
        upstream.finish()
        #expect(try client.receiveAll() == [])
        try client.end()
        try upstream.expectEnd()
    }

    @Test("A relay takes whatever protocol is asked for, and chooses none", arguments: TestDriver.offered)
    func relayedProtocol(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address, role: .tcp)
        let client = try proxy.connect(TLSClient(alpn: "imap"))
        #expect(client.session.alpn == "")
        try client.send("hello")
        let upstream = try origin.accept()
        try upstream.expect("hello")
    }

    // MARK: - Reloads, drains, headers

    @Test("Another certificate is shown after a reload, and connections go on", arguments: TestDriver.offered)
    func reload(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address)
        let before = try proxy.connect()
        let upstream = try before.serve(by: origin)
        // A handshake under way keeps what it began with.
        let session = TLSClient()
        _ = try session.shakeHands()
        let hello = session.take()
        let socket = try proxy.proxy.connect()
        try socket.send(Array(hello.prefix(20)))
        try proxy.proxy.wait(for: "its beginning") { proxy[.bytesReceivedDownstream] > 20 }
        try proxy.replace(with: TestCertificate("other.example"))
        try proxy.proxy.reload { _ in }
        #expect(try proxy.connect().session.peerName == "other.example")
        try socket.send(Array(hello.dropFirst(20)))
        #expect(try TLSSocket(socket, session).session.peerName == "example.org")
        try exchange(before, upstream)
        // What is wrong with the next one leaves this one in service.
        try proxy.replace(with: TestCertificate("old.example", end: -60))
        #expect(throws: TestFailure.self) { try proxy.proxy.reload { _ in } }
        #expect(try proxy.connect().session.peerName == "other.example")
    }

    @Test("TLS goes and comes with a reload", arguments: TestDriver.offered)
    func switched(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address)
        let tls = proxy.proxy.server.configuration.listeners[0].tls
        let silent = try proxy.proxy.connect()
        try proxy.proxy.wait(for: "it") { proxy.proxy.downstreamConnections == 1 }
        try proxy.proxy.reload { $0.listeners[0].tls = nil }
        // Who has not begun yet is taken as what is spoken now.
        try silent.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try silent.expect(Messages.ok)
        try proxy.proxy.reload { $0.listeners[0].tls = tls }
        let client = try proxy.connect()
        try exchange(client, upstream)
        try exchange(silent, upstream)
    }

    @Test("A drain tells those that are idle, and lets the others finish", arguments: TestDriver.offered)
    func drain(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address)
        let idle = try proxy.connect()
        let kept = try idle.serve(by: origin)
        let busy = try proxy.connect()
        try busy.send(Messages.get)
        try kept.expect(Messages.get)
        proxy.proxy.server.drain()
        try idle.expectEnd()
        try kept.send(Messages.ok)
        #expect(try busy.receiveResponse().body == "hi")
        try busy.expectEnd()
        idle.socket.close()
        busy.socket.close()
        proxy.proxy.waitForDrain()
    }

    @Test("A PROXY protocol header stands before the handshake", arguments: TestDriver.offered)
    func header(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address) {
            $0.trust.proxyProtocol = .require
            $0.xForwarded = .append
        }
        let header = latin1("PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n")
        for isTogether in [true, false] {
            let session = TLSClient()
            _ = try session.shakeHands()
            let hello = session.take()
            let socket = try proxy.proxy.connect()
            if isTogether {
                try socket.send(header + hello)
            } else {
                try socket.send(header)
                try proxy.proxy.wait(for: "the header") { proxy[.proxyHeadersRead] == 2 }
                try socket.send(hello)
            }
            let client = try TLSSocket(socket, session)
            try client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            let upstream = try origin.accept()
            let head = try upstream.receiveHead()
            #expect(head.contains("X-Forwarded-For: 192.0.2.7\r\n"))
            #expect(head.contains("X-Forwarded-Proto: https\r\n"))
            try upstream.send(Messages.okClosing)
            #expect(try client.receiveResponse().body == "hi")
        }
    }

    @Test(
        "Connections beyond a listener's limit are closed before their handshake",
        arguments: TestDriver.offered)
    func limit(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address) { $0.listeners[0].maxConnections = 1 }
        let client = try proxy.connect()
        try client.serve(by: origin)
        let other = try proxy.proxy.connect()
        #expect(try other.receiveUntilClosed().text == "")
        #expect(proxy.proxy.failures(.listenerFull) == 1 && proxy[.tlsHandshakes] == 1)
    }
}
