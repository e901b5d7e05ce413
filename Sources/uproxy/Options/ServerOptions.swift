internal import ArgumentParser
internal import UringProxy

/// All that `uproxy run` takes, in the groups that its help shows.
struct ServerOptions: ParsableArguments {
    @OptionGroup(title: "Listeners") var listeners: ListenerOptions
    @OptionGroup(title: "Engine") var engine: EngineOptions
    @OptionGroup(title: "Timeouts") var timeouts: TimeoutOptions
    @OptionGroup(title: "Limits") var limits: LimitOptions
    @OptionGroup(title: "Upstream connections") var pools: PoolOptions
    @OptionGroup(title: "Destinations of the forward proxy") var destinations: DestinationOptions
    @OptionGroup(title: "Fields") var fields: FieldOptions

    /// The configuration that the options describe; every problem in it is told at once.
    func checkedConfiguration() throws -> Configuration {
        var configuration = Configuration()
        listeners.apply(to: &configuration)
        engine.apply(to: &configuration)
        timeouts.apply(to: &configuration)
        limits.apply(to: &configuration)
        pools.apply(to: &configuration)
        destinations.apply(to: &configuration)
        fields.apply(to: &configuration)
        try refuse(configuration.validate())
        return configuration
    }
}

/// An option that was given replaces the default.
func set<Value>(_ value: inout Value, to option: Value?) {
    if let option { value = option }
}
