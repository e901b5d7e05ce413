/// Timeouts and limits of a route's exchanges, as numbers that an exchange takes with it.
struct RoutePolicy: BitwiseCopyable, Sendable {
    // Nanoseconds; `.max` switches a timeout off.
    var connect: Int64
    var upstream: Int64
    var total: Int64
    var bodyIdle: Int64
    var sendIdle: Int64
    var tunnelIdle: Int64
    /// `.max` for no limit.
    var bodyLimit: UInt64

    /// What the route and its list leave out is that of the whole configuration; nil if they leave out all.
    init?(_ route: RouteConfiguration, _ defaults: RouteDefaults?, _ configuration: Configuration) {
        let timeouts = route.timeouts.over(defaults?.timeouts ?? RouteTimeouts())
        let bodyBytes = route.limits.bodyBytes ?? defaults?.limits.bodyBytes
        if timeouts == RouteTimeouts() && bodyBytes == nil { return nil }
        func limit(_ own: Nanoseconds?, _ common: Nanoseconds) -> Int64 {
            let timeout = own ?? common
            return timeout.isOn ? timeout.rawValue : .max
        }
        connect = limit(timeouts.connect, configuration.timeoutConnect)
        upstream = limit(timeouts.upstream, configuration.timeoutUpstream)
        total = limit(timeouts.total, configuration.timeoutTotal)
        bodyIdle = limit(timeouts.bodyIdle, configuration.timeoutBodyIdle)
        sendIdle = limit(timeouts.sendIdle, configuration.timeoutSendIdle)
        tunnelIdle = limit(timeouts.tunnelIdle, configuration.timeoutTunnelIdle)
        let most = bodyBytes ?? configuration.limitBodyBytes
        bodyLimit = most > 0 ? UInt64(most) : .max
    }
}
