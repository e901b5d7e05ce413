/// The threads that work for the workers. Each is there once it is needed, and then for the server's life; `geo` for as long
/// as its databases are asked for, and `tls` for as long as its configuration is in use.
struct Companions: Sendable {
    var resolver: Resolver?
    var checker: CredentialChecker?
    var monitor: HealthMonitor?
    var geo: GeoSource?
    var tls: TLSSource?
    var discovery: EndpointDiscovery?
    var accessLogWriter: AccessLogWriter?
    /// What workers are to log by; nil: they do not.
    var accessLog: AccessLog?
    var traceExporter: TraceExporter?
    /// What workers do about traces; nil: nothing.
    var tracing: TracePlan?
    /// nil: it is off.
    var flight: FlightRecorder?

    /// Ends those that are not among others; returns when they have ended.
    func stop(but others: Companions = Companions()) {
        // These ask the resolver.
        if let exporter = traceExporter, exporter !== others.traceExporter { exporter.stop() }
        if let discovery, discovery !== others.discovery { discovery.stop() }
        if let monitor, monitor !== others.monitor { monitor.stop() }
        if let resolver, resolver !== others.resolver { resolver.stop() }
        if let checker, checker !== others.checker { checker.stop() }
        if let geo, geo !== others.geo { geo.stop() }
        if let tls, tls !== others.tls { tls.stop() }
        if let flight, flight !== others.flight { flight.stop() }
        if let writer = accessLogWriter, writer !== others.accessLogWriter { writer.stop() }
    }
}
