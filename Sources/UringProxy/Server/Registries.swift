/// What is known beyond one configuration, by names that the next one may have as well.
struct Registries: Sendable {
    let limiters = LimiterRegistry()
    let health: HealthRegistry
}
