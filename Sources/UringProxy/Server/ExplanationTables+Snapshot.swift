extension ExplanationTables {
    /// Those that workers serve by.
    init(_ snapshot: Snapshot) {
        self.init(
            stickyKeys: snapshot.stickyKeys, sets: snapshot.access.sets,
            databases: snapshot.geo?.current.databases ?? .none, routes: snapshot.routes,
            clusters: snapshot.clusters, tls: snapshot.tls?.current.contexts ?? [],
            serverNames: snapshot.serverNames)
    }
}
