internal import ArgumentParser
internal import UringProxy

/// All that `uproxy run` takes, in the groups that its help shows.
struct ServerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Read the configuration from this file; options on the command line go before what it says.",
            valueName: "file"))
    var config: String?

    @OptionGroup(title: "Listeners") var listeners: ListenerOptions
    @OptionGroup(title: "Proxies before this one") var trust: TrustOptions
    @OptionGroup(title: "Engine") var engine: EngineOptions
    @OptionGroup(title: "Timeouts") var timeouts: TimeoutOptions
    @OptionGroup(title: "Limits") var limits: LimitOptions
    @OptionGroup(title: "Balancing") var balancing: BalancingOptions
    @OptionGroup(title: "Upstream connections") var pools: PoolOptions
    @OptionGroup(title: "Destinations of the forward proxy") var destinations: DestinationOptions
    @OptionGroup(title: "Fields") var fields: FieldOptions
    @OptionGroup(title: "Access log") var accessLog: AccessLogOptions
    @OptionGroup(title: "Flight recorder") var flightRecorder: FlightRecorderOptions

    /// The configuration that the file and the options describe; every problem in it is told at once.
    func checkedConfiguration() throws -> Configuration { try checked().configuration }

    /// The same, with the file that it began as.
    func checked() throws -> (configuration: Configuration, file: ConfigurationFile?) {
        do throws(Refusal) { return try read() } catch { throw error.told() }
    }

    /// The same once more, as the file is now; nothing is printed.
    func read() throws(Refusal) -> (configuration: Configuration, file: ConfigurationFile?) {
        var file: ConfigurationFile?
        if let config {
            do throws(FileProblems) { file = try ConfigurationFile(reading: config) } catch {
                throw Refusal(error.all)
            }
        }
        var configuration = file?.configuration ?? Configuration()
        listeners.apply(to: &configuration)
        trust.apply(to: &configuration)
        engine.apply(to: &configuration)
        timeouts.apply(to: &configuration)
        limits.apply(to: &configuration)
        balancing.apply(to: &configuration)
        pools.apply(to: &configuration)
        destinations.apply(to: &configuration)
        fields.apply(to: &configuration)
        accessLog.apply(to: &configuration)
        flightRecorder.apply(to: &configuration)
        if let problems = file?.problems(with: configuration), !problems.isEmpty { throw Refusal(problems) }
        let problems = configuration.validate()
        if !problems.isEmpty { throw Refusal(problems) }
        return (configuration, file)
    }
}

/// An option that was given replaces the default.
func set<Value>(_ value: inout Value, to option: Value?) {
    if let option { value = option }
}
