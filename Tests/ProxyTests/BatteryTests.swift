import Battery
import CPosix
import Testing

@testable import UringProxy

/// The parser's batteries once more, through the running proxy: what it refuses reaches no origin, and what it accepts
/// arrives as exactly the bytes written down.
@Suite("Batteries through the proxy", .blocking)
struct BatteryTests {
    /// How the bytes of a message are sent.
    enum Pace: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case whole, dripping
        var testDescription: String { rawValue }

        func send(_ bytes: [UInt8], to socket: TestSocket) {
            // The proxy may have answered and closed before the last byte: that is no failure.
            switch self {
            case .whole: try? socket.send(bytes)
            case .dripping: for byte in bytes where (try? socket.send([byte])) == nil { return }
            }
        }
    }

    private static let reasons: [String: String] = {
        var reasons: [String: String] = [:]
        for rawValue in UInt8.min..<UInt8.max {
            guard let error = HeadError(rawValue: rawValue) else { continue }
            reasons["\(error)"] = "\(error.reason)\n"
        }
        return reasons
    }()

    // MARK: Requests

    private enum Outcome {
        /// These bytes, head and body, upstream.
        case forwarded(head: String, body: String)
        /// This status, and with this text if there is one.
        case refused(status: String, reason: String?)
        /// The request is cut short: no answer, nothing upstream.
        case nothing
    }

    /// What is to become of a case on a reverse listener.
    private func outcome(_ one: RequestBattery.Case) -> Outcome {
        if one.expected == "incomplete" { return .nothing }
        guard one.expected.hasSuffix("\r\n\r\n") else {
            let parts = one.expected.split(separator: " ", maxSplits: 1)
            return .refused(status: String(parts[0]), reason: Self.reasons[String(parts[1])])
        }
        // What the parser lets through and the listener does not.
        if one.bytes.hasPrefix("CONNECT ") { return .refused(status: "405", reason: nil) }
        if one.bytes.contains(" ftp://") || one.bytes.contains(" https://") && !one.expected.contains("https")
        {
            return .refused(status: one.bytes.contains(" ftp://") ? "501" : "", reason: nil)
        }
        if one.bytes.lowercased().contains("\r\nmax-forwards: 0")
            || one.expected.contains("\r\nMax-Forwards: 0\r\n")
        {
            if one.bytes.hasPrefix("OPTIONS") && isZero(one) { return .refused(status: "204", reason: nil) }
            if one.bytes.hasPrefix("TRACE") && isZero(one) { return .refused(status: "405", reason: nil) }
        }
        return .forwarded(
            head: one.expected, body: tail(one).map { body(one.expected, from: $0) } ?? body(one.expected))
    }

    /// The bytes behind the head, where the case has some of its own.
    private func tail(_ one: RequestBattery.Case) -> [UInt8]? {
        let bytes = latin1(one.bytes)
        let end = latin1("\r\n\r\n")
        guard let index = bytes.indices.first(where: { bytes[$0...].starts(with: end) }),
            index + 4 < bytes.count
        else { return nil }
        return Array(bytes[(index + 4)...])
    }

    private func body(_ head: String, from tail: [UInt8]) -> String {
        text(Array(tail.prefix(contentLength(head) ?? 0)))
    }

    /// Whether Max-Forwards is 0 as received.
    private func isZero(_ one: RequestBattery.Case) -> Bool {
        for line in one.bytes.split(separator: "\r\n") where line.lowercased().hasPrefix("max-forwards:") {
            return Int(line.dropFirst("max-forwards:".count).filter { $0 != " " && $0 != "\t" }) == 0
        }
        return false
    }

    /// A body as the forwarded head promises it; nothing if it is too long to send.
    private func body(_ head: String) -> String {
        if head.contains("\r\nTransfer-Encoding: chunked\r\n") { return "3\r\nabc\r\n0\r\n\r\n" }
        guard let length = contentLength(head), length < 100_000 else { return "" }
        return String(repeating: "b", count: length)
    }

    @Test("Every request of the battery", arguments: TestDriver.offered, Pace.allCases)
    func requests(_ driver: TestDriver, _ pace: Pace) throws {
        let origin = try TestOrigin()
        // No idle connection is kept, so that each request that gets through makes a connection.
        let cluster = ClusterConfiguration(name: "origin", endpoints: [origin.address])
        let proxy = try TestProxy(driver, cluster: cluster) {
            $0.poolIdle = 0
            $0.listeners[0].speaksHTTP2 = false
        }
        var failures: [String] = []
        for one in RequestBattery.cases {
            do {
                let outcome = outcome(one)
                let client = try proxy.connect()
                var bytes = latin1(one.bytes)
                if case .forwarded(_, let body) = outcome, tail(one) == nil { bytes += latin1(body) }
                pace.send(bytes, to: client)
                switch outcome {
                case .forwarded(let head, let body):
                    // A refusal instead must show as one, not as a wait for a connection that never comes.
                    guard let upstream = try accept(origin, or: client) else {
                        failures.append(
                            "\(one.name): refused: \(try client.receiveUntilClosed().text.debugDescription)")
                        continue
                    }
                    let wanted = head + body
                    let got = text(try upstream.receive(exactly: wanted.unicodeScalars.count))
                    if got != wanted { failures.append("\(one.name): forwarded \(got.debugDescription)") }
                    try upstream.send("HTTP/1.1 204 No Content\r\nX: y\r\n\r\n")
                    let answer = try client.receiveHead()
                    if !answer.hasPrefix("HTTP/1.1 204 No Content\r\nX: y\r\n") {
                        failures.append("\(one.name): answered \(answer.debugDescription)")
                    }
                    // And not one byte more.
                    let rest = try upstream.receiveUntilClosed().text
                    if rest != "" {
                        failures.append("\(one.name): forwarded as well \(rest.debugDescription)")
                    }
                case .refused(let status, let reason):
                    client.finish()
                    let answer = try client.receiveUntilClosed()
                    var isRight =
                        answer.text.hasPrefix("HTTP/1.1 \(status) ") && !answer.isReset
                        && (reason.map { answer.text.hasSuffix("\r\n\r\n" + $0) } ?? true)
                    // A head that drips in is judged at its end; one that has none is a request cut short.
                    if pace == .dripping, !one.bytes.contains("\r\n\r\n"), answer.text == "" {
                        isRight = true
                    }
                    if !isRight { failures.append("\(one.name): \(answer)") }
                case .nothing:
                    client.finish()
                    let answer = try client.receiveUntilClosed()
                    if answer.text != "" { failures.append("\(one.name): \(answer)") }
                }
                if tail(one) != nil {
                    // What follows the head and its body may be a request of its own.
                    client.reset()
                    try proxy.wait(for: "the connection's end") { proxy.downstreamConnections == 0 }
                    while origin.acceptNow() != nil {}
                }
                if origin.acceptNow() != nil { failures.append("\(one.name): a connection too many") }
            } catch {
                failures.append("\(one.name): \(error)")
            }
        }
        #expect(failures == [])
        proxy.end()
        #expect(origin.acceptNow() == nil)
    }

    /// The connection that the proxy makes; nil if it answers the client instead.
    private func accept(_ origin: TestOrigin, or client: TestSocket) throws -> TestSocket? {
        while true {
            let which = cposix_wait_readable_or(origin.descriptor, client.descriptor)
            if which == 0 { return try origin.accept() }
            // Both may be: the origin goes before.
            if let upstream = origin.acceptNow() { return upstream }
            return nil
        }
    }

    @Test("No refused request is mistaken for a second one behind a good one", arguments: TestDriver.offered)
    func pipelinedRefusals(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.poolIdle = 0 }
        var failures: [String] = []
        for one in RequestBattery.cases {
            guard case .refused(let status, let reason?) = outcome(one) else { continue }
            do {
                let client = try proxy.connect()
                try client.send(latin1(Messages.get) + latin1(one.bytes) + latin1(Messages.get))
                let upstream = try origin.accept()
                try upstream.expect(Messages.get)
                try upstream.send(Messages.ok)
                client.finish()
                let (answer, isReset) = try client.receiveUntilClosed()
                // What a head that ends early leaves is another request, which has to be told from the bytes behind it.
                if !answer.hasPrefix(Messages.ok + "HTTP/1.1 \(status) ") || !answer.hasSuffix(reason)
                    || isReset
                {
                    failures.append("\(one.name): \(answer.debugDescription)")
                }
                if origin.acceptNow() != nil { failures.append("\(one.name): something was forwarded") }
            } catch {
                failures.append("\(one.name): \(error)")
            }
        }
        #expect(failures == [])
    }

    // MARK: Responses

    /// What downstream gets of a case, after the body that its head promises and the origin's close.
    private func downstream(_ one: ResponseBattery.Case) -> (sentBody: String, received: String?) {
        guard one.expected.hasSuffix("\r\n\r\n") else { return ("", nil) }
        let head = one.expected
        let status = Int(head.dropFirst(9).prefix(3)) ?? 0
        if status == 101 { return ("", nil) }
        if status < 200 {
            return (Messages.ok, head + Messages.ok)
        }
        if status == 204 || status == 304 { return ("", head) }
        if let length = contentLength(head) {
            let body = String(repeating: "b", count: length)
            return (body, head + body)
        }
        if head.contains("\r\nTransfer-Encoding: chunked\r\n") {
            return ("3\r\nabc\r\n0\r\n\r\n", head + "3\r\nabc\r\n0\r\n\r\n")
        }
        // The origin ends it by closing; downstream is told by chunks. (One CR LF is one Character.)
        return ("", head.dropLast() + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    }

    @Test("Every response of the battery", arguments: TestDriver.offered, Pace.allCases)
    func responses(_ driver: TestDriver, _ pace: Pace) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.poolIdle = 0 }
        var failures: [String] = []
        for one in ResponseBattery.cases {
            do {
                let client = try proxy.connect()
                try client.send(Messages.get)
                let upstream = try origin.accept()
                try upstream.expect(Messages.get)
                let (body, received) = downstream(one)
                pace.send(latin1(one.bytes + body), to: upstream)
                upstream.finish()
                if let received {
                    let got = text(try client.receive(exactly: received.unicodeScalars.count))
                    if got != received { failures.append("\(one.name): \(got.debugDescription)") }
                } else {
                    let (head, _) = try client.receiveResponse()
                    if !head.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n") {
                        failures.append("\(one.name): \(head.debugDescription)")
                    }
                }
                // In either case it was one answer: the connection goes on with the next request.
                try client.send(Messages.get)
                let next = try origin.accept()
                try next.expect(Messages.get)
                try next.send(Messages.ok)
                try client.expect(Messages.ok)
            } catch {
                failures.append("\(one.name): \(error)")
            }
        }
        #expect(failures == [])
    }
}
