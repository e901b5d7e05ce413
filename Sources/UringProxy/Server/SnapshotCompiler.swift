/// Makes snapshots of a configuration that can work.
struct SnapshotCompiler {
    private let configuration: Configuration
    private let policy: DestinationPolicy
    private let trust: Trust.Policy
    private let parent: ParentPlan
    private let clusterCompiler: ClusterCompiler
    private(set) var clusters: [ClusterPlan]
    private let routes: [(name: String, set: RouteSet)]
    private let access: Snapshot.Access
    /// Of each listener; nil where it speaks no TLS.
    let tls: [TLSCompiler.Compiled?]
    private let serverNames: [ServerNameTable?]
    let geo: GeoCompiler
    private let histograms: HistogramRegistry

    /// - Parameter registries: what there is, and gets what is new.
    /// - Throws: all that is wrong with the configuration, one line each.
    init(_ configuration: Configuration, _ registries: Registries) throws(StartError) {
        self.configuration = configuration
        histograms = registries.histograms
        var problems = configuration.validate()
        var random = SystemRandomNumberGenerator()
        let seed: UInt64 = random.next()
        var compiler = AccessCompiler(configuration, limiters: registries.limiters)
        var access = Snapshot.Access()
        access.plans = compiler.plans()
        access.authenticators = compiler.authenticators()
        access.sets = compiler.sets
        geo = GeoCompiler(configuration)
        let stickyKeys = StickyKeys(configuration)
        problems += compiler.problems + geo.problems + EndpointFile.problems(of: configuration)
        let zones = ZoneCompiler(configuration, sets: compiler.sets)
        let tlsCompiler = TLSCompiler(configuration, tickets: registries.tickets)
        tls = tlsCompiler.listeners
        let serverNameCompiler = ServerNameCompiler(configuration, seed: seed)
        serverNames = serverNameCompiler.tables
        let upstreamTLS = UpstreamTLSCompiler(configuration, registries.upstreamTLS)
        problems +=
            stickyKeys.problems + zones.problems + tlsCompiler.problems + upstreamTLS.problems
            + serverNameCompiler.problems
        // Those of the file come after those of options, which let everybody in.
        let places = AccessPlaces(configuration)
        let ofOptions = configuration.allListeners.count - configuration.listeners.count
        access.ofListeners = configuration.allListeners.indices.map {
            places.index(of: "listeners[\($0 - ofOptions)]")
        }
        self.access = access
        var routes: [(name: String, set: RouteSet)] = []
        for list in configuration.routes {
            if let set = RouteCompiler.compile(
                list, configuration, sets: compiler.sets, seed: seed, &problems)
            {
                routes.append((list.name, set))
            }
        }
        guard problems.isEmpty else {
            throw StartError(message: problems.map { "\($0)" }.joined(separator: "\n"))
        }
        self.routes = routes
        let credentials = try Self.readCredentials(configuration.parentCredentials)
        do throws(DestinationRuleError) {
            policy = try DestinationPolicy(
                allow: configuration.allowDestinations, deny: configuration.denyDestinations)
            parent = try ParentPlan(
                direct: configuration.directDestinations,
                passesAuthorization: configuration.parentAuthorization == .pass, credentials: credentials)
        } catch {
            throw StartError(message: error.message)
        }
        do throws(OptionSyntaxError) { trust = try Trust.Policy(configuration.trust) } catch {
            throw StartError(message: error.message)
        }
        clusterCompiler = ClusterCompiler(
            configuration, registries, stickyKeys, zoneRules: zones.rules, tls: upstreamTLS.upstreams)
        clusters = try clusterCompiler.plans()
    }

    /// Endpoints that were found since the beginning are taken up.
    mutating func takeUpDiscovered() throws(StartError) {
        if let updated = try clusterCompiler.updated(clusters) { clusters = updated }
    }

    /// `USER:PASSWORD` in a file, whose one line it is.
    private static func readCredentials(_ path: String?) throws(StartError) -> [UInt8] {
        guard let path else { return [] }
        guard let text = TextFiles.system.read(path) else {
            throw StartError(message: "--parent-credentials \(path): the file cannot be read")
        }
        let line = Array(trimmed(text).utf8)
        // RFC 7617 §2: the first colon ends the user; control characters are not allowed.
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0, line.count <= 1024,
            !line.contains(where: { $0 < 32 || $0 == 127 })
        else {
            throw StartError(
                message:
                    "--parent-credentials \(path): it has to hold one line, USER:PASSWORD, of at most 1024 bytes"
            )
        }
        return line
    }

    /// Who is asked for credentials.
    var authenticators: [Authenticator] { access.authenticators }

    /// Whether there are names to be resolved.
    var needsResolver: Bool {
        configuration.allListeners.contains { $0.role == .forward }
            || clusters.contains { $0.discovery != nil || $0.endpoints.contains { $0.address == nil } }
            || configuration.tracing?.namesCollector ?? false
    }

    /// - Parameters:
    ///   - budget: of the process; what the configuration would make of it now does not count.
    ///   - wakeups: of the workers.
    ///   - listeners: all that are to be there.
    ///   - geo: made of `self.geo`.
    ///   - tls: made of `self.tls`.
    ///   - accessLog: nil: none is written.
    ///   - tracing: nil: nothing is done about traces.
    ///   - flight: nil: no events are kept.
    ///   - previous: what they serve by; nil for the first.
    func snapshot(
        _ budget: Budget, wakeups: [Wakeup], listeners: [OpenListener], geo: GeoSource?,
        tls: TLSSource?, accessLog: AccessLogPlan? = nil, tracing: TracePlan? = nil,
        flight: FlightRecorder? = nil,
        after previous: Snapshot?
    ) -> Snapshot {
        let settings = EngineSettings(
            configuration, connections: budget.connectionsPerWorker, memoryBytes: budget.memoryPerWorker,
            pipes: budget.pipesPerWorker, kernelTLS: budget.kernelTLS == .works, policy: policy, trust: trust,
            parent: parent)
        let names = names(listeners)
        return Snapshot(
            settings: settings, clusters: clusters, routes: routes, access: access,
            tls: tls, serverNames: serverNames, geo: geo,
            clientLimit: clientLimit(previous), handshakes: handshakeLimit(previous, tls),
            listenerLoads: Dictionary(uniqueKeysWithValues: listeners.map { ($0.id, $0.load) }),
            accessLog: accessLog, tracing: tracing, names: names,
            flight: flight?.plan(
                FlightNames(names, clusters), slow: configuration.flightRecorder.slow.rawValue),
            after: previous,
            makeLending: Self.lending(configuration, wakeups))
    }

    private func names(_ listeners: [OpenListener]) -> ExchangeNames {
        ExchangeNames(
            clusters: clusters, listeners: listeners.map { ($0.id, $0.address.description) },
            routes: configuration.routes.map { list in
                list.routes.enumerated().map { number, route in
                    ExchangeNames.Route(
                        name: route.name ?? "\(list.name)[\(number)]", log: route.log,
                        timesAnswers: route.serverTiming)
                }
            }, countedIn: configuration.countsExchanges ? histograms : nil)
    }

    /// What makes the queues of endpoints; nil: nothing is lent.
    static func lending(_ configuration: Configuration, _ wakeups: [Wakeup]) -> (
        (ClusterGate?) -> LendingQueue
    )? {
        guard wakeups.count > 1 && configuration.poolLend else { return nil }
        return { LendingQueue(capacity: wakeups.count * 64, wakeups: wakeups, gate: $0) }
    }

    private func handshakeLimit(_ previous: Snapshot?, _ tls: TLSSource?) -> HandshakeLimit? {
        guard tls != nil || previous?.handshakes != nil else { return nil }
        var random = SystemRandomNumberGenerator()
        return HandshakeLimit(configuration, after: previous?.handshakes, seed: random.next())
    }

    /// The one that counts already, if there is one: connections leave where they entered. Its limit is for the reload to set.
    private func clientLimit(_ previous: Snapshot?) -> ClientLimit? {
        let limit = configuration.limitConnectionsPerClient
        if let counting = previous?.clientLimit { return counting }
        var random = SystemRandomNumberGenerator()
        return limit > 0 ? ClientLimit(limit: limit, seed: random.next()) : nil
    }
}
