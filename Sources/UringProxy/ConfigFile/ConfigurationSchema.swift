/// What a configuration file may say: every key, in the order in which `uproxy config print` shows them.
enum ConfigurationSchema {
    /// Of the file as a whole.
    static let keys: [SchemaKey<Configuration>] = [
        .objects(
            "listeners", \.listeners, "Addresses that are listened on.",
            new: { ListenerConfiguration(address: "") }, listenerKeys),
        .namedLists(
            "routes", \.routes,
            "Lists of routes, by names of yours; the most specific route takes a request.",
            itemName: \.name, items: \.routes, new: { RouteListConfiguration(name: "") },
            newItem: { RouteConfiguration() }, routeKeys),
        .named(
            "route_defaults", \.routeDefaults,
            "What holds for all routes of a list, by its name, unless one of them says otherwise.",
            itemName: \.name, new: { RouteDefaults(name: "") }, routeDefaultKeys),
        .named(
            "clusters", \.clusters, "Endpoints that answer the same requests, by a name of yours.",
            itemName: \.name, new: { ClusterConfiguration(name: "") }, clusterKeys),
        .optional(
            "zone", \.zone, .zone,
            "The zone that this proxy stands in: endpoints of the same zone come first."),
        .namedItems(
            "address_sets", \.addressSets,
            "Addresses under a name of yours, for allow, deny, match.source and preferred_zones.",
            itemName: \.name, items: \.items, new: { AddressSetConfiguration(name: "") },
            .text("an address, a CIDR, unix:, or file:PATH for a file with one of them a line"),
            fileItems: "file:"),
        .section("geo", "Where clients are, for match.geo and preferred_zones.", geoKeys),
        .named(
            "rate_limits", \.rateLimits, "How often requests may come, by a name of yours.",
            itemName: \.name, new: { RateLimitConfiguration(name: "") }, rateLimitKeys),
        .named(
            "authentication", \.authentication, "Who is let in by credentials, by a name of yours.",
            itemName: \.name, new: { AuthenticationConfiguration(name: "") }, authenticationKeys),
        .section(
            "trust", "What is believed of the proxies before this one, and told to those behind it.",
            trustKeys),
        .section("admin", "The listener for health, metrics and operators.", adminKeys),
        .object(
            "access_log", \.accessLog,
            "What is written of each exchange, and where to; left out, nothing is.",
            new: { AccessLogConfiguration(to: "") }, AccessLogSchema.keys),
        .object(
            "tracing", \.tracing,
            "What is done about traces (traceparent), and where their spans go; left out, nothing.",
            new: { TracingConfiguration() }, TracingSchema.keys),
        .section(
            "flight_recorder", "The last events of each worker, and who looks after workers that hang.",
            FlightRecorderSchema.keys),
        .section("engine", "Threads, memory and how the kernel is used.", engineKeys),
        .section("timeouts", "How long each side may take; 0 switches a timeout off.", timeoutKeys),
        .section("limits", "How much each side may send or hold; 0 switches a limit off.", limitKeys),
        .section("pools", "Idle connections to endpoints.", poolKeys),
        .section("forward", "What the forward proxy may reach.", forwardKeys),
        .section("dns", "How names are resolved.", dnsKeys),
        .section("fields", "Fields that this proxy adds.", fieldKeys),
    ]

    private static let listenerKeys: [SchemaKey<ListenerConfiguration>] =
        [
            .value(
                "address", \.address, .listenAddress,
                "Where to listen: 127.0.0.1:8081, [::]:80 or unix:PATH.", isRequired: true),
            .value(
                "role", \.role, .choice,
                "reverse: requests go to a cluster (the default); forward: requests say themselves where to; tcp: connections go to a cluster, whatever they carry."
            ),
            .optional(
                "cluster", \.cluster, .text("the name of a cluster"),
                "The cluster that requests, or connections, go to; needless if there is one alone."),
            .objects(
                "sni", \.serverNames,
                "Where a tcp listener's connections go by the server name of their ClientHello, undecrypted; what no name sends elsewhere goes to 'cluster', or is reset without one.",
                new: { ServerNameRule(cluster: "") },
                [
                    .values(
                        "names", \.names, .text("a name, or *.NAME for all below it"),
                        "Server names: example.org, or *.example.org for every name below it.",
                        isRequired: true),
                    .value(
                        "cluster", \.cluster, .text("the name of a cluster"), "The cluster that they go to.",
                        isRequired: true),
                ]),
            .optional(
                "routes", \.routes, .text("the name of a list of routes"),
                "The list of routes that says where a reverse listener's requests go."),
            .optional(
                "parent", \.parent, .text("the name of a cluster"),
                "The cluster of proxies that a forward listener's requests go through (default: forward.parent)."
            ),
            .value(
                "max_connections", \.maxConnections, .count(ListenerConfiguration.connectionRange),
                "Connections at a time, of all threads together; those beyond it are answered with 503, or reset (tcp). 0: any number."
            ),
            .value(
                "http2", \.speaksHTTP2, .toggle,
                "Whether it speaks HTTP/2 with who asks for it: by ALPN over TLS, else by beginning with it (prior knowledge)."
            ),
            .object(
                "tls", \.tls, "How it speaks TLS; left out, it does not.", new: { TLSConfiguration() },
                TLSSchema.listenerKeys),
        ] + accessKeys()

    /// What listeners and routes let in.
    private static func accessKeys<Target: AccessControlled>() -> [SchemaKey<Target>] {
        let address = ValueSyntax<String>.text("an address, a CIDR, unix: or the name of an address set")
        return [
            .values(
                "allow", \.access.allow, address,
                "Who is let in, and then nobody else: by address, CIDR or the name of an address set."),
            .values(
                "deny", \.access.deny, address, "Who is not let in, whatever allows them."),
            .values(
                "rate_limit", \.access.rateLimits, .text("the name of a rate limit"),
                "The rate limits that it counts for, by their names below rate_limits: 429."),
            .optional(
                "authentication", \.access.authentication, .text("the name of an authentication"),
                "Whose credentials are asked for, by a name below authentication: 401 or 407; off, of a route: nobody's."
            ),
        ]
    }

    private static let routeKeys: [SchemaKey<RouteConfiguration>] =
        [
            .section(
                "match", "Which requests it takes; what is left out holds for all.",
                [
                    .values(
                        "host", \.hosts,
                        .text("a host, *.NAME for all below it, or ~ and a regular expression"),
                        "Hosts: example.org, *.example.org or ~regex; one of them."),
                    .optional(
                        "path", \.path,
                        .text(
                            "a path: /a, /a/* for all below it, /users/{id}, or ~ and a regular expression"),
                        "The path: /a, /a/* (it and all below), /users/{id}, /files/{rest...} or ~regex."),
                    .values("method", \.methods, .text("a method, such as GET"), "Methods; one of them."),
                    .optional(
                        "client_certificate", \.clientCertificate, .toggle,
                        "Whether the client has shown a certificate (tls.client_certificates)."),
                    .pairs(
                        "headers", \.headers,
                        "Fields and what they have to be: text, text*, ~regex, * (there), !* (not there).",
                        pair: { RouteConfiguration.Condition(name: $0, value: $1) },
                        parts: { ($0.name, $0.value) }),
                    .pairs(
                        "query", \.query, "Query parameters, in the same way.",
                        pair: { RouteConfiguration.Condition(name: $0, value: $1) },
                        parts: { ($0.name, $0.value) }),
                ] + clientKeys()),
            .optional(
                "cluster", \.cluster, .text("the name of a cluster"), "The cluster that it goes to; or"),
            .objects(
                "split", \.split, "clusters that share its requests by weight; or",
                new: { RouteConfiguration.Share(cluster: "", weight: 0) },
                [
                    .value(
                        "cluster", \.cluster, .text("the name of a cluster"), "A cluster.", isRequired: true),
                    .value(
                        "weight", \.weight, .count(0...ClusterSplit.weightLimit),
                        "Its share, next to those of the others; 0: none.", isRequired: true),
                ]),
            .optional(
                "split_by", \.splitKey, .hashKey,
                "What keeps requests with one cluster of the split: uri, source, header:NAME or cookie:NAME; without it each is drawn."
            ),
            .object(
                "mirror", \.mirror, "A cluster that copies of requests go to; its answers are dropped.",
                new: { RouteConfiguration.Mirror(cluster: "") },
                [
                    .value(
                        "cluster", \.cluster, .text("the name of a cluster"), "A cluster.", isRequired: true),
                    .value("share", \.share, .percent, "How many of the requests (default: 100%)."),
                ]),
            .object(
                "redirect", \.redirect, "where downstream is sent; or",
                new: { RouteConfiguration.Redirect(target: "") },
                [
                    .value(
                        "to", \.target, .text("a URL or a path"),
                        "A URL or a path, with {host}, {path}, {query} and the names of the path's placeholders.",
                        isRequired: true),
                    .value("status", \.status, .count(301...308), "301, 302, 303, 307 or 308 (default)."),
                ]),
            .object(
                "respond", \.response, "an answer of our own.", new: { RouteConfiguration.Response() },
                [
                    .value("status", \.status, .count(200...599), "200 to 599 (default: 200)."),
                    .value("body", \.body, .anyText, "Its body."),
                    .value("type", \.type, .text("a media type"), "Its Content-Type."),
                ]),
            .part("rewrite", \.rewrite, "What the cluster is asked for instead.", rewriteKeys),
            .part("request", \.requestEdits, "Fields of the request.", fieldEditKeys),
            .part("response", \.responseEdits, "Fields of the response, be it our own.", fieldEditKeys),
            .part("timeouts", \.timeouts, "Timeouts of its exchanges, where they differ.", routeTimeoutKeys),
            .part("limits", \.limits, "Limits of its requests, where they differ.", routeLimitKeys),
            .optional(
                "name", \.name, .text("a name"),
                "What logs and metrics call it (default: its list and its place there, as in site[2])."),
            .part("log", \.log, "How its requests are logged, where that differs.", routeLogKeys),
            .optional(
                "server_timing", \.serverTiming, .toggle,
                "Whether its answers tell what took how long (default: fields.server_timing)."),
        ] + accessKeys()

    private static let routeLogKeys: [SchemaKey<RouteLogConfiguration>] = [
        .value("enabled", \.isOn, .toggle, "off: not at all, whatever becomes of them (default: on)."),
        .optional(
            "sample", \.sample, .count(AccessLogConfiguration.sampleRange),
            "One in so many of them (default: access_log.sample)."),
        .optional(
            "rate", \.rate, .count(AccessLogConfiguration.rateRange),
            "Records a second at most, 0: any number (default: access_log.rate)."),
    ]

    private static let routeTimeoutKeys: [SchemaKey<RouteTimeouts>] =
        [
            .optional("connect", \.connect, .duration, "To connect upstream: 504."),
            .optional("upstream", \.upstream, .duration, "To the first byte of a response: 504."),
            .optional("total", \.total, .duration, "For a whole exchange: 504 or close."),
            .optional("body_idle", \.bodyIdle, .duration, "Between two pieces of a body: 408 or close."),
            .optional(
                "send_idle", \.sendIdle, .duration, "While a peer takes nothing of what is sent: close."),
            .optional("tunnel_idle", \.tunnelIdle, .duration, "Without a byte in a tunnel: close."),
        ] + ["head", "keepalive", "drain", "drain_delay", "upgrade"].map { refusedKey($0, in: "timeouts") }

    private static let routeLimitKeys: [SchemaKey<RouteLimits>] =
        [
            .optional("body", \.bodyBytes, sizeInInt64, "A request body: 413; 0 switches it off.")
        ]
        + [
            "head", "fields", "uri", "rate_min", "connections", "connections_per_client", "handshakes",
            "handshakes_per_client", "requests_per_connection", "http2_streams",
        ]
        .map { refusedKey($0, in: "limits") }

    /// A key that is for all requests alike.
    private static func refusedKey<Target>(_ name: String, in section: String) -> SchemaKey<Target> {
        let isOfHead = ["head", "fields", "uri"].contains(name)
        return .refused(
            name,
            isOfHead
                ? "a head is read before it is known which route takes it"
                : "it is for connections, which no route has for itself",
            "set it below '\(section)' at the top of the file")
    }

    private static let rewriteKeys: [SchemaKey<RouteConfiguration.Rewrite>] = [
        .optional(
            "path", \.path, .text("a path, with placeholders"),
            "The path, with {path}, {query}, {host} and the names of the path's placeholders; the query stays unless it has one."
        ),
        .optional(
            "prefix", \.prefix, .text("a path"),
            "What stands in place of /a of a route for /a/*; / takes it off."),
        .optional(
            "host", \.host, .text("a host, or upstream"),
            "What Host says: a host, with a port or without, or upstream: the endpoint's."),
    ]

    private static let fieldEditKeys: [SchemaKey<FieldEdits>] = [
        .pairs(
            "set", \.set, "Fields in place of those of their names; values may have placeholders.",
            pair: { FieldEdits.Field(name: $0, value: $1) }, parts: { ($0.name, $0.value) }),
        .pairLists(
            "add", \.add, "Fields beside those of their names; a list of values adds several.",
            pair: { FieldEdits.Field(name: $0, value: $1) }, parts: { ($0.name, $0.value) }),
        .values("remove", \.remove, .text("the name of a field"), "Names of fields that are dropped."),
    ]

    private static let routeDefaultKeys: [SchemaKey<RouteDefaults>] = [
        .part("request", \.request, "Fields of requests.", fieldEditKeys),
        .part("response", \.response, "Fields of responses, be they our own.", fieldEditKeys),
        .part("timeouts", \.timeouts, "Timeouts of exchanges, where they differ.", routeTimeoutKeys),
        .part("limits", \.limits, "Limits of requests, where they differ.", routeLimitKeys),
    ]

    /// Where the clients are that something is for.
    private static func clientKeys<Target: ClientConditions>() -> [SchemaKey<Target>] {
        let places: [SchemaKey<Target>] = [
            .values(
                "country", \.countries, .text("the two letters of a country, such as DE or !DE"),
                "Countries by their code of ISO 3166-1."),
            .values(
                "region", \.regions, .text("what ISO 3166-2 has behind the hyphen, such as BY for DE-BY"),
                "Regions by their code of ISO 3166-2, without the country's part."),
            .values("asn", \.autonomousSystems, .autonomousSystem, "Numbers of autonomous systems."),
        ]
        return [
            .values(
                "source", \.sources, .text("an address, a CIDR or the name of an address set"),
                "Addresses that it comes from; one of them."),
            .section(
                "geo", "Where it comes from: of each key one of the values, and none with !.", places),
        ]
    }

    private static let preferredZoneKeys: [SchemaKey<PreferredZone>] =
        [.value("zone", \.zone, .zone, "The zone whose endpoints come first.", isRequired: true)]
        + clientKeys()

    private static let geoKeys: [SchemaKey<Configuration>] = [
        .paths(
            "databases", \.geoDatabases,
            "Files in MaxMind's format, such as GeoLite2-City.mmdb; opened anew when they change.")
    ]

    private static let clusterKeys: [SchemaKey<ClusterConfiguration>] = [
        .texts(
            "endpoints", \.endpoints, .endpointAddress,
            "Where its requests go: HOST:PORT or unix:PATH, with ,weight=N, ,zone=NAME and ,priority=N behind it, or as keys.",
            new: { EndpointEntry() }, text: \.text, ClusterSchema.endpointKeys),
        .object(
            "discovery", \.discovery,
            "Where its endpoints are found, in place of 'endpoints': by one of dns, srv and file.",
            new: { DiscoveryConfiguration() }, ClusterSchema.discoveryKeys),
        .object(
            "tls", \.tls, "How endpoints are spoken to over TLS; {} for the defaults. Left out: in clear.",
            new: { UpstreamTLSConfiguration() }, TLSSchema.clusterKeys),
        .value(
            "http2", \.http2, .choice,
            "Whether endpoints are spoken to in HTTP/2: off (the default), auto (over TLS, where an endpoint chooses it) or on (in nothing else)."
        ),
        .value("balance", \.balance, .choice, "How requests are spread over them (default: round-robin)."),
        .optional(
            "hash_key", \.hashKey, .hashKey,
            "What ring-hash and maglev choose by: uri, source, header:NAME or cookie:NAME."),
        .object(
            "sticky", \.sticky, "A cookie of ours that keeps clients with their endpoints.",
            new: { StickyConfiguration(cookie: "") }, ClusterSchema.stickyKeys),
        .object(
            "health", \.health, "How endpoints are asked whether they work.",
            new: { HealthCheckConfiguration() }, ClusterSchema.healthKeys),
        .section(
            "outliers", "Which endpoints are ejected for a time, for what requests meet there.",
            ClusterSchema.outlierKeys),
        .section(
            "retries", "When requests are sent again, and how much load that may add.",
            ClusterSchema.retryKeys),
        .section(
            "limits", "How much it is asked to do at once, and what becomes of requests beyond it.",
            ClusterSchema.limitKeys),
        .value(
            "panic", \.panic, .percent,
            "With a smaller share of healthy endpoints than this all are used; 0: none but healthy ones, ever."
        ),
        .value(
            "zone_threshold", \.zoneThreshold, .percent,
            "With a smaller share of the first zone's endpoints healthy other zones get some of the load (default: 70%)."
        ),
        .objects(
            "preferred_zones", \.preferredZones,
            "Zones that come first in place of the proxy's own, by where the client is; the first that holds counts.",
            new: { PreferredZone(zone: "") }, preferredZoneKeys),
        .value(
            "slow_start", \.slowStart, .duration,
            "How long an endpoint that returns gets less than its share, from a tenth of it on; 0: not at all."
        ),
    ]

    private static let rateLimitKeys: [SchemaKey<RateLimitConfiguration>] = [
        .value(
            "rate", \.rate, .requestRate, "How many in which time: 100/s, 30/m, 1000/h, 5/d.",
            isRequired: true),
        .optional(
            "burst", \.burst, .count(RateLimitConfiguration.burstRange),
            "How many may come at once after a time of quiet (default: as many as the rate has in its unit)."),
        .value(
            "key", \.key, .rateLimitKey,
            "Whose requests are counted together: address (the default), prefix, prefix:24/64, header:NAME, route or all."
        ),
        .value(
            "size", \.size, .entries(RateLimitConfiguration.sizeRange),
            "Keys that are remembered at once, each in 16 bytes (default: 100000)."),
        .value(
            "mode", \.mode, .choice,
            "enforce (the default), or observe: count what exceeds it, and let it in."),
    ]

    private static let authenticationKeys: [SchemaKey<AuthenticationConfiguration>] = [
        .value("realm", \.realm, .text("a text"), "What clients are told that they need to be let into."),
        .path(
            "users_file", \.usersFile,
            "A file of lines NAME:HASH, for the Basic scheme; as htpasswd -B makes them."),
        .path("tokens_file", \.tokensFile, "A file of lines NAME:SHA256 or SHA256, for the Bearer scheme."),
        .optional(
            "user_field", \.userField, .text("a name of a field"),
            "The field in which upstream is told the user's name; what clients send in it is dropped."),
        .value(
            "pass_credentials", \.passesCredentials, .toggle,
            "Whether upstream sees the credentials too (default: off)."),
        .value(
            "cache", \.cache, .duration,
            "How long right credentials are not checked again, 1s to 24h (default: 5m)."),
    ]

    private static let trustKeys: [SchemaKey<Configuration>] = [
        .value(
            "proxy_protocol", \.trust.proxyProtocol, .choice,
            "Whether connections begin with a PROXY protocol header, of version 1 or 2.",
            option: "--proxy-protocol"),
        .values(
            "proxy_protocol_from", \.trust.proxyProtocolFrom, .text("an address, a CIDR or unix:"),
            "Who may connect and send it; anybody, if nobody is named.", option: "--proxy-protocol-from"),
        .values(
            "proxies", \.trust.trustedProxies, .text("an address, a CIDR or unix:"),
            "Whose account of a request's hops is believed.", option: "--trusted-proxies"),
        .value(
            "field", \.trust.trustedField, .choice, "The field in which they give it.",
            option: "--trusted-field"),
        .value(
            "upstream_proxy_protocol", \.upstreamProxyProtocol, .choice,
            "Begin each connection to a cluster with a PROXY protocol header; it then carries one request.",
            option: "--upstream-proxy-protocol"),
        .values(
            "upstream_proxy_tlvs", \.upstreamProxyTLVs, .choice,
            "What such a header, of version 2, tells beside addresses: authority (SNI), alpn, ssl, cert-cn, ssl-cipher, crc32c.",
            option: "--upstream-proxy-tlvs"),
    ]

    private static let adminKeys: [SchemaKey<Configuration>] = [
        .value(
            "address", \.adminAddress, ValueSyntax.listenAddress.optional("off"),
            "Where health, metrics, the API and the status page are served.", option: "--admin"),
        .path(
            "token_file", \.adminTokenFile,
            "A file whose first line whoever asks there has to know, as Authorization: Bearer TOKEN; but for /ready and /healthz.",
            option: "--admin-token-file"),
        .value(
            "histograms", \.histograms, .toggle,
            "Whether /metrics tells how long exchanges take, and where: by listener, route, cluster and endpoint.",
            option: "--histograms"),
    ]

    private static let engineKeys: [SchemaKey<Configuration>] = [
        .value(
            "threads", \.threads, ValueSyntax.count(Configuration.threadRange).optional("auto"),
            "Worker threads; auto: as many as there are CPUs.", option: "--threads"),
        .value(
            "io", \.io, .choice, "The driver; auto takes io_uring where the kernel lets it.", option: "--io"),
        .value(
            "user", \.user, ValueSyntax.text("the name of a user").optional("unchanged"),
            "Whom the process becomes once its listeners are open.", option: "--user"),
        .value(
            "pid_file", \.pidFile, ValueSyntax.text("a path").optional("off"),
            "Where the process's number is written while it serves.", option: "--pid-file"),
        .value("pin", \.pin, .toggle, "Whether each worker is bound to one CPU.", option: "--pin"),
        .value(
            "memory", \.memoryBytes, ValueSyntax.size.optional("auto"),
            "The memory to size connections and buffers for; auto: a share of the machine's.",
            option: "--memory"),
        .value(
            "busy_poll", \.busyPoll, .duration,
            "How long to spin before sleeping, while that pays; at most 1ms.",
            option: "--busy-poll"),
        .value("zero_copy", \.zeroCopy, .choice, "Zero-copy sends of long bodies.", option: "--zero-copy"),
        .value(
            "kernel_tls", \.kernelTLS, .choice,
            "Whether the kernel encrypts the rest of long bodies over TLS 1.3; auto: where it can.",
            option: "--kernel-tls"),
        .value(
            "splice", \.splice, .choice, "Whether long bodies and tunnels pass through pipes.",
            option: "--splice"),
    ]

    private static let timeoutKeys: [SchemaKey<Configuration>] = [
        .value("head", \.timeoutHead, .duration, "For a whole request head: 408.", option: "--timeout-head"),
        .value(
            "tls_handshake", \.timeoutTLSHandshake, .duration,
            "For a TLS handshake, from the connection's start: close.", option: "--timeout-tls-handshake"),
        .value(
            "body_idle", \.timeoutBodyIdle, .duration, "Between two pieces of a body: 408 or close.",
            option: "--timeout-body-idle"),
        .value(
            "send_idle", \.timeoutSendIdle, .duration, "While a peer takes nothing of what is sent: close.",
            option: "--timeout-send-idle"),
        .value(
            "keepalive", \.timeoutKeepalive, .duration, "Between two requests of a connection: close.",
            option: "--timeout-keepalive"),
        .value(
            "connect", \.timeoutConnect, .duration,
            "To connect upstream, a TLS handshake included: 504.", option: "--timeout-connect"),
        .value(
            "upstream", \.timeoutUpstream, .duration, "To the first byte of a response: 504.",
            option: "--timeout-upstream"),
        .value(
            "total", \.timeoutTotal, .duration, "For a whole exchange: 504 or close.",
            option: "--timeout-total"),
        .value(
            "tunnel_idle", \.timeoutTunnelIdle, .duration, "Without a byte in a tunnel: close.",
            option: "--timeout-tunnel-idle"),
        .value(
            "drain", \.timeoutDrain, .duration,
            "For running exchanges to finish in a drain; 0 waits for the last.",
            option: "--timeout-drain"),
        .value(
            "drain_delay", \.timeoutDrainDelay, .duration,
            "How long a drain goes on accepting while /ready says 503 already.",
            option: "--timeout-drain-delay"),
        .value(
            "upgrade", \.timeoutUpgrade, .duration,
            "For a new process to serve in an upgrade; then the old one goes on.",
            option: "--timeout-upgrade"),
    ]

    private static let sizeInInt = ValueSyntax.size.converted({ Int(clamping: $0) }, { UInt64(clamping: $0) })
    private static let sizeInInt64 = ValueSyntax.size.converted(
        { Int64(clamping: $0) }, { UInt64(clamping: $0) })

    private static let limitKeys: [SchemaKey<Configuration>] = [
        .value(
            "head", \.limitHeadBytes, sizeInInt, "A whole head, 1KiB to 256KiB: 431.", option: "--limit-head"),
        .value("fields", \.limitFields, .count(), "Fields of a head: 431.", option: "--limit-fields"),
        .value("uri", \.limitURIBytes, sizeInInt, "The request target: 414.", option: "--limit-uri"),
        .value("body", \.limitBodyBytes, sizeInInt64, "A request body: 413.", option: "--limit-body"),
        .value(
            "rate_min", \.limitRateMin, .rate,
            "Bytes a second that a body must bring, and a reader must take, after a time of grace: 408 or close.",
            option: "--limit-rate-min"),
        .value(
            "connections", \.limitConnections, ValueSyntax.count().optional("auto"),
            "Downstream connections; auto: what the memory has room for.", option: "--limit-connections"),
        .value(
            "connections_per_client", \.limitConnectionsPerClient, .count(),
            "Connections from one address: close.",
            option: "--limit-connections-per-client"),
        .value(
            "handshakes", \.limitHandshakes, .count(),
            "TLS handshakes under way at a time, of all threads together: close.",
            option: "--limit-handshakes"),
        .value(
            "handshakes_per_client", \.limitHandshakesPerClient, .count(),
            "TLS handshakes under way from one address: close.",
            option: "--limit-handshakes-per-client"),
        .value(
            "requests_per_connection", \.limitRequestsPerConnection, .count(),
            "After so many the last answer says close.", option: "--limit-requests-per-connection"),
        .value(
            "http2_streams", \.limitStreams, .count(Configuration.streamRange),
            "Requests of an HTTP/2 connection at a time; those beyond it are refused.",
            option: "--limit-http2-streams"),
        .value(
            "mirrored", \.limitMirrored, .count(Configuration.mirroredRange),
            "Mirrored requests under way at a time, of each thread; those beyond it are not mirrored.",
            option: "--limit-mirrored"),
    ]

    private static let poolKeys: [SchemaKey<Configuration>] = [
        .value(
            "idle", \.poolIdle, .count(0...65_536), "Idle connections kept for each endpoint and thread.",
            option: "--pool-idle"),
        .value(
            "idle_timeout", \.poolIdleTimeout, .duration, "How long an idle connection is kept.",
            option: "--pool-idle-timeout"),
        .value(
            "lend", \.poolLend, .toggle, "Whether threads lend each other idle connections.",
            option: "--pool-lend"),
    ]

    private static let destination = ValueSyntax<String>.text(
        "a CIDR, a name, *.NAME or a port, such as 10.1.0.0/16 or *.example.com:443")

    private static let forwardKeys: [SchemaKey<Configuration>] = [
        .values(
            "allow", \.allowDestinations, destination,
            "Destinations that may be reached, and then no others.",
            option: "--allow-destinations"),
        .values(
            "deny", \.denyDestinations, destination,
            "Destinations that may not be reached, whatever allows them.",
            option: "--deny-destinations"),
        .value(
            "parent", \.parent, ValueSyntax.text("the name of a cluster").optional("off"),
            "The cluster of proxies that requests go through.", option: "--parent"),
        .values(
            "direct", \.directDestinations, destination,
            "Destinations that are reached without the parent.", option: "--direct-destinations"),
        .value(
            "parent_authorization", \.parentAuthorization, .choice,
            "Whether Proxy-Authorization is passed to the parent.", option: "--parent-authorization"),
        .value(
            "parent_credentials", \.parentCredentials, ValueSyntax.text("a path").optional("off"),
            "A file with USER:PASSWORD that this proxy shows the parent.", option: "--parent-credentials"),
    ]

    private static let dnsKeys: [SchemaKey<Configuration>] = [
        .values(
            "servers", \.dnsServers, .text("the address of a name server, such as 192.0.2.53"),
            "Name servers to ask instead of those of /etc/resolv.conf.", option: "--dns-server")
    ]

    private static let fieldKeys: [SchemaKey<Configuration>] = [
        .value(
            "via", \.via, ValueSyntax.text("a name of this proxy").optional("off"),
            "This proxy's name in Via; without it loops are not detected (default: uproxy- and 8 random digits).",
            option: "--via"),
        .value(
            "x_forwarded", \.xForwarded, ValueSyntax<Configuration.ForwardedFields>.choice.optional("auto"),
            "X-Forwarded-For, -Proto and -Host; auto: append on reverse listeners, off on forward listeners.",
            option: "--x-forwarded"),
        .value(
            "forwarded", \.forwarded, .choice, "The Forwarded field of RFC 7239.", option: "--forwarded"),
        .value(
            "server_timing", \.serverTiming, .toggle,
            "Whether answers tell what took how long, in Server-Timing (default: off)."),
    ]

    /// The path of the key that means the same as an option of the command line.
    static let pathOfOption: [String: String] = {
        var paths = AccessLogSchema.pathOfOption
        for (section, keys) in sections {
            for key in keys {
                if let option = key.option { paths[option] = "\(section).\(key.name)" }
            }
        }
        return paths
    }()

    /// The sections whose keys have options, for a look at them by path.
    static let sections: [(name: String, keys: [SchemaKey<Configuration>])] = [
        ("trust", trustKeys), ("admin", adminKeys), ("engine", engineKeys), ("timeouts", timeoutKeys),
        ("limits", limitKeys),
        ("pools", poolKeys), ("forward", forwardKeys), ("dns", dnsKeys), ("fields", fieldKeys),
    ]
}
