extension ExplanationTables {
    /// Those that workers serve by.
    ///
    /// - Parameters:
    ///   - configuration: what the snapshot was made of.
    ///   - file: what that began as, if it did as a file.
    init(_ snapshot: Snapshot, of configuration: Configuration, file: ConfigurationFile?) {
        self.init(
            stickyKeys: snapshot.stickyKeys, sets: snapshot.access.sets,
            databases: snapshot.geo?.current.databases ?? .none, routes: snapshot.routes,
            clusters: snapshot.clusters,
            origins: ValueOrigins(configuration, file: file))
    }
}
