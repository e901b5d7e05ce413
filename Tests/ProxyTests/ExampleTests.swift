import CPosix
import Testing

@testable import UringProxy

/// The configurations in `Tests/Examples`, started as they are but for their addresses.
@Suite("Examples", .blocking)
struct ExampleTests {
    private func start(
        _ driver: TestDriver, _ name: String, _ environment: [String: String]
    ) throws -> TestProxy {
        let path = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(
            separator: "/")
        let file: ConfigurationFile
        do throws(FileProblems) {
            file = try ConfigurationFile(reading: "\(path)/Examples/\(name)") { environment[$0] }
        } catch { throw TestFailure("\(name): \(error.all)") }
        #expect(file.problems(with: file.configuration) == [])
        return try TestProxy(driver, upstreams: []) { configuration in
            let (io, via, xForwarded) = (configuration.io, configuration.via, configuration.xForwarded)
            configuration = file.configuration
            (configuration.io, configuration.via, configuration.xForwarded) = (io, via, xForwarded)
            configuration.threads = 1
            configuration.pin = false
            configuration.memoryBytes = 32 << 20
        }
    }

    private func get(_ path: String, _ host: String) -> String {
        "GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\r\n"
    }

    @Test(
        "edge.yaml: two services, networks of our own, redirections and a 404", arguments: TestDriver.offered)
    func edge(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin(), try TestOrigin()]
        let proxy = try start(
            driver, "edge.yaml",
            [
                "SITE": "127.0.0.1:0", "APP": origins[0].address, "APP2": origins[1].address,
                "ASSETS": origins[2].address,
                "ADMIN": "127.0.0.1:0",
            ])
        let client = try proxy.connect()
        // The application's instances take turns, whichever begins.
        var upstreams: [TestSocket] = []
        for (path, host) in [
            ("/", "example.org"), ("/admin/x", "example.org"), ("/assets/a.css", "www.example.org"),
        ] {
            try client.send(get(path, host))
            let deadline = cposix_monotonic_nanoseconds() + TestSocket.patience
            var found: TestSocket?
            while found == nil, cposix_monotonic_nanoseconds() < deadline {
                let candidates = path.hasPrefix("/assets") ? origins[2...] : origins[..<2]
                for candidate in candidates where found == nil { found = candidate.acceptNow() }
            }
            let upstream = try #require(found)
            try upstream.expect(get(path, host))
            try upstream.send(
                "HTTP/1.1 200 OK\r\nX-Powered-By: test\r\nServer: test\r\nContent-Length: 0\r\n\r\n")
            try client.expect("HTTP/1.1 200 OK\r\nServer: test\r\nContent-Length: 0\r\n\r\n")
            upstreams.append(upstream)
        }
        // What may be asked for again is, and elsewhere.
        try client.send(get("/busy", "example.org"))
        let busy = try next(upstreams.prefix(2), get("/busy", "example.org"))
        try busy.send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        let other = try next(upstreams.prefix(2), get("/busy", "example.org"))
        #expect(other.descriptor != busy.descriptor)
        try other.send(Messages.ok)
        try client.expect(Messages.ok)
        let login = "POST /login HTTP/1.1\r\nHost: example.org\r\nContent-Length: 0\r\n\r\n"
        for round in 0..<5 {
            try client.send(login)
            // In turn: the request before went to the other one.
            let upstream = try next(upstreams.prefix(2), login)
            // What may have had its effect is not asked for twice.
            if round == 0 {
                try upstream.send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
                #expect(try client.receiveHead().hasPrefix("HTTP/1.1 503 "))
            } else {
                try upstream.send(Messages.ok)
                try client.expect(Messages.ok)
            }
        }
        try client.send(login)
        let refusal = try client.receiveResponse()
        #expect(refusal.head.hasPrefix("HTTP/1.1 429 "))
        #expect(refusal.head.contains("\r\nRateLimit: \"login\";r=0;t=12\r\n"))
        try client.send(get("/users/7?tab=a", "example.org"))
        try client.expect(
            "HTTP/1.1 301 Moved Permanently\r\nLocation: https://example.org/people/7?tab=a\r\nContent-Length: 0\r\n\r\n"
        )
        try client.send(get("/", "other.example"))
        try client.expect(
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 9\r\n\r\nnobody's\n"
        )
    }

    @Test("edge.yaml: who is not of our own networks does not get to /admin")
    func edgeFromOutside() throws {
        let origin = try TestOrigin()
        let proxy = try start(
            .epoll, "edge.yaml",
            [
                "SITE": "127.0.0.1:0", "APP": origin.address, "APP2": origin.address, "OWN": "192.0.2.0/24",
                "ADMIN": "127.0.0.1:0",
            ])
        let client = try proxy.connect()
        try client.send(get("/admin/x", "example.org"))
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 403 "))
        try client.send(get("/", "example.org"))
        let upstream = try origin.accept()
        try upstream.expect(get("/", "example.org"))
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    /// Whichever of the connections brings the request.
    private func next(_ upstreams: ArraySlice<TestSocket>, _ request: String) throws -> TestSocket {
        var watched = upstreams.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        let count = unsafe poll(&watched, nfds_t(watched.count), 20_000)
        let index = try #require(count > 0 ? watched.firstIndex { $0.revents != 0 } : nil)
        let upstream = upstreams[upstreams.startIndex + index]
        try upstream.expect(request)
        return upstream
    }

    @Test(
        "forward.yaml: what is not allowed is answered by 403, our own network is reached",
        arguments: TestDriver.offered)
    func forward(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try start(driver, "forward.yaml", ["PROXY": "127.0.0.1:0", "OWN_NETWORK": "127.0.0.0/8"])
        let client = try proxy.connect()
        try client.send("GET http://\(origin.address)/a HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n")
        let upstream = try origin.accept()
        try upstream.expect("GET /a HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n")
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        for target in ["127.0.0.1:25", "10.9.9.9:443", "93.184.216.34:8443"] {
            let other = try proxy.connect()
            try other.send("CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n")
            try other.expect("HTTP/1.1 403 Forbidden\r\n")
        }
    }

    @Test("tcp.yaml: each port goes to its own service", arguments: TestDriver.offered)
    func tcp(_ driver: TestDriver) throws {
        let (database, mail) = (try TestOrigin(), try TestOrigin())
        let proxy = try start(
            driver, "tcp.yaml",
            [
                "DATABASE_PORT": "127.0.0.1:0", "MAIL_PORT": "127.0.0.1:0", "DATABASE": database.address,
                "STANDBY": database.address, "MAIL": mail.address,
            ])
        for (index, origin) in [database, mail].enumerated() {
            let client = try proxy.connect(index)
            let upstream = try origin.accept()
            try upstream.send("\(index)")
            try client.expect("\(index)")
        }
    }
}
