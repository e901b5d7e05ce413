import CPosix
import Testing

@testable import UringProxy

@Suite("Forward proxy through a parent", .blocking)
struct ParentTests {
    private func makeProxy(
        _ driver: TestDriver, _ parents: [TestOrigin], allow: [String] = ["*", "127.0.0.0/8"],
        change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        try TestProxy(forward: driver, allow: allow) { configuration in
            configuration.forwardAddresses = []
            configuration.listeners = [
                ListenerConfiguration(address: "127.0.0.1:0", role: .forward, parent: "up")
            ]
            configuration.clusters = [ClusterConfiguration(name: "up", endpoints: parents.map(\.address))]
            change(&configuration)
        }
    }

    @Test(
        "The parent is asked for whole targets, on connections that all destinations share",
        arguments: TestDriver.offered)
    func absolute(_ driver: TestDriver) throws {
        let parent = try TestOrigin()
        let proxy = try makeProxy(driver, [parent])
        let client = try proxy.connect()
        var upstream: TestSocket?
        // The last two have no path (RFC 9112 §3.2.4: "*" is for the last proxy to write).
        for (method, target) in [
            ("GET", "http://a.test/p?q"), ("GET", "http://b.test:8080/"), ("HEAD", "http://a.test?q"),
            ("OPTIONS", "http://a.test"),
        ] {
            try client.send(
                "\(method) \(target) HTTP/1.1\r\nHost: wrong\r\nProxy-Authorization: Basic eDp5\r\nX: y\r\n\r\n"
            )
            if upstream == nil { upstream = try parent.accept() }
            let authority = target.dropFirst(7).split(whereSeparator: { "/?".contains($0) })[0]
            try upstream!.expect("\(method) \(target) HTTP/1.1\r\nHost: \(authority)\r\nX: y\r\n\r\n")
            let answer = "HTTP/1.1 204 No Content\r\n\r\n"
            try upstream!.send(answer)
            try client.expect(answer)
        }
        #expect(proxy[.upstreamOpened] == 1)
    }

    @Test(
        "A CONNECT opens a tunnel when the parent says so, and what came early is held until then",
        arguments: TestDriver.offered)
    func connect(_ driver: TestDriver) throws {
        let parent = try TestOrigin()
        let proxy = try makeProxy(driver, [parent])
        let client = try proxy.connect()
        // A length that means nothing here, and must not mean something there.
        try client.send(
            "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nContent-Length: 5\r\nUser-Agent: x\r\n\r\nearly"
        )
        let upstream = try parent.accept()
        try upstream.expect("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nUser-Agent: x\r\n\r\n")
        try upstream.send(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Fine\r\nContent-Length: 9\r\nX: y\r\n\r\nhello")
        try client.expect("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Connection established\r\n\r\nhello")
        try upstream.expect("early")
        try client.send("more")
        try upstream.expect("more")
        #expect(proxy[.tunnelsOpened] == 1)
        client.finish()
        try upstream.expectEnd()
        upstream.finish()
        try client.expectEnd()
    }

    @Test("What a parent says of content beside a 2xx means nothing", arguments: TestDriver.offered)
    func openedWithContent(_ driver: TestDriver) throws {
        let parent = try TestOrigin()
        let proxy = try makeProxy(driver, [parent])
        for status in [200, 201, 204, 299] {
            for field in ["Content-Length: 9", "Transfer-Encoding: chunked"] {
                let client = try proxy.connect()
                let upstream = try parent.accept(
                    "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n", from: client)
                try upstream.send("HTTP/1.1 \(status) Fine\r\n\(field)\r\n\r\nhello")
                try client.expect("HTTP/1.1 200 Connection established\r\n\r\nhello")
            }
        }
        #expect(proxy[.tunnelsOpened] == 8)
    }

    @Test(
        "A CONNECT that the parent refuses is answered as the parent answered it",
        arguments: TestDriver.offered)
    func refused(_ driver: TestDriver) throws {
        let parent = try TestOrigin()
        let proxy = try makeProxy(driver, [parent]) { $0.parentAuthorization = .pass }
        let client = try proxy.connect()
        let request = "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n"
        let demand =
            "HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 4\r\n\r\nwho?"
        let first = try parent.accept(request + "\r\n", from: client)
        try first.send(demand)
        try client.expect(demand)
        // It may have learnt who comes on it: nobody else does.
        try first.expectEnd()
        let second = try parent.accept(
            request + "Proxy-Authorization: Basic eDp5\r\n\r\n", from: client)
        try second.send("HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n")
        try client.expect("HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n")
        // The bytes of a tunnel that did not open are no request.
        try client.send(request + "\r\nGET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n")
        let third = try parent.accept()
        try third.expect(request + "\r\n")
        try third.send("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        try client.expect("HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        try client.expectEnd()
        #expect(proxy[.tunnelsOpened] == 0)
        #expect(proxy[.requests] == 3)
    }

    @Test("A parent that is not there: another one, and if there is none 502", arguments: TestDriver.offered)
    func absent(_ driver: TestDriver) throws {
        let parent = try TestOrigin()
        let gone: String
        do { gone = try TestOrigin().address }
        let proxy = try makeProxy(driver, [parent]) { $0.clusters[0].endpoints = [gone, parent.address] }
        for _ in 0..<2 {
            let client = try proxy.connect()
            try client.send("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n")
            let upstream = try parent.accept()
            try upstream.expect("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n")
            // It ends without an answer.
            upstream.close()
            #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 502 "))
        }
        let alone = try makeProxy(driver, [parent]) { $0.clusters[0].endpoints = [gone] }
        let client = try alone.connect()
        try client.send("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n")
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 502 "))
    }

    @Test(
        "The policy holds by name, and some destinations are reached without the parent",
        arguments: TestDriver.offered)
    func policy(_ driver: TestDriver) throws {
        let parent = try TestOrigin()
        let origin = try TestOrigin()
        let proxy = try makeProxy(driver, [parent]) {
            $0.denyDestinations = ["*.bad.test"]
            $0.directDestinations = ["127.0.0.0/8", "*.inside.test"]
        }
        func status(_ target: String) throws -> String {
            let client = try proxy.connect()
            try client.send("CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n")
            return try String(client.receiveHead().dropFirst(9).prefix(3))
        }
        #expect(try status("x.bad.test:443") == "403")
        #expect(try status("169.254.169.254:80") == "403")
        let client = try proxy.connect()
        try client.send("CONNECT \(origin.address) HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n")
        let upstream = try origin.accept()
        try client.expect("HTTP/1.1 200 Connection established\r\n\r\n")
        try upstream.send("x")
        try client.expect("x")
        let other = try proxy.connect()
        try other.send("GET http://\(origin.address)/ HTTP/1.1\r\nHost: h\r\n\r\n")
        let direct = try origin.accept()
        try direct.expect("GET / HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n")
    }

    @Test(
        "Credentials of a file are shown to the parent alone, and downstream's are not",
        arguments: TestDriver.offered)
    func credentials(_ driver: TestDriver) throws {
        let path = "/tmp/uproxy-parent-credentials-\(getpid())-\(driver)"
        let descriptor = unsafe cposix_open_for_writing(path)
        defer { unsafe unlink(path) }
        let line = Array("user:pass\n".utf8)
        _ = unsafe line.withUnsafeBytes { unsafe cposix_write(descriptor, $0.baseAddress, $0.count) }
        _ = cposix_close(descriptor)
        let parent = try TestOrigin()
        let origin = try TestOrigin()
        let proxy = try makeProxy(driver, [parent]) {
            $0.parentCredentials = path
            $0.directDestinations = ["127.0.0.0/8"]
        }
        let client = try proxy.connect()
        try client.send("GET http://a.test/ HTTP/1.1\r\nHost: h\r\nProxy-Authorization: Basic eDp5\r\n\r\n")
        let upstream = try parent.accept()
        try upstream.expect(
            "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n")
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        try client.send("GET http://\(origin.address)/ HTTP/1.1\r\nHost: h\r\n\r\n")
        let direct = try origin.accept()
        try direct.expect("GET / HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n")
    }

    @Test(
        "A rule that allows addresses lets no name through to the parent, which would find any address for it",
        arguments: TestDriver.offered)
    func allowlist(_ driver: TestDriver) throws {
        let parent = try TestOrigin()
        let proxy = try makeProxy(driver, [parent], allow: ["*.corp.test", "10.0.0.0/8"])
        for (target, isAllowed) in [
            ("evil.test", false), ("11.0.0.1", false), ("a.corp.test", true), ("10.1.2.3", true),
        ] {
            let client = try proxy.connect()
            try client.send("GET http://\(target)/ HTTP/1.1\r\nHost: \(target)\r\n\r\n")
            if isAllowed {
                let upstream = try parent.accept()
                try upstream.expect("GET http://\(target)/ HTTP/1.1\r\nHost: \(target)\r\n\r\n")
                try upstream.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
                upstream.close()
            }
            #expect(try client.receiveHead().hasPrefix("HTTP/1.1 \(isAllowed ? 204 : 403) "), "\(target)")
            let text = try Explanation(
                method: "GET", target: "http://\(target)/", fields: [], source: "127.0.0.1", listener: nil,
                configuration: proxy.configuration, file: nil
            ).text
            #expect(text.contains(isAllowed ? "allowed" : "403, "), "\(text)")
        }
        #expect(parent.acceptNow() == nil)
    }
}
