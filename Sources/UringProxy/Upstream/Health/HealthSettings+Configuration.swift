internal import CPosix

extension HealthSettings {
    init(_ cluster: ClusterConfiguration) {
        panicPercent = cluster.panic
        slowStart = cluster.slowStart.rawValue
        outliers = OutlierSettings(cluster.outliers)
    }
}

extension OutlierSettings {
    fileprivate init(_ configuration: OutlierConfiguration) {
        consecutive = UInt32(clamping: configuration.consecutive)
        statuses = configuration.statuses
        errorPercent = configuration.errorRate
        latencyFactor = Double(configuration.latencyFactor)
        minimumRequests = UInt32(clamping: configuration.minimumRequests)
        window = configuration.window.rawValue
        ejection = configuration.ejection.rawValue
        longestEjection = configuration.longestEjection.rawValue
        mostEjectedPercent = configuration.mostEjected
    }
}

extension HealthRegistry {
    /// The state of a configured cluster; nil if nothing in its configuration could ever leave an endpoint out.
    func cluster(
        _ configuration: ClusterConfiguration, endpoints: [FixedUpstream], proxyHeader: ProxyHeader.Version?
    ) -> ClusterHealth? {
        let settings = HealthSettings(configuration)
        let check = configuration.health.map { HealthCheck($0, proxyHeader: proxyHeader) }
        guard check != nil || settings.outliers.isOn && endpoints.count > 1 else { return nil }
        return cluster(
            configuration.name, endpoints: endpoints.map(\.identity), settings: settings, check: check,
            priorities: PriorityPlan(endpoints), now: cposix_monotonic_nanoseconds())
    }
}
