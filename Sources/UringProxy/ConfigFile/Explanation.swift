internal import CPosix

/// What becomes of a request, and which line of the file decided it: found by the tables that the proxy itself uses.
public struct Explanation: Sendable {
    private struct Line: Sendable {
        var label: String
        var text: String
        var origin: String?
    }

    private var lines: [Line] = []
    let configuration: Configuration
    /// By the name of a sticky cluster, the endpoint that the request's cookie names.
    private(set) var namedEndpoints: [String: String] = [:]
    /// By the name of a cluster, the endpoint of the request's key.
    private(set) var keyedChoices: [String: KeyedChoice] = [:]
    private let file: ConfigurationFile?
    private let origins: ValueOrigins
    let tables: ExplanationTables
    /// How the endpoints of the process that is asked do; empty if none is.
    let health: [ClusterHealth]
    /// What it has found of endpoints; empty if none is asked.
    let discovered: [DiscoverySource]
    /// Whose request it is.
    let client: IPAddress

    /// - Parameter file: what the configuration began as, if it did as a file.
    /// - Throws: what of the question cannot be read.
    public init(_ query: ExplanationQuery, configuration: Configuration, file: ConfigurationFile?)
        throws(OptionSyntaxError)
    {
        try self.init(
            query, configuration: configuration, file: file, tables: ExplanationTables(configuration))
    }

    init(
        _ query: ExplanationQuery, configuration: Configuration, file: ConfigurationFile?,
        tables: ExplanationTables
    ) throws(OptionSyntaxError) {
        self.configuration = configuration
        self.file = file
        origins = ValueOrigins(configuration, file: file)
        self.tables = tables
        health = tables.clusters.compactMap(\.health)
        discovered = tables.clusters.compactMap { $0.discovery?.source }
        let (method, target) = (query.method, query.target)
        guard let source = IPAddress(query.source) else {
            throw OptionSyntaxError(
                "--from \(quoted(query.source)) is no address: write for example 192.0.2.7")
        }
        client = source
        let listeners = configuration.allListeners
        let isForward = method == "CONNECT"
        let chosen: ListenerConfiguration?
        if let address = query.listener {
            chosen = listeners.first { $0.address == address }
        } else {
            chosen =
                listeners.first { $0.role == (isForward ? .forward : .reverse) }
                ?? (isForward ? nil : listeners.first)
        }
        guard let listener = chosen else {
            let known = listeners.map(\.address).joined(separator: ", ")
            throw OptionSyntaxError(
                query.listener.map { "there is no listener \(quoted($0)): known are \(known)" }
                    ?? "there is no forward listener for CONNECT: known are \(known)")
        }
        add("request", "\(method) \(target) from \(source.description)", nil)
        add("listener", "\(listener.role.rawValue) proxy on \(listener.address)", path(of: listener))
        explainTLS(
            listener, host: isForward || listener.role != .reverse ? "" : Self.host(target, query.fields))
        guard explainAccess(listener.access, source, path(of: listener)) else { return }
        if listener.maxConnections > 0 {
            add(
                "connections",
                "\(listener.maxConnections) at a time; one more is \(listener.role == .tcp ? "reset" : listener.tls == nil ? "answered with 503" : "closed")",
                "\(path(of: listener)).max_connections")
        }
        explain(
            Self.head(method, target, query.fields, isForward: listener.role == .forward), listener, source)
    }

    public var text: String {
        let width = lines.map(\.label.count).max() ?? 0
        let margin = String(repeating: " ", count: width + 2)
        return lines.map { line in
            let gap = String(repeating: " ", count: width - line.label.count + 2)
            return line.label + gap + line.text + (line.origin.map { "\n\(margin)  \($0)" } ?? "")
        }.joined(separator: "\n")
    }

    /// - Parameter path: of the key that decided it.
    mutating func add(_ label: String, _ text: String, _ path: String?) {
        let origin = path.map { path in
            origins.text(of: path).map { "\($0), \(path)" } ?? "an option, or the default"
        }
        lines.append(Line(label: label, text: text, origin: origin))
    }

    func path(of listener: ListenerConfiguration) -> String {
        configuration.listeners.firstIndex { $0.address == listener.address }.map { "listeners[\($0)]" }
            ?? "listeners"
    }

    /// The authority of a URL, and what stands behind it; nil if it is none.
    static func parts(ofURL target: String) -> (authority: String, path: Substring)? {
        guard let scheme = target.firstRange(of: "://"), !target.hasPrefix("/") else { return nil }
        let rest = target[scheme.upperBound...]
        let end = rest.firstIndex { "/?".contains($0) } ?? rest.endIndex
        return (String(rest[..<end]), rest[end...])
    }

    /// The head that a client would send.
    private static func head(_ method: String, _ target: String, _ fields: [String], isForward: Bool)
        -> [UInt8]
    {
        var line = target
        var host = ""
        if let (authority, path) = parts(ofURL: target) {
            host = authority
            if !isForward { line = (path.hasPrefix("/") ? "" : "/") + path }
        } else if method == "CONNECT" {
            host = target
        }
        var text = "\(method) \(line) HTTP/1.1\r\n"
        if !fields.contains(where: { $0.lowercased().hasPrefix("host:") }) { text += "Host: \(host)\r\n" }
        for field in fields { text += field + "\r\n" }
        return Array((text + "\r\n").utf8)
    }

    private mutating func explain(_ bytes: [UInt8], _ listener: ListenerConfiguration, _ source: IPAddress) {
        var fields = FieldTable(capacity: 8192)
        var head = RequestHead()
        unsafe bytes.withUnsafeBytes { buffer in
            let view = unsafe ByteView(buffer)
            var limits = HeadLimits()
            limits.headBytes = configuration.limitHeadBytes
            if configuration.limitURIBytes > 0 { limits.uriBytes = configuration.limitURIBytes }
            if configuration.limitFields > 0 { limits.fields = configuration.limitFields }
            switch RequestParser.parse(view, limits: limits, fields: &fields, head: &head) {
            case .invalid(let error): add("answer", "\(error.status), \(error.reason)", nil)
            case .incomplete: add("answer", "none: the head does not end", nil)
            case .complete:
                switch listener.role {
                case .forward:
                    guard mayGoOn(head, listener) else { return }
                    keyedChoices = Self.keyedChoices(
                        tables, head, fields, view, source: source, role: .forward)
                    explainAuthentication(listener.access.authentication, 407, path(of: listener))
                    explainForward(head, view, listener)
                case .tcp:
                    keyedChoices = Self.keyedChoices(
                        tables, head, fields, view, source: source, role: .tcp)
                    if listener.serverNames.isEmpty {
                        explainCluster(
                            listener.cluster ?? "", "\(path(of: listener)).cluster", isRelay: true)
                    } else {
                        explainServerName(listener, head, view)
                    }
                case .reverse:
                    guard mayGoOn(head, listener) else { return }
                    for name in configuration.authentication.compactMap(\.userField) {
                        var name = name
                        name.withUTF8 {
                            fields.dropLikes(of: unsafe ByteView(UnsafeRawBufferPointer($0)), from: view)
                        }
                    }
                    namedEndpoints = Self.namedEndpoints(
                        configuration, tables.stickyKeys, discovered, fields, view)
                    keyedChoices = Self.keyedChoices(
                        tables, head, fields, view, source: source, role: .reverse)
                    explainReverse(head, fields, view, listener, source)
                }
            }
        }
    }

    /// False if the request is refused for what it is, whoever asks for what.
    private mutating func mayGoOn(_ head: RequestHead, _ listener: ListenerConfiguration) -> Bool {
        // A route may have a limit of its own.
        if listener.routes == nil && !isBodyAllowed(head, configuration.limitBodyBytes, "limits.body") {
            return false
        }
        let isForward = listener.role == .forward
        var answer: String?
        switch head.form {
        case .authority where !isForward: answer = "405, CONNECT is answered by forward listeners only"
        case .absolute where isForward ? head.scheme != .http : head.scheme == .other:
            answer = "501, only http:// is forwarded; use CONNECT for anything else"
        case .origin where isForward, .asterisk where isForward:
            answer = "400, a forward proxy needs a whole URL"
        default:
            if head.maxForwards == 0 && head.method == .trace { answer = "405, TRACE is not answered here" }
        }
        if let answer { add("answer", answer, nil) }
        return answer == nil
    }

    private mutating func isBodyAllowed(_ head: RequestHead, _ limit: Int64, _ path: String) -> Bool {
        guard limit > 0, case .length(let size) = head.framing, size > UInt64(limit) else { return true }
        add("answer", "413, the body is larger than \(ByteSize.describe(UInt64(limit)))", path)
        return false
    }

    // MARK: - Access

    /// What a listener or a route asks of the request; false if it is not let in.
    private mutating func explainAccess(_ access: AccessConfiguration, _ source: IPAddress, _ path: String)
        -> Bool
    {
        guard explainAddress(access, source, path) else { return false }
        for name in access.rateLimits {
            guard let limit = configuration.rateLimits.first(where: { $0.name == name }) else { continue }
            let answer = limit.mode == .observe ? "counted beyond it" : "429 beyond it"
            add(
                "rate limit", "\(limit.rate) by \(limit.key), \(limit.burstInEffect) at once, \(answer)",
                "rate_limits.\(name)")
        }
        return true
    }

    /// Whose credentials are asked for.
    private mutating func explainAuthentication(_ name: String?, _ status: Int, _ path: String) {
        guard let name else { return }
        if name == AuthenticationConfiguration.off {
            add("authentication", "none", "\(path).authentication")
            return
        }
        guard let asked = configuration.authentication.first(where: { $0.name == name }) else { return }
        let schemes = [asked.usersFile.map { _ in "Basic" }, asked.tokensFile.map { _ in "Bearer" }]
        let list = schemes.compactMap { $0 }.joined(separator: " or ")
        add("authentication", "\(list) credentials of '\(name)', else \(status)", "\(path).authentication")
    }

    private mutating func explainAddress(_ access: AccessConfiguration, _ source: IPAddress, _ path: String)
        -> Bool
    {
        guard !access.allow.isEmpty || !access.deny.isEmpty else { return true }
        func hold(_ texts: [String]) -> Int? {
            texts.firstIndex { text in
                guard let prefixes = try? tables.sets.prefixes(text) else { return false }
                return prefixes.contains { $0.contains(source) }
            }
        }
        let isListener = path.hasPrefix("listeners")
        let answer = isListener ? "closed, or 403 behind a trusted proxy" : "403"
        if let index = hold(access.deny) {
            add("access", "denied by \(access.deny[index]): \(answer)", "\(path).deny[\(index)]")
            return false
        }
        guard !access.allow.isEmpty else { return true }
        guard let index = hold(access.allow) else {
            add("access", "allowed by nothing: \(answer)", "\(path).allow")
            return false
        }
        add("access", "allowed by \(access.allow[index])", "\(path).allow[\(index)]")
        return true
    }

    // MARK: - Reverse

    private mutating func explainReverse(
        _ head: RequestHead, _ fields: borrowing FieldTable, _ bytes: ByteView,
        _ listener: ListenerConfiguration, _ client: IPAddress
    ) {
        guard let name = listener.routes else {
            explainAuthentication(listener.access.authentication, 401, path(of: listener))
            explainCluster(listener.cluster ?? "", "\(path(of: listener)).cluster")
            return
        }
        guard let list = configuration.routes.first(where: { $0.name == name }),
            let set = tables.routes.first(where: { $0.name == name })?.set
        else { return }
        var scratch = RouteScratch(pathBytes: bytes.count)
        var request: RouteRequest
        do throws(PathProblem) {
            request = try RouteRequest(head, bytes: bytes, source: client, scratch: &scratch)
        } catch {
            add("answer", "400, \(error.message)", nil)
            return
        }
        if !tables.databases.all.isEmpty {
            request.location = tables.databases.reader.location(of: client)
            add("location", request.location.description, "geo.databases")
        }
        let path = String(decoding: request.path)
        if !request.path.equals(request.receivedPath) { add("path", "\(path), for routing", nil) }
        let found = set.table.find(request, fields: fields, scratch: &scratch)
        if scratch.isUndecided {
            add("answer", "400, a route's regular expression could not be decided within its limits", nil)
            return
        }
        guard let match = found else {
            add("route", "none: 404", "routes.\(name)")
            return
        }
        let route = "routes.\(name)[\(match.rule)]"
        add("route", "number \(match.rule + 1) of '\(name)'", route)
        var source = TemplateSource(request: request, match: match)
        let place = Place(
            list: name, path: route, route: list.routes[match.rule],
            defaults: configuration.routeDefaults.first { $0.name == name })
        guard explainAccess(place.route.access, client, route) else { return }
        let asks = place.route.access.authentication != nil
        explainAuthentication(
            place.route.access.authentication ?? listener.access.authentication, 401,
            asks ? route : self.path(of: listener))
        var cluster = set.cluster(of: match.rule)
        var isDrawn = false
        if let split = set.split(of: match.rule) {
            let shares = place.route.split.map { "\($0.cluster) \($0.weight)" }.joined(separator: ", ")
            let key = set.key(ofSplit: split)
            let hash = KeyHash.hash(key, in: head, fields, bytes, source: request.source)
            let named = hash == 0 ? stickyShare(set, split) : nil
            isDrawn = hash == 0 && named == nil
            if let named {
                cluster = named.cluster
                source.cluster = named.name
                add(
                    "split", "\(shares), by the cookie of '\(configuration.allClusters[named.cluster].name)'",
                    "\(route).split")
            } else if isDrawn {
                add("cluster", "drawn by weight: \(shares)", "\(route).split")
                let name: StaticString = "(the one that is drawn)"
                source.cluster = unsafe ByteView(base: name.utf8Start, count: name.utf8CodeUnitCount)
            } else {
                add(
                    "split", "\(shares), by \(place.route.splitKey.map { "\($0)" } ?? "nothing")",
                    "\(route).split")
                let share = set.share(ofSplit: split, at: KeyHash.splitPoint(hash))
                cluster = share.cluster
                source.cluster = share.name
            }
        }
        let limit = place.setting(
            "limits.body", \.limits.bodyBytes, \.limits.bodyBytes, configuration.limitBodyBytes)
        guard explainChanges(set, source, fields, name, match.rule),
            isBodyAllowed(head, limit.value, limit.path)
        else { return }
        explainMirror(place, head)
        if isDrawn {
            explainTimes(place, nil)
            return
        }
        if cluster >= 0 {
            let key = place.route.split.isEmpty ? "cluster" : "split"
            explainCluster(configuration.allClusters[cluster].name, "\(route).\(key)", place)
            return
        }
        switch set.reply(of: match.rule) {
        case .fixed(let reply):
            add("answer", "\(reply.status), \(reply.body.count) bytes of our own", "\(route).respond")
        case .redirect(_, _, needsHost: true) where request.host.isEmpty:
            add(
                "answer", "400, the redirection needs a host, and the request names none", "\(route).redirect"
            )
        case .redirect(let status, let target, _):
            let place = Self.text { set.templates.write(target, for: source, fields: fields, into: &$0) }
            guard place.utf8.count <= WrittenChanges.sizeLimit else {
                add(
                    "answer", "414, the target is more than \(WrittenChanges.sizeLimit) bytes",
                    "\(route).redirect")
                return
            }
            add("answer", "\(status) to \(place)", "\(route).redirect")
        }
    }

    /// The share whose cluster has the endpoint that the request's cookie names.
    private func stickyShare(_ set: RouteSet, _ split: Int) -> RouteSet.Share? {
        (0..<set.shareCount(ofSplit: split)).map { set.share($0, ofSplit: split) }
            .first { namedEndpoints[configuration.allClusters[$0.cluster].name] != nil }
    }

    /// What `write` writes.
    private static func text(_ write: (inout ByteWriter) -> Void) -> String {
        withWriter { writer in
            write(&writer)
            return String(decoding: writer.written)
        }
    }

    /// Calls `body` with a writer that has room for whatever a head can make.
    private static func withWriter<Result>(_ body: (inout ByteWriter) -> Result) -> Result {
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1 << 20) { buffer in
            var writer = unsafe ByteWriter(base: buffer.baseAddress!, capacity: buffer.count)
            return body(&writer)
        }
    }

    /// What a route makes of a request and its answer, in words.
    private struct Changes {
        var isTooLarge = false
        var target = ""
        var leadsAstray = false
        var host = ""
        var request: [String] = []
        var response: [String] = []

        init(_ written: WrittenChanges, _ bytes: ByteView) {
            isTooLarge = bytes.count > WrittenChanges.sizeLimit
            target = String(decoding: bytes[written.target])
            leadsAstray = !target.isEmpty && PathNormalizer.leadsAstray(bytes[written.target])
            host = written.hostIsEndpoint ? "the endpoint's" : String(decoding: bytes[written.host])
            request = Self.fields(bytes[written.requestNames], bytes[written.requestLines])
            response = Self.fields(bytes[written.responseNames], bytes[written.responseLines])
        }

        private static func fields(_ names: ByteView, _ lines: ByteView) -> [String] {
            let mark = String(UnicodeScalar(ResponseLines.endpointMark))
            return FieldNameList(bytes: names).names.map { "drops \($0)" }
                + String(decoding: lines).split(separator: "\r\n").map {
                    "adds \($0.replacing(mark, with: "the endpoint"))"
                }
        }
    }

    /// What the route makes of the request and its answer; false if the request is refused for it.
    private mutating func explainChanges(
        _ set: RouteSet, _ source: TemplateSource, _ fields: borrowing FieldTable, _ list: String, _ rule: Int
    ) -> Bool {
        guard set.changesAnything(rule) else { return true }
        let route = "routes.\(list)[\(rule)]"
        var source = source
        source.milliseconds = cposix_realtime_milliseconds()
        source.requestID = RequestID.received(fields, source.request.head)
        var id = "(drawn for each request)"
        let changes = id.withUTF8 { id in
            if source.requestID.isEmpty { source.requestID = unsafe ByteView(UnsafeRawBufferPointer(id)) }
            return Self.withWriter { writer in
                let written = set.changes(of: rule).write(
                    for: source, fields: fields, templates: set.templates, into: &writer)
                return Changes(written, writer.written)
            }
        }
        if changes.isTooLarge {
            add("answer", "431, the changes are more than \(WrittenChanges.sizeLimit) bytes", route)
            return false
        }
        if !changes.target.isEmpty { add("path", "becomes \(changes.target)", "\(route).rewrite") }
        let limit =
            configuration.limitURIBytes > 0 ? configuration.limitURIBytes : configuration.limitHeadBytes
        if changes.target.utf8.count > limit {
            add("answer", "414, that is more than \(limit) bytes", "limits.uri")
            return false
        }
        if changes.leadsAstray {
            add("answer", "400, that can be read in more than one way", "\(route).rewrite")
            return false
        }
        if !changes.host.isEmpty { add("host", "becomes \(changes.host)", "\(route).rewrite.host") }
        for (side, lines) in [("request", changes.request), ("response", changes.response)] {
            let path = "\(route).\(side)"
            let isOwn = file?.origins[path] != nil
            for line in lines { add(side, line, isOwn ? path : "route_defaults.\(list).\(side)") }
        }
        return true
    }

    /// A route, and what holds for its list.
    private struct Place {
        var list: String
        var path: String
        var route: RouteConfiguration
        var defaults: RouteDefaults?

        /// The route's value of a key, its list's, or the common one, and where it stands.
        func setting<Value>(
            _ key: String, _ own: KeyPath<RouteConfiguration, Value?>,
            _ ofList: KeyPath<RouteDefaults, Value?>,
            _ common: Value
        ) -> (value: Value, path: String) {
            if let value = route[keyPath: own] { return (value, "\(path).\(key)") }
            if let value = defaults?[keyPath: ofList] { return (value, "route_defaults.\(list).\(key)") }
            return (common, key)
        }
    }

    /// Whether a copy of the request goes to another cluster.
    private mutating func explainMirror(_ place: Place, _ head: RequestHead) {
        guard let mirror = place.route.mirror else { return }
        let path = "\(place.path).mirror"
        guard configuration.limitMirrored > 0 else {
            add("mirror", "none: the limit of mirrored requests is 0", "limits.mirrored")
            return
        }
        let share = "\(mirror.share)% of such requests to \(mirror.cluster)"
        let most = Configuration.smallBodyBytes
        switch head.framing {
        case .none where head.upgrade != nil, .length(0) where head.upgrade != nil:
            add("mirror", "none: an upgrade is not mirrored", path)
        case .none, .length(0): add("mirror", share, path)
        case .length(let size) where size <= most:
            add("mirror", "\(share), if the body comes with the head", path)
        case .length, .chunked, .untilClose:
            add(
                "mirror",
                "none: of bodies only those of known length up to \(ByteSize.describe(UInt64(most))) are mirrored",
                path)
        }
    }

    /// The cluster that a request goes through; nil if it goes where it wants to.
    private func parent(of listener: ListenerConfiguration, host: ByteView, port: UInt16) -> String? {
        guard let parent = listener.parent,
            let plan = try? ParentPlan(
                direct: configuration.directDestinations, passesAuthorization: false, credentials: []),
            !plan.isDirect(host: host, port: port)
        else { return nil }
        return parent
    }

    /// Where a connection goes whose client asks for the host of the URL.
    private mutating func explainServerName(
        _ listener: ListenerConfiguration, _ head: RequestHead, _ bytes: ByteView
    ) {
        guard let place = configuration.allListeners.firstIndex(of: listener),
            place < tables.serverNames.count, let table = tables.serverNames[place]
        else { return }
        let path = path(of: listener)
        var host = head.authority.map { bytes[$0.host] } ?? .empty
        // An address is not asked for (RFC 6066 §3).
        if IPAddress(text: host) != nil { host = .empty }
        if host.count > 1, host[host.count - 1] == UInt8(ascii: ".") { host = host[0..<host.count - 1] }
        if let rule = table.rule(for: host) {
            add("server name", String(decoding: host), "\(path).sni[\(rule)]")
            explainCluster(listener.serverNames[rule].cluster, "\(path).sni[\(rule)].cluster", isRelay: true)
            return
        }
        let asked = host.isEmpty ? "none" : "\(String(decoding: host)), which no cluster is named for"
        add("server name", asked, "\(path).sni")
        if let cluster = listener.cluster {
            explainCluster(cluster, "\(path).cluster", isRelay: true)
        } else {
            add("answer", "none: the connection is reset", path)
        }
    }

    private mutating func explainCluster(
        _ name: String, _ path: String, _ place: Place? = nil, label: String = "cluster",
        isRelay: Bool = false
    ) {
        add(label, name, path)
        guard let cluster = configuration.allClusters.first(where: { $0.name == name }) else { return }
        let key = cluster.hashKey.map { " by \($0)" } ?? ""
        let choice = cluster.mayHaveSeveralEndpoints ? ", \(cluster.balance.rawValue)\(key)" : ""
        let list = cluster.discovery == nil ? "endpoints" : "discovery"
        add("endpoints", cluster.destination + choice, "clusters.\(name).\(list)")
        if let discovery = cluster.discovery { explainDiscovery(discovery, of: cluster) }
        if let tls = cluster.tls { explainTLS(tls, of: cluster) }
        explainHTTP2(cluster)
        explainSticky(cluster)
        explainKey(cluster)
        explainPriorities(cluster)
        explainZones(cluster)
        explainLimits(cluster, refusal: isRelay ? "reset" : "answered with 503")
        explainHealth(cluster)
        if !isRelay { explainRetries(cluster) }
        let place = place ?? Place(list: "", path: "", route: RouteConfiguration())
        explainTimes(place, cluster, isRelay: isRelay)
    }

    /// - Parameter cluster: nil if it is drawn.
    private mutating func explainTimes(
        _ place: Place, _ cluster: ClusterConfiguration?, isRelay: Bool = false
    ) {
        let connect = place.setting(
            "timeouts.connect", \.timeouts.connect, \.timeouts.connect, configuration.timeoutConnect)
        let hasNext =
            cluster.map { $0.mayHaveSeveralEndpoints && $0.retries.on.contains(.connectFailure) } ?? true
        let next = hasNext ? "the next endpoint, or " : ""
        let last = isRelay ? "a reset" : "504"
        add(
            "connect",
            connect.value.isOn ? "within \(connect.value), else \(next)\(last)" : "may take any time",
            connect.path)
        if isRelay { return }
        let upstream = place.setting(
            "timeouts.upstream", \.timeouts.upstream, \.timeouts.upstream, configuration.timeoutUpstream)
        add(
            "response",
            upstream.value.isOn ? "begins within \(upstream.value), else 504" : "may take any time",
            upstream.path)
        let total = place.setting(
            "timeouts.total", \.timeouts.total, \.timeouts.total, configuration.timeoutTotal)
        if total.value.isOn { add("exchange", "within \(total.value), else 504", total.path) }
    }

    // MARK: - Forward

    private mutating func explainForward(
        _ head: RequestHead, _ bytes: ByteView, _ listener: ListenerConfiguration
    ) {
        guard let authority = head.authority else {
            add("answer", "400, a forward proxy needs a whole URL", nil)
            return
        }
        let policy: DestinationPolicy
        do throws(DestinationRuleError) {
            policy = try DestinationPolicy(
                allow: configuration.allowDestinations, deny: configuration.denyDestinations)
        } catch { return }
        let host = bytes[authority.host]
        let port = authority.port ?? 80
        let hasRules = !configuration.allowDestinations.isEmpty || !configuration.denyDestinations.isEmpty
        let parent = parent(of: listener, host: host, port: port)
        let verdict =
            parent == nil
            ? policy.verdict(name: host, port: port) : policy.verdict(onlyName: host, port: port)
        switch verdict {
        case .denied(let denial): add("answer", "403, \(denial.text)", hasRules ? "forward" : nil)
        case .allowed:
            let isLiteral = IPAddress(text: host) != nil
            add(
                "policy",
                isLiteral
                    ? "allowed"
                    : parent != nil
                        ? "allowed by its name; its addresses are the parent's to find"
                        : "allowed by its name; each of its addresses is looked at as well",
                hasRules ? "forward" : nil)
            if let parent {
                let own = configuration.listeners.contains {
                    $0.address == listener.address && $0.parent == parent
                }
                explainCluster(
                    parent, own ? "\(path(of: listener)).parent" : "forward.parent", label: "parent")
                return
            }
            let what = head.method == .connect ? "a tunnel to" : "goes to"
            add("upstream", "\(what) \(String(decoding: host)):\(port)", nil)
        }
    }
}

extension String {
    fileprivate init(decoding bytes: ByteView) {
        self.init(decoding: (0..<bytes.count).map { bytes[$0] }, as: UTF8.self)
    }
}
