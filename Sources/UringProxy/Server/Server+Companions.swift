internal import Synchronization

// The threads beside the workers, as a configuration needs them.
extension Server {
    /// Makes those that are missing; what there is stays, but for databases of other files, and for certificates. The compiler's
    /// clusters get the endpoints that are found.
    ///
    /// - Parameter previous: the clusters in use.
    func start(
        _ companions: inout Companions, for configuration: Configuration, _ compiler: inout SnapshotCompiler,
        beside previous: [ClusterPlan]
    ) throws(StartError) {
        if companions.resolver == nil && compiler.needsResolver {
            companions.resolver = try makeResolver(configuration)
        }
        companions.discovery = try discover(
            compiler.clusters, beside: companions.discovery, resolver: companions.resolver, previous: previous
        )
        try compiler.takeUpDiscovered()
        companions.checker = try makeChecker(compiler.authenticators, beside: companions.checker)
        companions.geo = try makeGeo(compiler.geo, beside: companions.geo)
        companions.monitor = makeMonitor(compiler.clusters, beside: companions.monitor)
        companions.tls = try makeTLS(compiler.tls)
        try makeAccessLog(configuration.accessLog, &companions)
        try makeTracing(configuration.tracing, &companions)
        companions.flight = try makeFlightRecorder(configuration, beside: companions.flight)
    }

    /// What workers are to do about traces, with the thread that exports their spans. What there is stays.
    private func makeTracing(
        _ configuration: TracingConfiguration?, _ companions: inout Companions
    ) throws(StartError) {
        guard let configuration, configuration.isOn else {
            companions.tracing = nil
            return
        }
        if configuration == companions.tracing?.configuration { return }
        var lanes: [TraceLane] = []
        if configuration.export != nil {
            do throws(SystemCallError) {
                let exporter: TraceExporter
                if let present = companions.traceExporter {
                    exporter = present
                } else {
                    exporter = try TraceExporter(
                        workers: budget.threads, version: UproxyVersion.current, log: log,
                        resolver: { [weak self] in self?.state.withLock { $0.companions.resolver } })
                    try exporter.start()
                }
                companions.traceExporter = exporter
                lanes = exporter.lanes
            } catch {
                throw StartError(message: "spans cannot be exported: \(error.message)")
            }
        }
        companions.tracing = TracePlan(configuration, lanes: lanes)
    }

    /// What keeps the last events of workers, and looks after them; nil: nobody does. It takes up its settings when they are in effect.
    ///
    /// - Parameter present: the one that there is.
    private func makeFlightRecorder(
        _ configuration: Configuration, beside present: FlightRecorder?
    ) throws(StartError) -> FlightRecorder? {
        guard configuration.recordsFlight else { return nil }
        do throws(FlightError) { try FlightRecorder.check(configuration.flightRecorder) } catch {
            throw StartError(message: error.message)
        }
        if let present, present.canUse(configuration.flightRecorder) { return present }
        do throws(SystemCallError) {
            let recorder = try FlightRecorder(
                configuration.flightRecorder, workers: budget.threads, version: UproxyVersion.current,
                log: log)
            recorder.follow(workers.map(\.pulse))
            try recorder.start()
            return recorder
        } catch {
            throw StartError(message: "the flight recorder cannot start: \(error.message)")
        }
    }

    /// What workers are to log by, with the thread that writes it. What there is stays, if it is what is wanted.
    private func makeAccessLog(
        _ configuration: AccessLogConfiguration?, _ companions: inout Companions
    ) throws(StartError) {
        guard configuration != companions.accessLog?.configuration else { return }
        guard let configuration else {
            companions.accessLog = nil
            return
        }
        let writer: AccessLogWriter
        do throws(SystemCallError) {
            if let present = companions.accessLogWriter {
                writer = present
            } else {
                writer = try AccessLogWriter(log: log)
                try writer.start()
            }
        } catch {
            throw StartError(message: "the access log cannot be written: \(error.message)")
        }
        companions.accessLogWriter = writer
        do throws(AccessLogError) {
            companions.accessLog = try AccessLog(
                configuration, workers: budget.threads, bell: writer.bell, log: log,
                beside: companions.accessLog)
        } catch {
            throw StartError(message: error.message)
        }
    }

    private func makeResolver(_ configuration: Configuration) throws(StartError) -> Resolver {
        var options = ResolverOptions()
        options.servers = configuration.dnsServers
        do throws(ResolverError) {
            let resolver = try Resolver(options)
            try resolver.start()
            return resolver
        } catch {
            throw StartError(message: "the resolver cannot start: \(error.message)")
        }
    }

    /// The thread that checks credentials; nil: nobody is asked for any.
    ///
    /// - Parameter present: the one that there is.
    private func makeChecker(
        _ authenticators: [Authenticator], beside present: CredentialChecker?
    ) throws(StartError) -> CredentialChecker? {
        if present != nil || authenticators.isEmpty { return present }
        do throws(SystemCallError) {
            let checker = try CredentialChecker(authenticators)
            try checker.start()
            return checker
        } catch {
            throw StartError(message: "credentials cannot be checked: \(error.message)")
        }
    }

    /// What watches endpoints, not started yet: it asks for the resolver that is in use then. nil: there is nothing to watch.
    ///
    /// - Parameter present: the one that there is.
    func makeMonitor(
        _ clusters: [ClusterPlan], beside present: HealthMonitor?
    ) -> HealthMonitor? {
        if present != nil || !clusters.contains(where: { $0.health != nil }) { return present }
        let monitor = HealthMonitor(
            registry: registries.health, wakeup: healthWakeup,
            resolver: { [weak self] in self?.state.withLock { $0.companions.resolver } }, log: log)
        monitor.follow(clusters)
        return monitor
    }

    /// Starts the monitor, once the companions are those in use.
    func startMonitor(_ monitor: HealthMonitor) throws(StartError) {
        do throws(SystemCallError) { try monitor.start() } catch {
            throw StartError(message: "health checks cannot start: \(error.message)")
        }
    }

    /// The databases, and the thread that opens them anew when they change; nil: there are none.
    ///
    /// - Parameter present: what there is, which goes on if it is of the same files.
    private func makeGeo(_ geo: GeoCompiler, beside present: GeoSource?) throws(StartError) -> GeoSource? {
        if let present, present.isSame(as: geo) { return present }
        guard !geo.databases.all.isEmpty else { return nil }
        do throws(SystemCallError) {
            let source = try GeoSource(geo.databases, asked: geo.asked, log: log)
            try source.start()
            return source
        } catch {
            throw StartError(message: "geo databases cannot be watched: \(error.message)")
        }
    }

    /// What has just been read of certificates, and the thread that reads them anew when they change; nil: no listener speaks TLS.
    private func makeTLS(_ listeners: [TLSCompiler.Compiled?]) throws(StartError) -> TLSSource? {
        guard listeners.contains(where: { $0 != nil }) else { return nil }
        do throws(SystemCallError) {
            let source = try TLSSource(listeners, counters: registries.tlsReloads, log: log)
            try source.start()
            return source
        } catch {
            throw StartError(message: "certificates cannot be watched: \(error.message)")
        }
    }
}
