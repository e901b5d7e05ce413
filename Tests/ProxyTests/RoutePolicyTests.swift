import Testing

@testable import UringProxy

@Suite("Timeouts and limits of routes", .blocking)
struct RoutePolicyTests {
    private func route(_ path: String, _ change: (inout RouteConfiguration) -> Void) -> RouteConfiguration {
        RouteProxy.route {
            $0.path = path
            $0.cluster = "a"
            change(&$0)
        }
    }

    private func post(_ path: String, _ size: Int, _ body: String) -> String {
        "POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n\(body)"
    }

    @Test("A route's limit of bodies is lower or higher than the common one", arguments: TestDriver.offered)
    func bodies(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try RouteProxy.start(
            driver, [origin],
            [
                route("/low") { $0.limits.bodyBytes = 3 }, route("/high") { $0.limits.bodyBytes = 8 },
                route("/off") { $0.limits.bodyBytes = 0 }, route("/common") { _ in },
                RouteProxy.route {
                    $0.path = "/own"
                    $0.response = .init(status: 204)
                },
            ]
        ) { $0.limitBodyBytes = 5 }
        var upstream: TestSocket?
        for (path, size, passes) in [
            ("/low", 3, true), ("/low", 4, false), ("/high", 8, true), ("/high", 9, false),
            ("/off", 20, true),
            ("/common", 5, true), ("/common", 6, false), ("/own", 6, false),
        ] {
            let client = try proxy.connect()
            let request = post(path, size, String(repeating: "b", count: size))
            try client.send(request)
            if passes {
                let connection = try upstream ?? origin.accept()
                upstream = connection
                try connection.expect(request)
                try connection.send(Messages.ok)
                try client.expect(Messages.ok)
            } else {
                try client.expect("HTTP/1.1 413 ")
            }
        }
        // Of chunks the size is known when they have come.
        let client = try proxy.connect()
        try client.send(
            "POST /low HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nabcdefgh\r\n")
        try client.expect("HTTP/1.1 413 ")
    }

    @Test("A slow upstream is given up when its route says so", arguments: TestDriver.offered)
    func upstream(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try RouteProxy.start(
            driver, [origin],
            [
                route("/quick") { $0.timeouts.upstream = .milliseconds(50) },
                route("/total") { $0.timeouts.total = .milliseconds(50) },
                route("/listed") { _ in }, route("/patient") { $0.timeouts.upstream = .seconds(60) },
            ]
        ) {
            var defaults = RouteDefaults(name: "s")
            defaults.timeouts.upstream = .milliseconds(60)
            $0.routeDefaults = [defaults]
        }
        for (path, reason) in [
            ("/quick", "the upstream took too long to answer; see --timeout-upstream\n"),
            ("/listed", "the upstream took too long to answer; see --timeout-upstream\n"),
        ] {
            let client = try proxy.connect()
            try client.send(RouteProxy.get(path))
            let connection = try origin.accept()
            try connection.expect(RouteProxy.get(path))
            let answer = try client.receiveResponse()
            #expect(answer.head.hasPrefix("HTTP/1.1 504 ") && answer.body == reason)
        }
        let client = try proxy.connect()
        try client.send(RouteProxy.get("/total"))
        let connection = try origin.accept()
        try connection.expect(RouteProxy.get("/total"))
        let answer = try client.receiveResponse()
        #expect(answer.head.hasPrefix("HTTP/1.1 504 "))
        // While others wait, whose list is less patient than they are.
        let patient = try proxy.connect()
        try patient.send(RouteProxy.get("/patient"))
        let slow = try origin.accept()
        try slow.expect(RouteProxy.get("/patient"))
        let quick = try proxy.connect()
        try quick.send(RouteProxy.get("/listed"))
        let other = try origin.accept()
        try quick.expect("HTTP/1.1 504 ")
        try slow.send(Messages.ok)
        try patient.expect(Messages.ok)
        other.close()
    }

    @Test("A body that pauses is given up when its route says so", arguments: TestDriver.offered)
    func pause(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try RouteProxy.start(
            driver, [origin],
            [
                route("/up") { $0.timeouts.bodyIdle = .milliseconds(50) },
                route("/tunnel") {
                    $0.timeouts.tunnelIdle = .milliseconds(50)
                },
            ])
        let client = try proxy.connect()
        try client.send(post("/up", 10, "ab"))
        try client.expect("HTTP/1.1 408 ")
        let other = try proxy.connect()
        let upgrade = "Upgrade: echo\r\nConnection: Upgrade\r\n"
        try other.send(RouteProxy.get("/tunnel", upgrade))
        _ = try origin.accept()
        let upstream = try origin.accept()
        try upstream.expect(RouteProxy.get("/tunnel", upgrade))
        let switched = "HTTP/1.1 101 Switching Protocols\r\n\(upgrade)\r\n"
        try upstream.send(switched)
        try other.expect(switched)
        let (rest, _) = try other.receiveUntilClosed()
        #expect(rest == "" && proxy[.timeoutsTunnel] == 1)
    }
}
