/// A route as it was read: which requests it takes, and what becomes of them. Compiled into a `RouteSet`.
struct RouteDefinition: Sendable {
    enum Action: Sendable {
        /// By the cluster's index.
        case proxy(cluster: Int)
        case split(ClusterSplit)
        case redirect(status: UInt16, [TemplatePart])
        case fixed(FixedReply)
    }

    /// What Host says upstream.
    enum Host: Sendable, Equatable {
        case asReceived
        case ofEndpoint
        case fixed(String)
    }

    /// What becomes of fields.
    struct Fields: Sendable, Equatable {
        /// Dropped; each once, in lower case.
        var dropped: [String] = []
        /// The lines that are added.
        var lines: [TemplatePart] = []

        var isEmpty: Bool { dropped.isEmpty && lines.isEmpty }

        /// Whether a line of the name is added.
        func adds(_ name: String) -> Bool {
            lines.contains { part in
                if case .line(let line) = part { line.lowercased() == name } else { false }
            }
        }
    }

    var rule: RouteRule
    var action: Action
    /// In place of the target; empty: as received.
    var target: [TemplatePart] = []
    var host = Host.asReceived
    var request = Fields()
    var response = Fields()
    /// Where a share of its requests is copied to; nil: nowhere.
    var mirror: RouteMirror?
    /// nil: what holds for all exchanges.
    var policy: RoutePolicy?
    /// Its access plan, by index; -1: it lets every request in.
    var access: Int32 = -1

    var changesAnything: Bool {
        !target.isEmpty || host != .asReceived || !request.isEmpty || !response.isEmpty
    }
}
