import TestSupport
import Testing

@testable import UringProxy

/// The drivers that this machine has.
let testedDrivers: [Configuration.IOChoice] = {
    #if Uring
        RingProbe.failure() == nil ? [.epoll, .uring] : [.epoll]
    #else
        [.epoll]
    #endif
}()

/// Starts an origin on any free port, and ends it when the test is done with it.
func withOrigin(
    _ io: Configuration.IOChoice, threads: Int = 1, _ body: (Origin, RawConnection) throws -> Void
) throws {
    let origin = try Origin(address: "127.0.0.1:0", threads: threads, io: io)
    try origin.start()
    defer {
        origin.stop()
        origin.wait()
    }
    try body(origin, RawConnection(to: origin.boundAddress))
}

func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) } }

func checksum(_ bytes: [UInt8]) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

@Suite("Origin, bodies it makes")
struct OriginAnswerTests {
    @Test("Bodies of every size are the pattern, and the connection goes on", arguments: testedDrivers)
    func sizes(io: Configuration.IOChoice) throws {
        try withOrigin(io) { origin, connection in
            for size in [0, 1, 127, 3584, 3585, 4096, 65_536, 262_143, 262_144, 262_145, 3_000_001] {
                try connection.send("GET /size/\(size) HTTP/1.1\r\nHost: o\r\n\r\n")
                let response = try connection.receiveResponse()
                #expect(response.status == 200 && response["Content-Length"] == "\(size)")
                #expect(response.body == pattern(size), "\(size) bytes")
            }
            #expect(origin.requests == 11 && origin.acceptedConnections == 1 && origin.openConnections == 1)
        }
    }

    @Test("It tells what all its threads have counted", arguments: testedDrivers)
    func stats(io: Configuration.IOChoice) throws {
        try withOrigin(io, threads: 2) { origin, connection in
            let other = try RawConnection(to: origin.boundAddress)
            for asked in [other, connection] {
                try asked.send("GET /size/1 HTTP/1.1\r\nHost: o\r\n\r\n")
                _ = try asked.receiveResponse()
            }
            try connection.send("GET /stats HTTP/1.1\r\nHost: o\r\n\r\n")
            let response = try connection.receiveResponse()
            #expect(String(decoding: response.body, as: UTF8.self) == "accepted 2\nclosed 0\nrequests 3\n")
        }
    }

    @Test("A chunked body carries its checksum in a trailer", arguments: testedDrivers)
    func chunked(io: Configuration.IOChoice) throws {
        try withOrigin(io) { _, connection in
            for size in [0, 1, 32_768, 32_769, 1_000_000] {
                try connection.send("GET /chunked/\(size) HTTP/1.1\r\nHost: o\r\n\r\n")
                let response = try connection.receiveResponse()
                #expect(response["Trailer"] == "X-Checksum" && response["Content-Length"] == nil)
                #expect(response.body == pattern(size), "\(size) bytes")
                #expect(response.trailers == ["X-Checksum: \(checksum(response.body))"], "\(size) bytes")
            }
            // RFC 9112 §6.1: HTTP/1.0 knows no chunks.
            try connection.send("GET /chunked/70000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let response = try connection.receiveResponse()
            #expect(response["Transfer-Encoding"] == nil && response["Connection"] == "close")
            #expect(response.body == pattern(70_000))
        }
    }

    @Test("A body is ended by closing, and cut short where that is asked for", arguments: testedDrivers)
    func closing(io: Configuration.IOChoice) throws {
        try withOrigin(io) { origin, connection in
            try connection.send("GET /close/100000 HTTP/1.1\r\nHost: o\r\n\r\n")
            let response = try connection.receiveResponse()
            #expect(response["Connection"] == "close" && response["Content-Length"] == nil)
            #expect(response.body == pattern(100_000))

            for size in [100, 1_000_000] {
                let other = try RawConnection(to: origin.boundAddress)
                try other.send("GET /truncate/\(size) HTTP/1.1\r\nHost: o\r\n\r\n")
                #expect(try other.receiveHead()["Content-Length"] == "\(size)")
                #expect(try other.receiveToEnd() == pattern(size / 2))
            }
        }
    }

    @Test("HEAD is answered with the head of GET", arguments: testedDrivers)
    func heads(io: Configuration.IOChoice) throws {
        try withOrigin(io) { _, connection in
            let paths = [
                "/", "/size/10", "/size/1MiB", "/chunked/10", "/delay/1ms/10", "/slow/10/1", "/status/404",
                "/status/204", "/headers", "/trailers", "/echo", "/sink", "/none",
            ]
            for path in paths {
                try connection.send("HEAD \(path) HTTP/1.1\r\nHost: o\r\n\r\n")
                let response = try connection.receiveResponse(isHead: true)
                #expect(response["Date"] != nil && response["Server"] == "uproxy-origin", "\(path)")
            }
            try connection.send("HEAD /size/1MiB HTTP/1.1\r\nHost: o\r\n\r\n")
            #expect(try connection.receiveResponse(isHead: true)["Content-Length"] == "1048576")
            #expect(connection.isQuiet(milliseconds: 20))
        }
    }

    @Test("Time: an answer is delayed, a body comes at its rate", arguments: testedDrivers)
    func time(io: Configuration.IOChoice) throws {
        try withOrigin(io) { _, connection in
            let clock = ContinuousClock()
            var start = clock.now
            try connection.send("GET /delay/60ms/5 HTTP/1.1\r\nHost: o\r\n\r\n")
            #expect(try connection.receiveResponse().body == pattern(5))
            #expect(clock.now - start >= .milliseconds(60))

            start = clock.now
            try connection.send("GET /slow/2000/10000 HTTP/1.1\r\nHost: o\r\n\r\n")
            #expect(try connection.receiveResponse().body == pattern(2000))
            #expect(clock.now - start >= .milliseconds(190))
        }
    }

    @Test("Statuses: no body where the status allows none", arguments: testedDrivers)
    func statuses(io: Configuration.IOChoice) throws {
        try withOrigin(io) { _, connection in
            for status in [200, 204, 205, 301, 304, 404, 500, 599] {
                try connection.send("GET /status/\(status) HTTP/1.1\r\nHost: o\r\n\r\n")
                let response = try connection.receiveResponse()
                #expect(response.status == status)
                let length = response["Content-Length"]
                #expect((length == nil) == (status == 204 || status == 304), "\(status)")
                #expect(response.body.isEmpty == [204, 205, 304].contains(status), "\(status)")
            }
            try connection.send("GET /status/103 HTTP/1.1\r\nHost: o\r\n\r\n")
            #expect(try connection.receiveResponse().status == 103)
            #expect(try connection.receiveResponse().status == 200)
            for path in [
                "/status/101", "/status/99", "/status/600", "/status/", "/size/x", "/slow/1/0", "/delay/5",
            ] {
                try connection.send("GET \(path) HTTP/1.1\r\nHost: o\r\n\r\n")
                #expect(try connection.receiveResponse().status == 400, "\(path)")
            }
            for path in ["/nothing", "/size/1/2", "/echo/1", "//", "/?size/1"] {
                try connection.send("GET \(path) HTTP/1.1\r\nHost: o\r\n\r\n")
                #expect(
                    try connection.receiveResponse().status == (path == "/?size/1" ? 200 : 404), "\(path)")
            }
        }
    }

    @Test("Pipelined requests are answered in order", arguments: testedDrivers)
    func pipelining(io: Configuration.IOChoice) throws {
        try withOrigin(io) { origin, connection in
            let sizes = (0..<300).map { $0 % 7 == 0 ? 9000 + $0 : $0 }
            let requests = sizes.map { "GET /size/\($0) HTTP/1.1\r\nHost: o\r\n\r\n" }
            try connection.send(requests.joined())
            for size in sizes { #expect(try connection.receiveResponse().body.count == size) }
            #expect(origin.requests == 300)
        }
    }

    @Test("A reader that starts late gets all of a large body", arguments: testedDrivers)
    func slowReader(io: Configuration.IOChoice) throws {
        try withOrigin(io) { origin, connection in
            try connection.send("GET /size/20MiB HTTP/1.1\r\nHost: o\r\n\r\n")
            _ = try connection.receiveHead()
            #expect(!connection.isQuiet(milliseconds: 50))
            let body = try connection.receive(count: 20 << 20)
            // The size is a multiple of the period: the end is that of any whole number of periods.
            #expect(body.count == 20 << 20 && body.suffix(4096).elementsEqual(pattern(4096)))
        }
    }

    @Test("HTTP/1.0 persists only where it asked to", arguments: testedDrivers)
    func http10(io: Configuration.IOChoice) throws {
        try withOrigin(io) { origin, connection in
            try connection.send("GET /size/3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(try connection.receiveResponse()["Connection"] == "keep-alive")
            try connection.send("GET /size/3 HTTP/1.0\r\n\r\n")
            #expect(try connection.receiveResponse()["Connection"] == "close")
            #expect(try connection.receiveToEnd().isEmpty)
        }
    }
}
