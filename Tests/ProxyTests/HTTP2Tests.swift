import CPosix
import TestSupport
import Testing

@testable import UringProxy

@Suite("HTTP/2 downstream", .blocking)
struct HTTP2Tests {
    // MARK: - Requests

    @Test(
        "Requests are those of HTTP/1.1 to the origin, and answers those of HTTP/2",
        arguments: TestDriver.offered)
    func requests(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try FrameEnd(proxy.connect())
        var upstream: TestSocket?
        for _ in 0..<3 {
            let stream = try client.request(
                FrameEnd.head() + [("x-a", "1"), ("cookie", "a=b"), ("cookie", "c=d")])
            if upstream == nil { upstream = try origin.accept() }
            try upstream?.expect("GET /a HTTP/1.1\r\nHost: h\r\nx-a: 1\r\nCookie: a=b; c=d\r\n\r\n")
            try upstream?.send("HTTP/1.1 200 OK\r\nX-Up: Yes\r\nKeep-Alive: 5\r\nContent-Length: 2\r\n\r\nhi")
            try client.expect(stream, "200", "hi")
            let response = try client.response(stream)
            #expect(response["x-up"] == "Yes" && response["content-length"] == "2")
            #expect(response["keep-alive"] == nil && response["connection"] == nil)
        }
        #expect(proxy[.http2Connections] == 1 && proxy[.http2Streams] == 3 && proxy[.requests] == 3)
        #expect(client.settings[3] == 128 && client.settings[8] == 1 && client.settings[9] == 1)
    }

    @Test("Over TLS ALPN says so, and requests have come by https", arguments: TestDriver.offered)
    func overTLS(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address) { $0.xForwarded = .append }
        let socket = try proxy.connect(TLSClient("example.org", alpn: "h2"))
        #expect(socket.session.alpn == "h2")
        let client = try FrameEnd(socket)
        let stream = try client.request(FrameEnd.head())
        let upstream = try origin.accept()
        let head = try upstream.receiveHead()
        #expect(
            head.contains("X-Forwarded-Proto: https\r\n") && head.contains("X-Forwarded-For: 127.0.0.1\r\n"))
        try upstream.send(Messages.ok)
        try client.expect(stream, "200", "hi")
    }

    @Test("A listener may be without it", arguments: TestDriver.offered)
    func without(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address) { configuration in
            configuration.listeners[0].speaksHTTP2 = false
            configuration.listeners.append(ListenerConfiguration(address: "127.0.0.1:0", cluster: "origin"))
            configuration.listeners[1].speaksHTTP2 = false
        }
        let plain = try proxy.proxy.connect(1)
        try plain.send(FrameEnd.preface)
        #expect(try plain.receiveAll().hasPrefix("HTTP/1.1 505 "))
        #expect(throws: TLSClient.Failure.self) {
            try proxy.connect(TLSClient("example.org", alpn: "h2"))
        }
        #expect(proxy[.tlsIncompatible] == 1)
        #expect(proxy[.http2Connections] == 0)
    }

    @Test("The version in Via is that which was spoken", arguments: TestDriver.offered)
    func via(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.via = "p" }
        let client = try FrameEnd(proxy.connect())
        let stream = try client.request(FrameEnd.head())
        let upstream = try origin.accept()
        try upstream.expect("GET /a HTTP/1.1\r\nHost: h\r\nVia: 2.0 p\r\n\r\n")
        try upstream.send(Messages.ok)
        #expect(try client.response(stream)["via"] == "1.1 p")
    }

    @Test("Streams are answered as their answers come", arguments: TestDriver.offered)
    func interleaved(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try FrameEnd(proxy.connect())
        var upstreams: [TestSocket] = []
        for number in 0..<20 {
            try client.request(FrameEnd.head("GET", "/\(number)"))
            let upstream = try origin.accept()
            #expect(try upstream.receivePath() == "/\(number)")
            upstreams.append(upstream)
        }
        for number in (0..<20).reversed() {
            try upstreams[number].send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\(number + 10)")
            try client.expect(UInt32(2 * number + 1), "200", "\(number + 10)")
        }
        #expect(client.responses.count == 20)
    }

    @Test("What has no body has none", arguments: TestDriver.offered)
    func bodiless(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try FrameEnd(proxy.connect())
        var upstream: TestSocket?
        for (method, answer, status) in [
            ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "200"),
            ("GET", "HTTP/1.1 204 No Content\r\n\r\n", "204"),
            ("GET", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", "304"),
            ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200"),
            ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "200"),
        ] {
            let stream = try client.request(FrameEnd.head(method))
            if upstream == nil { upstream = try origin.accept() }
            #expect(try upstream!.receiveHead().hasPrefix("\(method) /a "))
            try upstream?.send(answer)
            try client.expect(stream, status, "")
            #expect(try client.response(stream)["transfer-encoding"] == nil)
        }
    }

    @Test("Fields that stand for many bytes are taken up as they come", arguments: TestDriver.offered)
    func indexed(_ driver: TestDriver) throws {
        let proxy = try TestProxy(driver, upstreams: [TestOrigin.nobody()])
        let long = FrameEnd.block([("x", String(repeating: "a", count: 3000))])
        // The fields of so many requests come to 256 KiB, more or less: one count ends there.
        for count in 80...90 {
            let client = try FrameEnd(proxy.connect())
            var bytes: [UInt8] = []
            for number in 0..<count {
                // RFC 7541 §6.2.1, §6.1: a literal that is indexed, and then the first of the dynamic table.
                let field = number == 0 ? [0x40] + long.dropFirst() : [0x80 | 62]
                bytes += FrameEnd.frame(
                    .headers, 5, UInt32(2 * number + 1), FrameEnd.block(FrameEnd.head()) + field)
            }
            try client.sendRaw(bytes)
            for number in 0..<count {
                #expect(try client.response(UInt32(2 * number + 1)).status == "502")
            }
        }
    }

    @Test("Interim responses are passed on", arguments: TestDriver.offered)
    func interim(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try FrameEnd(proxy.connect())
        let stream = try client.request(
            FrameEnd.head("POST") + [("content-length", "3"), ("expect", "100-continue")], ends: false)
        let upstream = try origin.accept()
        #expect(try upstream.receiveHead().contains("expect: 100-continue\r\n"))
        // Nothing else makes frames leave.
        try client.read(until: "SETTINGS") { !client.settings.isEmpty }
        try client.send(.ping, 0, 0, [UInt8](repeating: 1, count: 8))
        try client.read(until: "PING") { client.pings == 1 }
        try upstream.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
        try client.read(until: "100") { client.responses[stream]?.heads.count == 2 }
        try client.sendData(stream, latin1("abc"), ends: true)
        try upstream.expect("abc")
        try upstream.send(Messages.ok)
        try client.expect(stream, "200", "hi")
        #expect(client.responses[stream]?.heads.map { $0[0].value } == ["103", "100", "200"])
    }

    // MARK: - Bodies

    @Test(
        "Bodies are exact, whatever tells their length", arguments: TestDriver.offered,
        ["Content-Length: 3000000\r\n", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n"])
    func bodies(_ driver: TestDriver, _ framing: String) throws {
        let body = pattern(3_000_000)
        let origin = try ServedOrigin { socket in
            _ = try socket.receiveHead()
            try socket.send("HTTP/1.1 200 OK\r\n\(framing)\r\n")
            guard framing.hasPrefix("T") else {
                try socket.send(body)
                return
            }
            for start in stride(from: 0, to: body.count, by: 100_000) {
                try socket.send("186a0\r\n")
                try socket.send(Array(body[start..<start + 100_000]))
                try socket.send("\r\n")
            }
            try socket.send("0\r\n\r\n")
        }
        let proxy = try TestProxy(driver, upstreams: [origin.address])
        let client = try FrameEnd(proxy.connect())
        let response = try client.response(client.request(FrameEnd.head()))
        #expect(difference(response.body, body) == nil)
        #expect(response.isEnded && response.reset == nil)
        proxy.end()
        origin.end()
    }

    @Test("Uploads are exact, with a length and without", arguments: TestDriver.offered, [true, false])
    func uploads(_ driver: TestDriver, _ hasLength: Bool) throws {
        let body = pattern(1_000_000)
        let received = Locked<[UInt8]?>(nil)
        let origin = try ServedOrigin { socket in
            let head = try socket.receiveHead()
            let all =
                head.contains("content-length: 1000000\r\n")
                ? try socket.receive(exactly: body.count) : try receiveChunked(socket)
            received.withLock { $0 = all }
            try socket.send(Messages.ok)
        }
        let proxy = try TestProxy(driver, upstreams: [origin.address])
        let client = try FrameEnd(proxy.connect())
        let stream = try client.request(
            FrameEnd.head("POST") + (hasLength ? [("content-length", "1000000")] : []), ends: false)
        var sent = 0
        while sent < body.count {
            let opened = min(client.windowUpdates[0] ?? 0, client.windowUpdates[stream] ?? 0)
            let credit = 65_535 + opened - sent
            if credit == 0 {
                try client.next()
                continue
            }
            let part = Array(body[sent..<min(sent + credit, body.count)])
            try client.sendData(stream, part, ends: sent + part.count == body.count)
            sent += part.count
        }
        try client.expect(stream, "200", "hi")
        #expect(difference(received.withLock { $0 } ?? [], body) == nil)
        proxy.end()
        origin.end()
    }

    @Test("Trailers are kept both ways", arguments: TestDriver.offered)
    func trailers(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try FrameEnd(proxy.connect())
        let stream = try client.request(FrameEnd.head("POST"), ends: false)
        try client.sendData(stream, latin1("abc"))
        try client.send(.headers, 5, stream, FrameEnd.block([("x-sum", "6")]))
        let upstream = try origin.accept()
        try upstream.expect(
            "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 6\r\n\r\n"
        )
        try upstream.send(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nGRPC-Status: 0\r\n\r\n")
        try client.expect(stream, "200", "hi")
        #expect(try client.response(stream).heads.last?.map { "\($0.name)=\($0.value)" } == ["grpc-status=0"])
    }

    @Test("A window that does not open holds a body back, and others go on", arguments: TestDriver.offered)
    func flowControl(_ driver: TestDriver) throws {
        let body = pattern(500_000)
        let origin = try ServedOrigin { head, _ in
            head.hasPrefix("GET /a ")
                ? "HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n" + text(body) : Messages.ok
        }
        let proxy = try TestProxy(driver, upstreams: [origin.address])
        let client = try FrameEnd(proxy.connect(), window: 1000)
        client.opensWindows = false
        let first = try client.request(FrameEnd.head())
        try client.read(until: "the window's worth") { client.responses[first]?.body.count == 1000 }
        let second = try client.request(FrameEnd.head("GET", "/b"))
        try client.expect(second, "200", "hi")
        #expect(client.responses[first]?.body.count == 1000)
        client.opensWindows = true
        try client.send(.windowUpdate, 0, 0, FrameEnd.bytes(1 << 20))
        try client.send(.windowUpdate, 0, first, FrameEnd.bytes(1 << 20))
        #expect(difference(try client.response(first).body, body) == nil)
        proxy.end()
        origin.end()
    }

    @Test("What is more urgent leaves first (RFC 9218)", arguments: TestDriver.offered)
    func priorities(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { _, _ in
            "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + text(pattern(1000))
        }
        let proxy = try TestProxy(driver, upstreams: [origin.address])
        let client = try FrameEnd(proxy.connect(), window: 0)
        let streams = try ["u=7", "u=0", "u=4"].map {
            try client.request(FrameEnd.head() + [("priority", $0)])
        }
        try client.read(until: "the heads") { client.responses.count == 3 }
        try proxy.wait(for: "the bodies") { proxy[.bytesReceivedUpstream] > 3000 }
        // SETTINGS_INITIAL_WINDOW_SIZE: all windows open at once.
        try client.send(.settings, 0, 0, [0, 4] + FrameEnd.bytes(100_000))
        var order: [UInt32] = []
        while order.count < 3, let frame = try client.next() {
            if frame.kind == FrameEnd.Kind.data.rawValue { order.append(frame.stream) }
        }
        #expect(order == [streams[1], streams[2], streams[0]])
        proxy.end()
        origin.end()
    }

    // MARK: - Ends

    @Test("A stream that the client resets ends its exchange alone", arguments: TestDriver.offered)
    func reset(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try FrameEnd(proxy.connect())
        let (first, upstream) = try origin.accept(from: client)
        try client.send(.reset, 0, first, FrameEnd.bytes(8))
        try upstream.expectEnd()
        let (second, other) = try origin.accept(from: client)
        try other.send(Messages.ok)
        try client.expect(second, "200", "hi")
        #expect(proxy[.http2Resets] == 1 && proxy[.downstreamAborted] == 1)
    }

    @Test("A response that is cut short resets its stream", arguments: TestDriver.offered)
    func truncated(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try FrameEnd(proxy.connect())
        let (stream, upstream) = try origin.accept(from: client)
        try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi")
        upstream.close()
        let response = try client.response(stream)
        #expect(response.reset == 2 && !response.isEnded)
        let second = try client.request(FrameEnd.head())
        try origin.accept().send(Messages.ok)
        try client.expect(second, "200", "hi")
    }

    @Test("What is left of a request that was answered is not waited for", arguments: TestDriver.offered)
    func answeredEarly(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try FrameEnd(proxy.connect())
        let stream = try client.request(FrameEnd.head("POST"), ends: false)
        let upstream = try origin.accept()
        _ = try upstream.receiveHead()
        try upstream.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
        try client.expect(stream, "413", "no")
        try client.read(until: "NO_ERROR") { client.responses[stream]?.reset == 0 }
        // What was under way by then is dropped.
        try client.sendData(stream, pattern(60_000))
        let (second, other) = try origin.accept(from: client)
        try other.send(Messages.ok)
        try client.expect(second, "200", "hi")
    }

    @Test("The end of the connection ends all of its exchanges", arguments: TestDriver.offered)
    func disconnected(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let socket = try proxy.connect()
        let client = try FrameEnd(socket)
        var upstreams: [TestSocket] = []
        for method in ["GET", "GET", "GET", "POST"] {
            try client.request(FrameEnd.head(method), ends: method == "GET")
            let upstream = try origin.accept()
            #expect(try upstream.receiveHead().hasPrefix("\(method) /a "))
            upstreams.append(upstream)
        }
        socket.close()
        for upstream in upstreams { try upstream.expectEnd() }
        try proxy.wait(for: "all to have ended") { proxy.downstreamConnections == 0 }
    }

    @Test("A drain lets streams end, and tells of it first", arguments: TestDriver.offered)
    func drain(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try FrameEnd(proxy.connect())
        let (first, upstream) = try origin.accept(from: client)
        proxy.server.drain()
        try client.read(until: "GOAWAY") { client.goAway == 0 }
        let second = try client.request(FrameEnd.head("GET", "/b"))
        let other = try origin.accept()
        #expect(try other.receivePath() == "/b")
        for socket in [upstream, other] { try socket.send(Messages.ok) }
        try client.expect(first, "200", "hi")
        try client.expect(second, "200", "hi")
        try client.readAll()
        proxy.waitForDrain()
    }

    @Test("A connection with nothing under way ends in order", arguments: TestDriver.offered)
    func keepAlive(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.timeoutKeepalive = Nanoseconds(50_000_000) }
        let client = try FrameEnd(proxy.connect())
        let stream = try client.request(FrameEnd.head())
        try origin.accept().send(Messages.ok)
        try client.expect(stream, "200", "hi")
        try client.readAll()
        #expect(client.goAway == 0 && proxy[.timeoutsKeepalive] == 1)
    }

    @Test("The last request of a connection is followed by no other", arguments: TestDriver.offered)
    func requestLimit(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.limitRequestsPerConnection = 2 }
        let client = try FrameEnd(proxy.connect())
        var upstream: TestSocket?
        for _ in 0..<2 {
            let stream = try client.request(FrameEnd.head())
            if upstream == nil { upstream = try origin.accept() }
            try upstream?.expect(Messages.get)
            try upstream?.send(Messages.ok)
            try client.expect(stream, "200", "hi")
        }
        try client.readAll()
        #expect(client.goAway == 0)
    }

    @Test(
        "More streams than there is room for are refused, and may be sent again",
        arguments: TestDriver.offered)
    func full(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.limitConnections = 4 }
        let client = try FrameEnd(proxy.connect())
        var streams: [UInt32] = []
        for _ in 0..<4 { streams.append(try client.request(FrameEnd.head())) }
        #expect(try client.response(streams[3]).reset == 7)
        for _ in 0..<3 { try origin.accept().send(Messages.okClosing) }
        for stream in streams[..<3] { try client.expect(stream, "200", "hi") }
        let again = try client.request(FrameEnd.head())
        try origin.accept().send(Messages.ok)
        try client.expect(again, "200", "hi")
        #expect(proxy[.http2StreamsRefused] == 1)
    }

    @Test("Connections count as memory, and have at most half of it", arguments: TestDriver.offered)
    func memory(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.memoryBytes = 16 << 20 }
        let most = (8 << 20) / HTTP2Session.memoryBytes
        let clients = try (0..<most).map { _ in
            let socket = try proxy.connect()
            _ = try FrameEnd(socket)
            return socket
        }
        try proxy.wait(for: "all of them") { proxy[.http2Connections] == UInt64(most) }
        let refused = try proxy.connect()
        try refused.send(FrameEnd.preface)
        #expect(try refused.receiveUntilClosed().text == "")
        for client in clients { client.close() }
        try proxy.wait(for: "their ends") { proxy.downstreamConnections == 0 }
        let client = try FrameEnd(proxy.connect())
        let stream = try client.request(FrameEnd.head())
        try origin.accept().send(Messages.ok)
        try client.expect(stream, "200", "hi")
    }

    @Test("Answers of our own are those of HTTP/2 as well", arguments: TestDriver.offered)
    func ownAnswers(_ driver: TestDriver) throws {
        let nobody = try TestOrigin.nobody()
        let proxy = try TestProxy(driver, upstreams: [nobody])
        let client = try FrameEnd(proxy.connect())
        let stream = try client.request(FrameEnd.head())
        #expect(try client.response(stream).status == "502")
        let large = try client.request(
            FrameEnd.head() + [("x", String(repeating: "a", count: 8000))])
        #expect(try client.response(large).status == "502")
    }

    @Test("Answers without a body reach whoever still sends, or was the last", arguments: TestDriver.offered)
    func bodilessEarly(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.limitRequestsPerConnection = 2 }
        let client = try FrameEnd(proxy.connect())
        let first = try client.request(FrameEnd.head("POST"), ends: false)
        let upstream = try origin.accept()
        _ = try upstream.receiveHead()
        try upstream.send("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n")
        try client.expect(first, "302", "")
        let (last, other) = try origin.accept(from: client)
        try other.send("HTTP/1.1 204 No Content\r\n\r\n")
        try client.expect(last, "204", "")
        try client.readAll()
        #expect(client.goAway == 0)
    }

    @Test("Trailers reach whoever still sends", arguments: TestDriver.offered)
    func trailersEarly(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.limitRequestsPerConnection = 1 }
        let client = try FrameEnd(proxy.connect())
        let stream = try client.request(FrameEnd.head("POST"), ends: false)
        let upstream = try origin.accept()
        _ = try upstream.receiveHead()
        try upstream.send(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nGRPC-Status: 0\r\n\r\n")
        try client.expect(stream, "200", "hi")
        #expect(try client.response(stream).heads.last?.first?.name == "grpc-status")
        try client.readAll()
    }

    @Test("Heads may be as long as their limit", arguments: TestDriver.offered)
    func longHeads(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.limitHeadBytes = 100 << 10 }
        let client = try FrameEnd(proxy.connect())
        // Of these some stand in the request of HTTP/1.1 twice, or are longer there.
        for (authority, count) in [(480, 0), (900, 0), (1, 40), (1, 200)] {
            let stream = try client.request(
                [(":method", "CONNECT"), (":authority", String(repeating: "a", count: authority) + ":1")]
                    + [(String, String)](repeating: ("te", "trailers"), count: count), ends: false)
            // A host as long as that is none.
            #expect(try client.response(stream).status == (authority > 255 ? "400" : "405"))
        }
        let stream = try client.request(FrameEnd.head() + [("te", "trailers"), ("te", "trailers")])
        let upstream = try origin.accept()
        _ = try upstream.receiveHead()
        try upstream.send(Messages.ok)
        try client.expect(stream, "200", "hi")
    }

    @Test("A stop ends what is under way", arguments: TestDriver.offered)
    func stop(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let before = try proxy.connect()
        let upstream = try origin.accept(Messages.get, from: before)
        try upstream.send(Messages.ok)
        try before.expect(Messages.ok)
        let client = try FrameEnd(proxy.connect())
        try client.request(FrameEnd.head())
        try upstream.expect(Messages.get)
        try client.request(FrameEnd.head("POST"), ends: false)
        _ = try origin.accept().receiveHead()
        proxy.end()
    }

    @Test("A reload that limits connections counts no streams", arguments: TestDriver.offered)
    func listenerLimit(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(
            driver, cluster: ClusterConfiguration(name: "origin", endpoints: [origin.address]))
        let client = try FrameEnd(proxy.connect())
        let (stream, upstream) = try origin.accept(from: client)
        try proxy.reload { $0.listeners[0].maxConnections = 2 }
        try upstream.send(Messages.ok)
        try client.expect(stream, "200", "hi")
        let other = try proxy.connect()
        try other.send(Messages.get)
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try other.expect(Messages.ok)
    }

    // MARK: - Tunnels

    @Test("CONNECT opens a tunnel, each of whose ends is passed on by itself", arguments: TestDriver.offered)
    func connect(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver)
        let client = try FrameEnd(proxy.connect())
        let stream = try client.request(
            [(":method", "CONNECT"), (":authority", origin.address)], ends: false)
        let upstream = try origin.accept()
        try client.read(until: "the tunnel") { client.responses[stream]?.status == "200" }
        try client.sendData(stream, latin1("question"))
        try upstream.expect("question")
        try upstream.send("answer")
        try client.read(until: "the answer") { text(client.responses[stream]!.body) == "answer" }
        try client.sendData(stream, latin1("last"), ends: true)
        #expect(try upstream.receiveAll() == "last")
        try upstream.send(" and more")
        upstream.finish()
        try client.expect(stream, "200", "answer and more")
        try proxy.wait(for: "the tunnel's end") { proxy[.tunnelsClosed] == 1 }
    }

    @Test("What the client says last passes a tunnel whose origin has ended", arguments: TestDriver.offered)
    func connectOriginFirst(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver)
        let client = try FrameEnd(proxy.connect())
        let stream = try client.request(
            [(":method", "CONNECT"), (":authority", origin.address)], ends: false)
        let upstream = try origin.accept()
        try upstream.send("bye")
        upstream.finish()
        try client.expect(stream, "200", "bye")
        try client.sendData(stream, pattern(20_000), ends: true)
        #expect(difference(latin1(try upstream.receiveAll()), pattern(20_000)) == nil)
    }

    @Test("A tunnel ends with its stream, whatever the client calls that", arguments: TestDriver.offered)
    func connectReset(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver)
        let client = try FrameEnd(proxy.connect())
        for code in [UInt32(0), 8] {
            let stream = try client.request(
                [(":method", "CONNECT"), (":authority", origin.address)], ends: false)
            let upstream = try origin.accept()
            try client.read(until: "the tunnel") { client.responses[stream]?.status == "200" }
            try client.send(.reset, 0, stream, FrameEnd.bytes(code))
            _ = try upstream.receiveUntilClosed()
        }
        try proxy.wait(for: "the tunnels' end") { proxy[.tunnelsClosed] == 2 }
    }

    @Test("Requests of a forward proxy say themselves where to", arguments: TestDriver.offered)
    func forward(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver)
        let client = try FrameEnd(proxy.connect())
        let stream = try client.request([
            (":method", "GET"), (":scheme", "http"), (":authority", origin.address), (":path", "/x?y"),
        ])
        let upstream = try origin.accept()
        try upstream.expect("GET /x?y HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n")
        try upstream.send(Messages.ok)
        try client.expect(stream, "200", "hi")
    }

    @Test("WebSockets over HTTP/2 are upgrades to the origin", arguments: TestDriver.offered)
    func webSocket(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try FrameEnd(proxy.connect())
        try client.read(until: "SETTINGS") { client.settings[8] == 1 }
        let stream = try client.request(
            [
                (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":authority", "h"),
                (":path", "/ws"),
                ("sec-websocket-version", "13"),
            ], ends: false)
        let upstream = try origin.accept()
        let head = try upstream.receiveHead()
        #expect(head.hasPrefix("GET /ws HTTP/1.1\r\nHost: h\r\nsec-websocket-version: 13\r\n"))
        #expect(head.contains("Upgrade: websocket\r\n") && head.contains("Connection: Upgrade\r\n"))
        let line = head.value(of: "Sec-WebSocket-Key: ")
        #expect(Base64.decode(latin1(line))?.count == 16)
        try upstream.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nhello"
        )
        try client.read(until: "hello") { text(client.responses[stream]?.body ?? []) == "hello" }
        let response = client.responses[stream]!
        #expect(
            response.status == "200" && response["sec-websocket-accept"] == nil && response["upgrade"] == nil)
        try client.sendData(stream, latin1("frame"))
        try upstream.expect("frame")
        try client.sendData(stream, [], ends: true)
        try upstream.expectEnd()
        upstream.close()
        try client.expect(stream, "200", "hello")
    }
}

extension String {
    /// What stands behind a field's name and before the end of its line.
    fileprivate func value(of field: String) -> String {
        guard let name = firstRange(of: field) else { return "" }
        return String(self[name.upperBound...].prefix { $0 != "\r\n" })
    }
}
