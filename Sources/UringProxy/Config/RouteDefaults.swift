/// What holds for all routes of a list, unless one of them says otherwise.
public struct RouteDefaults: Sendable, Equatable {
    /// Of the list of routes.
    public var name: String
    public var request = FieldEdits()
    public var response = FieldEdits()
    public var timeouts = RouteTimeouts()
    public var limits = RouteLimits()

    public init(name: String) { self.name = name }
}
