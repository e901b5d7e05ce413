/// Every option of the engine, as one plain value. Its defaults are those of the command line.
///
/// 0 switches a limit or a timeout off, unless the property says otherwise. `validate()` finds what cannot work.
public struct Configuration: Sendable, Equatable {
    // MARK: Listeners

    /// Listeners, routes and clusters of a configuration file; what the command line's options name comes on top.
    public var listeners: [ListenerConfiguration] = []
    public var routes: [RouteListConfiguration] = []
    /// What holds for all routes of a list, by its name.
    public var routeDefaults: [RouteDefaults] = []
    public var clusters: [ClusterConfiguration] = []
    /// The zone that this proxy stands in: endpoints of the same zone come first. nil: nobody said.
    public var zone: String?
    /// Addresses under names, for the lists of listeners and routes.
    public var addressSets: [AddressSetConfiguration] = []
    /// Paths of databases that tell where addresses are; of two that know a thing the first one tells it.
    public var geoDatabases: [String] = []
    public var rateLimits: [RateLimitConfiguration] = []
    public var authentication: [AuthenticationConfiguration] = []
    /// Where the reverse proxy listens: `127.0.0.1:8081`, `[::1]:8081`, `unix:PATH`.
    public var listenAddresses: [String] = []
    /// The endpoints behind every reverse listener: `HOST:PORT` or `unix:PATH`, and `,weight=N` after it.
    public var upstreams: [String] = []
    /// How requests are spread over them.
    public var balance = BalancingPolicy.roundRobin
    /// What `ringHash` and `maglev` choose by; nil with the others.
    public var hashKey: HashKey?
    /// Where the forward proxy listens; see `forwardListeners` for the default.
    public var forwardAddresses: [String] = []
    /// What every listener believes of proxies before it.
    public var trust = ProxyTrust()
    /// Where `/ready`, `/healthz`, `/metrics`, the API and the status page are served; nil for nowhere.
    public var adminAddress: String?
    /// A file whose first line whoever asks there has to know, but for probes; nil: nobody has to know anything.
    public var adminTokenFile: String?
    /// Whether `/metrics` tells how long exchanges take, by listener, route, cluster and endpoint.
    public var histograms = true
    /// Whether exchanges are measured for that.
    var countsExchanges: Bool { adminAddress != nil && histograms }
    /// What is written of each exchange; nil: nothing.
    public var accessLog: AccessLogConfiguration?
    /// What is done about traces; nil: fields of theirs are passed on as any others.
    public var tracing: TracingConfiguration?
    /// Whether answers tell what took how long (`Server-Timing`).
    public var serverTiming = false
    /// What is kept of what workers did last.
    public var flightRecorder = FlightRecorderConfiguration()

    // MARK: Engine

    /// nil: as many as `ProcessorCount.available()`.
    public var threads: Int?
    public var io = IOChoice.auto
    /// Whom the process becomes once its listeners are open; nil: it stays who it is.
    public var user: String?
    /// Where the process's number is written while it serves; nil: nowhere.
    public var pidFile: String?
    /// Whether each worker is bound to one CPU.
    public var pin = true
    /// The budget that slots and slices are derived from; nil: a share of the machine's memory.
    public var memoryBytes: UInt64?
    /// Zero-copy sends (`SEND_ZC`) pay on a real network card and never on loopback, so they are off by default.
    public var zeroCopy = ZeroCopy.off
    /// Whether the kernel encrypts the rest of long bodies over TLS 1.3; `auto`: where it can.
    public var kernelTLS = KernelTLSChoice.off
    /// How long a worker looks out for events before it sleeps, while that pays. 0: it sleeps at once.
    public var busyPoll = Nanoseconds.zero
    /// Whether long bodies and tunnels pass through pipes (`splice(2)`) where that saves copies.
    public var splice = Splice.auto

    // MARK: Timeouts

    /// From the first byte of a request, or the connection's start, to the end of its head.
    public var timeoutHead = Nanoseconds.seconds(30)
    /// From the connection's start to the end of its TLS handshake.
    public var timeoutTLSHandshake = Nanoseconds.seconds(10)
    /// Between two pieces of a request body.
    public var timeoutBodyIdle = Nanoseconds.seconds(60)
    /// While a peer takes none of what is sent to it.
    public var timeoutSendIdle = Nanoseconds.seconds(60)
    /// Between two requests of a downstream connection.
    public var timeoutKeepalive = Nanoseconds.seconds(75)
    public var timeoutConnect = Nanoseconds.seconds(5)
    /// From the end of the request to the first byte of the response.
    public var timeoutUpstream = Nanoseconds.seconds(60)
    /// The whole exchange.
    public var timeoutTotal = Nanoseconds.zero
    public var timeoutTunnelIdle = Nanoseconds.hours(1)
    /// How long a drain waits for running exchanges. 0: until the last one ends.
    public var timeoutDrain = Nanoseconds.seconds(30)
    /// How long a drain goes on accepting, after `/ready` has begun to say 503.
    public var timeoutDrainDelay = Nanoseconds.zero
    /// Until a new process serves in an upgrade. 0: as long as it takes.
    public var timeoutUpgrade = Nanoseconds.seconds(60)

    // MARK: Limits

    /// The whole request head, and as well the response head. Never off: 1 KiB to 256 KiB.
    public var limitHeadBytes = 32 << 10
    /// Fields of a head. 0: only `limitHeadBytes` bounds them.
    public var limitFields = 128
    /// The request target. 0: only `limitHeadBytes` bounds it.
    public var limitURIBytes = 8 << 10
    public var limitBodyBytes: Int64 = 0
    public var limitRateMin = MinimumRate(bytesPerSecond: 240, grace: MinimumRate.defaultGrace)
    /// Downstream connections in all. nil: as many as `memoryBytes` has room for, which is also the meaning of 0.
    public var limitConnections: Int?
    public var limitConnectionsPerClient = 0
    /// Handshakes of TLS under way at a time, of all threads together. 0: any number.
    public var limitHandshakes = 10_000
    public var limitHandshakesPerClient = 0
    public var limitRequestsPerConnection = 0
    /// Streams of an HTTP/2 connection at a time (RFC 9113 §5.1.2).
    public var limitStreams = 128
    /// Mirrored requests of a thread under way at a time. 0: none is mirrored.
    public var limitMirrored = 128

    // MARK: Upstream pools

    /// Idle connections kept for each endpoint and thread. 0: none is kept.
    public var poolIdle = 64
    public var poolIdleTimeout = Nanoseconds.seconds(60)
    /// Whether a thread with idle connections to spare lends them to one that would have to connect.
    public var poolLend = true

    /// Whether each connection to a cluster begins with a PROXY protocol header, and then carries one request.
    public var upstreamProxyProtocol = UpstreamProxyProtocol.off
    /// What such a header, of version 2, tells beside addresses, where there is something to tell.
    public var upstreamProxyTLVs: [UpstreamProxyTLV] = []

    // MARK: Destinations of the forward proxy

    /// CIDR, name, name pattern or port, each with or without a port; goes before `denyDestinations`.
    public var allowDestinations: [String] = []
    /// Added to the ranges that are denied by default (private, loopback, link-local, metadata services…).
    public var denyDestinations: [String] = []
    /// The cluster of proxies that forward requests go through; nil: they go where they want to.
    public var parent: String?
    /// Destinations that are reached without the parent, written as `allowDestinations`.
    public var directDestinations: [String] = []
    /// What the parent is told of who downstream is.
    public var parentAuthorization = ParentAuthorization.off
    /// A file with `USER:PASSWORD`, which this proxy shows its parent; nil: none.
    public var parentCredentials: String?
    /// `ADDRESS` or `ADDRESS:PORT`; empty: those of `/etc/resolv.conf`.
    public var dnsServers: [String] = []

    // MARK: Fields

    /// This proxy's pseudonym in `Via` (RFC 9110 §7.6.3); nil: `Via` is left alone, and loops are not detected.
    public var via: String? = Configuration.randomPseudonym()
    /// `X-Forwarded-For`, `-Proto` and `-Host`. nil: append on reverse listeners, off on forward listeners.
    public var xForwarded: ForwardedFields?
    /// `Forwarded` (RFC 7239).
    public var forwarded = ForwardedFields.off

    public init() {}
}

extension Configuration {
    public enum IOChoice: String, Sendable, CaseIterable { case auto, uring, epoll }
    public enum ZeroCopy: String, Sendable, CaseIterable { case off, auto }
    public enum KernelTLSChoice: String, Sendable, CaseIterable { case off, auto, on }
    public enum UpstreamProxyProtocol: String, Sendable, CaseIterable { case off, v1, v2 }
    /// Whether downstream's `Proxy-Authorization` is dropped here or meant for the parent.
    public enum ParentAuthorization: String, Sendable, CaseIterable { case off, pass }
    public enum Splice: String, Sendable, CaseIterable { case auto, off }

    /// What happens to the fields that tell upstream about downstream: left alone, our element added, or only ours.
    public enum ForwardedFields: String, Sendable, CaseIterable { case off, append, replace }

    public static let defaultForwardAddress = "127.0.0.1:8080"

    /// The forward listeners in effect: with no listener of either kind asked for, there is one on loopback.
    public var forwardListeners: [String] {
        forwardAddresses.isEmpty && listenAddresses.isEmpty && upstreams.isEmpty && listeners.isEmpty
            ? [Self.defaultForwardAddress] : forwardAddresses
    }

    /// The name of the cluster that `upstreams` make.
    public static let optionsCluster = "upstream"

    /// All listeners in effect, wherever they were asked for, reverse ones with the name of their cluster.
    var allListeners: [ListenerConfiguration] {
        var all = listenAddresses.map { ListenerConfiguration(address: $0, cluster: Self.optionsCluster) }
        all += forwardListeners.map { ListenerConfiguration(address: $0, role: .forward, parent: parent) }
        for var listener in listeners {
            if listener.role != .forward && listener.cluster == nil && listener.routes == nil
                && listener.serverNames.isEmpty && clusters.count == 1
            {
                listener.cluster = clusters[0].name
            }
            if listener.role == .forward && listener.parent == nil { listener.parent = parent }
            all.append(listener)
        }
        return all
    }

    /// All clusters in effect.
    var allClusters: [ClusterConfiguration] {
        upstreams.isEmpty
            ? clusters
            : [
                ClusterConfiguration(
                    name: Self.optionsCluster, endpoints: upstreams, balance: balance, hashKey: hashKey)
            ] + clusters
    }

    public var xForwardedOfReverse: ForwardedFields { xForwarded ?? .append }
    public var xForwardedOfForward: ForwardedFields { xForwarded ?? .off }

    /// Goes on under the same pseudonym, where neither configuration names one: what is on its way round a loop is to be known
    /// again.
    mutating func keepPseudonym(of other: Configuration) {
        if let via, let otherVia = other.via, Self.isRandom(via), Self.isRandom(otherVia) {
            self.via = otherVia
        }
    }

    private static func isRandom(_ pseudonym: String) -> Bool {
        pseudonym.hasPrefix("uproxy-") && pseudonym.utf8.count == 15
            && pseudonym.utf8.suffix(8).allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
            }
    }

    /// `uproxy-` and eight hexadecimal digits: two proxies in a row must not take each other for themselves.
    static func randomPseudonym() -> String {
        let digits = String(UInt32.random(in: 0...UInt32.max), radix: 16)
        return "uproxy-" + String(repeating: "0", count: 8 - digits.count) + digits
    }
}
