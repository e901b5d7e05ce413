// Which route takes a request.
extension MicroBenchmark {
    fileprivate static let many = 10_000
    private static let requestCount = 1000

    static var routing: [MicroBenchmark] {
        [
            MicroBenchmark(name: "path: already normal") { normalise(plainPath, $0) },
            MicroBenchmark(name: "path: encoded, with dot segments") { normalise(oddPath, $0) },
            MicroBenchmark(name: "route: one of 10") { find(few, fewRequests, $0) },
            MicroBenchmark(name: "route: one of 10000") { find(table, requests, $0) },
            MicroBenchmark(name: "route: one of 10000, 404") { find(table, strangers, $0) },
            MicroBenchmark(name: "route: regular expression, two captures") {
                find(expressions, [expression], $0)
            },
        ]
    }

    nonisolated(unsafe) private static let plainPath = text("/api/v1/users/1234567/posts")
    nonisolated(unsafe) private static let oddPath = text("/api/v1/./users/%7Eme/../1234567//posts")

    private static let few = table(of: 10)
    private static let table = table(of: many)
    private static let expressions = table([
        rule("www.example.com", "~^/v[0-9]+/legacy"), rule("www.example.com", "~^/(v[0-9]+)/users/([^/]+)$"),
    ])
    nonisolated(unsafe) private static let fewRequests = (0..<requestCount).map { request($0 % 10) }
    nonisolated(unsafe) private static let requests = (0..<requestCount).map { request($0 * 7919 % many) }
    nonisolated(unsafe) private static let strangers = (0..<requestCount).map {
        request(host: "h\($0).example.net", path: "/api/v1/users")
    }
    nonisolated(unsafe) private static let expression = request(
        host: "www.example.com", path: "/v2/users/1234567")

    /// Of every kind, in turn: exact host, wildcard, and templates and prefixes of one host.
    fileprivate static func table(of count: Int) -> RouteTable {
        table(
            (0..<count).map { index in
                switch index % 4 {
                case 0: rule("h\(index).example.org", "/api/v1/*")
                case 1: rule("*.w\(index).example.org", "/a/b")
                case 2: rule("api.example.org", "/service\(index)/{id}/items/{item}")
                default: rule("api.example.org", "/static\(index)/*")
                }
            })
    }

    /// One that rule `index` takes.
    private static func request(_ index: Int) -> RouteRequest {
        switch index % 4 {
        case 0: request(host: "h\(index).example.org", path: "/api/v1/users")
        case 1: request(host: "www.w\(index).example.org", path: "/a/b")
        case 2: request(host: "api.example.org", path: "/service\(index)/1234567/items/42")
        default: request(host: "api.example.org", path: "/static\(index)/css/main.css")
        }
    }

    private static func rule(_ host: String, _ path: String) -> RouteRule {
        do {
            return RouteRule(hosts: [try HostPattern(parsing: host)], path: try PathPattern(parsing: path))
        } catch {
            preconditionFailure(error.message)
        }
    }

    private static func table(_ rules: [RouteRule]) -> RouteTable {
        do { return try RouteTable(rules, seed: 7) } catch { preconditionFailure(error.message) }
    }

    private static func request(host: String, path: String) -> RouteRequest {
        RouteRequest(
            host: text(host), path: text(path), query: .empty, method: .get, methodName: text("GET"),
            head: .empty,
            source: .loopback4)
    }

    @inline(never)
    private static func find(_ table: RouteTable, _ requests: [RouteRequest], _ count: Int) -> Int {
        let fields = FieldTable(capacity: 1)
        var scratch = RouteScratch(pathBytes: 8192)
        var sum = 0
        for index in 0..<count {
            if let match = table.find(requests[index % requests.count], fields: fields, scratch: &scratch) {
                sum &+= match.rule &+ match.captureCount
            }
        }
        return sum
    }

    @inline(never)
    private static func normalise(_ path: ByteView, _ count: Int) -> Int {
        var scratch = RouteScratch(pathBytes: 8192)
        var sum = 0
        for _ in 0..<count {
            do { sum &+= try scratch.normalised(path).count } catch { preconditionFailure(error.message) }
        }
        return sum
    }
}

extension Footprint {
    static var routes: [Footprint] {
        [
            Footprint(name: "route table of \(MicroBenchmark.many)", parts: MicroBenchmark.many) {
                MicroBenchmark.table(of: MicroBenchmark.many)
            }
        ]
    }
}
