@testable import UringProxy

/// What tests of routes share.
enum RouteProxy {
    /// A proxy with routes as the list `s`; a cluster `a`, `b`… for each origin.
    static func start(
        _ driver: TestDriver, _ origins: [TestOrigin], _ routes: [RouteConfiguration],
        change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        try TestProxy(driver, upstreams: []) { configuration in
            configuration.listenAddresses = []
            configuration.listeners = [ListenerConfiguration(address: "127.0.0.1:0", routes: "s")]
            configuration.routes = [RouteListConfiguration(name: "s", routes: routes)]
            configuration.clusters = origins.enumerated().map { index, origin in
                ClusterConfiguration(
                    name: String(UnicodeScalar(UInt8(97 + index))), endpoints: [origin.address])
            }
            change(&configuration)
        }
    }

    static func route(_ change: (inout RouteConfiguration) -> Void) -> RouteConfiguration {
        var route = RouteConfiguration()
        change(&route)
        return route
    }

    static func get(_ path: String, host: String = "h", method: String = "GET", _ more: String = "")
        -> String
    {
        "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\n\(more)\r\n"
    }
}
