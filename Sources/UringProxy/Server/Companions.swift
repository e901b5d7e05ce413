/// The threads that work for the workers. Each is there once it is needed, and then for the server's life; `geo` for as long
/// as its databases are asked for.
struct Companions: Sendable {
    var resolver: Resolver?
    var checker: CredentialChecker?
    var monitor: HealthMonitor?
    var geo: GeoSource?

    /// Ends those that are not among others; returns when they have ended.
    func stop(but others: Companions = Companions()) {
        // It asks the resolver.
        if let monitor, monitor !== others.monitor { monitor.stop() }
        if let resolver, resolver !== others.resolver { resolver.stop() }
        if let checker, checker !== others.checker { checker.stop() }
        if let geo, geo !== others.geo { geo.stop() }
    }
}
