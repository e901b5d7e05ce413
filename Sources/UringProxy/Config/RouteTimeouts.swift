/// How long the exchanges of a route may take; nil: as those of all others.
public struct RouteTimeouts: Sendable, Equatable {
    public var connect: Nanoseconds?
    public var upstream: Nanoseconds?
    public var total: Nanoseconds?
    public var bodyIdle: Nanoseconds?
    public var sendIdle: Nanoseconds?
    public var tunnelIdle: Nanoseconds?

    public init() {}

    /// With what is nil here taken from `other`.
    func over(_ other: RouteTimeouts) -> RouteTimeouts {
        var result = self
        result.connect = connect ?? other.connect
        result.upstream = upstream ?? other.upstream
        result.total = total ?? other.total
        result.bodyIdle = bodyIdle ?? other.bodyIdle
        result.sendIdle = sendIdle ?? other.sendIdle
        result.tunnelIdle = tunnelIdle ?? other.tunnelIdle
        return result
    }
}

/// What the requests of a route may bring; nil: as those of all others.
public struct RouteLimits: Sendable, Equatable {
    public var bodyBytes: Int64?

    public init() {}
}
