import TestSupport
import Testing

@testable import UringProxy

@Suite("Authentication", .blocking)
struct AuthenticationTests {
    /// The password is "secret".
    private static let users = "ann:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n"
    /// The token is "token-1".
    private static let tokens = "ci:3f08aace122ee2368432c1ca23a049bc640bafbf00fdf33a52429f38ba12dbf9\n"
    private static let right = "Basic YW5uOnNlY3JldA=="
    private static let wrong = "Basic YW5uOndyb25n"

    private let usersFile: TemporaryFile
    private let tokensFile: TemporaryFile

    init() throws {
        usersFile = try TemporaryFile(Self.users)
        tokensFile = try TemporaryFile(Self.tokens)
    }

    private func authentication(_ change: (inout AuthenticationConfiguration) -> Void = { _ in })
        -> AuthenticationConfiguration
    {
        var authentication = AuthenticationConfiguration(name: "staff")
        authentication.realm = "Staff only"
        authentication.usersFile = usersFile.path
        authentication.tokensFile = tokensFile.path
        change(&authentication)
        return authentication
    }

    private func proxy(
        _ driver: TestDriver, _ origin: TestOrigin, change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        try TestProxy(driver, upstreams: []) { configuration in
            configuration.listenAddresses = []
            configuration.listeners = [ListenerConfiguration(address: "127.0.0.1:0", cluster: "a")]
            configuration.listeners[0].access.authentication = "staff"
            configuration.clusters = [ClusterConfiguration(name: "a", endpoints: [origin.address])]
            configuration.authentication = [authentication()]
            change(&configuration)
        }
    }

    private func get(_ credentials: String?, _ more: String = "") -> String {
        "GET / HTTP/1.1\r\nHost: h\r\n" + (credentials.map { "Authorization: \($0)\r\n" } ?? "") + more
            + "\r\n"
    }

    private let challenge =
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"Staff only\", charset=\"UTF-8\"\r\n"
        + "WWW-Authenticate: Bearer realm=\"Staff only\"\r\nContent-Type: text/plain\r\nContent-Length: 46\r\n\r\n"
        + "credentials are needed that are known here\n"

    @Test(
        "Who has no right credentials is asked for some, and no upstream is touched",
        arguments: TestDriver.offered)
    func refused(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin)
        let client = try proxy.connect()
        let long = "Basic " + String(repeating: "YW5u", count: 200)
        for credentials in [
            nil, Self.wrong, Self.wrong, "Bearer token-2", "Digest x", "Basic", "Basic ", "", long,
            "Basic bm9ib2R5OnNlY3JldA==",
        ] as [String?] {
            try client.send(get(credentials))
            let (head, body) = try client.receiveResponse()
            #expect(head + body == challenge.replacing("Length: 46", with: "Length: \(body.utf8.count)"))
        }
        // Two of them may mean two users.
        try client.send(get(Self.right, "Authorization: \(Self.right)\r\n"))
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 401 "))
        #expect(proxy[.upstreamOpened] == 0)
        #expect(proxy.failures(.unauthorized) == 11)
    }

    @Test(
        "Right credentials are taken off, checked once, and upstream is told whose they are",
        arguments: TestDriver.offered)
    func admitted(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin) {
            $0.authentication = [authentication { $0.userField = "X-User" }]
        }
        let client = try proxy.connect()
        var upstream: TestSocket?
        for (credentials, user) in [
            (Self.right, "ann"), (Self.right, "ann"), ("basic   YW5uOnNlY3JldA==", "ann"),
            ("Bearer token-1", "ci"),
        ] {
            try client.send(get(credentials, "x-uSER: root\r\nX-Other: 1\r\n"))
            let socket = try upstream ?? origin.accept()
            upstream = socket
            try socket.expect("GET / HTTP/1.1\r\nHost: h\r\nX-Other: 1\r\nX-User: \(user)\r\n\r\n")
            try socket.send(Messages.ok)
            try client.expect(Messages.ok)
        }
        #expect(proxy[.credentialChecks] == 1)
    }

    @Test("Credentials may be passed on", arguments: TestDriver.offered)
    func passed(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin) {
            $0.authentication = [authentication { $0.passesCredentials = true }]
        }
        let client = try proxy.connect()
        try client.send(get(Self.right))
        let upstream = try origin.accept()
        try upstream.expect(get(Self.right))
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test(
        "A request waits for its check with its body, and the next behind it", arguments: TestDriver.offered)
    func waits(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin)
        let client = try proxy.connect()
        let body = String(repeating: "x", count: 30_000)
        let head = "POST / HTTP/1.1\r\nHost: h\r\n"
        try client.send(
            head + "Authorization: \(Self.right)\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body
                + get("Bearer token-1"))
        let upstream = try origin.accept()
        try upstream.expect(head + "Content-Length: \(body.utf8.count)\r\n\r\n" + body)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        try upstream.expect(get(nil))
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test(
        "A client may be gone before its credentials are checked, many times over",
        arguments: TestDriver.offered)
    func gone(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin)
        for number in 0..<50 {
            let client = try proxy.connect()
            // Other credentials each time: ann, a colon, and what is no password of hers.
            try client.send(get("Basic YW5uOnh4" + String(10_000_000 + number)))
            client.reset()
        }
        try proxy.wait(for: "all to be over") {
            proxy[.downstreamAccepted] == 50 && proxy[.exchangesStarted] == proxy[.exchangesFinished]
                && proxy.downstreamConnections == 0
        }
        #expect(proxy[.credentialChecks] > 0)
        let client = try proxy.connect()
        try client.send(get("Bearer token-1"))
        let upstream = try origin.accept()
        try upstream.expect(get(nil))
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test(
        "A route may ask for others' credentials than its listener, or for nobody's",
        arguments: TestDriver.offered)
    func routes(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin) { configuration in
            configuration.listeners[0].cluster = nil
            configuration.listeners[0].routes = "s"
            func route(_ path: String, _ authentication: String?) -> RouteConfiguration {
                var route = RouteConfiguration()
                route.path = path
                route.access.authentication = authentication
                route.response = .init(body: path)
                return route
            }
            configuration.routes = [
                RouteListConfiguration(
                    name: "s", routes: [route("/health", "off"), route("/ci", "ci"), route("/*", nil)])
            ]
            var ci = authentication()
            ci.name = "ci"
            ci.usersFile = nil
            configuration.authentication.append(ci)
        }
        let client = try proxy.connect()
        for (path, credentials, expected) in [
            ("/health", nil, "200"), ("/x", nil, "401"), ("/x", Self.right, "200"),
            ("/x", "Bearer token-1", "200"),
            ("/ci", nil, "401"), ("/ci", Self.right, "401"), ("/ci", "Bearer token-1", "200"),
            // What no route takes is nobody's secret.
            ("/", nil, "401"),
        ] as [(String, String?, String)] {
            try client.send(get(credentials).replacing("GET / ", with: "GET \(path) "))
            #expect(try client.receiveResponse().head.dropFirst(9).hasPrefix(expected), "\(path)")
        }
    }

    @Test(
        "A request is counted once for a limit, though it waited for a check", arguments: TestDriver.offered)
    func limited(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin) {
            $0.rateLimits = [RateLimitConfiguration(name: "two", rate: RequestRate(2, per: .day))]
            $0.listeners[0].access.rateLimits = ["two"]
        }
        let client = try proxy.connect()
        for expected in ["401", "401", "429"] {
            try client.send(get(Self.wrong))
            #expect(try client.receiveResponse().head.dropFirst(9).hasPrefix(expected))
        }
    }

    @Test("A forward proxy asks with 407, for requests and tunnels", arguments: TestDriver.offered)
    func forward(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, upstreams: []) { configuration in
            configuration.listenAddresses = []
            configuration.allowDestinations = ["127.0.0.0/8"]
            configuration.listeners = [ListenerConfiguration(address: "127.0.0.1:0", role: .forward)]
            configuration.listeners[0].access.authentication = "staff"
            configuration.authentication = [authentication { $0.tokensFile = nil }]
        }
        let client = try proxy.connect()
        let request = "GET http://\(origin.address)/ HTTP/1.1\r\nHost: \(origin.address)\r\n"
        try client.send(request + "Authorization: \(Self.right)\r\n\r\n")
        let (head, body) = try client.receiveResponse()
        #expect(
            head
                == "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"Staff only\", charset=\"UTF-8\"\r\nContent-Type: text/plain\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        )
        // An origin's own credentials are its own.
        try client.send(request + "Proxy-Authorization: \(Self.right)\r\nAuthorization: x\r\n\r\n")
        let upstream = try origin.accept()
        try upstream.expect("GET / HTTP/1.1\r\nHost: \(origin.address)\r\nAuthorization: x\r\n\r\n")
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        let connect = "CONNECT \(origin.address) HTTP/1.1\r\nHost: \(origin.address)\r\n"
        try client.send(connect + "\r\n")
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 407 "))
        // Not known to the cache: spelled otherwise.
        try client.send(connect + "Proxy-Authorization: Basic YW5uOnNlY3JldA\r\n\r\n")
        let tunnel = try origin.accept()
        #expect(try client.receiveHead().hasPrefix("HTTP/1.1 200 "))
        try client.send("ping")
        try tunnel.expect("ping")
        #expect(proxy.failures(.proxyUnauthorized) == 2)
        #expect(proxy[.credentialChecks] == 2)
    }

    @Test("What is explained names limits and credentials, and where they are asked for")
    func explained() throws {
        var configuration = Configuration()
        configuration.listeners = [
            ListenerConfiguration(address: "127.0.0.1:1", routes: "s"),
            ListenerConfiguration(address: "127.0.0.1:2", role: .forward),
        ]
        configuration.listeners[0].access = AccessConfiguration(rateLimits: ["few"], authentication: "staff")
        configuration.listeners[1].access.authentication = "staff"
        configuration.authentication = [authentication()]
        configuration.rateLimits = [
            RateLimitConfiguration(
                name: "few", rate: RequestRate(5, per: .minute), burst: 9, key: .standardPrefix)
        ]
        var open = RouteConfiguration()
        open.path = "/open"
        open.access.authentication = "off"
        open.response = .init(body: "in")
        var other = open
        other.path = nil
        other.access = AccessConfiguration()
        configuration.routes = [RouteListConfiguration(name: "s", routes: [open, other])]
        for (method, target, line) in [
            ("GET", "http://h/open", "authentication  none"),
            ("GET", "http://h/x", "authentication  Basic or Bearer credentials of 'staff', else 401"),
            ("CONNECT", "h:443", "authentication  Basic or Bearer credentials of 'staff', else 407"),
            ("GET", "http://h/x", "rate limit      5/m by prefix:24/64, 9 at once, 429 beyond it"),
        ] {
            let text = try Explanation(
                method: method, target: target, fields: [], source: "192.0.2.7", listener: nil,
                configuration: configuration, file: nil
            ).text
            #expect(text.contains(line), "\(text)")
        }
    }

    @Test(
        "Credentials that were meant for this proxy do not reach its parent; who asks does, but no other origin",
        arguments: TestDriver.offered)
    func parent(_ driver: TestDriver) throws {
        let parent = try TestOrigin()
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver, allow: ["*", "127.0.0.0/8"]) { configuration in
            configuration.forwardAddresses = []
            configuration.listeners = [
                ListenerConfiguration(address: "127.0.0.1:0", role: .forward, parent: "up")
            ]
            configuration.listeners[0].access.authentication = "staff"
            configuration.clusters = [ClusterConfiguration(name: "up", endpoints: [parent.address])]
            configuration.authentication = [authentication { $0.userField = "X-User" }]
            configuration.parentAuthorization = .pass
            configuration.directDestinations = ["127.0.0.0/8"]
        }
        let client = try proxy.connect()
        for (place, socket, target, user) in [
            ("a.test", parent, "http://a.test/", "X-User: ann\r\n"), (origin.address, origin, "/", ""),
        ] {
            try client.send(
                "GET http://\(place)/ HTTP/1.1\r\nHost: \(place)\r\nProxy-Authorization: \(Self.right)\r\nX-User: root\r\n\r\n"
            )
            let upstream = try socket.accept()
            try upstream.expect("GET \(target) HTTP/1.1\r\nHost: \(place)\r\n\(user)\r\n")
            try upstream.send(Messages.ok)
            try client.expect(Messages.ok)
        }
    }

    @Test(
        "Nobody names a user but the proxy: not where nobody is asked, not spelled otherwise, not in trailers",
        arguments: TestDriver.offered)
    func spoofed(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin) { configuration in
            configuration.authentication = [authentication { $0.userField = "X-User" }]
            configuration.listeners[0].cluster = nil
            configuration.listeners[0].routes = "s"
            func route(_ path: String, _ authentication: String?) -> RouteConfiguration {
                var route = RouteConfiguration()
                route.path = path
                route.access.authentication = authentication
                route.cluster = "a"
                route.requestEdits.set = [.init(name: "X-Seen", value: "{header:X-User}{header:X_User}")]
                return route
            }
            configuration.routes = [
                RouteListConfiguration(name: "s", routes: [route("/open", "off"), route("/*", nil)])
            ]
        }
        let client = try proxy.connect()
        let spoofed = "X-User: root\r\nx_uSER: root\r\nX-Users: 1\r\n"
        let chunks = "2\r\nhi\r\n0\r\n"
        var upstream: TestSocket?
        for (path, credentials, user) in [
            ("/open", nil, ""), ("/open", Self.right, ""), ("/x", Self.right, "X-User: ann\r\n"),
        ] as [(String, String?, String)] {
            let line = credentials.map { "Authorization: \($0)\r\n" } ?? ""
            try client.send(
                "POST \(path) HTTP/1.1\r\nHost: h\r\n\(spoofed)\(line)Transfer-Encoding: chunked\r\n\r\n\(chunks)x_user: root\r\nX-User: root\r\nX-Sum: 1\r\n\r\n"
            )
            let socket = try upstream ?? origin.accept()
            upstream = socket
            let passed = path == "/open" ? line : ""
            try socket.expect(
                "POST \(path) HTTP/1.1\r\nHost: h\r\nX-Users: 1\r\n\(passed)Transfer-Encoding: chunked\r\n\(user)\r\n\(chunks)X-Sum: 1\r\n\r\n"
            )
            // What the origin says is its own.
            let answer =
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)X-User: me\r\n\r\n"
            try socket.send(answer)
            try client.expect(answer)
        }
    }
}
