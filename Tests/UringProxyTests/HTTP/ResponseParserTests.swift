import Testing

@testable import UringProxy

@Suite("ResponseParser")
struct ResponseParserTests {
    private func head(_ response: String, to method: UringProxy.Method = .get) -> ResponseHead {
        let (status, head) = HTTPSupport.parseResponse(HTTPSupport.bytes(response), to: method)
        precondition(status == .complete, "\(response.debugDescription): \(status)")
        return head
    }

    @Test("Framing follows request method, status and fields")
    func framing() {
        let length = "Content-Length: 5\r\n"
        let chunked = "Transfer-Encoding: chunked\r\n"
        let table: [(UringProxy.Method, String, String, BodyFraming)] = [
            (.get, "200", "", .untilClose), (.get, "200", length, .length(5)),
            (.get, "200", chunked, .chunked),
            (.get, "200", "Content-Length: 0\r\n", .length(0)), (.post, "500", length, .length(5)),
            (.head, "200", "", .none), (.head, "200", length, .none), (.head, "200", chunked, .none),
            (.get, "100", "", .none), (.get, "103", length, .none), (.get, "101", "", .none),
            (.get, "204", "", .none), (.get, "204", length, .none), (.get, "205", length, .length(5)),
            (.get, "304", "", .none), (.get, "304", length, .none), (.get, "304", chunked, .none),
            (.connect, "200", "", .none), (.connect, "299", length, .none), (.connect, "200", chunked, .none),
            (.connect, "407", length, .length(5)), (.connect, "502", "", .untilClose),
        ]
        for (method, status, fields, expected) in table {
            let head = head("HTTP/1.1 \(status) X\r\n\(fields)\r\n", to: method)
            #expect(head.framing == expected, "\(method) \(status) \(fields)")
        }
    }

    @Test("Persistence follows version, Connection and framing")
    func persistence() {
        let table: [(String, String, Bool)] = [
            ("1.1", "Content-Length: 0\r\n", true), ("1.1", "", false),
            ("1.1", "Content-Length: 0\r\nConnection: close\r\n", false),
            ("1.0", "Content-Length: 0\r\n", false),
            ("1.0", "Content-Length: 0\r\nConnection: keep-alive\r\n", true),
            ("1.0", "Connection: keep-alive\r\n", false),
        ]
        for (version, fields, keepAlive) in table {
            #expect(
                head("HTTP/\(version) 200 OK\r\n\(fields)\r\n").keepAlive == keepAlive, "\(version) \(fields)"
            )
        }
    }

    @Test("A 101 that does not say what it switches to is flagged")
    func switching() {
        let good = head("HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        #expect(good.upgrade == 1 && !good.isSwitchWithoutUpgrade && !good.isInterim)
        for fields in [
            "", "Upgrade: websocket\r\n", "Connection: Upgrade\r\n",
            "Connection: Upgrade\r\nUpgrade: h2c\r\n",
        ] {
            #expect(head("HTTP/1.1 101 X\r\n\(fields)\r\n").isSwitchWithoutUpgrade, "\(fields)")
        }
        #expect(head("HTTP/1.1 103 X\r\n\r\n").isInterim)
    }

    @Test("Limits hold for responses")
    func limits() {
        let response = HTTPSupport.bytes("HTTP/1.1 200 OK\r\nX: y\r\n\r\n")
        func status(_ limits: HeadLimits) -> ParseStatus {
            HTTPSupport.parseResponse(response, limits: limits).0
        }
        #expect(status(HeadLimits(headBytes: response.count)) == .complete)
        #expect(status(HeadLimits(headBytes: response.count - 1)) == .invalid(.headTooLarge))
        #expect(status(HeadLimits(fields: 0)) == .invalid(.tooManyFields))
    }
}
