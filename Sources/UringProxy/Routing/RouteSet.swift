/// The routes of a listener: which of them takes a request, and what it does. Immutable, and shared by all workers.
final class RouteSet: Sendable {
    /// What a route does if it does not proxy.
    enum Reply: Sendable {
        /// - Parameter needsHost: a request without a host cannot be redirected by it.
        case redirect(status: UInt16, TemplateTable.Template, needsHost: Bool)
        case fixed(FixedReply)
    }

    let table: RouteTable
    let templates: TemplateTable
    // By the index of a route. Plain numbers, so that to proxy counts no references.
    /// Its cluster, or -1 - the index of its reply.
    private let actions: FixedArray<Int32>
    /// The index of its changes, or -1.
    private let changeIndices: FixedArray<Int32>
    /// The index of its policy, or -1.
    private let policyIndices: FixedArray<Int32>
    private let policies: FixedArray<RoutePolicy>
    private let replies: [Reply]
    private let changes: FixedArray<RouteChanges>

    /// - Parameter routes: in the order of the file.
    init(_ routes: [RouteDefinition], seed: UInt64) throws(OptionSyntaxError) {
        table = try RouteTable(routes.map(\.rule), seed: seed)
        var builder = TemplateTableBuilder()
        var actions: [Int32] = []
        var replies: [Reply] = []
        var changes: [RouteChanges] = []
        var changeIndices: [Int32] = []
        for route in routes {
            switch route.action {
            case .proxy(let cluster): actions.append(Int32(cluster))
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
        let own = routes.compactMap(\.policy)
        var count: Int32 = 0
        policyIndices = FixedArray(
            routes.map { route in
                guard route.policy != nil else { return -1 }
                count += 1
                return count - 1
            })
        policies = FixedArray(own)
        self.actions = FixedArray(actions)
        self.changeIndices = FixedArray(changeIndices)
        self.replies = replies
        self.changes = FixedArray(changes)
        templates = builder.table()
    }

    /// The cluster of a route; negative if it replies.
    @inline(__always)
    func cluster(of route: Int) -> Int { Int(actions[route]) }

    /// What a route that does not proxy replies.
    func reply(of route: Int) -> Reply { replies[-1 - Int(actions[route])] }

    /// The timeouts and limits of a route's exchanges; nil: those of all others.
    @inline(__always)
    func policy(of route: Int) -> RoutePolicy? {
        let index = policyIndices[route]
        return index < 0 ? nil : policies[Int(index)]
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
