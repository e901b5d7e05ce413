/// The routes of a listener: which of them takes a request, and what it does. Immutable, and shared by all workers.
final class RouteSet: Sendable {
    /// What a route does if it does not proxy.
    enum Reply: Sendable {
        /// - Parameter needsHost: a request without a host cannot be redirected by it.
        case redirect(status: UInt16, TemplateTable.Template, needsHost: Bool)
        case fixed(FixedReply)
    }

    /// A cluster that a split leads to; the name is good as long as the set.
    struct Share: BitwiseCopyable {
        var cluster: Int
        var name: ByteView
    }

    private enum KeyKind: UInt8, BitwiseCopyable, Sendable { case none, uri, source, header, cookie }

    private struct Split: BitwiseCopyable, Sendable {
        /// The first and the one behind the last of its spans.
        var start: Int
        var end: Int
        var keyKind: KeyKind
        /// Of the texts.
        var keyName: ByteRange
    }

    private struct Span: BitwiseCopyable, Sendable {
        var last: UInt32
        var cluster: Int32
        var name: ByteRange
    }

    private static let firstSplit: Int32 = -(1 << 24)

    let table: RouteTable
    let templates: TemplateTable
    /// Whether a route asks where requests come from, or tells it: then their location has to be looked up.
    let asksLocation: Bool
    /// Whether a route asks for the client's certificate, or tells what it says.
    let asksCertificate: Bool
    // By the index of a route. Plain numbers, so that to proxy counts no references.
    /// Its cluster, or -1 - the index of its reply, or `firstSplit` - the index of its split.
    private let actions: FixedArray<Int32>
    /// The index of its changes, or -1.
    private let changeIndices: FixedArray<Int32>
    /// The index of its policy, or -1.
    private let policyIndices: FixedArray<Int32>
    private let policies: FixedArray<RoutePolicy>
    /// The index of its mirror, or -1.
    private let mirrorIndices: FixedArray<Int32>
    private let mirrors: FixedArray<RouteMirror>
    private let splits: FixedArray<Split>
    private let spans: FixedArray<Span>
    private let replies: [Reply]
    private let changes: FixedArray<RouteChanges>
    /// The index of its access plan, or -1.
    private let accessPlans: FixedArray<Int32>

    /// - Parameter routes: in the order of the file.
    init(_ routes: [RouteDefinition], seed: UInt64) throws(OptionSyntaxError) {
        table = try RouteTable(routes.map(\.rule), seed: seed)
        var builder = TemplateTableBuilder()
        var actions: [Int32] = []
        var replies: [Reply] = []
        var splits: [Split] = []
        var spans: [Span] = []
        var changes: [RouteChanges] = []
        var changeIndices: [Int32] = []
        for route in routes {
            switch route.action {
            case .proxy(let cluster): actions.append(Int32(cluster))
            case .split(let split):
                actions.append(Self.firstSplit - Int32(splits.count))
                let names = split.shares.map { builder.add(text: Array($0.name.utf8)) }
                let start = spans.count
                spans += split.spans.map {
                    Span(
                        last: $0.last, cluster: Int32(split.shares[$0.share].cluster), name: names[$0.share])
                }
                let (kind, name) = Self.key(split.key)
                splits.append(
                    Split(start: start, end: spans.count, keyKind: kind, keyName: builder.add(text: name)))
            case .redirect(let status, let parts):
                replies.append(
                    .redirect(
                        status: status, builder.add(parts), needsHost: parts.contains(.variable(.host))))
                actions.append(-Int32(replies.count))
            case .fixed(let reply):
                replies.append(.fixed(reply))
                actions.append(-Int32(replies.count))
            }
            changeIndices.append(route.changesAnything ? Int32(changes.count) : -1)
            if route.changesAnything { changes.append(RouteChanges(route, &builder)) }
        }
        policyIndices = FixedArray(Self.places(routes) { $0.policy != nil })
        policies = FixedArray(routes.compactMap(\.policy))
        mirrorIndices = FixedArray(Self.places(routes) { $0.mirror != nil })
        mirrors = FixedArray(routes.compactMap(\.mirror))
        self.actions = FixedArray(actions)
        self.changeIndices = FixedArray(changeIndices)
        self.splits = FixedArray(splits)
        self.spans = FixedArray(spans)
        self.replies = replies
        self.changes = FixedArray(changes)
        accessPlans = FixedArray(routes.map(\.access))
        templates = builder.table()
        asksLocation = table.asksLocation || templates.asksLocation
        asksCertificate = table.asksCertificate || templates.asksCertificate
    }

    /// The place of each route among those that have what is asked for; -1 for those that have not.
    private static func places(_ routes: [RouteDefinition], _ has: (RouteDefinition) -> Bool) -> [Int32] {
        var count: Int32 = 0
        return routes.map { route in
            guard has(route) else { return -1 }
            count += 1
            return count - 1
        }
    }

    private static func key(_ key: HashKey?) -> (KeyKind, [UInt8]) {
        switch key {
        case nil: (.none, [])
        case .uri: (.uri, [])
        case .source: (.source, [])
        case .header(let name): (.header, Array(name.utf8))
        case .cookie(let name): (.cookie, Array(name.utf8))
        }
    }

    /// The split of a route, by its index; nil if it has none.
    func split(of route: Int) -> Int? {
        actions[route] <= Self.firstSplit ? Int(Self.firstSplit - actions[route]) : nil
    }

    /// What of a request a split chooses by.
    func key(ofSplit split: Int) -> RequestKey {
        let name = templates.text(splits[split].keyName)
        return switch splits[split].keyKind {
        case .none: .none
        case .uri: .uri
        case .source: .source
        case .header: .header(name)
        case .cookie: .cookie(name)
        }
    }

    /// Where a split leads from a point.
    func share(ofSplit split: Int, at point: UInt32) -> Share {
        var index = splits[split].start
        while spans[index].last < point { index += 1 }
        return share(index - splits[split].start, ofSplit: split)
    }

    /// How many shares a split has: those that get nothing are not counted, and one may be counted several times.
    func shareCount(ofSplit split: Int) -> Int { splits[split].end - splits[split].start }

    /// One of a split's shares, by its number.
    func share(_ number: Int, ofSplit split: Int) -> Share {
        let span = spans[splits[split].start + number]
        return Share(cluster: Int(span.cluster), name: templates.text(span.name))
    }

    /// The cluster of a route; negative if it replies, or has a split.
    @inline(__always)
    func cluster(of route: Int) -> Int { Int(actions[route]) }

    /// The access plan of a route; negative if it lets every request in.
    @inline(__always)
    func access(of route: Int) -> Int32 { accessPlans[route] }

    /// What a route that does not proxy replies.
    func reply(of route: Int) -> Reply { replies[-1 - Int(actions[route])] }

    /// The timeouts and limits of a route's exchanges; nil: those of all others.
    @inline(__always)
    func policy(of route: Int) -> RoutePolicy? {
        let index = policyIndices[route]
        return index < 0 ? nil : policies[Int(index)]
    }

    /// Where a share of a route's requests is copied to; nil: nowhere.
    @inline(__always)
    func mirror(of route: Int) -> RouteMirror? {
        let index = mirrorIndices[route]
        return index < 0 ? nil : mirrors[Int(index)]
    }

    /// Whether a route changes anything of what passes.
    @inline(__always)
    func changesAnything(_ route: Int) -> Bool { changeIndices[route] >= 0 }

    /// What such a route changes.
    func changes(of route: Int) -> RouteChanges { changes[Int(changeIndices[route])] }
}

/// An answer that is always the same.
final class FixedReply: Sendable {
    let status: UInt16
    /// Content-Type and Content-Length, as lines.
    let fields: FixedBytes
    let body: FixedBytes

    /// - Parameter type: of the body; its line is left out for an empty one.
    init(status: UInt16, body: [UInt8], type: String) {
        self.status = status
        var fields = ""
        // RFC 9110 §8.6: neither 204 nor 304 says that there is nothing.
        if !body.isEmpty { fields = "Content-Type: \(type)\r\n" }
        if status != 204 && status != 304 { fields += "Content-Length: \(body.count)\r\n" }
        self.fields = FixedBytes(Array(fields.utf8))
        self.body = FixedBytes(body)
    }
}
