/// When requests of a cluster are sent again.
struct RetryPlan: Sendable {
    var rules = RetryRules()
    var settings = RetryBudget.Settings()
    /// nil: nothing may be sent again that an endpoint may have seen.
    var budget: RetryBudget?
}

extension HealthRegistry {
    /// When requests of a configured cluster are sent again.
    func retries(_ configuration: ClusterConfiguration) -> RetryPlan {
        let retries = configuration.retries
        return RetryPlan(
            rules: RetryRules(retries),
            settings: RetryBudget.Settings(
                percent: UInt64(retries.budget), minimum: UInt64(clamping: retries.minimum)),
            budget: retryBudget(configuration.name))
    }
}
