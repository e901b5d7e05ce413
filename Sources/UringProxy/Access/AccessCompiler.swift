/// Makes the plans of what listeners and routes let in, and finds what is wrong with them.
struct AccessCompiler {
    private let configuration: Configuration
    let sets: AddressSets
    private let limiters: LimiterRegistry
    /// The limits that are well-formed.
    private var limits: [String: RateLimitConfiguration] = [:]
    private(set) var problems: [ConfigurationProblem]

    /// - Parameter limiters: where the buckets of limits are found that are there already.
    init(_ configuration: Configuration, limiters: LimiterRegistry = LimiterRegistry()) {
        self.configuration = configuration
        self.limiters = limiters
        sets = AddressSets(configuration)
        problems = sets.problems
        for limit in configuration.rateLimits { check(limit) }
    }

    /// All that is wrong, each problem by the path of its key.
    static func problems(of configuration: Configuration) -> [ConfigurationProblem] {
        var compiler = AccessCompiler(configuration)
        _ = compiler.plans()
        return compiler.problems
    }

    /// One for each of the configuration's `AccessPlaces`.
    mutating func plans() -> [AccessPlan] {
        var plans: [AccessPlan] = []
        for place in AccessPlaces(configuration).all { plans.append(plan(of: place)) }
        return plans
    }

    private mutating func plan(of place: AccessPlaces.Place) -> AccessPlan {
        AccessPlan(path: place.path, addresses: addressRules(of: place), limits: limits(of: place))
    }

    private mutating func addressRules(of place: AccessPlaces.Place) -> AddressRules {
        let access = place.access
        let allow = prefixes(access.allow, "\(place.path).allow")
        let deny = prefixes(access.deny, "\(place.path).deny")
        return AddressRules(
            allow: access.allow.isEmpty ? nil : allow, deny: access.deny.isEmpty ? nil : deny)
    }

    private mutating func prefixes(_ texts: [String], _ option: String) -> [AddressPrefix] {
        var prefixes: [AddressPrefix] = []
        for (index, text) in texts.enumerated() {
            do throws(OptionSyntaxError) { prefixes += try sets.prefixes(text) } catch {
                let (message, remedy) = error.parts(otherwise: "write an address or a block")
                problems.append(
                    ConfigurationProblem(option: "\(option)[\(index)]", message: message, remedy: remedy))
            }
        }
        return prefixes
    }

    // MARK: - Rate limits

    private mutating func check(_ limit: RateLimitConfiguration) {
        let path = "rate_limits.\(limit.name)"
        let before = problems.count
        let bursts = RateLimitConfiguration.burstRange
        if !bursts.contains(limit.burstInEffect) {
            note(
                "\(path).burst",
                "\(limit.burstInEffect) is outside \(bursts.lowerBound) to \(bursts.upperBound)",
                "give how many may come at once, or leave it out for as many as the rate has")
        } else if limit.rate.interval > Nanoseconds.longest.rawValue / Int64(limit.burstInEffect) {
            note(
                "\(path).burst",
                "\(limit.burstInEffect) at \(limit.rate) would take more than ten years to come again",
                "lower it, or raise the rate")
        }
        let sizes = RateLimitConfiguration.sizeRange
        if !sizes.contains(limit.size) {
            note(
                "\(path).size", "\(limit.size) is outside \(sizes.lowerBound) to \(sizes.upperBound)",
                "give how many keys may be busy at once; each takes 16 bytes")
        }
        if problems.count == before { limits[limit.name] = limit }
    }

    private mutating func limits(
        of place: AccessPlaces.Place
    ) -> [(limiter: RateLimiter, mode: RateLimitConfiguration.Mode)] {
        var found: [(limiter: RateLimiter, mode: RateLimitConfiguration.Mode)] = []
        for (index, name) in place.access.rateLimits.enumerated() {
            let path = "\(place.path).rate_limit[\(index)]"
            let names = configuration.rateLimits.map(\.name)
            guard names.contains(name) else {
                let near = NearestName.of(name, among: names).map { "did you mean '\($0)'?" }
                let known =
                    names.isEmpty
                    ? "define it below 'rate_limits'" : "known are \(names.joined(separator: ", "))"
                note(path, "there is no rate limit \(quoted(name))", near ?? known)
                continue
            }
            guard let limit = limits[name] else { continue }
            if case .header = limit.key, place.role == .tcp {
                note(
                    path, "\(quoted(name)) counts by a header, and a connection has none",
                    "use one that counts by address, prefix, route or all")
                continue
            }
            found.append((limiters.limiter(limit), limit.mode))
        }
        return found
    }

    private mutating func note(_ path: String, _ message: String, _ remedy: String) {
        problems.append(ConfigurationProblem(option: path, message: message, remedy: remedy))
    }
}
