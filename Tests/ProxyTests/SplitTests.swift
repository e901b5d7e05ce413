import Synchronization
import Testing

@testable import UringProxy

@Suite("Splits through the proxy", .blocking)
struct SplitTests {
    /// A proxy with one route, whose requests two origins share; each answers with its letter.
    private func start(
        _ driver: TestDriver, _ weights: [Int], by key: HashKey?,
        _ body: (TestProxy) throws -> Void
    ) throws {
        let origins = try ["a", "b"].map { letter in
            try ServedOrigin { _, _ in "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(letter)" }
        }
        let proxy = try RouteProxy.start(
            driver, [],
            [
                RouteProxy.route {
                    $0.split = zip(["a", "b"], weights).map { .init(cluster: $0, weight: $1) }
                    $0.splitKey = key
                    $0.responseEdits.set = [.init(name: "X-Cluster", value: "{cluster}")]
                }
            ]
        ) { configuration in
            configuration.threads = 2
            configuration.clusters = zip(["a", "b"], origins).map {
                ClusterConfiguration(name: $0, endpoints: [$1.address])
            }
        }
        try body(proxy)
        proxy.end()
        for origin in origins { origin.end() }
    }

    /// The cluster that answers.
    private func ask(_ client: TestSocket, _ fields: String) throws -> String {
        try client.send(RouteProxy.get("/", fields))
        let answer = try client.receiveResponse()
        #expect(answer.head.contains("X-Cluster: \(answer.body)\r\n"))
        return answer.body
    }

    @Test("Without a key each cluster gets its share", arguments: TestDriver.offered)
    func drawn(_ driver: TestDriver) throws {
        try start(driver, [80, 20], by: nil) { proxy in
            let client = try proxy.connect()
            var count = 0
            for _ in 0..<1000 where try ask(client, "") == "b" { count += 1 }
            // Five standard deviations of 12.6.
            #expect((137...263).contains(count))
        }
    }

    @Test(
        "A key stays with its cluster, whatever connection and thread it comes by",
        arguments: TestDriver.offered)
    func sticky(_ driver: TestDriver) throws {
        try start(driver, [50, 50], by: .cookie("id")) { proxy in
            var homes: [Int: String] = [:]
            for _ in 0..<6 {
                let client = try proxy.connect()
                for user in 0..<60 {
                    let cluster = try ask(client, "Cookie: x=y; id=\(user)\r\n")
                    #expect(homes[user, default: cluster] == cluster)
                    homes[user] = cluster
                }
            }
            // Both have some.
            let count = homes.values.count { $0 == "b" }
            #expect((10...50).contains(count))
            let explanation = try Explanation(
                method: "GET", target: "http://h/", fields: ["Cookie: id=7"], source: "127.0.0.1",
                listener: nil,
                configuration: proxy.configuration, file: nil)
            #expect(explanation.text.contains("adds X-Cluster: \(homes[7]!)"))
        }
    }

    @Test("A weight of 0 gets nothing, with keys and without", arguments: TestDriver.offered)
    func none(_ driver: TestDriver) throws {
        for weights in [[0, 1], [1, 0]] {
            try start(driver, weights, by: .header("x-user")) { proxy in
                let client = try proxy.connect()
                for user in 0..<50 {
                    let fields = user < 25 ? "" : "X-User: \(user)\r\n"
                    #expect(try ask(client, fields) == (weights[0] == 0 ? "b" : "a"))
                }
            }
        }
    }
}
