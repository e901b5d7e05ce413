import CPosix
import TestSupport
import Testing

@testable import UringProxy

@Suite("HTTP/2 to upstreams", .blocking)
struct HTTP2UpstreamTests {
    private static func cluster(_ origin: TestOrigin) -> ClusterConfiguration {
        var cluster = ClusterConfiguration(name: "origin", endpoints: [origin.address])
        cluster.http2 = .on
        return cluster
    }

    private func start(
        _ driver: TestDriver, _ origin: TestOrigin, change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        try TestProxy(driver, cluster: Self.cluster(origin), change: change)
    }

    /// The connection that the proxy opens for a request.
    private func accept(
        _ origin: TestOrigin, _ settings: [(UInt16, UInt32)]? = []
    ) throws -> FrameEnd { try FrameEnd(serving: try origin.accept(), settings: settings) }

    private static func post(_ body: String) -> String {
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.count)\r\n\r\n\(body)"
    }

    // MARK: - Messages

    @Test("Requests of HTTP/1.1 are answered over HTTP/2, on one connection", arguments: TestDriver.offered)
    func requests(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin) { $0.via = "v" }
        let client = try proxy.connect()
        try client.send(
            "GET /a?b HTTP/1.1\r\nHost: h:1\r\nConnection: x, te\r\nX: 1\r\nTE: trailers\r\nCookie: a=b\r\nKeep-Alive: 1\r\n\r\n"
        )
        let upstream = try accept(origin)
        let first = try upstream.takeWhole()
        #expect(first == 1)
        let head = upstream.responses[first]?.heads[0] ?? []
        #expect(
            head.map { "\($0.name)=\($0.value)" } == [
                ":method=GET", ":scheme=http", ":path=/a?b", ":authority=h:1", "cookie=a=b", "via=1.1 v",
                "te=trailers",
            ])
        try upstream.answer(first, "hi", [("content-length", "2"), ("x", "y")])
        #expect(
            try client.receiveResponse().head
                == "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx: y\r\nVia: 2.0 v\r\n\r\n")
        // Of unknown length, with trailers; and one that says nothing.
        try client.send(Messages.get)
        try upstream.answer(try upstream.takeWhole(), "more", trailers: [("t", "1")])
        try client.expect(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nVia: 2.0 v\r\n\r\n4\r\nmore\r\n0\r\nt: 1\r\n\r\n"
        )
        try client.send(Messages.get)
        try upstream.answer(try upstream.takeWhole(), "", status: "404")
        try client.expect("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nVia: 2.0 v\r\n\r\n")
        #expect(proxy[.upstreamOpened] == 1 && proxy[.upstreamReused] == 2)
        #expect(proxy[.http2UpstreamConnections] == 1 && proxy[.http2UpstreamStreams] == 3)
        // The end of the proxy is told.
        client.close()
        proxy.server.drain()
        try upstream.readAll()
        #expect(upstream.goAway == 0)
        proxy.waitForDrain()
    }

    @Test("What has no body has none, whatever its head says", arguments: TestDriver.offered)
    func bodiless(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let client = try proxy.connect()
        try client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
        let upstream = try accept(origin)
        try upstream.answer(try upstream.takeWhole(), "", [("content-length", "5")])
        #expect(try client.receiveHead() == "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
        for status in ["204", "304"] {
            try client.send(Messages.get)
            try upstream.answer(try upstream.takeWhole(), "", status: status)
            let phrase = status == "204" ? "No Content" : "Not Modified"
            #expect(try client.receiveHead() == "HTTP/1.1 \(status) \(phrase)\r\n\r\n")
        }
        // Interim responses come before it.
        try client.send(Messages.get)
        let stream = try upstream.takeWhole()
        try upstream.send(.headers, 4, stream, FrameEnd.block([(":status", "103"), ("link", "</a>")]))
        #expect(try client.receiveHead() == "HTTP/1.1 103 Status\r\nlink: </a>\r\n\r\n")
        try upstream.answer(stream, "hi", [("content-length", "2")])
        try client.expect("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
        #expect(proxy[.upstreamOpened] == 1)
    }

    @Test("Bodies of requests go as they came, with their trailers", arguments: TestDriver.offered)
    func requestBodies(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let client = try proxy.connect()
        let body = pattern(300_000)
        try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody")
        let upstream = try accept(origin)
        var stream = try upstream.takeWhole()
        #expect(text(upstream.responses[stream]?.body ?? []) == "body")
        #expect(upstream.responses[stream]?.field("content-length") == "4")
        try upstream.answer(stream, "1", [("content-length", "1")])
        #expect(try client.receiveResponse().body == "1")
        // One that is larger than all windows.
        try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.count)\r\n\r\n")
        let sender = client.sendAside(body)
        stream = try upstream.takeWhole()
        #expect(upstream.responses[stream]?.body == body)
        sender.join()
        try upstream.answer(stream, "2", [("content-length", "1")])
        #expect(try client.receiveResponse().body == "2")
        // Chunks, and what is behind them.
        try client.send(
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n"
        )
        stream = try upstream.takeWhole()
        #expect(text(upstream.responses[stream]?.body ?? []) == "abcde")
        #expect(upstream.responses[stream]?.field("transfer-encoding") == nil)
        #expect(upstream.responses[stream]?.heads.count == 2)
        #expect(upstream.responses[stream]?.heads.last?.first?.name == "t")
        try upstream.answer(stream, "3", [("content-length", "1")])
        #expect(try client.receiveResponse().body == "3")
    }

    @Test("Calls as gRPC makes them pass in HTTP/2 on both sides", arguments: TestDriver.offered)
    func calls(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let client = try FrameEnd(try proxy.connect())
        let head = FrameEnd.head("POST", "/s/m") + [("content-type", "application/grpc"), ("te", "trailers")]
        // Both sides speak in turn.
        let call = try client.request(head, ends: false)
        let upstream = try accept(origin)
        let stream = try upstream.takeRequest()
        #expect(upstream.responses[stream]?.field("te") == "trailers")
        #expect(upstream.responses[stream]?.field("content-type") == "application/grpc")
        try upstream.send(
            .headers, 4, stream, FrameEnd.block([(":status", "200"), ("content-type", "application/grpc")]))
        for place in 1...3 {
            try client.sendData(call, latin1("ask\(place)"))
            try upstream.read(until: "what was asked") { upstream.responses[stream]?.body.count == 4 * place }
            try upstream.send(.data, 0, stream, latin1("say\(place)"))
            try client.read(until: "what was said") { client.responses[call]?.body.count == 4 * place }
        }
        try client.sendData(call, [], ends: true)
        _ = try upstream.response(stream)
        try upstream.send(.headers, 5, stream, FrameEnd.block([("grpc-status", "0")]))
        let answer = try client.response(call)
        #expect(answer.isEnded && text(answer.body) == "say1say2say3")
        #expect(answer.heads.last?.first?.name == "grpc-status")
        // One that fails has trailers alone.
        let other = try client.request(head, ends: true)
        let failing = try upstream.takeWhole()
        try upstream.answer(failing, "", [("grpc-status", "5"), ("content-type", "application/grpc")])
        #expect(try client.response(other)["grpc-status"] == "5")
        #expect(proxy[.upstreamOpened] == 1)
    }

    @Test("What is no response of HTTP/2 is answered with 502", arguments: TestDriver.offered)
    func malformed(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let client = try proxy.connect()
        try client.send(Self.post("x"))
        let upstream = try accept(origin)
        for (place, head) in [
            [("x", "y")], [(":status", "200"), ("X", "y")], [(":status", "2OO")], [(":status", "101")],
            [(":status", "200"), ("connection", "close")], [(":status", "200"), (":path", "/")],
        ].enumerated() {
            if place > 0 { try client.send(Self.post("x")) }
            try upstream.send(.headers, 5, try upstream.takeWhole(), FrameEnd.block(head))
            #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 502 "))
        }
        #expect(proxy[.upstreamOpened] == 1)
        // A body of another length than was said has been begun to be passed on.
        try client.send(Self.post("x"))
        let stream = try upstream.takeWhole()
        try upstream.send(.headers, 4, stream, FrameEnd.block([(":status", "200"), ("content-length", "6")]))
        try upstream.send(.data, 0, stream, latin1("short"))
        try client.expect("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nshort")
        try upstream.send(.data, 1, stream, [])
        #expect(try client.receiveUntilClosed().text == "")
        #expect(proxy[.upstreamTruncated] == 1)
    }

    // MARK: - Streams

    @Test(
        "Requests of many clients share a connection, and are answered in any order",
        arguments: TestDriver.offered)
    func shared(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let clients = try (0..<20).map { _ in try proxy.connect() }
        for (place, client) in clients.enumerated() {
            try client.send("GET /\(place) HTTP/1.1\r\nHost: h\r\n\r\n")
        }
        // None opens a second one while the first is being opened.
        let upstream = try accept(origin)
        let streams = try clients.map { _ in try upstream.takeWhole() }
        #expect(proxy[.upstreamOpened] == 1)
        for stream in streams.reversed() {
            let path = upstream.responses[stream]?.field(":path") ?? ""
            try upstream.answer(stream, path, [("content-length", "\(path.count)")])
        }
        for (place, client) in clients.enumerated() {
            #expect(try client.receiveResponse().body == "/\(place)")
        }
        #expect(origin.acceptNow() == nil)
    }

    @Test(
        "Another connection is opened only when the streams of one are used up", arguments: TestDriver.offered
    )
    func streamLimits(_ driver: TestDriver) throws {
        for isOurs in [true, false] {
            let origin = try TestOrigin()
            var cluster = Self.cluster(origin)
            if isOurs { cluster.limits.streams = 2 }
            let proxy = try TestProxy(driver, cluster: cluster)
            let clients = try (0..<5).map { _ in try proxy.connect() }
            try clients[0].send(Messages.get)
            let first = try accept(origin, isOurs ? [] : [(3, 2)])
            var streams = [try first.takeWhole()]
            // The limit is known by now.
            try first.send(.ping, 0, 0, [UInt8](repeating: 0, count: 8))
            try first.read(until: "the pong") { first.pings == 1 }
            try clients[1].send(Messages.get)
            streams.append(try first.takeWhole())
            try clients[2].send(Messages.get)
            let second = try accept(origin)
            let third = try second.takeWhole()
            // One that becomes free is the next one's.
            try first.answer(streams[0], "a", [("content-length", "1")])
            #expect(try clients[0].receiveResponse().body == "a")
            try second.answer(third, "b", [("content-length", "1")])
            #expect(try clients[2].receiveResponse().body == "b")
            try clients[3].send(Messages.get)
            let fourth = try second.takeWhole()
            try second.answer(fourth, "c", [("content-length", "1")])
            #expect(try clients[3].receiveResponse().body == "c")
            try first.answer(streams[1], "d", [("content-length", "1")])
            #expect(try clients[1].receiveResponse().body == "d")
            #expect(proxy[.upstreamOpened] == 2)
        }
    }

    @Test("A client that goes takes its stream with it, and nothing else", arguments: TestDriver.offered)
    func abandoned(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let (client, other) = (try proxy.connect(), try proxy.connect())
        try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n1234")
        let upstream = try accept(origin)
        let stream = try upstream.takeRequest()
        try other.send(Messages.get)
        let second = try upstream.takeWhole()
        client.close()
        // CANCEL.
        #expect(try upstream.response(stream).reset == 8)
        try upstream.answer(second, "hi", [("content-length", "2")])
        #expect(try other.receiveResponse().body == "hi")
        #expect(proxy[.upstreamOpened] == 1)
    }

    @Test("An end that comes late is waited for, and not told as a reset", arguments: TestDriver.offered)
    func lateEnd(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try accept(origin)
        let stream = try upstream.takeWhole()
        try upstream.send(.headers, 4, stream, FrameEnd.block([(":status", "200"), ("content-length", "2")]))
        try upstream.send(.data, 0, stream, latin1("hi"))
        #expect(try client.receiveResponse().body == "hi")
        try client.send(Messages.get)
        let second = try upstream.takeWhole()
        try upstream.send(.data, 1, stream, [])
        try upstream.answer(second, "ho", [("content-length", "2")])
        #expect(try client.receiveResponse().body == "ho")
        #expect(upstream.responses[stream]?.reset == nil && upstream.responses[second]?.reset == nil)
    }

    // MARK: - Ends of connections

    @Test(
        "Behind a GOAWAY requests go elsewhere that the upstream did nothing for",
        arguments: TestDriver.offered)
    func goAway(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let clients = try (0..<3).map { _ in try proxy.connect() }
        try clients[0].send(Messages.get)
        let upstream = try accept(origin)
        let first = try upstream.takeWhole()
        try clients[1].send(Self.post("body"))
        let second = try upstream.takeWhole()
        try upstream.sendGoAway(first)
        // Even one that must not be done twice: it was not done once.
        let next = try accept(origin)
        let repeated = try next.takeWhole()
        #expect(text(next.responses[repeated]?.body ?? []) == "body")
        try clients[2].send(Messages.get)
        let third = try next.takeWhole()
        for (stream, client) in zip([repeated, third], clients[1...]) {
            try next.answer(stream, "b", [("content-length", "1")])
            #expect(try client.receiveResponse().body == "b")
        }
        try upstream.answer(first, "a", [("content-length", "1")])
        #expect(try clients[0].receiveResponse().body == "a")
        #expect(second == 3 && proxy[.http2UpstreamGoAways] == 1 && proxy[.http2UpstreamRefused] == 1)
        // With its last stream the connection ends.
        try upstream.readAll()
        #expect(upstream.goAway == 0)
    }

    @Test("A refused stream's request is sent again", arguments: TestDriver.offered)
    func refused(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let client = try proxy.connect()
        try client.send(Self.post("body"))
        let upstream = try accept(origin)
        try upstream.reset(try upstream.takeWhole(), 7)
        let again = try upstream.takeWhole()
        #expect(text(upstream.responses[again]?.body ?? []) == "body")
        try upstream.answer(again, "hi", [("content-length", "2")])
        #expect(try client.receiveResponse().body == "hi")
        // One that is reset for another reason may have been done.
        try client.send(Self.post("body"))
        try upstream.reset(try upstream.takeWhole(), 2)
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 502 "))
        #expect(proxy.failures(.upstreamReset) == 1)
        // And one that is always refused is not sent for ever.
        try client.send(Messages.get)
        for _ in 0..<3 { try upstream.reset(try upstream.takeWhole(), 7) }
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 502 "))
        #expect(proxy[.http2UpstreamRefused] == 4 && proxy[.upstreamOpened] == 1)
    }

    @Test("What has come whole is passed on, though its connection has ended", arguments: TestDriver.offered)
    func endedConnection(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let slow = try proxy.connect(receiveBuffer: 16_384)
        let cut = try proxy.connect()
        let waiting = try proxy.connect()
        try slow.send(Messages.get)
        let socket = try origin.accept()
        let upstream = try FrameEnd(serving: socket)
        let first = try upstream.takeWhole()
        try cut.send(Messages.get)
        let second = try upstream.takeWhole()
        try waiting.send(Self.post("x"))
        _ = try upstream.takeWhole()
        let body = pattern(20 << 20)
        try upstream.send(.headers, 4, first, FrameEnd.block([(":status", "200")]))
        let size = try upstream.fill(first, body)
        try upstream.send(.data, 1, first, [])
        try upstream.send(
            .headers, 4, second, FrameEnd.block([(":status", "200"), ("content-length", "100")]))
        try upstream.send(.data, 0, second, latin1("some"))
        try cut.expect("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome")
        socket.close()
        #expect(try cut.receiveUntilClosed().text == "")
        #expect(try waiting.receiveResponse().head.hasPrefix("HTTP/1.1 502 "))
        let head = try slow.receiveHead()
        #expect(head.contains("Transfer-Encoding: chunked"))
        #expect(size < body.count)
        #expect(try receiveChunked(slow) == Array(body[..<size]))
        // The connection of the next one is another.
        try slow.send(Messages.get)
        let next = try accept(origin)
        try next.serve(slow)
    }

    @Test("An alert on an idle connection ends it, and nothing else", arguments: TestDriver.offered)
    func alerted(_ driver: TestDriver) throws {
        let origin = try TLSOrigin()
        origin.identity.speak("h2")
        var cluster = origin.cluster
        cluster.http2 = .on
        let proxy = try TestProxy(driver, cluster: cluster)
        let client = try proxy.connect()
        for count in UInt64(1)...3 {
            try client.send(Messages.get)
            let socket = try origin.accept()
            let upstream = try FrameEnd(serving: socket)
            try upstream.serve(client)
            // A record that nobody can read.
            try socket.socket.send([23, 3, 3, 0, 32] + pattern(32))
            try proxy.wait(for: "the error") { proxy[.tlsErrors] == count }
            try proxy.wait(for: "its end") { proxy[.upstreamClosed] == count }
        }
    }

    @Test("A tunnel whose stream has been reset behind its end is over", arguments: TestDriver.offered)
    func resetBehindEnd(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let client = try proxy.connect()
        try client.send(Self.upgrade)
        let upstream = try accept(origin, [(8, 1)])
        let stream = try upstream.takeRequest()
        try upstream.send(.headers, 4, stream, FrameEnd.block([(":status", "200")]))
        #expect(try client.receiveHead().hasPrefix("HTTP/1.1 101 "))
        try upstream.send(.data, 1, stream, latin1("bye"))
        try upstream.reset(stream, 0)
        try client.expect("bye")
        try client.expectEnd()
        try proxy.wait(for: "its end") { proxy[.tunnelsClosed] == 1 }
        // And what is left of an upload behind a whole answer goes nowhere.
        let other = try proxy.connect()
        try other.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nbegun")
        let refused = try upstream.takeRequest()
        try upstream.answer(refused, "no", status: "413", [("content-length", "2")])
        try upstream.reset(refused, 0)
        let sender = other.sendAside(pattern(500_000))
        #expect(try other.receiveResponse().body == "no")
        other.close()
        sender.join()
    }

    @Test("Many interim responses to a client that does not read are too many", arguments: TestDriver.offered)
    func interims(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let client = try proxy.connect(receiveBuffer: 16_384)
        try client.send(Messages.get)
        let upstream = try accept(origin)
        let stream = try upstream.takeWhole()
        let head = FrameEnd.block([(":status", "103"), ("link", String(repeating: "a", count: 10_000))])
        // Until it is reset.
        while upstream.responses[stream]?.reset == nil {
            for _ in 0..<10 { try upstream.send(.headers, 4, stream, head) }
            try upstream.sendPing()
        }
        #expect(proxy.failures(.upstreamBadResponse) == 1)
        client.close()
    }

    @Test("An idle connection ends after its time, with a word", arguments: TestDriver.offered)
    func idle(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin) { $0.poolIdleTimeout = .milliseconds(100) }
        let client = try proxy.connect()
        for _ in 0..<2 {
            try client.send(Messages.get)
            let upstream = try accept(origin)
            try upstream.serve(client)
            try upstream.readAll()
            #expect(upstream.goAway == 0)
        }
    }

    @Test("No further request goes to a connection that has fallen silent", arguments: TestDriver.offered)
    func silent(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin) { $0.timeoutUpstream = .milliseconds(200) }
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try accept(origin)
        try upstream.serve(client)
        try client.send(Messages.get)
        _ = try upstream.takeWhole()
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 504 "))
        try client.send(Messages.get)
        let next = try accept(origin)
        try next.serve(client)
        // The client's end, as it is rid of the one that had no answer.
        try upstream.readAll()
    }

    @Test("Those that wait for a connection share what becomes of it", arguments: TestDriver.offered)
    func failedOpening(_ driver: TestDriver) throws {
        let origin = try TestOrigin(backlog: 0)
        let filled = try origin.fill()
        let proxy = try start(driver, origin) { $0.timeoutConnect = .milliseconds(300) }
        let clients = try (0..<4).map { _ in try proxy.connect() }
        for client in clients { try client.send(Messages.get) }
        for client in clients { #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 504 ")) }
        #expect(proxy[.upstreamOpened] == 1)
        for socket in filled { socket.close() }
    }

    @Test("Who opens a connection and goes leaves it to the next one", arguments: TestDriver.offered)
    func abandonedOpening(_ driver: TestDriver) throws {
        let origin = try TestOrigin(backlog: 0)
        let filled = try origin.fill()
        let proxy = try start(driver, origin) { $0.timeoutConnect = .seconds(5) }
        let first = try proxy.connect()
        try first.send(Messages.get)
        try proxy.wait(for: "the first") { proxy[.upstreamOpened] == 1 }
        let second = try proxy.connect()
        try second.send(Messages.get)
        try proxy.wait(for: "the second") { proxy[.exchangesStarted] == 2 }
        first.reset()
        try proxy.wait(for: "another connection") { proxy[.upstreamOpened] == 2 }
        for socket in filled { socket.close() }
        _ = origin.acceptNow()
        second.close()
    }

    // MARK: - Flow control

    @Test("A body goes no faster than the upstream takes it", arguments: TestDriver.offered)
    func requestWindow(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let client = try proxy.connect()
        let body = pattern(1 << 20)
        try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.count)\r\n\r\n")
        let sender = client.sendAside(body)
        let upstream = try accept(origin)
        upstream.opensWindows = false
        let stream = try upstream.takeRequest()
        try upstream.read(until: "the window is used up") { upstream.responses[stream]?.body.count == 65_535 }
        // No more comes: the next frame is the answer to a ping.
        try upstream.send(.ping, 0, 0, [UInt8](repeating: 0, count: 8))
        try upstream.read(until: "the pong") { upstream.pings == 1 }
        #expect(upstream.responses[stream]?.body.count == 65_535)
        upstream.opensWindows = true
        for place in [0, stream] { try upstream.send(.windowUpdate, 0, place, FrameEnd.bytes(65_535)) }
        #expect(try upstream.response(stream).body == body)
        sender.join()
        try upstream.answer(stream, "hi", [("content-length", "2")])
        #expect(try client.receiveResponse().body == "hi")
    }

    @Test("An upstream is held back by a client that does not read", arguments: TestDriver.offered)
    func responseWindow(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let client = try proxy.connect(receiveBuffer: 16_384)
        let other = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try accept(origin)
        let stream = try upstream.takeWhole()
        let body = pattern(20 << 20)
        let isWhole = Locked(false)
        try upstream.send(
            .headers, 4, stream, FrameEnd.block([(":status", "200"), ("content-length", "\(body.count)")]))
        var sent = try upstream.fill(stream, body)
        #expect(sent < body.count)
        // Others are served meanwhile.
        try other.send(Messages.get)
        try upstream.serve(other)
        // It reads all, and the rest may go.
        let reader = spawn { [descriptor = client.descriptor] in
            let socket = TestSocket(descriptor: cposix_duplicate(descriptor))
            let received = (try? socket.receiveHead()) != nil ? try? socket.receive(exactly: body.count) : nil
            isWhole.withLock { $0 = received == body }
        }
        while sent < body.count {
            let allowed = Int(upstream.settings[4] ?? 0) + (upstream.windowUpdates[stream] ?? 0)
            let size = min(allowed - sent, 16_384, body.count - sent)
            if size == 0 {
                try upstream.next()
                continue
            }
            let flags: UInt8 = sent + size == body.count ? 1 : 0
            try upstream.send(.data, flags, stream, Array(body[sent..<sent + size]))
            sent += size
        }
        reader.join()
        #expect(isWhole.withLock { $0 })
    }

    // MARK: - TLS

    @Test("Over TLS the endpoint chooses, where it may", arguments: TestDriver.offered)
    func negotiated(_ driver: TestDriver) throws {
        for choice in ["h2", "http/1.1", ""] {
            for use in [UpstreamHTTP2.auto, .on] {
                let origin = try TLSOrigin()
                origin.identity.speak(choice)
                var cluster = origin.cluster
                cluster.http2 = use
                let proxy = try TestProxy(driver, cluster: cluster)
                let client = try proxy.connect()
                try client.send(Messages.get)
                if choice != "h2" && use == .on {
                    // What it does not offer is refused by the endpoint, or not even looked at.
                    _ = try origin.acceptFailing()
                    #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 502 "))
                    #expect(proxy.failures(choice == "" ? .upstreamNotHTTP2 : .upstreamTLSFailed) == 1)
                    continue
                }
                let socket = try origin.accept()
                #expect(socket.session.alpn == choice)
                if choice == "h2" {
                    let upstream = try FrameEnd(serving: socket)
                    for _ in 0..<2 {
                        let stream = try upstream.takeWhole()
                        #expect(upstream.responses[stream]?.field(":scheme") == "https")
                        try upstream.answer(stream, "hi", [("content-length", "2")])
                        #expect(try client.receiveResponse().body == "hi")
                        if stream == 1 { try client.send(Messages.get) }
                    }
                } else {
                    try socket.expect(Messages.get)
                    try socket.send(Messages.ok)
                    try client.expect(Messages.ok)
                    try exchange(client, socket)
                }
                #expect(proxy[.upstreamOpened] == 1 && proxy[.upstreamReused] == 1)
            }
        }
    }

    // MARK: - WebSocket

    private static let upgrade =
        "GET /w HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

    @Test("A WebSocket goes on in a stream, if the upstream takes it there", arguments: TestDriver.offered)
    func webSocket(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let client = try proxy.connect()
        try client.send(Self.upgrade)
        // It waits for the word that it may go (RFC 8441 §3).
        let upstream = try accept(origin, nil)
        try upstream.sendSettings([(8, 1)])
        let stream = try upstream.takeRequest()
        let head = upstream.responses[stream]?.heads[0].map { "\($0.name)=\($0.value)" } ?? []
        #expect(
            head == [
                ":method=CONNECT", ":protocol=websocket", ":scheme=http", ":path=/w", ":authority=h",
                "sec-websocket-version=13",
            ])
        try upstream.send(
            .headers, 4, stream, FrameEnd.block([(":status", "200"), ("sec-websocket-protocol", "p")]))
        // RFC 6455 §1.3.
        let answer = try client.receiveHead()
        #expect(answer.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
        #expect(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        #expect(answer.contains("sec-websocket-protocol: p\r\n"))
        try client.send("ping")
        try upstream.read(until: "it") { text(upstream.responses[stream]?.body ?? []) == "ping" }
        try upstream.send(.data, 0, stream, latin1("pong"))
        try client.expect("pong")
        // Each side ends by itself.
        client.finish()
        #expect(try upstream.response(stream).isEnded)
        try upstream.send(.data, 1, stream, latin1("bye"))
        try client.expect("bye")
        try client.expectEnd()
        try proxy.wait(for: "its end") { proxy[.tunnelsClosed] == 1 }
        #expect(upstream.responses[stream]?.reset == nil)
    }

    @Test("A WebSocket of HTTP/2 goes on in one, and is cut as one", arguments: TestDriver.offered)
    func webSocketOnBothSides(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let client = try FrameEnd(try proxy.connect())
        let call = try client.request(
            [
                (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":authority", "h"),
                (":path", "/w"), ("sec-websocket-version", "13"),
            ], ends: false)
        let upstream = try accept(origin, [(8, 1)])
        let stream = try upstream.takeRequest()
        try upstream.send(.headers, 4, stream, FrameEnd.block([(":status", "200")]))
        try client.read(until: "the answer") { client.responses[call]?.hasHead ?? false }
        #expect(client.responses[call]?.status == "200")
        try client.sendData(call, latin1("ping"))
        try upstream.read(until: "it") { text(upstream.responses[stream]?.body ?? []) == "ping" }
        try client.reset(call, 8)
        #expect(try upstream.response(stream).reset != nil)
        try proxy.wait(for: "its end") { proxy[.tunnelsClosed] == 1 }
    }

    @Test(
        "A WebSocket that the upstream does not take there is refused, or goes by HTTP/1.1",
        arguments: TestDriver.offered)
    func webSocketRefused(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let client = try proxy.connect()
        try client.send(Self.upgrade)
        let upstream = try accept(origin)
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 501 "))
        #expect(proxy.failures(.upgradeUnsupported) == 1)
        // Another answer than 200 is passed on.
        try upstream.sendSettings([(8, 1)])
        try upstream.send(.ping, 0, 0, [UInt8](repeating: 0, count: 8))
        try upstream.read(until: "the pong") { upstream.pings == 1 }
        let second = try proxy.connect()
        try second.send(Self.upgrade)
        try upstream.answer(try upstream.takeRequest(), "no", status: "403", [("content-length", "2")])
        #expect(try second.receiveResponse().body == "no")

        let secure = try TLSOrigin()
        var cluster = secure.cluster
        cluster.http2 = .auto
        let other = try TestProxy(driver, cluster: cluster)
        let third = try other.connect()
        try third.send(Self.upgrade)
        let socket = try secure.accept()
        #expect(socket.session.alpn == "http/1.1")
        #expect(try socket.receiveHead().contains("\r\nUpgrade: websocket\r\n"))
    }

    // MARK: - Configuration

    @Test(
        "A reload that changes how an endpoint is spoken to lets streams end", arguments: TestDriver.offered)
    func reload(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, origin)
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try accept(origin)
        let stream = try upstream.takeWhole()
        // Another number of streams is no other endpoint.
        try proxy.reload { $0.clusters[0].limits.streams = 1 }
        let other = try proxy.connect()
        try other.send(Messages.get)
        let second = try accept(origin)
        try second.answer(try second.takeWhole(), "1", [("content-length", "1")])
        #expect(try other.receiveResponse().body == "1")
        try proxy.reload { $0.clusters[0].http2 = .off }
        try other.send(Messages.get)
        let plain = try origin.accept()
        try plain.expect(Messages.get)
        try plain.send(Messages.ok)
        try other.expect(Messages.ok)
        // The idle one has ended, the other ends with its stream.
        try second.readAll()
        #expect(second.goAway == 0)
        try upstream.answer(stream, "2", [("content-length", "1")])
        #expect(try client.receiveResponse().body == "2")
        try upstream.readAll()
        #expect(upstream.goAway == 0)
    }

    @Test(
        "Connections are limited, and requests by the streams that they have", arguments: TestDriver.offered)
    func limited(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        var cluster = Self.cluster(origin)
        cluster.limits.connections = 1
        cluster.limits.streams = 2
        cluster.limits.queue = 1
        cluster.limits.queueTimeout = .seconds(5)
        let proxy = try TestProxy(driver, cluster: cluster)
        let clients = try (0..<4).map { _ in try proxy.connect() }
        for client in clients { try client.send(Messages.get) }
        let upstream = try accept(origin)
        let streams = [try upstream.takeWhole(), try upstream.takeWhole()]
        // Two are under way, one waits, and one is refused.
        #expect(try clients[3].receiveResponse().head.hasPrefix("HTTP/1.1 503 "))
        try upstream.answer(streams[0], "a", [("content-length", "1")])
        #expect(try clients[0].receiveResponse().body == "a")
        let third = try upstream.takeWhole()
        for (stream, client) in zip([streams[1], third], clients[1...]) {
            try upstream.answer(stream, "b", [("content-length", "1")])
            #expect(try client.receiveResponse().body == "b")
        }
        #expect(proxy[.upstreamOpened] == 1 && origin.acceptNow() == nil)
    }

    @Test("An idle connection gives way where others wait for its place", arguments: TestDriver.offered)
    func givesWay(_ driver: TestDriver) throws {
        let origins = try (0..<2).map { _ in try TestOrigin() }
        var cluster = Self.cluster(origins[0])
        cluster.endpoints.append(origins[1].address)
        cluster.limits.connections = 1
        cluster.limits.queueTimeout = .seconds(10)
        let proxy = try TestProxy(driver, cluster: cluster)
        let client = try proxy.connect()
        var asked: [Int] = []
        for _ in 0..<3 {
            try client.send(Messages.get)
            let (socket, place) = try origins.firstToAccept()
            asked.append(place)
            let upstream = try FrameEnd(serving: socket)
            try upstream.serve(client)
        }
        #expect(Set(asked) == [0, 1])
        // An upgrade needs a connection of its own where the endpoint may choose.
        let secure = try TLSOrigin()
        secure.identity.speak("h2")
        var other = secure.cluster
        other.http2 = .auto
        other.limits.connections = 1
        other.limits.queueTimeout = .milliseconds(200)
        let chooser = try TestProxy(driver, cluster: other)
        let second = try chooser.connect()
        try second.send(Messages.get)
        let upstream = try FrameEnd(serving: try secure.accept())
        let stream = try upstream.takeWhole()
        let third = try chooser.connect()
        try third.send(Self.upgrade)
        #expect(try third.receiveResponse().head.hasPrefix("HTTP/1.1 503 "))
        try upstream.answer(stream, "hi", [("content-length", "2")])
        #expect(try second.receiveResponse().body == "hi")
    }

    @Test("Endpoints are checked in HTTP/2 as well", arguments: [TestDriver.offered[0]])
    func health(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        var cluster = Self.cluster(origin)
        var check = HealthCheckConfiguration()
        check.path = "/healthz"
        check.body = "fine"
        check.interval = .milliseconds(200)
        check.timeout = .milliseconds(200)
        cluster.health = check
        let proxy = try TestProxy(driver, cluster: cluster)
        for (status, body, isHealthy) in [
            ("200", "bad", false), ("200", "fine", true), ("500", "fine", false),
        ] {
            var last = false
            repeat {
                let asked = try accept(origin)
                let stream = try asked.takeWhole()
                #expect(asked.responses[stream]?.field(":path") == "/healthz")
                try asked.answer(stream, body, status: status)
                try? asked.readAll()
                last = proxy.server.clusterHealth[0].endpoints[0].checkedState == .healthy
            } while last != isHealthy
        }
    }
}
