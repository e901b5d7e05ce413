@testable import UringProxy

/// What an admin listener could say.
struct TopFixture {
    static let bounds = [0.001, 0.01, 0.1, 1.0]

    var pid = 100
    var now = 1000.0
    var counters: [String: Int] = ["requests_total": 0]
    var failures: [String: Int] = [:]
    var durations = [0, 0, 0, 0, 0]
    var statuses: [String: Int] = [:]
    var exchanges: [(id: String, age: Double, path: String)] = []
    var clusters = ["app"]
    var endpoints = ["127.0.0.1:9000", "127.0.0.1:9001"]
    var reloads = 0

    private func counts(_ json: inout JSONText, _ names: [String]) {
        json.object("responses") {
            for (name, count) in statuses.sorted(by: { $0.key < $1.key }) { $0.member(name, count) }
        }
        json.member("request_bytes", 10)
        json.member("response_bytes", 20)
        for name in names {
            json.object(name) {
                $0.member("sum", 0.5)
                $0.array("cumulative", durations) { $0.value($1) }
            }
        }
    }

    var text: String {
        JSONText.object { json in
            json.object("process") {
                $0.member("version", "0.1.0")
                $0.member("pid", pid)
                $0.member("ready", true)
                $0.member("now", now)
                $0.member("uptime_seconds", now - 900)
                $0.member("cpu_seconds", (now - 900) / 10)
                $0.member("resident_bytes", 32 << 20)
                $0.member("open_descriptors", 20)
                $0.member("descriptor_limit", 20_000)
                $0.member("engine", "2 threads on io_uring (deferred task work), up to 14760 connections")
                $0.member("configuration_reloads", reloads)
                $0.member("configuration_reloads_refused", 0)
            }
            json.array("workers", 0..<2) { json, number in
                json.object {
                    $0.member("worker", number)
                    $0.member("late", number == 1)
                    $0.member("turns", Int(now) * 100)
                    $0.member("completions", Int(now) * 250)
                }
            }
            json.object("counters") { for (name, count) in counters { $0.member(name, count) } }
            json.object("failures") { for (name, count) in failures { $0.member(name, count) } }
            json.object("connections") {
                $0.object("downstream") { $0.member("exchanging", exchanges.count) }
                $0.object("upstream") { $0.member("pooled", 3) }
            }
            json.object("exchange_states") { $0.member("forwarding", exchanges.count) }
            json.object("memory") { $0.member("buffers", 4 << 20) }
            json.array("bounds", Self.bounds) { $0.value($1) }
            json.array("listeners", ["127.0.0.1:8080"]) { json, address in
                json.object {
                    $0.member("address", address)
                    $0.member("role", "reverse")
                    counts(&$0, ["duration", "added"])
                }
            }
            json.array("clusters", clusters) { json, name in
                json.object { json in
                    json.member("name", name)
                    json.member("balance", "round-robin")
                    json.member("panic", false)
                    counts(&json, ["duration", "added", "upstream_wait"])
                    json.array("endpoints", endpoints) { json, endpoint in
                        json.object {
                            $0.member("endpoint", endpoint)
                            $0.member("weight", 1)
                            $0.member("state", endpoint.hasSuffix("1") ? "ejected" : "healthy")
                            if endpoint.hasSuffix("1") {
                                $0.member("ejected_for", "too many failures in a row")
                                $0.member("ejected_until_seconds", 9.5)
                            }
                            $0.member("idle", 2)
                            $0.member("in_use", 1)
                            counts(&$0, ["upstream_wait"])
                        }
                    }
                }
            }
            json.member("exchanges_under_way", exchanges.count)
            json.array("exchanges", exchanges) { json, exchange in
                json.object {
                    $0.member("id", exchange.id)
                    $0.member("worker", 1)
                    $0.member("age", exchange.age)
                    $0.member("state", "forwarding")
                    $0.member("waits_for", "the answer of 127.0.0.1:9000")
                    $0.member("method", "GET")
                    $0.member("host", "example.com")
                    $0.member("path", exchange.path)
                    $0.member("client", "127.0.0.1")
                    $0.member("cluster", "app")
                    $0.member("attempts", 1)
                }
            }
        }
    }

    var sample: TopSample {
        get throws {
            guard let sample = TopSample(try JSONValue(parsing: Array(text.utf8))) else {
                throw OptionSyntaxError("the fixture is no overview")
            }
            return sample
        }
    }
}
