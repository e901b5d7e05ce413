import Testing

@testable import UringProxy

@Suite("Routes", .blocking)
struct RouteTests {
    private func proxy(
        _ driver: TestDriver, _ origins: [TestOrigin], _ routes: [RouteConfiguration],
        change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        try RouteProxy.start(driver, origins, routes, change: change)
    }

    private func route(_ change: (inout RouteConfiguration) -> Void) -> RouteConfiguration {
        RouteProxy.route(change)
    }

    private func get(_ path: String, host: String = "h", method: String = "GET", _ more: String = "")
        -> String
    {
        RouteProxy.get(path, host: host, method: method, more)
    }

    @Test(
        "Host and path decide to which cluster a request goes, on one connection as well",
        arguments: TestDriver.offered)
    func clusters(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin(), try TestOrigin()]
        let proxy = try proxy(
            driver, origins,
            [
                route {
                    $0.hosts = ["*.example.org"]
                    $0.cluster = "a"
                },
                route {
                    $0.path = "/b/*"
                    $0.cluster = "b"
                },
                route { $0.cluster = "c" },
            ])
        let client = try proxy.connect()
        var upstreams: [TestSocket?] = [nil, nil, nil]
        for (request, index) in [
            (get("/b/x", host: "www.example.org:81"), 0), (get("/b/x"), 1), (get("/bx"), 2),
            (get("/c/../b"), 1),
            (get("/%62/"), 1), (get("/", host: "WWW.Example.ORG."), 0), (get("/"), 2),
        ] {
            try client.send(request)
            let upstream = try upstreams[index] ?? origins[index].accept()
            upstreams[index] = upstream
            // What is forwarded is the target as received.
            try upstream.expect(request)
            try upstream.send(Messages.ok)
            try client.expect(Messages.ok)
        }
        #expect(proxy[.upstreamOpened] == 3)
        #expect(proxy[.localResponses] == 0)
    }

    @Test(
        "Replies and redirections need no upstream, and the connection goes on", arguments: TestDriver.offered
    )
    func replies(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(
            driver, [origin],
            [
                route {
                    $0.path = "/fixed"
                    $0.response = .init(status: 418, body: "short and stout\n", type: "text/x-pot")
                },
                route {
                    $0.path = "/empty"
                    $0.response = .init(status: 204)
                },
                route {
                    $0.path = "/old/*"
                    $0.redirect = .init(target: "https://{host}{path}{query}", status: 301)
                },
                route {
                    $0.path = "/users/{id}"
                    $0.redirect = .init(target: "/people/{id}")
                },
                route {
                    $0.path = "/up"
                    $0.cluster = "a"
                },
            ])
        let client = try proxy.connect()
        // All of them in one go: answers come in order.
        try client.send(
            get("/fixed") + get("/fixed", method: "HEAD") + get("/empty")
                + get("/old/a%20b?q=1&r", host: "example.org:8081")
                + get("/old", host: "[2001:db8::1]:80") + get("/users/7?x") + get("/none") + get("/%")
                + get("/up"))
        let fixed = "HTTP/1.1 418 I'm a teapot\r\nContent-Type: text/x-pot\r\nContent-Length: 16\r\n\r\n"
        try client.expect(fixed + "short and stout\n" + fixed)
        try client.expect("HTTP/1.1 204 No Content\r\n\r\n")
        func redirect(_ status: String, _ location: String) -> String {
            "HTTP/1.1 \(status)\r\nLocation: \(location)\r\nContent-Length: 0\r\n\r\n"
        }
        try client.expect(redirect("301 Moved Permanently", "https://example.org/old/a%20b?q=1&r"))
        try client.expect(redirect("301 Moved Permanently", "https://[2001:db8::1]/old"))
        try client.expect(redirect("308 Permanent Redirect", "/people/7"))
        try client.expect("HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 28\r\n\r\n")
        try client.expect("no route takes this request\n")
        try client.expect(
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 73\r\n\r\n")
        try client.expect("the path can be read in more than one way, or has a bad percent-encoding\n")
        let upstream = try origin.accept()
        try upstream.expect(get("/up"))
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        #expect(proxy[.localResponses] == 8)
    }

    @Test(
        "A reply to a request whose body has not been taken ends the connection",
        arguments: TestDriver.offered)
    func replyBeforeBody(_ driver: TestDriver) throws {
        let proxy = try proxy(driver, [], [route { $0.response = .init(status: 200, body: "x") }])
        let client = try proxy.connect()
        try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
        try client.expect(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"
        )
        try client.expectEnd()
    }

    @Test("Methods, fields, query and source decide as well", arguments: TestDriver.offered)
    func conditions(_ driver: TestDriver) throws {
        func answer(_ text: String) -> RouteConfiguration.Response { .init(body: text, type: "t/t") }
        let proxy = try proxy(
            driver, [],
            [
                route {
                    $0.methods = ["PUT", "PROPFIND"]
                    $0.response = answer("m")
                },
                route {
                    $0.headers = [.init(name: "X-Canary", value: "yes*")]
                    $0.response = answer("h")
                },
                route {
                    $0.query = [.init(name: "v", value: "~^[23]$")]
                    $0.response = answer("q")
                },
                route {
                    $0.sources = ["127.0.0.0/8"]
                    $0.path = "/own"
                    $0.response = answer("s")
                },
                route {
                    $0.sources = ["10.0.0.0/8"]
                    $0.path = "/own"
                    $0.response = answer("?")
                },
                route { $0.response = answer("-") },
            ])
        let client = try proxy.connect()
        for (request, wanted) in [
            (get("/", method: "PROPFIND"), "m"), (get("/", "x-canary: yes!\r\n"), "h"),
            (get("/?a&v=%33"), "q"),
            (get("/?v=4"), "-"), (get("/own"), "s"), (get("/", "X-Canary: no\r\n"), "-"),
        ] {
            try client.send(request)
            try client.expect("HTTP/1.1 200 OK\r\nContent-Type: t/t\r\nContent-Length: 1\r\n\r\n\(wanted)")
        }
    }

    @Test(
        "A request without Host gets a redirection that needs none, or a 400", arguments: TestDriver.offered)
    func withoutHost(_ driver: TestDriver) throws {
        let proxy = try proxy(
            driver, [],
            [
                route {
                    $0.path = "/a"
                    $0.redirect = .init(target: "/b", status: 302)
                },
                route { $0.redirect = .init(target: "https://{host}/", status: 302) },
            ])
        for (path, status) in [("/a", "302 Found"), ("/c", "400 Bad Request")] {
            let client = try proxy.connect()
            try client.send("GET \(path) HTTP/1.0\r\n\r\n")
            try client.expect("HTTP/1.1 \(status)\r\n")
        }
    }

    @Test("Behind a trusted proxy the source of a request is whom that names", arguments: TestDriver.offered)
    func trustedSource(_ driver: TestDriver) throws {
        let routes = [
            route {
                $0.sources = ["192.0.2.0/24"]
                $0.response = .init(body: "s", type: "t/t")
            }, route { $0.response = .init(body: "-", type: "t/t") },
        ]
        for (trusted, wanted) in [(["127.0.0.1"], ["s", "-", "-"]), ([], ["-", "-", "-"])] {
            let proxy = try proxy(driver, [], routes) { $0.trust.trustedProxies = trusted }
            let client = try proxy.connect()
            for (hops, body) in zip(["192.0.2.7", "192.0.2.7, 198.51.100.1", "192.0.2.7, unknown"], wanted) {
                try client.send(get("/", "X-Forwarded-For: \(hops)\r\n"))
                try client.expect("HTTP/1.1 200 OK\r\nContent-Type: t/t\r\nContent-Length: 1\r\n\r\n\(body)")
            }
        }
    }

    @Test("No spelling of a path gets past a route for it", arguments: TestDriver.offered)
    func spellings(_ driver: TestDriver) throws {
        let proxy = try proxy(
            driver, [],
            [
                route {
                    $0.path = "/admin/*"
                    $0.response = .init(status: 403)
                }, route { $0.response = .init(status: 200) },
            ])
        let client = try proxy.connect()
        for (path, status) in [
            ("/admin/x", 403), ("/public/../admin", 403), ("/%61dmin", 403), ("//admin", 403),
            ("/x/%2e%2e/admin", 403),
            ("/public/..%2Fadmin", 400), ("/public/..%2fadmin", 400), ("/%2Fadmin", 400),
            ("/a/.%5Cadmin", 400),
            ("/a%2F%2Fb", 400), ("/a%2Fb", 200), ("/a..%2Fb", 200),
        ] {
            try client.send(get(path))
            let answer = try client.receiveResponse()
            #expect(answer.head.hasPrefix("HTTP/1.1 \(status) "), "\(path): \(answer.head)")
        }
    }

    @Test(
        "An expression that cannot be decided refuses the request, and lets no other route have it",
        arguments: TestDriver.offered)
    func undecided(_ driver: TestDriver) throws {
        let proxy = try proxy(
            driver, [],
            [
                route {
                    $0.query = [.init(name: "q", value: "~^(a+)+$")]
                    $0.response = .init(status: 403)
                }, route { $0.response = .init(status: 200) },
            ])
        let client = try proxy.connect()
        try client.send(
            get("/?q=aaaa") + get("/?q=b") + get("/?q=" + String(repeating: "a", count: 3000) + "b"))
        for status in [403, 200, 400] {
            let answer = try client.receiveResponse()
            #expect(answer.head.hasPrefix("HTTP/1.1 \(status) "), "\(answer.head)")
        }
    }
}
