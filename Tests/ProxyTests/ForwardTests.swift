import Testing

@testable import UringProxy

@Suite("Forward proxy", .blocking)
struct ForwardTests {
    private func status(_ request: String, _ proxy: TestProxy) throws -> Int {
        let client = try proxy.connect()
        try client.send(request)
        return Int(try client.receiveResponse().head.dropFirst(9).prefix(3)) ?? 0
    }

    @Test("An absolute target goes to where it says, in origin form", arguments: TestDriver.offered)
    func absolute(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try TestProxy(forward: driver)
        let client = try proxy.connect()
        var upstreams: [TestSocket?] = [nil, nil]
        for round in 0..<10 {
            let index = round % 2
            try client.send(
                "GET http://\(origins[index].address)/p?q=\(round) HTTP/1.1\r\nHost: wrong\r\n"
                    + "Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\n\r\n")
            if upstreams[index] == nil { upstreams[index] = try origins[index].accept() }
            try upstreams[index]!.expect(
                "GET /p?q=\(round) HTTP/1.1\r\nHost: \(origins[index].address)\r\n\r\n")
            try upstreams[index]!.send(Messages.ok)
            try client.expect(Messages.ok)
        }
        #expect(proxy[.upstreamOpened] == 2)
    }

    @Test("What is no request to a proxy is refused", arguments: TestDriver.offered)
    func otherForms(_ driver: TestDriver) throws {
        let proxy = try TestProxy(forward: driver)
        #expect(try status("GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", proxy) == 400)
        #expect(try status("OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", proxy) == 400)
        #expect(try status("GET https://127.0.0.1/ HTTP/1.1\r\nHost: h\r\n\r\n", proxy) == 501)
        #expect(try status("GET ftp://127.0.0.1/ HTTP/1.1\r\nHost: h\r\n\r\n", proxy) == 501)
    }

    @Test(
        "Without a rule no address of this host or its networks is reached: 403",
        arguments: TestDriver.offered)
    func denied(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let names = try NameServer(["inside.test": ["127.0.0.1"], "meta.test": ["169.254.169.254"]])
        defer { names.stop() }
        let proxy = try TestProxy(forward: driver, allow: []) { $0.dnsServers = [names.address] }
        let hosts = [
            "127.0.0.1", "localhost", "LOCALHOST.", "[::1]", "[::ffff:127.0.0.1]", "[::7f00:1]",
            "[64:ff9b::7f00:1]",
            "0.0.0.0", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "[fe80::1]", "[fd00::1]",
            "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "inside.test", "meta.test",
            "metadata.google.internal",
        ]
        for host in hosts {
            let target = "\(host):\(origin.port)"
            let absolute = try status("GET http://\(target)/ HTTP/1.1\r\nHost: x\r\n\r\n", proxy)
            #expect(absolute == 403, "\(host)")
            let connect = try status("CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n", proxy)
            #expect(connect == 403, "\(host)")
        }
        proxy.end()
        #expect(origin.acceptNow() == nil)
    }

    @Test("Allow rules open what they cover, deny rules close it again", arguments: TestDriver.offered)
    func rules(_ driver: TestDriver) throws {
        let open = try TestOrigin()
        let closed = try TestOrigin()
        let proxy = try TestProxy(forward: driver, allow: ["127.0.0.0/8"]) {
            $0.denyDestinations = [":\(closed.port)"]
        }
        #expect(try status("GET http://\(closed.address)/ HTTP/1.1\r\nHost: x\r\n\r\n", proxy) == 403)
        let client = try proxy.connect()
        try client.send("GET http://\(open.address)/ HTTP/1.1\r\nHost: x\r\n\r\n")
        let upstream = try open.accept()
        _ = try upstream.receiveHead()
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)

        // A rule for one port of an address.
        let narrow = try TestProxy(forward: driver, allow: ["127.0.0.1:\(open.port)"])
        #expect(try status("GET http://\(closed.address)/ HTTP/1.1\r\nHost: x\r\n\r\n", narrow) == 403)
        let other = try narrow.connect()
        try other.send("GET http://\(open.address)/ HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = try open.accept().receiveHead()
        #expect(closed.acceptNow() == nil)
    }

    @Test("Names are resolved, and keep their name upstream", arguments: TestDriver.offered)
    func names(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let names = try NameServer(["origin.test": ["127.0.0.1"]])
        defer { names.stop() }
        let proxy = try TestProxy(forward: driver) { $0.dnsServers = [names.address] }
        let target = "origin.test:\(origin.port)"
        let client = try proxy.connect()
        try client.send("GET http://\(target)/ HTTP/1.1\r\nHost: x\r\n\r\n")
        let upstream = try origin.accept()
        try upstream.expect("GET / HTTP/1.1\r\nHost: \(target)\r\n\r\n")
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        // Known now, in whatever case it is written.
        try client.send("GET http://ORIGIN.test:\(origin.port)/ HTTP/1.1\r\nHost: x\r\n\r\n")
        try upstream.expect("GET / HTTP/1.1\r\nHost: ORIGIN.test:\(origin.port)\r\n\r\n")
        #expect(proxy[.namesAsked] == 1)
    }

    @Test("The next address is tried when one refuses", arguments: TestDriver.offered)
    func nextAddress(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        // Nobody listens on this port of the other two.
        let names = try NameServer(["origin.test": ["127.0.0.2", "127.0.0.3", "127.0.0.1"]])
        defer { names.stop() }
        let proxy = try TestProxy(forward: driver) { $0.dnsServers = [names.address] }
        let client = try proxy.connect()
        try client.send("GET http://origin.test:\(origin.port)/ HTTP/1.1\r\nHost: x\r\n\r\n")
        let upstream = try origin.accept()
        _ = try upstream.receiveHead()
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test("A name that does not resolve is a 502", arguments: TestDriver.offered)
    func unknownName(_ driver: TestDriver) throws {
        let names = try NameServer(["broken.test": []])
        defer { names.stop() }
        let proxy = try TestProxy(forward: driver) { $0.dnsServers = [names.address] }
        let client = try proxy.connect()
        for _ in 0..<2 {
            try client.send("GET http://nowhere.invalid/ HTTP/1.1\r\nHost: x\r\n\r\n")
            let (head, body) = try client.receiveResponse()
            #expect(head.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
            #expect(body == "the host name has no address\n")
        }
        #expect(
            try status("CONNECT nowhere.invalid:443 HTTP/1.1\r\nHost: nowhere.invalid:443\r\n\r\n", proxy)
                == 502)
        #expect(try status("GET http://broken.test/ HTTP/1.1\r\nHost: x\r\n\r\n", proxy) == 502)
    }

    @Test("Many requests for one unknown name are one question", arguments: TestDriver.offered)
    func sharedQuestion(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let names = try NameServer(["origin.test": ["127.0.0.1"]])
        defer { names.stop() }
        let proxy = try TestProxy(forward: driver) { $0.dnsServers = [names.address] }
        var clients: [TestSocket] = []
        for _ in 0..<20 {
            let client = try proxy.connect()
            try client.send("GET http://origin.test:\(origin.port)/ HTTP/1.1\r\nHost: x\r\n\r\n")
            clients.append(client)
        }
        var upstreams: [TestSocket] = []
        for _ in clients {
            let upstream = try origin.accept()
            _ = try upstream.receiveHead()
            upstreams.append(upstream)
        }
        for upstream in upstreams { try upstream.send(Messages.ok) }
        for client in clients { try client.expect(Messages.ok) }
        #expect(proxy[.namesAsked] <= 2)
    }
}
