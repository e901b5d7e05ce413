import Testing

@testable import UringProxy

@Suite("Rewriters")
struct RewriterTests {
    private let plain = "GET / HTTP/1.1\r\nHost: e.com:80\r\nA: b\r\n\r\n"

    private func forward(
        _ request: String, via: String = "", x: ForwardingOptions.ClientFields = .off,
        forwarded: ForwardingOptions.ClientFields = .off, peer: String = "192.0.2.1",
        keepUpgrade: Bool = false
    ) -> String {
        let result = HTTPSupport.forward(
            HTTPSupport.bytes(request), via: via, xForwarded: x, forwarded: forwarded, peer: peer,
            keepUpgrade: keepUpgrade)
        // Behind the start line and Host, which all share.
        return result.replacing("GET / HTTP/1.1\r\nHost: e.com:80\r\n", with: "")
    }

    private func request(_ fields: String, version: String = "1.1") -> String {
        "GET / HTTP/\(version)\r\nHost: e.com:80\r\n\(fields)\r\n"
    }

    @Test("Via is a line of its own and tells the version received")
    func via() {
        #expect(forward(plain, via: "p") == "A: b\r\nVia: 1.1 p\r\n\r\n")
        #expect(
            forward(request("Via: 1.0 a\r\n", version: "1.0"), via: "p") == "Via: 1.0 a\r\nVia: 1.0 p\r\n\r\n"
        )
    }

    @Test("X-Forwarded fields are left alone, completed or replaced")
    func xForwarded() {
        let fields =
            "X-Forwarded-For: 1.1.1.1\r\nA: b\r\nx-forwarded-for: 2.2.2.2, 3.3.3.3\r\nX-Forwarded-Proto: https\r\n"
            + "X-Forwarded-Host: o\r\nX-Forwarded-Port: 1\r\n"
        let received = request(fields)
        #expect(forward(received, x: .off) == fields + "\r\n")
        #expect(
            forward(received, x: .append) == """
                A: b\r
                X-Forwarded-Proto: https\r
                X-Forwarded-Host: o\r
                X-Forwarded-Port: 1\r
                X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 192.0.2.1\r
                \r\n
                """)
        let own =
            "A: b\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: e.com:80\r\n\r\n"
        #expect(forward(received, x: .replace) == own)
        #expect(forward(plain, x: .append) == own)
        #expect(forward(request("X-Forwarded-For:\r\nA: b\r\n"), x: .append) == own)
        #expect(forward(plain, x: .replace, peer: "2001:db8::1").contains("X-Forwarded-For: 2001:db8::1\r\n"))
    }

    @Test("Forwarded is left alone, completed or replaced, and quotes what must be quoted")
    func forwarded() {
        let fields = "Forwarded: for=1.1.1.1\r\nforwarded: for=\"[::1]\";by=\"a\\\"b\"\r\n"
        let received = request(fields)
        #expect(forward(received, forwarded: .off) == fields + "\r\n")
        let own = "for=192.0.2.1;host=\"e.com:80\";proto=http\r\n\r\n"
        let expected = "Forwarded: for=1.1.1.1, for=\"[::1]\";by=\"a\\\"b\", \(own)"
        #expect(forward(received, forwarded: .append) == expected)
        #expect(forward(received, forwarded: .replace) == "Forwarded: \(own)")
        for open in ["for=\"", "for=\"a\\\"", "for=\"a\\"] {
            #expect(forward(request("Forwarded: \(open)\r\n"), forwarded: .append) == "Forwarded: \(own)")
        }
        let name = "GET / HTTP/1.1\r\nHost: e.com\r\n\r\n"
        #expect(
            forward(name, forwarded: .replace, peer: "2001:db8::1").hasSuffix(
                "Forwarded: for=\"[2001:db8::1]\";host=e.com;proto=http\r\n\r\n"))
        #expect(
            forward("GET / HTTP/1.0\r\n\r\n", forwarded: .replace).hasSuffix(
                "Forwarded: for=192.0.2.1;proto=http\r\n\r\n"))
    }

    @Test("Upgrade is passed on only when told")
    func upgrade() {
        let received = request("Upgrade: websocket\r\nConnection: Upgrade\r\n")
        #expect(forward(received) == "\r\n")
        #expect(forward(received, keepUpgrade: true) == "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        #expect(forward(plain, keepUpgrade: true) == "A: b\r\n\r\n")
    }

    @Test("The last request of a connection says so, unless it is to become another protocol's")
    func closing() {
        func last(_ fields: String) -> String {
            HTTPSupport.forward(HTTPSupport.bytes(request(fields)), closes: true)
                .replacing("GET / HTTP/1.1\r\nHost: e.com:80\r\n", with: "")
        }
        #expect(last("A: b\r\nConnection: keep-alive\r\n") == "A: b\r\nConnection: close\r\n\r\n")
        #expect(
            last("TE: trailers\r\nConnection: TE\r\n") == "TE: trailers\r\nConnection: TE, close\r\n\r\n")
        #expect(
            last("Upgrade: a\r\nConnection: Upgrade\r\n") == "Upgrade: a\r\nConnection: Upgrade\r\n\r\n")
    }

    @Test("A loop is found in any Via line, by name and not by comment")
    func loops() {
        let table: [(String, Bool)] = [
            ("1.1 p", true), ("1.1 P", true), ("1.0 a, HTTP/1.1 p (x)", true),
            ("1.1 a (b, c (d)), 1.1 p", true),
            ("1.1\tp", true), (",1.1 p,", true), ("1.1 a (\\), 1.1 p", false), ("1.1 p2", false),
            ("p 1.1", false),
            ("1.1 a (1.1 p)", false), ("1.1 a p", false), ("", false), ("1.1 a (1.1 p", false),
            ("1.1 p(c)", true),
        ]
        var failures: [String] = []
        for (value, expected) in table {
            let bytes = HTTPSupport.bytes(request("Via: 1.1 z\r\nVia: \(value)\r\n"))
            let found = HTTPSupport.withView(bytes) { view in
                var fields = FieldTable(capacity: 16)
                var head = RequestHead()
                _ = RequestParser.parse(view, limits: HTTPSupport.limits, fields: &fields, head: &head)
                return HTTPSupport.withView([0x70]) {
                    RequestRewriter.viaContains(fields: fields, bytes: view, pseudonym: $0)
                }
            }
            if found != expected { failures.append(value) }
        }
        #expect(failures == [])
    }

    @Test("A response is framed for its client")
    func responseFraming() {
        func forward(
            _ fields: String, _ framing: ResponseRewriter.Framing,
            _ connection: ResponseRewriter.Connection = .none,
            status: String = "200 OK", to method: UringProxy.Method = .get, version: HTTPVersion = .http11,
            via: String = ""
        ) -> String {
            HTTPSupport.forward(
                response: HTTPSupport.bytes("HTTP/1.1 \(status)\r\n\(fields)\r\n"), to: method, via: via,
                connection: connection, framing: framing, keepUpgrade: false, downstream: version
            ).replacing("HTTP/1.1 200 OK\r\n", with: "")
        }
        let length = "Content-Length: 5\r\n"
        let chunked = "Transfer-Encoding: chunked\r\n"
        #expect(forward(length, .asReceived) == "Content-Length: 5\r\n\r\n")
        #expect(forward("A: b\r\n", .chunked) == "A: b\r\nTransfer-Encoding: chunked\r\n\r\n")
        #expect(forward("A: b\r\n", .untilClose, .close) == "A: b\r\nConnection: close\r\n\r\n")
        #expect(forward(chunked, .asReceived) == "Transfer-Encoding: chunked\r\n\r\n")
        #expect(forward(chunked, .asReceived, version: .http10) == "\r\n")
        #expect(forward(chunked, .untilClose, .close, version: .http10) == "Connection: close\r\n\r\n")
        #expect(forward("", .chunked, version: .http10) == "\r\n")
        #expect(
            forward(length, .asReceived, .keepAlive, version: .http10)
                == "Content-Length: 5\r\nConnection: keep-alive\r\n\r\n")
        #expect(forward(length, .asReceived, to: .head) == "Content-Length: 5\r\n\r\n")
        #expect(forward(chunked, .asReceived, to: .head) == "Transfer-Encoding: chunked\r\n\r\n")
        #expect(forward(length, .none) == "\r\n")
        #expect(forward("A: b\r\n", .none, via: "p") == "A: b\r\nVia: 1.1 p\r\n\r\n")
        #expect(forward(length, .asReceived, status: "204 No Content") == "HTTP/1.1 204 No Content\r\n\r\n")
    }

    @Test("What does not fit is flagged at every size, and nothing is written past the end")
    func overflow() {
        let bytes = HTTPSupport.bytes("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nX:y\r\n\r\n")
        let expected = "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nX: y\r\nVia: 1.1 p\r\n\r\n"
        var failures: [Int] = []
        for capacity in 0...expected.utf8.count {
            let result = HTTPSupport.withView(bytes) { view in
                var fields = FieldTable(capacity: 16)
                var head = ResponseHead()
                _ = ResponseParser.parse(
                    view, requestMethod: .get, limits: HTTPSupport.limits, fields: &fields, head: &head)
                return HTTPSupport.withView([0x70]) { via in
                    HTTPSupport.written(capacity: capacity) {
                        ResponseRewriter.write(
                            head: head, fields: fields, bytes: view, into: &$0, via: via, connection: .none,
                            framing: .asReceived, keepUpgrade: false, downstreamVersion: .http11)
                    }
                }
            }
            if result != (capacity == expected.utf8.count ? expected : nil) { failures.append(capacity) }
        }
        #expect(failures == [])
    }
}
