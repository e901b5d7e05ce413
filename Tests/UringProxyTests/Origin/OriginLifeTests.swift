import TestSupport
import Testing

@testable import UringProxy

@Suite("Origin, its life")
struct OriginLifeTests {
    @Test("Garbage is refused and ends nothing but its connection", arguments: testedDrivers)
    func garbage(io: Configuration.IOChoice) throws {
        try withOrigin(io) { origin, connection in
            let cases: [(String, Int)] = [
                ("\u{16}\u{3}\u{1}", 400), ("GET / HTTP/1.1\r\n\r\n", 400),
                ("GET / HTTP/3.0\r\nHost: o\r\n\r\n", 505),
                ("GET / HTTP/1.1\r\nHost: o\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
                ("GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\nHost: o\r\n\r\n", 414),
                ("GET / HTTP/1.1\r\nHost: o\r\nX: \(String(repeating: "a", count: 40_000))\r\n\r\n", 431),
                ("POST /drain HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
            ]
            for (bytes, status) in cases {
                let other = try RawConnection(to: origin.boundAddress)
                try other.send(bytes)
                let response = try other.receiveResponse()
                #expect(response.status == status && response["Connection"] == "close", "\(bytes.prefix(80))")
                #expect(try other.receiveToEnd().isEmpty)
            }
            // In the middle of an answer there is nothing left to say.
            let echo = try RawConnection(to: origin.boundAddress)
            try echo.send("POST /echo HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nx")
            #expect(echo.awaitReset())
            try connection.send("GET /size/2 HTTP/1.1\r\nHost: o\r\n\r\n")
            #expect(try connection.receiveResponse().status == 200)
        }
    }

    @Test("Random bytes, cut anywhere, crash nothing", arguments: testedDrivers)
    func randomBytes(io: Configuration.IOChoice) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix(seed: seed)
        let parts = [
            "GET ", "POST ", "/", "/echo", "/size/5", "/slow/100/9", "/delay/1ms", "/reset", " HTTP/1.1",
            " HTTP/1.0",
            "\r\n", "\r\n\r\n", "Host: o", "Content-Length: 3", "Transfer-Encoding: chunked", "3\r\nabc\r\n",
            "0\r\n",
            "\0", ":", " ", "Upgrade: echo\r\nConnection: upgrade\r\n", "Expect: 100-continue\r\n",
        ]
        try withOrigin(io) { origin, connection in
            for _ in 0..<200 {
                let other = try RawConnection(to: origin.boundAddress)
                // The origin may close at any time.
                for _ in 0..<Int.random(in: 1..<20, using: &random) {
                    try? other.send(parts.randomElement(using: &random)!)
                }
                switch Int.random(in: 0..<3, using: &random) {
                case 0: other.shutdownWrite()
                case 1: other.reset()
                default: other.close()
                }
            }
            try connection.send("GET /size/2 HTTP/1.1\r\nHost: o\r\n\r\n")
            #expect(try connection.receiveResponse().status == 200, "seed \(seed)")
        }
    }

    @Test("A head that drips in is read, at every place it may be cut", arguments: testedDrivers)
    func drip(io: Configuration.IOChoice) throws {
        try withOrigin(io) { _, connection in
            let request = "GET /size/3 HTTP/1.1\r\nHost: o\r\n\r\n"
            for cut in 1..<request.utf8.count {
                let bytes = Array(request.utf8)
                try connection.send(Array(bytes[..<cut]))
                if cut % 8 == 0 { #expect(connection.isQuiet(milliseconds: 2)) }
                try connection.send(Array(bytes[cut...]))
                #expect(try connection.receiveResponse().body == pattern(3))
            }
        }
    }

    @Test("A half-closed peer gets its answers", arguments: testedDrivers)
    func halfClose(io: Configuration.IOChoice) throws {
        try withOrigin(io) { _, connection in
            try connection.send(
                "GET /delay/20ms/3 HTTP/1.1\r\nHost: o\r\n\r\nGET /size/100000 HTTP/1.1\r\nHost: o\r\n\r\n")
            connection.shutdownWrite()
            #expect(try connection.receiveResponse().body == pattern(3))
            #expect(try connection.receiveResponse().body == pattern(100_000))
            #expect(try connection.receiveToEnd().isEmpty)
        }
    }

    @Test("A drain ends idle connections at once and busy ones after their answer", arguments: testedDrivers)
    func drain(io: Configuration.IOChoice) throws {
        let origin = try Origin(address: "127.0.0.1:0", threads: 2, io: io)
        try origin.start()
        let idle = try RawConnection(to: origin.boundAddress)
        try idle.send("GET /size/1 HTTP/1.1\r\nHost: o\r\n\r\n")
        _ = try idle.receiveResponse()
        let busy = try RawConnection(to: origin.boundAddress)
        try busy.send("GET /slow/2000/10000 HTTP/1.1\r\nHost: o\r\n\r\n")
        #expect(try busy.receiveHead().status == 200)
        origin.drain()
        #expect(try idle.receiveToEnd().isEmpty)
        idle.close()
        #expect(try busy.receiveToEnd() == pattern(2000))
        busy.close()
        origin.wait()
        #expect(origin.openConnections == 0 && origin.acceptedConnections == 2 && origin.requests == 2)
    }

    @Test("Stopping ends everything, at any moment", arguments: testedDrivers)
    func stop(io: Configuration.IOChoice) throws {
        let origin = try Origin(address: "127.0.0.1:0", threads: 1, io: io)
        try origin.start()
        var connections: [RawConnection] = []
        for path in ["/size/50MiB", "/delay/1m", "/slow/10/1", "/echo", "/drain"] {
            let connection = try RawConnection(to: origin.boundAddress)
            try connection.send("POST \(path) HTTP/1.1\r\nHost: o\r\nContent-Length: 1000\r\n\r\n")
            if path == "/size/50MiB" { try connection.send(pattern(1000)) }
            connections.append(connection)
        }
        origin.stop()
        origin.wait()
        #expect(origin.openConnections == 0)
    }

    @Test("What cannot be listened on is told")
    func refusals() throws {
        #expect(throws: StartError.self) { try Origin(address: "nonsense", threads: 1, io: .epoll) }
        #expect(throws: StartError.self) { try Origin(address: "127.0.0.1:0", threads: 0, io: .epoll) }
        let taken = try RawListener()
        let origin = try Origin(address: taken.address, threads: 2, io: .epoll)
        #expect(throws: StartError.self) { try origin.start() }
    }
}
