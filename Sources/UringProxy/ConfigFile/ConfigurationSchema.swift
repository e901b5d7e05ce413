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
            "clusters", \.clusters, "Endpoints that answer the same requests, by a name of yours.",
            itemName: \.name, new: { ClusterConfiguration(name: "") }, clusterKeys),
        .section(
            "trust", "What is believed of the proxies before this one, and told to those behind it.",
            trustKeys),
        .section("admin", "The listener for health and metrics.", adminKeys),
        .section("engine", "Threads, memory and how the kernel is used.", engineKeys),
        .section("timeouts", "How long each side may take; 0 switches a timeout off.", timeoutKeys),
        .section("limits", "How much each side may send or hold; 0 switches a limit off.", limitKeys),
        .section("pools", "Idle connections to endpoints.", poolKeys),
        .section("forward", "What the forward proxy may reach.", forwardKeys),
        .section("dns", "How names are resolved.", dnsKeys),
        .section("fields", "Fields that this proxy adds.", fieldKeys),
    ]

    private static let listenerKeys: [SchemaKey<ListenerConfiguration>] = [
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
        .optional(
            "routes", \.routes, .text("the name of a list of routes"),
            "The list of routes that says where a reverse listener's requests go."),
    ]

    private static let routeKeys: [SchemaKey<RouteConfiguration>] = [
        .section(
            "match", "Which requests it takes; what is left out holds for all.",
            [
                .values(
                    "host", \.hosts, .text("a host, *.NAME for all below it, or ~ and a regular expression"),
                    "Hosts: example.org, *.example.org or ~regex; one of them."),
                .optional(
                    "path", \.path,
                    .text("a path: /a, /a/* for all below it, /users/{id}, or ~ and a regular expression"),
                    "The path: /a, /a/* (it and all below), /users/{id}, /files/{rest...} or ~regex."),
                .values("method", \.methods, .text("a method, such as GET"), "Methods; one of them."),
                .pairs(
                    "headers", \.headers,
                    "Fields and what they have to be: text, text*, ~regex, * (there), !* (not there).",
                    pair: { RouteConfiguration.Condition(name: $0, value: $1) },
                    parts: { ($0.name, $0.value) }),
                .pairs(
                    "query", \.query, "Query parameters, in the same way.",
                    pair: { RouteConfiguration.Condition(name: $0, value: $1) },
                    parts: { ($0.name, $0.value) }),
                .values(
                    "source", \.sources, .text("an address or a CIDR"),
                    "Addresses that it comes from; one of them."),
            ]),
        .optional("cluster", \.cluster, .text("the name of a cluster"), "The cluster that it goes to; or"),
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
    ]

    private static let clusterKeys: [SchemaKey<ClusterConfiguration>] = [
        .values(
            "endpoints", \.endpoints, .endpointAddress,
            "Where its requests go: HOST:PORT or unix:PATH, with ,weight=N behind it if not all are alike.",
            isRequired: true),
        .value("balance", \.balance, .choice, "How requests are spread over them (default: round-robin)."),
        .optional(
            "hash_key", \.hashKey, .hashKey,
            "What ring-hash and maglev choose by: uri, source, header:NAME or cookie:NAME."),
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
            "slow_start", \.slowStart, .duration,
            "How long an endpoint that returns gets less than its share, from a tenth of it on; 0: not at all."
        ),
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
    ]

    private static let adminKeys: [SchemaKey<Configuration>] = [
        .value(
            "address", \.adminAddress, ValueSyntax.listenAddress.optional("off"),
            "Where /healthz and /metrics are served.", option: "--admin")
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
            "splice", \.splice, .choice, "Whether long bodies and tunnels pass through pipes.",
            option: "--splice"),
    ]

    private static let timeoutKeys: [SchemaKey<Configuration>] = [
        .value("head", \.timeoutHead, .duration, "For a whole request head: 408.", option: "--timeout-head"),
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
            "connect", \.timeoutConnect, .duration, "To connect upstream: 504.", option: "--timeout-connect"),
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
            "requests_per_connection", \.limitRequestsPerConnection, .count(),
            "After so many the last answer says close.", option: "--limit-requests-per-connection"),
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
    ]

    /// The path of the key that means the same as an option of the command line.
    static let pathOfOption: [String: String] = {
        var paths: [String: String] = [:]
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
