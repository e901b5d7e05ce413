/// What becomes of a request, and which line of the file decided it: found by the tables that the proxy itself uses.
public struct Explanation: Sendable {
    private struct Line: Sendable {
        var label: String
        var text: String
        var origin: String?
    }

    private var lines: [Line] = []
    private let configuration: Configuration
    private let file: ConfigurationFile?

    /// - Parameters:
    ///   - target: a URL, or a path for a request to a reverse proxy; an authority for CONNECT.
    ///   - fields: `Name: value`, each.
    ///   - source: the address that the request comes from.
    ///   - listener: the address of a listener as the configuration has it; nil: the first that takes such a request.
    /// - Throws: what of the question cannot be read.
    public init(
        method: String, target: String, fields: [String], source: String, listener address: String?,
        configuration: Configuration, file: ConfigurationFile?
    ) throws(OptionSyntaxError) {
        self.configuration = configuration
        self.file = file
        guard let source = IPAddress(source) else {
            throw OptionSyntaxError("--from \(quoted(source)) is no address: write for example 192.0.2.7")
        }
        let listeners = configuration.allListeners
        let isForward = method == "CONNECT"
        let chosen: ListenerConfiguration?
        if let address {
            chosen = listeners.first { $0.address == address }
        } else {
            chosen =
                listeners.first { $0.role == (isForward ? .forward : .reverse) }
                ?? (isForward ? nil : listeners.first)
        }
        guard let listener = chosen else {
            let known = listeners.map(\.address).joined(separator: ", ")
            throw OptionSyntaxError(
                address.map { "there is no listener \(quoted($0)): known are \(known)" }
                    ?? "there is no forward listener for CONNECT: known are \(known)")
        }
        add("request", "\(method) \(target) from \(source.description)", nil)
        add("listener", "\(listener.role.rawValue) proxy on \(listener.address)", path(of: listener))
        explain(Self.head(method, target, fields, isForward: listener.role == .forward), listener, source)
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
            file?.origin(of: path).map { "\($0.file):\($0.line), \(path)" } ?? "an option, or the default"
        }
        lines.append(Line(label: label, text: text, origin: origin))
    }

    private func path(of listener: ListenerConfiguration) -> String {
        configuration.listeners.firstIndex { $0.address == listener.address }.map { "listeners[\($0)]" }
            ?? "listeners"
    }

    /// The head that a client would send.
    private static func head(_ method: String, _ target: String, _ fields: [String], isForward: Bool)
        -> [UInt8]
    {
        var line = target
        var host = ""
        if let scheme = target.firstRange(of: "://"), !target.hasPrefix("/") {
            let rest = target[scheme.upperBound...]
            let end = rest.firstIndex { "/?".contains($0) } ?? rest.endIndex
            host = String(rest[..<end])
            if !isForward { line = (rest[end...].hasPrefix("/") ? "" : "/") + rest[end...] }
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
                case .forward: explainForward(head, view)
                case .tcp: explainCluster(listener.cluster ?? "", "\(path(of: listener)).cluster")
                case .reverse: explainReverse(head, fields, view, listener, source)
                }
            }
        }
    }

    // MARK: - Reverse

    private mutating func explainReverse(
        _ head: RequestHead, _ fields: borrowing FieldTable, _ bytes: ByteView,
        _ listener: ListenerConfiguration,
        _ source: IPAddress
    ) {
        guard let name = listener.routes else {
            explainCluster(listener.cluster ?? "", "\(path(of: listener)).cluster")
            return
        }
        var problems: [ConfigurationProblem] = []
        guard let list = configuration.routes.first(where: { $0.name == name }),
            let set = RouteCompiler.compile(list, configuration, seed: 0, &problems)
        else { return }
        var scratch = RouteScratch(pathBytes: bytes.count)
        let request: RouteRequest
        do throws(PathProblem) {
            request = try RouteRequest(head, bytes: bytes, source: source, scratch: &scratch)
        } catch {
            add("answer", "400, \(error.message)", nil)
            return
        }
        let path = String(decoding: request.path)
        if !request.path.equals(request.receivedPath) { add("path", "\(path), for routing", nil) }
        guard let match = set.table.find(request, fields: fields, scratch: &scratch) else {
            add("route", "none: 404", "routes.\(name)")
            return
        }
        let route = "routes.\(name)[\(match.rule)]"
        add("route", "number \(match.rule + 1) of '\(name)'", route)
        let cluster = set.cluster(of: match.rule)
        guard cluster < 0 else {
            explainCluster(configuration.allClusters[cluster].name, "\(route).cluster")
            return
        }
        switch set.reply(of: match.rule) {
        case .fixed(let reply):
            add("answer", "\(reply.status), \(reply.body.count) bytes of our own", "\(route).respond")
        case .redirect(let status, let target):
            var location = [UInt8](repeating: 0, count: target.size(for: request, match))
            let size = unsafe location.withUnsafeMutableBufferPointer { buffer in
                var writer = unsafe ByteWriter(base: buffer.baseAddress!, capacity: buffer.count)
                target.write(for: request, match, into: &writer)
                return writer.count
            }
            add(
                "answer", "\(status) to \(String(decoding: location[..<size], as: UTF8.self))",
                "\(route).redirect")
        }
    }

    private mutating func explainCluster(_ name: String, _ path: String) {
        add("cluster", name, path)
        guard let cluster = configuration.allClusters.first(where: { $0.name == name }) else { return }
        let key = cluster.hashKey.map { " by \($0)" } ?? ""
        let choice = cluster.endpoints.count > 1 ? ", \(cluster.balance.rawValue)\(key)" : ""
        add("endpoints", cluster.endpoints.joined(separator: ", ") + choice, "clusters.\(name).endpoints")
        explainLimits(cluster)
        explainHealth(cluster)
        explainRetries(cluster)
        let next = cluster.retries.on.contains(.connectFailure) ? "the next endpoint, or " : ""
        add(
            "connect", "within \(configuration.timeoutConnect), else \(next)504",
            "timeouts.connect")
        let upstream = configuration.timeoutUpstream
        add(
            "response", upstream.isOn ? "begins within \(upstream), else 504" : "may take any time",
            "timeouts.upstream")
    }

    // MARK: - Forward

    private mutating func explainForward(_ head: RequestHead, _ bytes: ByteView) {
        guard let authority = head.authority, head.form == .authority || head.form == .absolute else {
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
        switch policy.verdict(name: host, port: port) {
        case .denied(let denial): add("answer", "403, \(denial.text)", hasRules ? "forward" : nil)
        case .allowed:
            let isLiteral = IPAddress(text: host) != nil
            add(
                "policy",
                isLiteral ? "allowed" : "allowed by its name; each of its addresses is looked at as well",
                hasRules ? "forward" : nil)
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
