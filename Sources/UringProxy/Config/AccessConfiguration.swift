/// A listener or a route.
protocol AccessControlled {
    var access: AccessConfiguration { get set }
}

extension ListenerConfiguration: AccessControlled {}
extension RouteConfiguration: AccessControlled {}

/// What a listener or a route asks of a request before it lets it in. Nothing: all are.
public struct AccessConfiguration: Sendable, Equatable {
    /// Who is let in, and then nobody else: addresses, CIDR blocks, `unix:` and names of address sets.
    public var allow: [String] = []
    /// Who is not, whatever allows them.
    public var deny: [String] = []

    /// Names of the rate limits that it counts for, in the order in which they are asked.
    public var rateLimits: [String] = []
    /// The name of the authentication; `off`, of a route: none, whatever the listener asks; nil: the listener's.
    public var authentication: String?

    public init(
        allow: [String] = [], deny: [String] = [], rateLimits: [String] = [],
        authentication: String? = nil
    ) {
        self.allow = allow
        self.deny = deny
        self.rateLimits = rateLimits
        self.authentication = authentication
    }

    var isEmpty: Bool { self == AccessConfiguration() }
}
