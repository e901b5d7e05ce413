import Testing

@testable import UringProxy

@Suite("Answers to health checks")
struct HealthAnswerTests {
    private func verdict(_ text: String, by size: Int, body: String? = nil) -> HealthAnswer.Verdict {
        var configuration = HealthCheckConfiguration()
        configuration.body = body
        let check = HealthCheck(configuration, proxyHeader: nil)
        var fields = FieldTable(capacity: 128)
        var answer = HealthAnswer()
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            let piece = bytes[index..<min(bytes.count, index + size)]
            let verdict = answer.received(piece, check, &fields)
            if verdict != .undecided { return verdict }
            index += size
        }
        return answer.ended()
    }

    private static let wrongText = HealthAnswer.Verdict.unhealthy(
        "its answer does not hold the expected text")

    @Test(
        "Each answer, in pieces of any size",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", nil, HealthAnswer.Verdict.healthy),
            ("HTTP/1.1 204 No\r\n\r\n", nil, .healthy),
            ("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 302 F\r\n\r\n", nil, .healthy),
            ("HTTP/1.1 503 No\r\n\r\n", nil, .unhealthy("it answered with 503")),
            ("HTTP/1.1 2x0 No\r\n\r\n", nil, .unhealthy("its answer is not valid HTTP/1")),
            ("HTTP/1.1 200 OK\r\n", nil, .unhealthy("it closed the connection before it answered")),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "ell", .healthy),
            ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello", "llo", wrongText),
            ("HTTP/1.1 200 OK\r\n\r\nall of it", "of it", .healthy),
            ("HTTP/1.1 200 OK\r\n\r\nall of it", "nothing", wrongText),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\n\r\n",
                "hello",
                .healthy
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n0\r\n\r\nllo", "hello",
                wrongText
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + String(repeating: "x", count: 80_000),
                "y", wrongText
            ),
            (
                "HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nhello", "hello",
                .unhealthy("it answered with 500")
            ),
        ])
    func answers(_ text: String, _ body: String?, _ wanted: HealthAnswer.Verdict) {
        for size in [1, 2, 7, 64, 100_000] where text.utf8.count < 2000 || size > 7 {
            #expect(verdict(text, by: size, body: body) == wanted, "\(size)")
        }
    }

    @Test("What is sent names the endpoint, and says with a PROXY protocol header that it is nobody's")
    func request() throws {
        var configuration = HealthCheckConfiguration()
        configuration.path = "/healthz?full"
        func text(_ endpoint: String, _ header: ProxyHeader.Version? = nil, isSecure: Bool = false) throws
            -> String
        {
            let upstream = try FixedUpstream(parsing: endpoint)
            let check = HealthCheck(configuration, proxyHeader: header)
            return String(
                decoding: check.header + check.request(to: upstream, isSecure: isSecure), as: UTF8.self)
        }
        let rest = "User-Agent: uproxy-health\r\nConnection: close\r\n\r\n"
        #expect(try text("127.0.0.1:9000") == "GET /healthz?full HTTP/1.1\r\nHost: 127.0.0.1:9000\r\n" + rest)
        #expect(try text("app.test:80").contains("\r\nHost: app.test\r\n"))
        #expect(try text("app.test:81").contains("\r\nHost: app.test:81\r\n"))
        #expect(try text("app.test:80", isSecure: true).contains("\r\nHost: app.test:80\r\n"))
        #expect(try text("app.test:443", isSecure: true).contains("\r\nHost: app.test\r\n"))
        #expect(try text("unix:/run/a").contains("\r\nHost: localhost\r\n"))
        #expect(
            try text("[::1]:81", .v1).hasPrefix(
                "PROXY UNKNOWN\r\nGET /healthz?full HTTP/1.1\r\nHost: [::1]:81"))
        configuration.host = "site.test"
        #expect(try text("127.0.0.1:9000").contains("\r\nHost: site.test\r\n"))
        configuration.kind = .tcp
        #expect(try text("127.0.0.1:9000") == "")
    }
}
