/// What workers serve by, compiled from a configuration. Never changes, and is shared by all of them: a reload replaces it as
/// a whole.
final class Snapshot: Sendable {
    /// Who is let in, and what they have to know.
    struct Access: Sendable {
        /// What listeners and routes are indices of.
        var plans: [AccessPlan] = []
        /// What plans are indices of.
        var authenticators: [Authenticator] = []
        /// What addresses are looked up in by who asks why; `plans` have compiled them.
        var sets = AddressSets(Configuration())
        /// The plan of each listener, -1 for none, in the order of the configuration's.
        var ofListeners: [Int32] = []
    }

    let settings: EngineSettings
    /// What listeners and routes are indices of.
    let clusters: [ClusterPlan]
    /// What listeners' routes are indices of.
    let routes: [(name: String, set: RouteSet)]
    /// Of each endpoint of the clusters, in their order; empty: nothing is lent.
    let lending: [LendingQueue]
    let access: Access
    /// What listeners begin handshakes with; nil: none speaks TLS.
    let tls: TLSSource?
    /// Where listeners' connections go by server names, in the order of the configuration's; nil where no name is asked.
    let serverNames: [ServerNameTable?]
    /// nil: nothing is known of where clients are.
    let geo: GeoSource?
    let clientLimit: ClientLimit?
    /// nil: no listener has ever spoken TLS.
    let handshakes: HandshakeLimit?
    /// How many connections listeners have, by the listener's id.
    let listenerLoads: [Int: ListenerLoad]
    /// nil: no access log is written.
    let accessLog: AccessLogPlan?
    /// nil: nothing is done about traces.
    let tracing: TracePlan?
    let names: ExchangeNames
    /// nil: the flight recorder is off.
    let flight: FlightPlan?
    /// What of its clusters was there before, and what has become of them.
    let change: ClusterChange
    /// By the index of a list of routes in the snapshot before, its index in this one; -1 if it has gone.
    let routesAfter: [Int]
    /// Whether destinations of the forward proxy may be judged differently than before.
    let changesPolicy: Bool

    /// - Parameters:
    ///   - names: nil: of clusters alone, and nothing is counted.
    ///   - previous: what workers serve by until they adopt this one; nil if it is the first.
    ///   - makeLending: called for each endpoint that is new, or whose connections are counted as they were not before, with the gate
    ///     that they go through; nil if nothing is lent.
    init(
        settings: EngineSettings, clusters: [ClusterPlan], routes: [(name: String, set: RouteSet)] = [],
        access: Access = Access(), tls: TLSSource? = nil, serverNames: [ServerNameTable?] = [],
        geo: GeoSource? = nil,
        clientLimit: ClientLimit? = nil, handshakes: HandshakeLimit? = nil,
        listenerLoads: [Int: ListenerLoad] = [:],
        accessLog: AccessLogPlan? = nil, tracing: TracePlan? = nil, names: ExchangeNames? = nil,
        flight: FlightPlan? = nil,
        after previous: Snapshot? = nil,
        makeLending: ((ClusterGate?) -> LendingQueue)? = nil
    ) {
        precondition(clusters.count < Int(UInt16.max))
        self.settings = settings
        self.clusters = clusters
        self.routes = routes
        self.access = access
        self.tls = tls
        self.serverNames = serverNames
        self.geo = geo
        self.clientLimit = clientLimit
        self.handshakes = handshakes
        self.listenerLoads = listenerLoads
        self.accessLog = accessLog
        self.tracing = tracing
        self.names = names ?? ExchangeNames(clusters: clusters)
        self.flight = flight
        let change = ClusterChange(from: previous?.clusters ?? [], to: clusters)
        self.change = change
        routesAfter = (previous?.routes ?? []).map { old in
            routes.firstIndex { $0.name == old.name } ?? -1
        }
        changesPolicy = previous.map { !$0.settings.policy.isSame(as: settings.policy) } ?? false
        guard let makeLending else {
            lending = []
            return
        }
        let gates = clusters.flatMap { plan in plan.endpoints.map { _ in plan.limits?.connectionGate } }
        lending = zip(change.endpointBefore, gates).map { before, gate in
            if let previous, before >= 0, !previous.lending.isEmpty, previous.lending[before].gate === gate {
                return previous.lending[before]
            }
            return makeLending(gate)
        }
    }

    /// The same, but for the endpoints of clusters.
    ///
    /// - Parameters:
    ///   - names: with theirs, and so has `flight`.
    func with(
        _ clusters: [ClusterPlan], names: ExchangeNames, flight: FlightPlan?,
        makeLending: ((ClusterGate?) -> LendingQueue)?
    ) -> Snapshot {
        Snapshot(
            settings: settings, clusters: clusters, routes: routes, access: access, tls: tls,
            serverNames: serverNames, geo: geo,
            clientLimit: clientLimit, handshakes: handshakes, listenerLoads: listenerLoads,
            accessLog: accessLog, tracing: tracing, names: names, flight: flight, after: self,
            makeLending: makeLending)
    }

    /// Of all clusters, in their order.
    var endpoints: [FixedUpstream] { clusters.flatMap(\.endpoints) }

    /// How each of them is spoken to over TLS; nil: in clear.
    var endpointTLS: [UpstreamTLS?] {
        clusters.flatMap { cluster in cluster.endpoints.map { _ in cluster.tls } }
    }

    /// Whether each of them is spoken to in HTTP/2.
    var endpointHTTP2: [HTTP2Plan] {
        clusters.flatMap { cluster in cluster.endpoints.map { _ in cluster.http2 } }
    }

    /// Which zones come first for which clients, by the name of a cluster, as it was read at the last reload, or the start.
    var zoneRules: [String: ZoneRules] {
        clusters.reduce(into: [:]) { rules, cluster in rules[cluster.name] = cluster.zones?.rules }
    }

    /// The secrets of cookies as they were read at the last reload, or the start.
    var stickyKeys: StickyKeys {
        StickyKeys(clusters.reduce(into: [:]) { keys, cluster in keys[cluster.name] = cluster.sticky?.key })
    }
}
