import TestSupport
import Testing

@testable import UringProxy

@Suite("Mirroring", .blocking)
struct MirrorTests {
    /// Requests go to the first origin, and copies of them to the second.
    private func proxy(
        _ driver: TestDriver, _ origins: [TestOrigin], share: Int = 100,
        _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        let route = RouteProxy.route {
            $0.cluster = "a"
            $0.mirror = .init(cluster: "b", share: share)
        }
        return try RouteProxy.start(driver, origins, [route], change: change)
    }

    private func post(_ body: String) -> String {
        "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test("A copy goes to the mirror, byte for byte, and its answer to nobody", arguments: TestDriver.offered)
    func copies(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try proxy(driver, origins)
        let client = try proxy.connect()
        var connections: [TestSocket] = []
        let answers = [
            "HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
            "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            "HTTP/1.1 204 No\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + text(pattern(300_000)),
        ]
        for (number, answer) in answers.enumerated() {
            let request = number % 2 == 0 ? post("body \(number)") : RouteProxy.get("/\(number)")
            try client.send(request)
            // Both are kept: the mirror's connection is as good as new after each answer.
            if connections.isEmpty { connections = try origins.map { try $0.accept() } }
            try connections[1].expect(request)
            try connections[1].send(answer)
            try proxy.wait(for: "the mirror's answer") { proxy[.mirrored] == number + 1 }
            try connections[0].expect(request)
            try connections[0].send(Messages.ok)
            try client.expect(Messages.ok)
        }
        try proxy.wait(for: "the end of the last answer") {
            proxy[.exchangesStarted] == proxy[.exchangesFinished]
        }
        #expect(proxy[.upstreamOpened] == 2 && proxy[.mirrorsFailed] == 0)
        // What downstream was not sent does not count as sent.
        #expect(proxy[.responses2xx] == 4 && proxy[.responses5xx] == 0 && proxy[.responses1xx] == 0)
        #expect(proxy[.requests] == 4)
        try connections[1].send("HTTP/1.1 200 OK\r\n")
        try client.send(RouteProxy.get("/last"))
        // What nobody asked for ends a connection of a mirror as any other.
        let other = try origins[1].accept()
        try other.expect(RouteProxy.get("/last"))
    }

    @Test(
        "A mirror that hangs, refuses, resets or times out is not noticed by the client",
        arguments: TestDriver.offered, [UnsteadyOrigin.Mode.dead, .resetting, .hanging, .failing])
    func bad(_ driver: TestDriver, _ mode: UnsteadyOrigin.Mode) throws {
        let mirror = try UnsteadyOrigin("b")
        mirror.become(mode)
        let origin = try UnsteadyOrigin("a")
        let route = RouteProxy.route {
            $0.cluster = "a"
            $0.mirror = .init(cluster: "b")
            $0.timeouts.upstream = .seconds(1)
        }
        let proxy = try RouteProxy.start(driver, [], [route]) {
            $0.threads = 2
            $0.clusters = [
                ClusterConfiguration(name: "a", endpoints: [origin.address]),
                ClusterConfiguration(name: "b", endpoints: [mirror.address]),
            ]
            $0.clusters[1].outliers.mostEjected = 0
        }
        let clients = try (0..<3).map { _ in try proxy.connect() }
        for number in 0..<30 {
            try clients[number % 3].send(RouteProxy.get("/\(number)"))
            let (head, body) = try clients[number % 3].receiveResponse()
            #expect(head.hasPrefix("HTTP/1.1 200 ") && body == "a")
        }
        let counter = mode == .failing ? Counter.mirrored : .mirrorsFailed
        try proxy.wait(for: "30 of \(counter)") { proxy[counter] == 30 }
        #expect(proxy[.responses2xx] == 30 && proxy[.responses5xx] == 0)
        #expect(proxy.failures(.connectRefused) + proxy.failures(.upstreamTimeout) == 0)
        proxy.end()
        origin.end()
        mirror.end()
    }

    @Test("No more are under way at a time than may be", arguments: TestDriver.offered)
    func bounded(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try proxy(driver, origins) {
            $0.limitMirrored = 2
            $0.timeoutUpstream = .seconds(60)
        }
        let client = try proxy.connect()
        var upstream: TestSocket?
        var mirrors: [TestSocket] = []
        func exchange(_ number: Int) throws {
            try client.send(RouteProxy.get("/\(number)"))
            let connection = try upstream ?? origins[0].accept()
            upstream = connection
            try connection.expect(RouteProxy.get("/\(number)"))
            try connection.send(Messages.ok)
            try client.expect(Messages.ok)
        }
        for number in 0..<5 { try exchange(number) }
        #expect(proxy[.mirrorsBusy] == 3)
        for number in 0..<2 {
            mirrors.append(try origins[1].accept())
            try mirrors[number].expect(RouteProxy.get("/\(number)"))
        }
        try mirrors[1].send(Messages.ok)
        try proxy.wait(for: "room for another one") { proxy[.mirrored] == 1 }
        try exchange(5)
        try mirrors[1].expect(RouteProxy.get("/5"))
        #expect(proxy[.mirrorsBusy] == 3)
        // Nothing waits for those that hang.
        proxy.server.drain()
        proxy.waitForDrain()
    }

    @Test(
        "Long and late bodies and upgrades are not mirrored, and the bodies counted",
        arguments: TestDriver.offered)
    func bodies(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try proxy(driver, origins)
        let late = post("late")
        for (parts, isCounted) in [
            ([post(text(pattern(5000)))], true), ([String(late.dropLast(4)), "late"], true),
            (
                ["POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n0\r\n\r\n"],
                true
            ),
            ([RouteProxy.get("/a", "Upgrade: echo\r\nConnection: Upgrade\r\n")], false),
        ] {
            let before = proxy[.mirrorsWithoutBody]
            let client = try proxy.connect()
            try client.send(parts[0])
            let upstream = try origins[0].accept()
            for part in parts {
                if part != parts[0] { try client.send(part) }
                try upstream.expect(part)
            }
            try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            try client.expect("HTTP/1.1 200 OK\r\n")
            #expect(proxy[.mirrorsWithoutBody] - before == (isCounted ? 1 : 0))
        }
        #expect(origins[1].acceptNow() == nil && proxy[.mirrored] == 0)
    }

    @Test("A share of none, and of a half", arguments: TestDriver.offered)
    func share(_ driver: TestDriver) throws {
        let origins = try ["a", "b"].map { try UnsteadyOrigin($0) }
        for (share, range) in [(0, 0...0), (50, 60...140)] {
            let before = origins[1].requests
            let route = RouteProxy.route {
                $0.cluster = "a"
                $0.mirror = .init(cluster: "b", share: share)
            }
            let proxy = try RouteProxy.start(driver, [], [route]) {
                $0.clusters = zip(["a", "b"], origins).map {
                    ClusterConfiguration(name: $0, endpoints: [$1.address])
                }
            }
            let client = try proxy.connect()
            for _ in 0..<200 {
                try client.send(RouteProxy.get("/a"))
                #expect(try client.receiveResponse().body == "a")
            }
            try proxy.wait(for: "the last copies") { proxy[.exchangesStarted] == proxy[.exchangesFinished] }
            #expect(range.contains(origins[1].requests - before))
            #expect(Int(proxy[.mirrored]) == origins[1].requests - before)
            proxy.end()
        }
        for origin in origins { origin.end() }
    }

    @Test("The mirror's cluster has its host, its limits and its health", arguments: TestDriver.offered)
    func cluster(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let route = RouteProxy.route {
            $0.cluster = "a"
            $0.rewrite.host = "upstream"
            $0.responseEdits.set = [.init(name: "X-Seen", value: "{endpoint}")]
            $0.mirror = .init(cluster: "b")
        }
        let proxy = try RouteProxy.start(driver, origins, [route]) {
            $0.clusters[1].limits.requests = 1
            $0.clusters[1].outliers.consecutive = 1
            $0.clusters[1].panic = 0
            $0.clusters[1].endpoints.append("127.0.0.1:1")
            $0.clusters[1].outliers.mostEjected = 100
        }
        let client = try proxy.connect()
        try client.send(RouteProxy.get("/a"))
        let upstream = try origins[0].accept()
        try upstream.expect(RouteProxy.get("/a", host: origins[0].address))
        // The other endpoint refuses, and is the mirror's to find out.
        let mirror = try origins[1].accept()
        try mirror.expect(RouteProxy.get("/a", host: origins[1].address))
        for number in 0..<3 {
            if number > 0 {
                try client.send(RouteProxy.get("/a"))
                try upstream.expect(RouteProxy.get("/a", host: origins[0].address))
            }
            try upstream.send(Messages.ok)
            let answer = try client.receiveResponse()
            #expect(answer.head.contains("X-Seen: \(origins[0].address)\r\n"))
        }
        #expect(proxy[.mirrorsBusy] == 2)
        try mirror.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        try proxy.wait(for: "the mirror's answer") { proxy[.mirrored] == 1 }
    }

    @Test("The explanation says what is copied, and on what condition")
    func explained() throws {
        var configuration = Configuration()
        configuration.listeners = [ListenerConfiguration(address: "127.0.0.1:1", routes: "s")]
        configuration.clusters = ["a", "b"].map {
            ClusterConfiguration(name: $0, endpoints: ["127.0.0.1:9"])
        }
        let route = RouteProxy.route {
            $0.split = [.init(cluster: "a", weight: 1), .init(cluster: "b", weight: 1)]
            $0.mirror = .init(cluster: "b", share: 10)
        }
        configuration.routes = [RouteListConfiguration(name: "s", routes: [route])]
        for (method, fields, wanted) in [
            ("GET", [], "10% of such requests to b"),
            ("POST", ["Content-Length: 0"], "10% of such requests to b"),
            ("POST", ["Content-Length: 4096"], "10% of such requests to b, if the body comes with the head"),
            (
                "POST", ["Content-Length: 4097"],
                "none: of bodies only those of known length up to 4KiB are mirrored"
            ),
            (
                "POST", ["Transfer-Encoding: chunked"],
                "none: of bodies only those of known length up to 4KiB are mirrored"
            ),
            ("GET", ["Upgrade: echo", "Connection: Upgrade"], "none: an upgrade is not mirrored"),
        ] as [(String, [String], String)] {
            let text = try Explanation(
                method: method, target: "http://h/", fields: fields, source: "192.0.2.7", listener: nil,
                configuration: configuration, file: nil
            ).text
            let line = text.split(separator: "\n").first { $0.hasPrefix("mirror ") }
            #expect(line?.drop { $0 != " " }.drop { $0 == " " } == wanted[...], "\(text)")
        }
    }

    @Test("Copies under way outlive the configuration that asked for them", arguments: TestDriver.offered)
    func reload(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try proxy(driver, origins)
        let client = try proxy.connect()
        try client.send(RouteProxy.get("/a"))
        let connections = try origins.map { try $0.accept() }
        for connection in connections { try connection.expect(RouteProxy.get("/a")) }
        var other = proxy.configuration
        other.routes[0].routes[0].mirror = nil
        other.clusters.removeLast()
        _ = try proxy.server.reload(other)
        try connections[0].send(Messages.ok)
        try client.expect(Messages.ok)
        try connections[1].send(Messages.ok)
        try proxy.wait(for: "the mirror's answer") { proxy[.mirrored] == 1 }
        try client.send(RouteProxy.get("/b"))
        try connections[0].expect(RouteProxy.get("/b"))
        try connections[0].send(Messages.ok)
        try client.expect(Messages.ok)
        // Its endpoint has gone, so that nobody keeps the connection.
        #expect(try connections[1].receiveUntilClosed().0 == "")
        #expect(origins[1].acceptNow() == nil)
    }
}
