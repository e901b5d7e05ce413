// Which endpoint a request's key belongs to.
extension Explanation {
    /// What a policy that chooses by a key finds.
    enum KeyedChoice: Sendable {
        /// The request has nothing of what the policy chooses by.
        case none
        case endpoint(String)
    }

    /// By the name of a cluster whose policy chooses by a key.
    ///
    /// - Parameters:
    ///   - bytes: what `head` and `fields` were parsed from.
    ///   - role: of the listener.
    static func keyedChoices(
        _ tables: ExplanationTables, _ head: RequestHead, _ fields: borrowing FieldTable, _ bytes: ByteView,
        source: IPAddress, role: ListenerConfiguration.Role
    ) -> [String: KeyedChoice] {
        var choices: [String: KeyedChoice] = [:]
        // Where zones differ it is drawn on which side the key is looked for.
        for cluster in tables.clusters where cluster.zones == nil && !cluster.hashTables.isEmpty {
            guard let key = cluster.hashKey else { continue }
            let table = cluster.hashTables[cluster.health?.level ?? 0]
            let hash: UInt64
            switch key {
            case .source: hash = KeyHash.hash(source)
            // Nothing else is known of a relay.
            case _ where role == .tcp: hash = 0
            // Where the endpoints are proxies the path alone says little.
            case .uri where role == .forward: hash = KeyHash.path(bytes[head.target])
            case .uri: hash = KeyHash.hash(.uri, in: head, fields, bytes)
            case .header(let name):
                let name = FixedBytes(Array(name.utf8))
                hash = KeyHash.hash(.header(name.view), in: head, fields, bytes)
            case .cookie(let name):
                let name = FixedBytes(Array(name.utf8))
                hash = KeyHash.hash(.cookie(name.view), in: head, fields, bytes)
            }
            choices[cluster.name] =
                hash == 0
                ? KeyedChoice.none : .endpoint(cluster.endpoints[table.view.owner(of: hash)].identity)
        }
        return choices
    }

    mutating func explainKey(_ cluster: ClusterConfiguration) {
        // A cookie goes before a key.
        guard namedEndpoints[cluster.name] == nil, let choice = keyedChoices[cluster.name] else { return }
        let text: String
        switch choice {
        case .none: text = "the request has none: endpoints take turns"
        case .endpoint(let endpoint):
            text =
                "belongs to \(endpoint): it goes there while that is available and has no more than \(ClusterPlan.defaultLoadBound) times its share"
        }
        add("key", text, "clusters.\(cluster.name).hash_key")
    }
}
