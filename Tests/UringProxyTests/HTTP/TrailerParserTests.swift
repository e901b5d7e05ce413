import Testing

@testable import UringProxy

@Suite("TrailerParser")
struct TrailerParserTests {
    private func forward(_ bytes: [UInt8], limits: HeadLimits = HTTPSupport.limits) -> String {
        HTTPSupport.withView(bytes) { view in
            var fields = FieldTable(capacity: 128)
            let (status, size) = TrailerParser.parse(view, limits: limits, fields: &fields)
            switch status {
            case .incomplete: return "incomplete"
            case .invalid(let error): return "\(error)"
            case .complete:
                let text = HTTPSupport.written {
                    ResponseRewriter.trailers(fields: fields, bytes: view, into: &$0)
                }
                return "\(size) \(text ?? "overflow")"
            }
        }
    }

    private static let cases: [(String, String)] = [
        ("\r\n", "2 \r\n"),
        ("\r\nGET", "2 \r\n"),
        ("X-Sum: 1\r\n\r\n", "12 X-Sum: 1\r\n\r\n"),
        ("a:1\r\nB: 2 \r\n\r\n", "14 a: 1\r\nB: 2\r\n\r\n"),
        (
            "grpc-status: 0\r\nServer-Timing: x\r\nETag: y\r\n\r\n",
            "45 grpc-status: 0\r\nServer-Timing: x\r\nETag: y\r\n\r\n"
        ),
        ("", "incomplete"), ("\r", "incomplete"), ("X: 1\r\n", "incomplete"), ("X: 1\r\n\r", "incomplete"),
        ("\n", "bareLineFeed"), ("X: 1\n\n", "bareLineFeed"), ("X: 1\rY: 2\r\n\r\n", "bareCarriageReturn"),
        ("\r\r\n", "bareCarriageReturn"), ("X: \u{00}\r\n\r\n", "controlByte"), ("X\r\n\r\n", "missingColon"),
        (": a\r\n\r\n", "emptyFieldName"), ("X : a\r\n\r\n", "spaceBeforeColon"),
        ("X(: a\r\n\r\n", "invalidFieldName"),
        (" X: a\r\n\r\n", "leadingWhitespace"), ("X: a\r\n b\r\n\r\n", "obsoleteFolding"),
    ]

    @Test("Trailer sections are passed on as received, or refused")
    func battery() {
        var failures: [String] = []
        for (section, expected) in Self.cases {
            let result = forward(HTTPSupport.bytes(section))
            if result != expected {
                failures.append("\(section.debugDescription): \(result.debugDescription)")
            }
        }
        #expect(failures == [])
    }

    @Test("What frames, routes or authenticates is no trailer")
    func forbidden() {
        let names = [
            "Content-Length", "transfer-encoding", "HOST", "Connection", "Trailer", "TE", "Upgrade",
            "Authorization",
            "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Proxy-Authenticate", "Expect", "Via",
            "Cookie",
            "Forwarded", "X-Forwarded-For", "Content-Type", "Content-Encoding", "Content-Range", "Set-Cookie",
            "Cache-Control", "Max-Forwards", "Range", "If-Match", "WWW-Authenticate", "Date", "Location",
            "Vary",
        ]
        let accepted = names.filter { forward(HTTPSupport.bytes("\($0): 1\r\n\r\n")) != "forbiddenTrailer" }
        #expect(accepted == [])
    }

    @Test("Parser and scanner agree on every section, split and cut at every byte")
    func splits() {
        var failures: [String] = []
        for (section, _) in Self.cases {
            let bytes = HTTPSupport.bytes(section)
            let problem = HTTPSupport.disagreement(bytes, trailers: true) { bytes in
                HTTPSupport.withView(bytes) { view in
                    var fields = FieldTable(capacity: 128)
                    let result = TrailerParser.parse(view, limits: HTTPSupport.limits, fields: &fields)
                    return (result.status, result.size)
                }
            }
            if let problem { failures.append("\(section.debugDescription): \(problem)") }
        }
        #expect(failures == [])
    }

    @Test("A section is limited like a head")
    func limits() {
        let limits = HeadLimits(headBytes: 20, fields: 2)
        #expect(
            forward(HTTPSupport.bytes("a: 1\r\nb: 2\r\n\r\n"), limits: limits) == "14 a: 1\r\nb: 2\r\n\r\n")
        #expect(forward(HTTPSupport.bytes("a:1\r\nb:2\r\nc:3\r\n\r\n"), limits: limits) == "tooManyFields")
        #expect(forward(HTTPSupport.bytes("a: 1234567890123456\r\n\r\n"), limits: limits) == "headTooLarge")
        #expect(forward(HTTPSupport.bytes("a: 12345678901234567"), limits: limits) == "headTooLarge")
    }
}
