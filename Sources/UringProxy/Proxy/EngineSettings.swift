/// What a worker needs of the configuration, in the units it works in. Fixed for the worker's life.
struct EngineSettings: Sendable {
    /// Nanoseconds; `.max` switches a timeout off.
    struct Timeouts: BitwiseCopyable, Sendable {
        var head: Int64
        var tlsHandshake: Int64
        var bodyIdle: Int64
        var sendIdle: Int64
        var keepalive: Int64
        var connect: Int64
        var upstream: Int64
        var total: Int64
        var tunnelIdle: Int64
        var poolIdle: Int64
        /// How long what still comes is read and dropped after the last answer (RFC 9112 §9.6).
        var linger: Int64 = 2_000_000_000
        /// RFC 8305 §5: how long one address is tried before the next joins in.
        var connectionAttemptDelay: Int64 = 250_000_000
    }

    var timeouts: Timeouts
    var headLimits: HeadLimits
    /// `.max` for no limit.
    var bodyLimit: UInt64
    /// Bytes a second; 0 for no minimum.
    var minimumRate: Int64
    var minimumRateGrace: Int64
    var connections: Int
    /// Of a connection at a time.
    var streams: UInt32
    var requestsPerConnection: UInt32
    var poolIdle: UInt32
    /// Mirrored requests under way at most.
    var mirrored: Int
    var lends: Bool
    var zeroCopy: Bool
    /// Whether the kernel encrypts the rest of long bodies.
    var kernelTLS: Bool
    var busyPoll: BusyPoll
    /// Pipes for long streams at most; 0: none is spliced.
    var pipes: Int
    var memoryBytes: Int
    /// Most dynamic endpoints of a worker.
    var endpointCapacity = 4096

    /// Bytes that may wait for one peer before reading from the other stops.
    var window: UInt32 = 64 * 1024
    /// The same once a stream has shown to be long.
    var bulkWindow: UInt32 = 256 * 1024
    /// From so many bytes on a body counts as long.
    var bulkThreshold: UInt64 = 256 * 1024
    /// Receives that may hold a bulk slice while they wait, per worker: what bounds the memory of idle streams.
    var bulkReceiveLimit = 16
    /// So much of a body has to be left for it to be worth a pipe.
    var spliceThreshold: UInt64 = 256 * 1024
    /// Bodies up to this size are copied behind their head, so that both leave in one piece.
    var smallBody = Configuration.smallBodyBytes

    var pseudonym: [UInt8]
    var xForwardedReverse: ForwardingOptions.ClientFields
    var xForwardedForward: ForwardingOptions.ClientFields
    var forwarded: ForwardingOptions.ClientFields
    var trust: Trust.Policy
    /// The most bytes of a PROXY protocol header of version 2, extensions included.
    var proxyHeaderLimit = 4096
    /// What requests to the configured upstreams begin with; nil: with themselves.
    var upstreamProxyHeader: ProxyHeader.Version?
    /// What headers of version 2 tell beside addresses.
    var upstreamProxyTLVs: ProxyExtensions.Kinds
    var policy: DestinationPolicy
    var parent: ParentPlan
    /// Whether answers tell what took how long, where no route says otherwise.
    var timesAnswers = false

    /// - Parameters:
    ///   - connections: downstream connections of this worker.
    ///   - memoryBytes: this worker's share of the buffers.
    ///   - pipes: this worker's share of the descriptors that pipes may take, halved.
    ///   - kernelTLS: whether the kernel can encrypt, and is to.
    ///   - trust: what `configuration.trust` says.
    ///   - parent: what is said of the parent of forward listeners that have one.
    init(
        _ configuration: Configuration, connections: Int, memoryBytes: Int, pipes: Int,
        kernelTLS: Bool = false,
        policy: DestinationPolicy, trust: Trust.Policy = Trust.Policy(), parent: ParentPlan = ParentPlan()
    ) {
        func limit(_ timeout: Nanoseconds) -> Int64 { timeout.isOn ? timeout.rawValue : .max }
        timeouts = Timeouts(
            head: limit(configuration.timeoutHead),
            tlsHandshake: limit(configuration.timeoutTLSHandshake),
            bodyIdle: limit(configuration.timeoutBodyIdle),
            sendIdle: limit(configuration.timeoutSendIdle), keepalive: limit(configuration.timeoutKeepalive),
            connect: limit(configuration.timeoutConnect), upstream: limit(configuration.timeoutUpstream),
            total: limit(configuration.timeoutTotal), tunnelIdle: limit(configuration.timeoutTunnelIdle),
            poolIdle: limit(configuration.poolIdleTimeout))
        headLimits = HeadLimits()
        headLimits.headBytes = configuration.limitHeadBytes
        headLimits.fields = configuration.limitFields > 0 ? configuration.limitFields : 8192
        headLimits.uriBytes =
            configuration.limitURIBytes > 0 ? configuration.limitURIBytes : configuration.limitHeadBytes
        bodyLimit = configuration.limitBodyBytes > 0 ? UInt64(configuration.limitBodyBytes) : .max
        minimumRate = configuration.limitRateMin.isOn ? configuration.limitRateMin.bytesPerSecond : 0
        minimumRateGrace = max(configuration.limitRateMin.grace.rawValue, 1_000_000_000)
        self.connections = connections
        streams = UInt32(clamping: configuration.limitStreams)
        requestsPerConnection = UInt32(clamping: configuration.limitRequestsPerConnection)
        poolIdle = UInt32(clamping: configuration.poolIdle)
        mirrored = configuration.limitMirrored
        lends = configuration.poolLend
        zeroCopy = configuration.zeroCopy == .auto
        self.kernelTLS = kernelTLS
        busyPoll = BusyPoll(limit: configuration.busyPoll.rawValue)
        self.pipes = configuration.splice == .auto ? pipes : 0
        self.memoryBytes = memoryBytes
        pseudonym = Array((configuration.via ?? "").utf8)
        xForwardedReverse = ForwardingOptions.ClientFields(configuration.xForwardedOfReverse)
        xForwardedForward = ForwardingOptions.ClientFields(configuration.xForwardedOfForward)
        forwarded = ForwardingOptions.ClientFields(configuration.forwarded)
        self.trust = trust
        upstreamProxyHeader = ProxyHeader.Version(configuration.upstreamProxyProtocol)
        upstreamProxyTLVs = ProxyExtensions.Kinds(configuration.upstreamProxyTLVs)
        self.policy = policy
        self.parent = parent
        timesAnswers = configuration.serverTiming
    }
}

extension RoutePolicy {
    /// What holds for exchanges whose route says nothing.
    init(_ settings: EngineSettings) {
        connect = settings.timeouts.connect
        upstream = settings.timeouts.upstream
        total = settings.timeouts.total
        bodyIdle = settings.timeouts.bodyIdle
        sendIdle = settings.timeouts.sendIdle
        tunnelIdle = settings.timeouts.tunnelIdle
        bodyLimit = settings.bodyLimit
    }
}

extension ForwardingOptions.ClientFields {
    init(_ fields: Configuration.ForwardedFields) {
        switch fields {
        case .off: self = .off
        case .append: self = .append
        case .replace: self = .replace
        }
    }
}

extension ProxyExtensions.Kinds {
    init(_ choices: [Configuration.UpstreamProxyTLV]) {
        self = []
        for choice in choices {
            switch choice {
            case .authority: formUnion(.authority)
            case .alpn: formUnion(.alpn)
            case .ssl: formUnion(.ssl)
            case .commonName: formUnion(.commonName)
            case .cipher: formUnion(.cipher)
            case .crc32c: formUnion(.checksum)
            }
        }
    }
}

extension ProxyHeader.Version {
    /// nil: no header is sent.
    init?(_ choice: Configuration.UpstreamProxyProtocol) {
        switch choice {
        case .off: return nil
        case .v1: self = .v1
        case .v2: self = .v2
        }
    }
}
