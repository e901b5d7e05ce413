/// A cookie of ours that keeps whoever sends it with one endpoint of a cluster.
public struct StickyConfiguration: Sendable, Equatable {
    /// Which requests from other sites browsers send it with; `none`: with all, which needs `secure`.
    public enum SameSite: String, Sendable, CaseIterable { case lax, strict, none }

    /// Its name.
    public var cookie: String
    /// The paths that browsers send it for: this one and those below it.
    public var path = "/"
    /// How long browsers keep it, in whole seconds. 0: until they end.
    public var maxAge = Nanoseconds.zero
    /// Whether it is kept from scripts.
    public var httpOnly = true
    /// Whether it is sent by https alone.
    public var secure = false
    public var sameSite = SameSite.lax
    /// A file with a secret, without which nobody can tell an endpoint's address from its name in the cookie; nil: anybody who
    /// tries all addresses can.
    public var keyFile: String?

    public init(cookie: String) { self.cookie = cookie }
}
