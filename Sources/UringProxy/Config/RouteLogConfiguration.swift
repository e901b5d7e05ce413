/// How a route's requests are logged, where that differs from what `access_log` says.
public struct RouteLogConfiguration: Sendable, Equatable {
    /// false: not at all, whatever becomes of them.
    public var isOn = true
    /// One in so many; nil: as all others.
    public var sample: Int?
    /// Records a second at most, 0: any number; nil: as all others.
    public var rate: Int?

    public init() {}
}
