/// Something in a configuration that cannot work, and what to do about it.
public struct ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
    /// As on the command line: `--limit-head`.
    public let option: String
    public let message: String
    public let remedy: String

    public var description: String { "\(option): \(message); \(remedy)" }
}

extension Configuration {
    static let threadRange = 1...1024
    static let headRangeBytes = (1 << 10)...(256 << 10)
    static let fieldLimit = 4096
    static let streamRange = 1...10_000
    static let mirroredRange = 0...1024
    /// Bodies up to this size, if they come with their head, stay with it: it can be sent again, and elsewhere.
    static let smallBodyBytes = 4096
    static let smallestMemoryBytes: UInt64 = 16 << 20
    static let largestMemoryBytes: UInt64 = 1 << 44
    /// Far beyond what a sleep and a wake-up cost anywhere.
    static let longestBusyPoll = Nanoseconds.milliseconds(1)

    /// All that is wrong with this configuration, in the order of the options; empty if it can run.
    public func validate() -> [ConfigurationProblem] {
        var problems = ProblemList()
        checkListeners(&problems)
        checkClientCertificates(&problems)
        checkTrust(&problems)
        checkUpstreams(&problems)
        checkRouteDefaults(&problems)
        checkClusters(&problems)
        for cluster in clusters { cluster.check(&problems) }
        checkCookies(&problems)
        checkHedges(&problems)
        checkZones(&problems)
        checkBalancing(&problems)
        checkEngine(&problems)
        checkBusyPoll(&problems)
        checkTimeouts(&problems)
        checkLimits(&problems)
        checkPools(&problems)
        checkDestinations(&problems)
        checkParent(&problems)
        checkVia(&problems)
        accessLog?.check(&problems, pidFile: pidFile)
        tracing?.check(&problems)
        flightRecorder.check(&problems)
        for list in routes {
            for (index, route) in list.routes.enumerated() {
                route.log.check("routes.\(list.name)[\(index)]", &problems)
            }
        }
        return problems.all
    }

    /// Routes that look at certificates are of no use where nobody is asked for one.
    private func checkClientCertificates(_ problems: inout ProblemList) {
        let asking = Set(listeners.filter { $0.tls?.clientCertificates != nil }.compactMap(\.routes))
        for list in routes where !asking.contains(list.name) {
            for (index, route) in list.routes.enumerated() {
                let path = "routes.\(list.name)[\(index)]"
                var options: [String] = []
                if route.clientCertificate != nil { options.append("match.client_certificate") }
                for (key, edits) in [("request", route.requestEdits), ("response", route.responseEdits)] {
                    for (name, fields) in [("set", edits.set), ("add", edits.add)] {
                        for field in fields where field.value.contains("{client_cert:") {
                            options.append("\(key).\(name).\(field.name)")
                        }
                    }
                }
                for option in options {
                    problems.add(
                        "\(path).\(option)", "no listener with these routes asks clients for certificates",
                        "add 'tls: {client_certificates: {ca: FILE}}' to one, or leave this out")
                }
            }
        }
    }

    private func checkListeners(_ problems: inout ProblemList) {
        var seen: [(option: String, text: String, address: AddressText)] = []
        var addresses = listeners.enumerated().map { ("listeners[\($0)].address", $1.address) }
        addresses += listenAddresses.map { ("--listen", $0) } + forwardListeners.map { ("--forward", $0) }
        if let adminAddress { addresses.append(("--admin", adminAddress)) }
        for (option, text) in addresses {
            let address: AddressText
            do {
                address = try AddressText(parsing: text)
                try address.checkListenable(text)
            } catch {
                problems.add(option, error)
                continue
            }
            if case .inherited = address, option == "--admin" {
                problems.add(
                    option, "\(quoted(text)) is a socket of the service manager's",
                    "give the admin listener an address: passed sockets are for traffic")
                continue
            }
            if let other = seen.first(where: { $0.address.conflicts(with: address) }) {
                problems.add(
                    option, "\(quoted(text)) is taken by \(other.option) \(quoted(other.text))",
                    "give each listener a port of its own")
            }
            seen.append((option, text, address))
        }
        if addresses.count > ListenerConfiguration.limit {
            problems.add(
                listeners.isEmpty ? "--listen" : "listeners",
                "\(addresses.count) listeners are more than \(ListenerConfiguration.limit)",
                "let several share an address, or start another process")
        }
        for (index, listener) in listeners.enumerated() { check(listener, index, &problems) }
        if !listenAddresses.isEmpty && upstreams.isEmpty {
            problems.add(
                "--listen", "a reverse proxy has nowhere to send requests to",
                "name an endpoint with --upstream HOST:PORT, or listen with --forward for a forward proxy")
        }
    }

    private func checkParent(_ problems: inout ProblemList) {
        let names = allClusters.map(\.name)
        if let parent, !names.contains(parent) {
            problems.add(
                "--parent", "there is no cluster \(quoted(parent))",
                NearestName.remedy(for: parent, among: names, of: "clusters"))
        }
        let forward = allListeners.filter { $0.role == .forward }
        if parent != nil && forward.isEmpty {
            problems.add(
                "--parent", "there is no forward proxy whose requests could go through it",
                "add a listener with the role forward, or leave it out")
        }
        for cluster in allClusters
        where cluster.http2 != .off && forward.contains(where: { $0.parent == cluster.name }) {
            problems.add(
                "clusters.\(cluster.name).http2",
                "it is a parent of forward proxies, which is asked in HTTP/1.1",
                "leave it out, or name another cluster as the parent")
        }
        let hasParent = forward.contains { $0.parent != nil }
        let needless: [(option: String, isGiven: Bool)] = [
            ("--direct-destinations", !directDestinations.isEmpty),
            ("--parent-authorization", parentAuthorization != .off),
            ("--parent-credentials", parentCredentials != nil),
        ]
        for (option, isGiven) in needless where isGiven && !hasParent {
            problems.add(
                option, "there is no parent", "name the cluster of proxies as the parent, or leave it out")
        }
        if parentAuthorization == .pass && parentCredentials != nil {
            problems.add(
                "--parent-credentials",
                "what downstream shows is passed to the parent, which takes one of the two",
                "leave it out, or switch passing off")
        }
    }

    /// Where a file's listener sends its requests, and how many connections it takes.
    private func check(_ listener: ListenerConfiguration, _ index: Int, _ problems: inout ProblemList) {
        let path = "listeners[\(index)]"
        if !ListenerConfiguration.connectionRange.contains(listener.maxConnections) {
            problems.add(
                "\(path).max_connections",
                "\(listener.maxConnections) is outside 0 to \(ListenerConfiguration.connectionRange.upperBound)",
                "0 switches it off")
        }
        if let parent = listener.parent {
            if listener.role == .forward {
                checkName(parent, "parent", "clusters", among: clusters.map(\.name), path, &problems)
            } else {
                problems.add(
                    "\(path).parent", "only a forward proxy's requests go through a parent",
                    "name the cluster with 'cluster:', or make the role forward")
            }
        }
        checkServerNames(listener, path, &problems)
        switch (listener.role, listener.cluster, listener.routes) {
        case (.forward, nil, nil): break
        case (.forward, let cluster, _):
            problems.add(
                cluster == nil ? "\(path).routes" : "\(path).cluster",
                "a forward proxy's requests say themselves where to go",
                "leave it out, or make the role reverse")
        case (.tcp, nil, nil) where !listener.serverNames.isEmpty: break
        case (.reverse, nil, nil), (.tcp, nil, nil):
            if clusters.count == 1 { break }
            let names = clusters.map(\.name).joined(separator: ", ")
            let isTCP = listener.role == .tcp
            problems.add(
                path, "it has nowhere to send \(isTCP ? "connections" : "requests") to",
                names.isEmpty
                    ? "define a cluster with its endpoints below 'clusters'"
                    : "add \(isTCP ? "" : "'routes:', or ")'cluster:' and one of \(names)")
        case (.tcp, _, _?):
            problems.add(
                "\(path).routes", "routes are for requests, and nobody looks for any here",
                "name a cluster instead")
        case (.reverse, _?, _?):
            problems.add(path, "it has both a cluster and routes", "keep one: a route may name the cluster")
        case (.reverse, let name?, nil), (.tcp, let name?, nil):
            checkName(name, "cluster", "clusters", among: clusters.map(\.name), path, &problems)
        case (.reverse, nil, let name?):
            checkName(name, "routes", "routes", among: routes.map(\.name), path, &problems)
        }
    }

    /// Who may look at names, and where they lead; `ServerNameCompiler` looks at the names themselves.
    private func checkServerNames(
        _ listener: ListenerConfiguration, _ path: String, _ problems: inout ProblemList
    ) {
        guard !listener.serverNames.isEmpty else { return }
        if listener.role != .tcp {
            problems.add(
                "\(path).sni", "only the connections of a tcp listener are passed on by their server name",
                "make the role tcp, or let routes choose by 'match: {host: …}'")
        } else if listener.tls != nil {
            problems.add(
                "\(path).sni", "TLS ends here, so that no ClientHello is passed on",
                "leave 'tls:' out to pass TLS on, or make the role reverse and let routes choose")
        }
        for (index, rule) in listener.serverNames.enumerated() {
            checkName(
                rule.cluster, "cluster", "clusters", among: clusters.map(\.name), "\(path).sni[\(index)]",
                &problems)
        }
    }

    private func checkName(
        _ name: String, _ key: String, _ section: String, among names: [String], _ path: String,
        _ problems: inout ProblemList
    ) {
        if names.contains(name) { return }
        problems.add(
            "\(path).\(key)",
            "there is no \(key == "routes" ? "list of routes" : "cluster") \(quoted(name))",
            NearestName.remedy(for: name, among: names, of: section))
    }

    private func checkRouteDefaults(_ problems: inout ProblemList) {
        let names = routes.map(\.name)
        for defaults in routeDefaults where !names.contains(defaults.name) {
            problems.add(
                "route_defaults.\(defaults.name)", "there is no list of routes \(quoted(defaults.name))",
                NearestName.remedy(for: defaults.name, among: names, of: "routes"))
        }
    }

    private func checkClusters(_ problems: inout ProblemList) {
        let count = allClusters.reduce(0) { $0 + $1.endpoints.count }
        if count > ClusterConfiguration.totalEndpointLimit {
            problems.add(
                clusters.isEmpty ? "--upstream" : "clusters",
                "\(count) endpoints in all are more than \(ClusterConfiguration.totalEndpointLimit)",
                "put several of them behind one address")
        }
        for cluster in clusters {
            if cluster.name == Self.optionsCluster && !upstreams.isEmpty {
                problems.add(
                    "clusters.\(cluster.name)", "this is the name of the cluster that --upstream makes",
                    "give it another name, or leave --upstream out")
            }
            for (index, text) in cluster.endpoints.enumerated() {
                checkEndpoint(text, "clusters.\(cluster.name).endpoints[\(index)]", &problems)
            }
        }
    }

    private func checkEndpoint(_ text: String, _ option: String, _ problems: inout ProblemList) {
        do {
            let address = try UpstreamText(parsing: text).address
            try AddressText(parsing: address).checkConnectable(address)
        } catch {
            problems.add(option, error)
        }
    }

    private func checkTrust(_ problems: inout ProblemList) {
        for (option, texts) in [
            ("--proxy-protocol-from", trust.proxyProtocolFrom), ("--trusted-proxies", trust.trustedProxies),
        ] {
            do { _ = try AddressList.parse(texts) } catch { problems.add(option, error) }
        }
        if !trust.proxyProtocolFrom.isEmpty && trust.proxyProtocol == .off {
            problems.add(
                "--proxy-protocol-from", "no listener takes the PROXY protocol",
                "add --proxy-protocol require, or leave it out")
        }
        if !upstreamProxyTLVs.isEmpty && upstreamProxyProtocol != .v2 {
            problems.add(
                "--upstream-proxy-tlvs", "headers of version 2 alone have room for them",
                "add --upstream-proxy-protocol v2, or leave it out")
        }
        if upstreamProxyProtocol != .off && allClusters.isEmpty {
            problems.add(
                "--upstream-proxy-protocol", "there is no upstream to send it to",
                "it is of the reverse proxy: add --listen and --upstream")
        }
        if upstreamProxyProtocol != .off {
            for cluster in allClusters where cluster.http2 != .off {
                problems.add(
                    "clusters.\(cluster.name).http2",
                    "a connection that begins with a PROXY header is one client's, and one of HTTP/2 is several clients'",
                    "leave it out, or trust.upstream_proxy_protocol")
            }
        }
    }

    private func checkUpstreams(_ problems: inout ProblemList) {
        if !upstreams.isEmpty && listenAddresses.isEmpty {
            problems.add(
                "--upstream", "there is no listener whose requests could go to it",
                "add --listen ADDRESS:PORT, for example --listen 127.0.0.1:8081")
        }
        for text in upstreams { checkEndpoint(text, "--upstream", &problems) }
    }

    private func checkZones(_ problems: inout ProblemList) {
        let endpoints = allClusters.flatMap(\.endpoints)
        // What a file of endpoints says may change.
        let hasFiles = clusters.contains { $0.discovery?.file != nil }
        if zone != nil && !hasFiles
            && !endpoints.contains(where: { (try? UpstreamText(parsing: $0))?.zone != nil })
        {
            problems.add(
                "zone", "no endpoint says which zone it stands in",
                "write endpoints as {address: HOST:PORT, zone: NAME}, or leave it out")
        }
    }

    /// Cookies are for the answers of sites.
    private func checkCookies(_ problems: inout ProblemList) {
        for cluster in clusters where cluster.sticky != nil {
            let path = "clusters.\(cluster.name).sticky"
            if allListeners.contains(where: { $0.role == .tcp && $0.clusters.contains(cluster.name) }) {
                problems.add(
                    path, "a tcp listener sends connections here, which have no cookies",
                    "leave it out, or give that listener a cluster of its own")
            }
            if allListeners.contains(where: { $0.parent == cluster.name }) {
                problems.add(
                    path, "as a parent its answers are those of other sites, whose cookies it would be among",
                    "leave it out, or give the forward listener a cluster of its own")
            }
        }
    }

    /// What a tcp listener passes on is no request that could be sent twice.
    private func checkHedges(_ problems: inout ProblemList) {
        for cluster in clusters where cluster.retries.hedgeAfter != .zero {
            guard allListeners.contains(where: { $0.role == .tcp && $0.clusters.contains(cluster.name) })
            else {
                continue
            }
            problems.add(
                "clusters.\(cluster.name).retries.hedge_after",
                "a tcp listener sends connections here, which cannot be sent to a second endpoint as well",
                "leave it out, or give that listener a cluster of its own")
        }
    }

    private func checkBalancing(_ problems: inout ProblemList) {
        if balance != .roundRobin && upstreams.isEmpty {
            problems.add(
                "--balance", "there is no upstream to spread requests over",
                "name the endpoints with --upstream HOST:PORT")
        }
        let options = ClusterConfiguration(
            name: Self.optionsCluster, endpoints: upstreams, balance: balance, hashKey: hashKey)
        checkBalancing(of: options, ("--upstream", "--balance", "--hash-key"), &problems)
        for cluster in clusters {
            let path = "clusters.\(cluster.name)"
            checkBalancing(
                of: cluster, ("\(path).endpoints", "\(path).balance", "\(path).hash_key"), &problems)
        }
    }

    private func checkBalancing(
        of cluster: ClusterConfiguration, _ names: (endpoints: String, balance: String, hashKey: String),
        _ problems: inout ProblemList
    ) {
        let limit = ClusterConfiguration.endpointLimit
        if cluster.endpoints.count > limit {
            problems.add(
                names.endpoints, "\(cluster.endpoints.count) endpoints are more than \(limit)",
                "put several of them behind one address")
        }
        if cluster.balance.isHashed && cluster.hashKey == nil {
            let key = names.hashKey.hasPrefix("--") ? names.hashKey : "'hash_key:' and one of"
            problems.add(
                names.balance, "\(cluster.balance.rawValue) chooses by a key, and there is none",
                "add \(key) uri, source, header:NAME or cookie:NAME")
        }
        if let hashKey = cluster.hashKey, !cluster.balance.isHashed {
            problems.add(
                names.hashKey, "\(cluster.balance.rawValue) does not choose by a key (\(hashKey))",
                names.balance.hasPrefix("--")
                    ? "add --balance ring-hash or --balance maglev, or leave it out"
                    : "write 'balance: ring-hash' or 'balance: maglev', or leave it out")
        }
    }

    private func checkEngine(_ problems: inout ProblemList) {
        if let threads, !Self.threadRange.contains(threads) {
            problems.add(
                "--threads", "\(threads) is outside 1 to \(Self.threadRange.upperBound)",
                "leave it out to use one thread for each CPU available")
        }
        #if !Uring
            if io == .uring {
                problems.add(
                    "--io", "this build holds the epoll driver alone",
                    "use --io epoll or auto, or build without --disable-default-traits")
            }
        #endif
        if let memoryBytes, memoryBytes != 0,
            !(Self.smallestMemoryBytes...Self.largestMemoryBytes).contains(memoryBytes)
        {
            let least = ByteSize.describe(Self.smallestMemoryBytes)
            problems.add(
                "--memory", "\(ByteSize.describe(memoryBytes)) is outside \(least) to 16TiB",
                "give at least \(least), or leave it out for a share of the machine's memory")
        }
    }

    private func checkBusyPoll(_ problems: inout ProblemList) {
        guard busyPoll < .zero || busyPoll > Self.longestBusyPoll else { return }
        problems.add(
            "--busy-poll", "\(busyPoll) is outside 0 to \(Self.longestBusyPoll)",
            "give what a sleep and a wake-up take, such as 50us; 0 switches it off")
    }

    private func checkTimeouts(_ problems: inout ProblemList) {
        var timeouts: [(String, Nanoseconds)] = [
            ("--timeout-head", timeoutHead), ("--timeout-tls-handshake", timeoutTLSHandshake),
            ("--timeout-body-idle", timeoutBodyIdle),
            ("--timeout-send-idle", timeoutSendIdle), ("--timeout-keepalive", timeoutKeepalive),
            ("--timeout-connect", timeoutConnect), ("--timeout-upstream", timeoutUpstream),
            ("--timeout-total", timeoutTotal), ("--timeout-tunnel-idle", timeoutTunnelIdle),
            ("--timeout-drain", timeoutDrain), ("--timeout-drain-delay", timeoutDrainDelay),
            ("--timeout-upgrade", timeoutUpgrade), ("--pool-idle-timeout", poolIdleTimeout),
            ("--limit-rate-min", limitRateMin.grace),
        ]
        for list in routes {
            for (index, route) in list.routes.enumerated() {
                timeouts += Self.values(of: route.timeouts, "routes.\(list.name)[\(index)].timeouts")
            }
        }
        for defaults in routeDefaults {
            timeouts += Self.values(of: defaults.timeouts, "route_defaults.\(defaults.name).timeouts")
        }
        for (option, value) in timeouts {
            if value < .zero || value > .longest {
                problems.add(option, "\(value) is negative or longer than ten years", "0 switches it off")
            } else if value.isOn && value < .milliseconds(1) {
                problems.add(
                    option, "\(value) is less than a millisecond, the step of the timer wheel",
                    "give 1ms or more, or 0 to switch it off")
            }
        }
    }

    private static func values(of timeouts: RouteTimeouts, _ path: String) -> [(String, Nanoseconds)] {
        let all = [
            ("connect", timeouts.connect), ("upstream", timeouts.upstream), ("total", timeouts.total),
            ("body_idle", timeouts.bodyIdle), ("send_idle", timeouts.sendIdle),
            ("tunnel_idle", timeouts.tunnelIdle),
        ]
        return all.compactMap { name, value in value.map { ("\(path).\(name)", $0) } }
    }

    private func checkLimits(_ problems: inout ProblemList) {
        let range = Self.headRangeBytes
        if limitHeadBytes == 0 {
            problems.add(
                "--limit-head", "a head without a limit would let one peer take all memory",
                "give 1KiB to 256KiB")
        } else if !range.contains(limitHeadBytes) {
            problems.add(
                "--limit-head", "\(describe(limitHeadBytes)) is outside 1KiB to 256KiB",
                limitHeadBytes > range.upperBound
                    ? "send large values in the body" : "heads of browsers need 8KiB or more")
        }
        if limitURIBytes < 0 || limitURIBytes > limitHeadBytes && limitHeadBytes > 0 {
            problems.add(
                "--limit-uri",
                "\(describe(limitURIBytes)) does not fit --limit-head (\(describe(limitHeadBytes)))",
                "lower it, raise --limit-head, or give 0 to let the head's limit bound it")
        }
        let counts: [(option: String, value: Int64, most: Int64)] = [
            ("--limit-fields", Int64(limitFields), Int64(Self.fieldLimit)),
            ("--limit-body", limitBodyBytes, .max),
            ("--limit-rate-min", limitRateMin.bytesPerSecond, 1 << 40),
            ("--limit-connections", Int64(limitConnections ?? 0), 1 << 30),
            ("--limit-connections-per-client", Int64(limitConnectionsPerClient), 1 << 30),
            ("--limit-handshakes", Int64(limitHandshakes), 1 << 30),
            ("--limit-handshakes-per-client", Int64(limitHandshakesPerClient), 1 << 30),
            ("--limit-requests-per-connection", Int64(limitRequestsPerConnection), .max),
        ]
        for (option, value, most) in counts where value < 0 || value > most {
            problems.add(option, "\(value) is outside 0 to \(most)", "0 switches it off")
        }
        if !Self.streamRange.contains(limitStreams) {
            problems.add(
                "--limit-http2-streams",
                "\(limitStreams) is outside \(Self.streamRange.lowerBound) to \(Self.streamRange.upperBound)",
                "switch HTTP/2 off with 'http2: off' of a listener, if that is what you want")
        }
        if !Self.mirroredRange.contains(limitMirrored) {
            problems.add(
                "--limit-mirrored", "\(limitMirrored) is outside 0 to \(Self.mirroredRange.upperBound)",
                "0 mirrors nothing")
        }
        if let limitConnections, limitConnections > 0, limitConnectionsPerClient > limitConnections {
            problems.add(
                "--limit-connections-per-client",
                "\(limitConnectionsPerClient) is more than --limit-connections (\(limitConnections)) lets in at all",
                "lower it, or raise --limit-connections")
        }
    }

    private func checkPools(_ problems: inout ProblemList) {
        if !(0...65536).contains(poolIdle) {
            problems.add("--pool-idle", "\(poolIdle) is outside 0 to 65536", "0 keeps no idle connection")
        }
    }

    private func checkDestinations(_ problems: inout ProblemList) {
        for (option, texts) in [
            ("--allow-destinations", allowDestinations), ("--deny-destinations", denyDestinations),
            ("--direct-destinations", directDestinations),
        ] {
            for text in texts {
                if text.isEmpty || text.utf8.contains(where: { $0 <= 32 || $0 == 127 }) {
                    problems.add(
                        option, "\(quoted(text)) is empty or holds a space",
                        "give a CIDR, a name, a pattern as *.example.com or a port, and repeat the option for more"
                    )
                } else if text.contains("://") {
                    problems.add(option, "\(quoted(text)) is a URL", "give its host, or HOST:PORT")
                }
            }
        }
        for text in dnsServers where !isResolver(text) {
            problems.add(
                "--dns-server", "\(quoted(text)) is no address of a name server",
                "write it as 192.0.2.53, 192.0.2.53:5353, 2001:db8::53 or [2001:db8::53]:5353")
        }
    }

    private func isResolver(_ text: String) -> Bool {
        if AddressText.isIPv4(text[...]) || AddressText.isIPv6(text[...]) { return true }
        guard case .host(let host, let port)? = try? AddressText(parsing: text), port != 0 else {
            return false
        }
        return host.hasPrefix("[") || AddressText.isIPv4(host[...])
    }

    private func checkVia(_ problems: inout ProblemList) {
        guard let via else { return }
        // RFC 9110 §7.6.3: a pseudonym is a token; a host with its port may stand there as well.
        let symbols = Set("!#$%&'*+-.^_`|~:[]".utf8)
        let fits = via.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || symbols.contains(byte)
        }
        if via.isEmpty || via.utf8.count > 64 || !fits {
            problems.add(
                "--via", "\(quoted(via)) cannot stand in a Via field",
                "use up to 64 letters, digits and hyphens, or off")
        }
    }

    private func describe(_ bytes: Int) -> String {
        bytes < 0 ? "\(bytes)" : ByteSize.describe(UInt64(bytes))
    }
}

/// What is wrong, as it is found.
struct ProblemList {
    private(set) var all: [ConfigurationProblem] = []

    mutating func add(_ option: String, _ message: String, _ remedy: String) {
        all.append(ConfigurationProblem(option: option, message: message, remedy: remedy))
    }

    /// What the syntax checks say is "problem: remedy" already.
    mutating func add(_ option: String, _ error: OptionSyntaxError) {
        let (message, remedy) = error.parts(otherwise: "see --help")
        add(option, message, remedy)
    }
}
