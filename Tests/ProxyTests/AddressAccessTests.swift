import TestSupport
import Testing

@testable import UringProxy

@Suite("Access by address", .blocking)
struct AddressAccessTests {
    private func route(_ path: String, _ access: AccessConfiguration, sources: [String] = [])
        -> RouteConfiguration
    {
        var route = RouteConfiguration()
        route.path = path
        route.sources = sources
        route.access = access
        route.response = .init(body: "in")
        return route
    }

    /// A proxy whose routes answer themselves.
    private func proxy(
        _ driver: TestDriver, listener: AccessConfiguration = .init(), _ routes: [RouteConfiguration],
        change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        try TestProxy(driver, upstreams: []) { configuration in
            configuration.listenAddresses = []
            configuration.listeners = [ListenerConfiguration(address: "127.0.0.1:0", routes: "s")]
            configuration.listeners[0].access = listener
            configuration.routes = [RouteListConfiguration(name: "s", routes: routes)]
            configuration.addressSets = [
                AddressSetConfiguration(name: "loop", items: ["127.0.0.0/8"]),
                AddressSetConfiguration(name: "far", items: ["192.0.2.0/24", "2001:db8::/32"]),
                AddressSetConfiguration(name: "nobody"),
            ]
            change(&configuration)
        }
    }

    private func status(_ client: TestSocket, _ path: String, _ fields: String = "") throws -> String {
        try client.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")
        return String(try client.receiveResponse().head.dropFirst(9).prefix(3))
    }

    @Test(
        "A route answers 403 to whom it does not let in, and the connection goes on",
        arguments: TestDriver.offered)
    func routes(_ driver: TestDriver) throws {
        let proxy = try proxy(
            driver,
            [
                route("/in", .init(allow: ["loop"])), route("/far", .init(allow: ["far"])),
                route("/denied", .init(deny: ["127.0.0.1"])),
                route("/both", .init(allow: ["loop"], deny: ["127.0.0.1"])),
                route("/others", .init(deny: ["far"])), route("/nobody", .init(allow: ["nobody"])),
                route("/source", .init(), sources: ["far"]), route("/source/*", .init(), sources: ["loop"]),
            ])
        let client = try proxy.connect()
        for (path, expected) in [
            ("/in", "200"), ("/far", "403"), ("/denied", "403"), ("/both", "403"), ("/others", "200"),
            ("/nobody", "403"), ("/source", "200"), ("/source/x", "200"),
        ] {
            #expect(try status(client, path) == expected, "\(path)")
        }
        #expect(proxy.failures(.addressDenied) == 4)
        #expect(proxy[.downstreamAccepted] == 1)
    }

    @Test("The answer of a refusal says why, and no upstream is touched", arguments: TestDriver.offered)
    func answer(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, []) {
            var route = route("/*", .init(deny: ["loop"]))
            route.response = nil
            route.cluster = "a"
            $0.clusters = [ClusterConfiguration(name: "a", endpoints: [origin.address])]
            $0.routes = [RouteListConfiguration(name: "s", routes: [route])]
        }
        let client = try proxy.connect()
        for _ in 0..<2 {
            try client.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
            try client.expect(
                "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 32\r\n\r\nyour address is not let in here\n"
            )
        }
        #expect(proxy[.upstreamOpened] == 0)
    }

    @Test("A listener closes what it does not let in before a byte is read", arguments: TestDriver.offered)
    func listener(_ driver: TestDriver) throws {
        for (access, isIn) in [
            (AccessConfiguration(allow: ["loop"]), true), (.init(allow: ["far"]), false),
            (.init(deny: ["127.0.0.0/8"]), false), (.init(deny: ["far"]), true),
        ] {
            let proxy = try proxy(driver, listener: access, [route("/*", .init())])
            let client = try proxy.connect()
            if isIn {
                #expect(try status(client, "/") == "200")
            } else {
                #expect(try client.receiveUntilClosed().text == "")
                #expect(proxy[.addressRefusals] == 1)
                #expect(proxy[.downstreamAccepted] == 0)
            }
        }
    }

    @Test("A PROXY protocol header says who wants to be let in", arguments: TestDriver.offered)
    func header(_ driver: TestDriver) throws {
        let proxy = try proxy(driver, listener: .init(allow: ["far"]), [route("/*", .init())]) {
            $0.trust.proxyProtocol = .require
        }
        let near = try proxy.connect()
        try near.send("PROXY TCP4 192.0.3.7 198.51.100.9 4711 443\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try near.receiveUntilClosed().text == "")
        let far = try proxy.connect()
        try far.send("PROXY TCP6 2001:db8::7 2001:db8::9 4711 443\r\n")
        #expect(try status(far, "/") == "200")
        #expect(proxy[.addressRefusals] == 1)
    }

    @Test(
        "Behind a trusted proxy whom it names is looked at, request by request", arguments: TestDriver.offered
    )
    func chain(_ driver: TestDriver) throws {
        let proxy = try proxy(
            driver, listener: .init(deny: ["198.51.100.0/24"]),
            [route("/*", .init(allow: ["far", "198.51.100.0/24"]))]
        ) { $0.trust.trustedProxies = ["127.0.0.0/8"] }
        let client = try proxy.connect()
        for (chain, expected) in [
            ("192.0.2.7", "200"), ("192.0.3.7", "403"), ("192.0.2.7, 192.0.3.7", "403"),
            ("198.51.100.1", "403"), ("198.51.100.1, 192.0.2.7", "200"),
        ] {
            #expect(try status(client, "/", "X-Forwarded-For: \(chain)\r\n") == expected, "\(chain)")
        }
        // The proxy itself.
        #expect(try status(client, "/") == "403")
        #expect(proxy[.addressRefusals] == 0)
    }

    @Test("A forward proxy and a relay let in whom they are told to", arguments: TestDriver.offered)
    func roles(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, upstreams: []) { configuration in
            configuration.listenAddresses = []
            configuration.listeners = []
            configuration.allowDestinations = ["127.0.0.0/8"]
            configuration.clusters = [ClusterConfiguration(name: "a", endpoints: [origin.address])]
            for role in [ListenerConfiguration.Role.forward, .tcp] {
                for access in [AccessConfiguration(allow: ["127.0.0.1"]), .init(deny: ["127.0.0.1"])] {
                    var listener = ListenerConfiguration(
                        address: "127.0.0.1:0", role: role, cluster: role == .tcp ? "a" : nil)
                    listener.access = access
                    configuration.listeners.append(listener)
                }
            }
        }
        for (index, request) in [
            (0, "GET http://\(origin.address)/ HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n"),
            (2, Messages.get),
        ] {
            let client = try proxy.connect(index)
            try client.send(request)
            let upstream = try origin.accept()
            _ = try upstream.receiveHead()
            try upstream.send(Messages.ok)
            try client.expect(Messages.ok)
            #expect(try proxy.connect(index + 1).receiveUntilClosed().text == "")
        }
        #expect(proxy[.addressRefusals] == 2)
    }

    @Test("What is explained is what happens")
    func explained() throws {
        var configuration = Configuration()
        configuration.listeners = [ListenerConfiguration(address: "127.0.0.1:1", routes: "s")]
        configuration.listeners[0].access.deny = ["198.51.100.0/24"]
        configuration.addressSets = [AddressSetConfiguration(name: "far", items: ["192.0.2.0/24"])]
        configuration.routes = [
            RouteListConfiguration(name: "s", routes: [route("/*", .init(allow: ["far"]))])
        ]
        for (source, line) in [
            ("198.51.100.7", "denied by 198.51.100.0/24: closed, or 403 behind a trusted proxy"),
            ("192.0.2.7", "allowed by far"), ("192.0.3.7", "allowed by nothing: 403"),
        ] {
            let text = try Explanation(
                method: "GET", target: "http://h/x", fields: [], source: source, listener: nil,
                configuration: configuration, file: nil
            ).text
            #expect(text.contains(line), "\(text)")
            #expect(text.contains("200, 2 bytes") == (source == "192.0.2.7"))
        }
    }
}
