import TestSupport
import Testing

@testable import UringProxy

@Suite("Origin, bodies it is sent")
struct OriginBodyTests {
    static let chunked = "5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX-T: 1\r\n\r\n"

    @Test("An echo comes back framed as it was sent", arguments: testedDrivers)
    func echo(io: Configuration.IOChoice) throws {
        try withOrigin(io) { _, connection in
            try connection.send("POST /echo HTTP/1.1\r\nHost: o\r\nContent-Length: 5\r\n\r\nhello")
            let first = try connection.receiveResponse()
            #expect(first["Content-Length"] == "5" && first.text == "hello")

            try connection.send("POST /echo HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n")
            #expect(try connection.receiveHead()["Transfer-Encoding"] == "chunked")
            // Byte by byte, each as soon as it was sent.
            for byte in Self.chunked.utf8 { try connection.send([byte]) }
            #expect(
                String(decoding: try connection.receive(count: Self.chunked.utf8.count), as: UTF8.self)
                    == Self.chunked)

            try connection.send("POST /echo HTTP/1.1\r\nHost: o\r\n\r\n")
            #expect(try connection.receiveResponse()["Content-Length"] == "0")
        }
    }

    @Test("A large echo flows while it is sent", arguments: testedDrivers)
    func largeEcho(io: Configuration.IOChoice) throws {
        try withOrigin(io) { _, connection in
            let body = pattern(64 * 1024)
            let parts = 64
            try connection.send(
                "POST /echo HTTP/1.1\r\nHost: o\r\nContent-Length: \(body.count * parts)\r\n\r\n")
            _ = try connection.receiveHead()
            for _ in 0..<parts {
                try connection.send(body)
                #expect(try connection.receive(count: body.count) == body)
            }
        }
    }

    @Test(
        "Bodies are counted and summed up, however framed, and the next request is found",
        arguments: testedDrivers)
    func sinks(io: Configuration.IOChoice) throws {
        try withOrigin(io) { _, connection in
            let sum = checksum(Array("hello world".utf8))
            let expected = ["sink": "11 \(sum)\n", "drain": "11\n", "trailers": "", "size/3": ""]
            for (path, text) in expected where path != "size/3" {
                try connection.send(
                    "POST /\(path) HTTP/1.1\r\nHost: o\r\nContent-Length: 11\r\n\r\nhello world")
                #expect(try connection.receiveResponse().text == text, "\(path)")
            }
            for (path, text) in expected {
                try connection.send(
                    "POST /\(path) HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n\(Self.chunked)")
                let response = try connection.receiveResponse()
                switch path {
                case "trailers": #expect(response.text == "X-T: 1\r\n\r\n")
                case "size/3": #expect(response.body == pattern(3))
                default: #expect(response.text == text, "\(path)")
                }
            }
            let large = pattern(2_000_000)
            try connection.send("PUT /sink HTTP/1.1\r\nHost: o\r\nContent-Length: \(large.count)\r\n\r\n")
            try connection.send(large)
            #expect(try connection.receiveResponse().text == "2000000 \(checksum(large))\n")
        }
    }

    @Test("100-continue is granted where the body has not come yet", arguments: testedDrivers)
    func expectation(io: Configuration.IOChoice) throws {
        try withOrigin(io) { origin, connection in
            for path in ["/echo", "/drain", "/size/4"] {
                let head =
                    "POST \(path) HTTP/1.1\r\nHost: o\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
                try connection.send(head)
                #expect(try connection.receiveHead().status == 100, "\(path)")
                try connection.send("body")
                #expect(try connection.receiveResponse().status == 200, "\(path)")
                try connection.send(head + "body")
                #expect(try connection.receiveHead().status == 200, "\(path)")
                _ = try connection.receive(count: path == "/drain" ? 2 : 4)
            }
            // An early answer is final, and the last one: the body may come or not.
            try connection.send(
                "POST /early/413 HTTP/1.1\r\nHost: o\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
            let response = try connection.receiveResponse()
            #expect(response.status == 413 && response["Connection"] == "close")
            #expect(try connection.receiveToEnd().isEmpty)
        }
    }

    @Test("The head is shown as it was received", arguments: testedDrivers)
    func headers(io: Configuration.IOChoice) throws {
        try withOrigin(io) { _, connection in
            let head =
                "PATCH /headers?a=b HTTP/1.1\r\nhOsT: o\r\nX-Twice: 1\r\nx-twice:2\r\nContent-Length: 3\r\n\r\n"
            try connection.send(head)
            try connection.send("abc")
            #expect(try connection.receiveResponse().text == head)
            try connection.send("GET http://other.test/headers HTTP/1.1\r\nHost: other.test\r\n\r\n")
            #expect(try connection.receiveResponse().text.hasPrefix("GET http://other.test/headers"))
        }
    }

    @Test("An upgrade to echo is a tunnel until either side ends", arguments: testedDrivers)
    func upgrade(io: Configuration.IOChoice) throws {
        try withOrigin(io) { origin, connection in
            try connection.send("GET /upgrade HTTP/1.1\r\nHost: o\r\n\r\n")
            #expect(try connection.receiveResponse().status == 426)
            try connection.send(
                "GET /upgrade HTTP/1.1\r\nHost: o\r\nConnection: upgrade\r\nUpgrade: Echo\r\n\r\nfirst")
            let response = try connection.receiveHead()
            #expect(response.status == 101 && response["Upgrade"] == "echo")
            #expect(String(decoding: try connection.receive(count: 5), as: UTF8.self) == "first")
            let bytes = pattern(500_000)
            try connection.send(bytes)
            #expect(try connection.receive(count: bytes.count) == bytes)
            connection.shutdownWrite()
            #expect(try connection.receiveToEnd().isEmpty)
        }
    }

    @Test("A connection is dropped or reset where that is asked for", arguments: testedDrivers)
    func drops(io: Configuration.IOChoice) throws {
        try withOrigin(io) { origin, connection in
            try connection.send("POST /drop HTTP/1.1\r\nHost: o\r\nContent-Length: 100000\r\n\r\nabc")
            #expect(try connection.receiveToEnd().isEmpty)
            let other = try RawConnection(to: origin.boundAddress)
            try other.send("GET /reset HTTP/1.1\r\nHost: o\r\n\r\n")
            #expect(other.awaitReset())
        }
    }
}
