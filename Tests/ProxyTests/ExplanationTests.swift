import TestSupport
import Testing

@testable import UringProxy

@Suite("Explanation", .blocking)
struct ExplanationTests {
    private static let hosts = ["a.test", "b.a.test", "c.b.a.test", "z.test"]
    private static let segments = ["x", "y", "z", "%78", "..", ".", "", "1"]

    /// Routes that answer with their own number.
    private func routes(_ random: inout some RandomNumberGenerator) -> [RouteConfiguration] {
        let hosts = ["a.test", "*.a.test", "*.b.a.test", "~^c", "~z"]
        let paths = ["/x", "/x/y", "/x/*", "/y/*", "/*", "/{id}", "/x/{id}/z", "/{rest...}", "~^/x", "~1$"]
        var routes: [RouteConfiguration] = []
        var seen: [String] = []
        for _ in 0..<40 {
            var route = RouteConfiguration()
            if Bool.random(using: &random) { route.hosts = [hosts.randomElement(using: &random)!] }
            if Int.random(in: 0..<8, using: &random) > 0 { route.path = paths.randomElement(using: &random) }
            if Int.random(in: 0..<3, using: &random) == 0 {
                route.methods = [["GET", "PUT"].randomElement(using: &random)!]
            }
            if Int.random(in: 0..<3, using: &random) == 0 {
                route.headers = [.init(name: "x-a", value: ["1", "*", "!*"].randomElement(using: &random)!)]
            }
            if Int.random(in: 0..<4, using: &random) == 0 { route.query = [.init(name: "q", value: "1*")] }
            // One that is the same as another, or stands behind one that takes all, would be refused.
            let key = "\(route.hosts) \(route.path ?? "")"
            guard !seen.contains(key) else { continue }
            if route.methods.isEmpty && route.headers.isEmpty && route.query.isEmpty { seen.append(key) }
            route.response = .init(body: "\(routes.count)", type: "t/t")
            routes.append(route)
        }
        return routes
    }

    @Test("It says what the running proxy does, for 10,000 random requests", arguments: TestDriver.offered)
    func agrees(_ driver: TestDriver) throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SplitMix(seed: seed)
        var count = 0
        while count < 10_000 {
            let routes = routes(&random)
            var problems: [ConfigurationProblem] = []
            var shape = Configuration()
            shape.routes = [RouteListConfiguration(name: "s", routes: routes)]
            // Conditions that are drawn twice: those are for the check of configurations, not for this.
            guard RouteCompiler.compile(shape.routes[0], shape, seed: 0, &problems) != nil else { continue }
            var kept = Configuration()
            let proxy = try TestProxy(driver, upstreams: []) { configuration in
                configuration.listenAddresses = []
                configuration.listeners = [ListenerConfiguration(address: "127.0.0.1:0", routes: "s")]
                configuration.routes = shape.routes
                kept = configuration
            }
            let client = try proxy.connect()
            for _ in 0..<1000 {
                try compare(client, kept, &random, "seed \(seed)")
                count += 1
            }
        }
    }

    @Test("It says how much a cluster is asked to do at once", arguments: [0, 20])
    func limits(_ queue: Int) throws {
        var configuration = Configuration()
        configuration.listeners = [ListenerConfiguration(address: "127.0.0.1:0", cluster: "app")]
        var cluster = ClusterConfiguration(name: "app", endpoints: ["127.0.0.1:1"])
        cluster.limits.requests = 100
        cluster.limits.queue = queue
        configuration.clusters = [cluster]
        let text: String
        do throws(OptionSyntaxError) {
            text = try Explanation(
                method: "GET", target: "http://h/", fields: [], source: "127.0.0.1", listener: nil,
                configuration: configuration, file: nil
            ).text
        } catch { throw TestFailure(error.message) }
        let more = queue > 0 ? "20 more wait for up to 1s, else 503" : "more are answered with 503"
        #expect(text.contains("100 requests at a time; \(more)"), "\(text)")
    }

    private func compare(
        _ client: TestSocket, _ configuration: Configuration, _ random: inout some RandomNumberGenerator,
        _ seed: String
    ) throws {
        let method = ["GET", "PUT", "POST"].randomElement(using: &random)!
        let host = Self.hosts.randomElement(using: &random)!
        var path = ""
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            path += "/" + Self.segments.randomElement(using: &random)!
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            path += "?q=" + ["1", "12", "2"].randomElement(using: &random)!
        }
        let fields =
            Int.random(in: 0..<3, using: &random) == 0
            ? ["X-A: " + ["1", "2"].randomElement(using: &random)!] : []
        let explanation: String
        do throws(OptionSyntaxError) {
            explanation = try Explanation(
                method: method, target: "http://\(host)\(path)", fields: fields, source: "127.0.0.1",
                listener: nil,
                configuration: configuration, file: nil
            ).text
        } catch { throw TestFailure(error.message) }
        try client.send(
            "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n")
        let answer = try client.receiveResponse()
        let wanted: String
        if answer.head.hasPrefix("HTTP/1.1 200") {
            wanted = "number \((Int(answer.body) ?? -2) + 1) of 's'"
        } else {
            wanted = answer.head.hasPrefix("HTTP/1.1 404") ? "none: 404" : "400, "
        }
        #expect(
            explanation.contains(wanted),
            "\(seed): \(method) \(host) \(path) \(fields): \(answer) but \(explanation)")
    }
}
