/// The routes of a listener: which of them takes a request, and what it does. Immutable, and shared by all workers.
final class RouteSet: Sendable {
    /// What a route does if it does not proxy.
    enum Reply: Sendable {
        case redirect(status: UInt16, TargetTemplate)
        case fixed(FixedReply)
    }

    let table: RouteTable
    /// By the index of a route: its cluster, or -1 - the index of its reply. Plain numbers, so that to proxy counts no
    /// references.
    private let actions: FixedArray<Int32>
    private let replies: [Reply]
    /// By the index of a route: its access plan, or -1.
    private let accessPlans: FixedArray<Int32>

    /// - Parameters:
    ///   - routes: in the order of the file.
    ///   - access: the index of each route's access plan, or -1; empty: no route has one.
    init(
        _ routes: [(rule: RouteRule, action: Action)], access: [Int32] = [], seed: UInt64
    ) throws(OptionSyntaxError) {
        table = try RouteTable(routes.map(\.rule), seed: seed)
        var replies: [Reply] = []
        actions = FixedArray(
            routes.map { route in
                switch route.action {
                case .proxy(let cluster): return Int32(cluster)
                case .reply(let reply):
                    replies.append(reply)
                    return -Int32(replies.count)
                }
            })
        self.replies = replies
        accessPlans = FixedArray(access.isEmpty ? routes.map { _ in -1 } : access)
    }

    enum Action: Sendable {
        /// By the cluster's index.
        case proxy(cluster: Int)
        case reply(Reply)
    }

    /// The cluster of a route; negative if it replies.
    @inline(__always)
    func cluster(of route: Int) -> Int { Int(actions[route]) }

    /// The access plan of a route; negative if it lets every request in.
    @inline(__always)
    func access(of route: Int) -> Int32 { accessPlans[route] }

    /// What a route that does not proxy replies.
    func reply(of route: Int) -> Reply { replies[-1 - Int(actions[route])] }
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
