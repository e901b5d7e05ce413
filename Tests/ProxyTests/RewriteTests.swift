import CPosix
import Testing

@testable import UringProxy

@Suite("Rewrites", .blocking)
struct RewriteTests {
    private func route(
        _ path: String?, _ rewrite: RouteConfiguration.Rewrite, cluster: String = "a"
    ) -> RouteConfiguration {
        RouteProxy.route {
            $0.path = path
            $0.rewrite = rewrite
            $0.cluster = cluster
        }
    }

    /// What the origin is asked for, when these are asked for.
    private func exchange(
        _ client: TestSocket, _ upstream: inout TestSocket?, _ origin: TestOrigin, _ request: String,
        _ expected: String
    ) throws {
        try client.send(request)
        let connection = try upstream ?? origin.accept()
        upstream = connection
        try connection.expect(expected)
        try connection.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test(
        "Paths are made of captures, the query stays unless the template has one",
        arguments: TestDriver.offered)
    func paths(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try RouteProxy.start(
            driver, [origin],
            [
                route("/users/{id}/posts/{post}", .init(path: "/p/{post}/of-{id}")),
                route("/files/{rest...}", .init(path: "/static/{rest}")),
                route("/fixed/*", .init(path: "/one?a=1")),
                route("/search/{word}", .init(path: "/find{query}")),
                route("/find/{word}", .init(path: "/find?q={word}")),
                route("~^/v([0-9]+)/(.*)$", .init(path: "/api/{2}/{1}")),
                route("/all/*", .init(path: "{path}.html")),
                route("/host/*", .init(path: "/{host}{path}")),
            ])
        let client = try proxy.connect()
        var upstream: TestSocket?
        for (target, rewritten) in [
            ("/users/7/posts/a%20b?x=1&y", "/p/a%20b/of-7?x=1&y"), ("/files/a/b/c", "/static/a/b/c"),
            ("/files/", "/static/"), ("/files/?q", "/static/?q"), ("/fixed/x?b=2", "/one?a=1"),
            ("/search/a?b", "/find?b"), ("/search/a", "/find"), ("/find/x?y", "/find?q=x"),
            ("/v2/a/b?c", "/api/a/b/2?c"), ("/all/x", "/all/x.html"),
            // What is rewritten is the normal path: what a client put into it does not lead out of it.
            ("/all/y/../x?d", "/all/x.html?d"), ("//files//%61", "/static/a"), ("/host/x", "/h/host/x"),
        ] {
            try exchange(
                client, &upstream, origin, RouteProxy.get(target), RouteProxy.get(rewritten))
        }
        // In absolute form too: it goes on in origin form.
        try exchange(
            client, &upstream, origin, RouteProxy.get("http://h/files/x?y"), RouteProxy.get("/static/x?y"))
        #expect(proxy[.upstreamOpened] == 1)
    }

    @Test("A prefix is replaced or taken off", arguments: TestDriver.offered)
    func prefixes(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try RouteProxy.start(
            driver, [origin],
            [
                route("/api/v1/*", .init(prefix: "/new/")), route("/app/*", .init(prefix: "/")),
                route("/*", .init(prefix: "/base")),
            ])
        let client = try proxy.connect()
        var upstream: TestSocket?
        for (target, rewritten) in [
            ("/api/v1", "/new"), ("/api/v1/", "/new/"), ("/api/v1/x?y", "/new/x?y"), ("/app", "/"),
            ("/app?x", "/?x"), ("/app/", "/"), ("/app/a/b?c", "/a/b?c"), ("/apple", "/base/apple"),
            ("/x/../app/y", "/y"), ("/", "/base/"), ("/%61pp/z", "/z"),
        ] {
            try exchange(
                client, &upstream, origin, RouteProxy.get(target), RouteProxy.get(rewritten))
        }
        // It has no path that could be rewritten.
        try exchange(
            client, &upstream, origin, RouteProxy.get("/app/", method: "OPTIONS"),
            RouteProxy.get("/", method: "OPTIONS"))
    }

    @Test(
        "What is rewritten is a target that can be read in one way, and not too long",
        arguments: TestDriver.offered)
    func refused(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try RouteProxy.start(
            driver, [origin],
            [
                route("~^/a(.*)$", .init(path: "/files/{1}")),
                route("/long/{x}", .init(path: "/{x}/{x}/{x}")),
            ]
        ) { $0.limitURIBytes = 100 }
        let client = try proxy.connect()
        try client.send(RouteProxy.get("/a../secret"))
        let answer = try client.receiveResponse()
        #expect(answer.head.hasPrefix("HTTP/1.1 400 "))
        try client.send(RouteProxy.get("/long/\(String(repeating: "x", count: 40))"))
        let long = try client.receiveResponse()
        #expect(long.head.hasPrefix("HTTP/1.1 414 "))
        #expect(long.body == "the target that the route makes of this one is too long; see --limit-uri\n")
        // The connection goes on.
        var upstream: TestSocket?
        try exchange(client, &upstream, origin, RouteProxy.get("/ax"), RouteProxy.get("/files/x"))
    }

    @Test("Host is kept, fixed, or the endpoint's", arguments: TestDriver.offered)
    func hosts(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try RouteProxy.start(
            driver, [origin],
            [
                route("/fixed", .init(host: "inner.test:8080")), route("/up", .init(host: "upstream")),
                route(nil, .init()),
            ])
        let client = try proxy.connect()
        var upstream: TestSocket?
        for (path, host) in [("/fixed", "inner.test:8080"), ("/up", origin.address), ("/", "h")] {
            try exchange(
                client, &upstream, origin, RouteProxy.get(path, "A: b\r\n"),
                RouteProxy.get(path, host: host, "A: b\r\n"))
        }
        let old = try proxy.connect()
        try old.send("GET /fixed HTTP/1.0\r\n\r\n")
        let other = try upstream ?? origin.accept()
        try other.expect("GET /fixed HTTP/1.1\r\nHost: inner.test:8080\r\n\r\n")
        try other.send(Messages.ok)
        try old.expect("HTTP/1.1 200 OK\r\n")
    }

    @Test("X-Forwarded-Host tells the host that was asked for", arguments: TestDriver.offered)
    func forwardedHost(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try RouteProxy.start(
            driver, [origin], [route(nil, .init(path: "/x", host: "inner.test"))]
        ) {
            $0.xForwarded = .replace
        }
        let client = try proxy.connect()
        try client.send(RouteProxy.get("/y", host: "outer.test"))
        let upstream = try origin.accept()
        try upstream.expect(
            "GET /x HTTP/1.1\r\nHost: inner.test\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: outer.test\r\n\r\n"
        )
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test("Where another endpoint has to take the request, Host is that one's", arguments: TestDriver.offered)
    func failover(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let dead = try TestOrigin.nobody()
        let proxy = try RouteProxy.start(
            driver, [],
            [
                RouteProxy.route {
                    $0.cluster = "a"
                    $0.rewrite = .init(host: "upstream")
                    $0.responseEdits = .init(set: [.init(name: "X-From", value: "<{endpoint}>")])
                }
            ]
        ) {
            $0.clusters = [
                ClusterConfiguration(name: "a", endpoints: [dead, origin.address])
            ]
        }
        let client = try proxy.connect()
        var upstream: TestSocket?
        for number in 0..<4 {
            try client.send("POST /\(number) HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
            let connection = try upstream ?? origin.accept()
            upstream = connection
            try connection.expect(
                "POST /\(number) HTTP/1.1\r\nHost: \(origin.address)\r\nContent-Length: 3\r\n\r\nabc")
            try connection.send(Messages.ok)
            try client.expect(
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-From: <\(origin.address)>\r\n\r\nhi")
        }
        #expect(proxy[.retries] >= 1)
    }

    @Test("A unix socket is localhost to its upstream", arguments: TestDriver.offered)
    func hostOfSocket(_ driver: TestDriver) throws {
        let origin = try TestOrigin("unix:@uproxy-rewrite-\(cposix_monotonic_nanoseconds())")
        let proxy = try RouteProxy.start(driver, [origin], [route(nil, .init(host: "upstream"))])
        let client = try proxy.connect()
        var upstream: TestSocket?
        try exchange(
            client, &upstream, origin, RouteProxy.get("/"), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    }
}
