import Battery
import Testing

@testable import UringProxy

@Suite("RequestParser")
struct RequestParserTests {
    private func head(_ request: String) -> RequestHead {
        let (status, head) = HTTPSupport.parse(HTTPSupport.bytes(request))
        precondition(status == .complete, "\(request.debugDescription): \(status)")
        return head
    }

    private func text(_ range: ByteRange, of request: String) -> String {
        String(decoding: Array(request.utf8)[range.range], as: UTF8.self)
    }

    @Test("The head tells method, target, authority and size")
    func absoluteForm() throws {
        let request = "\r\nGET HTTPS://e.com:8080/a?b HTTP/1.1\r\nHost: other\r\n\r\nbody"
        let head = head(request)
        #expect(head.size == request.utf8.count - 4)
        #expect(
            head.method == .get && head.form == .absolute && head.version == .http11 && head.scheme == .https)
        #expect(text(head.methodRange, of: request) == "GET")
        #expect(text(head.target, of: request) == "HTTPS://e.com:8080/a?b")
        #expect(text(head.pathAndQuery, of: request) == "/a?b")
        let authority = try #require(head.authority)
        #expect(
            text(authority.host, of: request) == "e.com" && text(authority.whole, of: request) == "e.com:8080"
        )
        #expect(authority.port == 8080 && !authority.isIPv6Literal)
    }

    @Test("An IPv6 authority comes without brackets, in CONNECT and in Host")
    func addresses() throws {
        let connect = "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: x\r\n\r\n"
        let host = "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n"
        let connectHead = head(connect)
        let target = try #require(connectHead.authority)
        #expect(connectHead.form == .authority && connectHead.pathAndQuery.isEmpty)
        #expect(text(target.host, of: connect) == "2001:db8::1" && target.port == 443 && target.isIPv6Literal)
        let local = try #require(head(host).authority)
        #expect(text(local.host, of: host) == "::1" && local.port == nil && local.isIPv6Literal)
    }

    @Test("Without a Host, or with an empty one, there is no authority")
    func noAuthority() {
        #expect(head("GET / HTTP/1.0\r\n\r\n").authority == nil)
        #expect(head("GET / HTTP/1.1\r\nHost:\r\n\r\n").authority == nil)
    }

    @Test("Framing follows the fields")
    func framing() {
        func framing(_ fields: String) -> BodyFraming {
            head("POST / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n").framing
        }
        #expect(framing("") == .none)
        #expect(framing("Content-Length: 0\r\n") == .length(0))
        #expect(framing("content-length:9223372036854775807\r\n") == .length(UInt64(Int64.max)))
        #expect(framing("Transfer-Encoding: Chunked\r\n") == .chunked)
    }

    @Test("Persistence follows version and Connection")
    func persistence() {
        let table: [(String, String, Bool, Bool)] = [
            ("1.1", "", true, false), ("1.1", "Connection: close\r\n", false, true),
            ("1.1", "Connection: keep-alive\r\n", true, false),
            ("1.1", "Connection: keep-alive, CLOSE\r\n", false, true),
            ("1.1", "Connection: x\r\nConnection: close\r\n", false, true),
            ("1.0", "", false, false), ("1.0", "Connection: Keep-Alive\r\n", true, false),
            ("1.0", "Connection: keep-alive, close\r\n", false, true),
            ("1.0", "Proxy-Connection: keep-alive\r\n", false, false),
            ("1.1", "Proxy-Connection: close\r\n", true, false),
        ]
        for (version, fields, keepAlive, wantsClose) in table {
            let head = head("GET / HTTP/\(version)\r\nHost: h\r\n\(fields)\r\n")
            #expect(head.keepAlive == keepAlive && head.wantsClose == wantsClose, "\(version) \(fields)")
        }
    }

    @Test("Expect, Upgrade, TE, Max-Forwards and Via are noted where they count")
    func flags() {
        let plain = head("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(!plain.expectsContinue && plain.upgrade == nil && !plain.teTrailers && !plain.hasVia)
        let full = head(
            "OPTIONS / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nUpgrade: a\r\nTE: trailers\r\n"
                + "Connection: te, upgrade\r\nMax-Forwards: 7\r\nVia: 1.1 a\r\n\r\n")
        #expect(
            full.expectsContinue && full.upgrade == 2 && full.teTrailers && full.hasVia
                && full.maxForwards == 7)
        let old = head(
            "GET / HTTP/1.0\r\nExpect: x\r\nUpgrade: a\r\nConnection: upgrade\r\nMax-Forwards: 7\r\n\r\n")
        #expect(!old.expectsContinue && old.upgrade == nil && old.maxForwards == nil)
    }

    @Test("Each limit takes what reaches it and refuses one more")
    func limits() {
        func status(_ request: String, _ limits: HeadLimits) -> ParseStatus {
            HTTPSupport.parse(HTTPSupport.bytes(request), limits: limits).0
        }
        let request = "GET /234 HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n"
        let size = request.utf8.count
        #expect(status(request, HeadLimits(headBytes: size)) == .complete)
        #expect(status(request, HeadLimits(headBytes: size - 1)) == .invalid(.headTooLarge))
        #expect(
            status(String(request.dropLast(1)), HeadLimits(headBytes: size - 2)) == .invalid(.headTooLarge))
        #expect(status(request, HeadLimits(fields: 2)) == .complete)
        #expect(status(request, HeadLimits(fields: 1)) == .invalid(.tooManyFields))
        #expect(status(request, HeadLimits(uriBytes: 4)) == .complete)
        #expect(status(request, HeadLimits(uriBytes: 3)) == .invalid(.targetTooLong))
        let many = "GET / HTTP/1.1\r\nHost: h\r\n\(String(repeating: "a: b\r\n", count: 200))\r\n"
        #expect(status(many, HeadLimits(fields: 1000)) == .invalid(.tooManyFields))
        // Before its end has come, too.
        let long = "GET /" + String(repeating: "a", count: 100)
        #expect(status(long, HeadLimits(uriBytes: 100)) == .incomplete)
        #expect(status(long, HeadLimits(uriBytes: 50)) == .invalid(.targetTooLong))
    }

    @Test("Parser and scanner agree at every split, whatever the limits")
    func splitsWithLimits() {
        let request = HTTPSupport.bytes(
            "\r\nGET /\(String(repeating: "a", count: 90)) HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n")
        var failures: [String] = []
        for limit in 1...request.count + 2 {
            let all = [
                HeadLimits(headBytes: limit), HeadLimits(uriBytes: limit),
                HeadLimits(headBytes: limit, uriBytes: 60),
            ]
            for limits in all {
                let problem = HTTPSupport.disagreement(request, limits: limits) { bytes in
                    let (status, head) = HTTPSupport.parse(bytes, limits: limits)
                    return (status, head.size)
                }
                if let problem { failures.append("\(limits): \(problem)") }
            }
        }
        #expect(failures == [])
    }

    @Test("A head of any size ends where it ends, wherever the blocks of 64 bytes lie")
    func blockBoundaries() {
        var failures: [Int] = []
        for size in 0..<200 {
            let request = "GET /\(String(repeating: "a", count: size)) HTTP/1.1\r\nHost: h\r\n\r\n"
            if head(request).size != request.utf8.count { failures.append(size) }
        }
        #expect(failures == [])
    }

    @Test("Random bytes, and requests with a byte changed, never confuse parser and scanner")
    func mutations() {
        var seed: UInt64 = 0x9E37_79B9_7F4A_7C15
        func random(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((seed >> 33) % UInt64(bound))
        }
        let interesting = HTTPSupport.bytes("\r\n\t :,;/\"\u{00}\u{0B}\u{7F}\u{80}\u{FF}aZ019-_#@[]")
        var failures: [String] = []
        for _ in 0..<3000 {
            var bytes = HTTPSupport.bytes(RequestBattery.cases[random(RequestBattery.cases.count)].bytes)
            guard !bytes.isEmpty, bytes.count < 200 else { continue }
            for _ in 0...random(3) {
                let place = random(bytes.count)
                switch random(3) {
                case 0: bytes[place] = interesting[random(interesting.count)]
                case 1: bytes.insert(interesting[random(interesting.count)], at: place)
                default: if bytes.count > 1 { bytes.remove(at: place) }
                }
            }
            let problem = HTTPSupport.disagreement(bytes) { bytes in
                let (status, head) = HTTPSupport.parse(bytes)
                return (status, head.size)
            }
            if let problem { failures.append("\(HTTPSupport.text(bytes).debugDescription): \(problem)") }
        }
        #expect(failures == [])
    }
}
