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
        _ = compiler.authenticators()
        return compiler.problems
    }

    /// One for each of the configuration's `AccessPlaces`.
    mutating func plans() -> [AccessPlan] {
        var plans: [AccessPlan] = []
        for place in AccessPlaces(configuration).all { plans.append(plan(of: place)) }
        return plans
    }

    private mutating func plan(of place: AccessPlaces.Place) -> AccessPlan {
        AccessPlan(
            path: place.path, addresses: addressRules(of: place), limits: limits(of: place),
            authenticator: authenticator(of: place))
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
                note("\(option)[\(index)]", message, remedy)
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
                note(
                    path, "there is no rate limit \(quoted(name))",
                    NearestName.remedy(for: name, among: names, of: "rate_limits"))
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

    // MARK: - Authentication

    /// One for each of the configuration's; without those that have a problem.
    mutating func authenticators() -> [Authenticator] {
        configuration.authentication.compactMap { authenticator($0) }
    }

    private mutating func authenticator(_ authentication: AuthenticationConfiguration) -> Authenticator? {
        let path = "authentication.\(authentication.name)"
        let before = problems.count
        if authentication.name == AuthenticationConfiguration.off {
            note(path, "'off' stands for no authentication at all", "give it another name")
        }
        if authentication.usersFile == nil && authentication.tokensFile == nil {
            note(path, "it knows nobody", "add 'users_file:' or 'tokens_file:'")
        }
        let realm = authentication.realm.utf8
        if !realm.allSatisfy({
            (32..<127).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        })
            || realm.count > 128
        {
            note(
                "\(path).realm", "\(quoted(authentication.realm)) cannot stand between quotes",
                "use up to 128 ASCII characters without quotes and backslashes")
        }
        if let field = authentication.userField, !Self.mayTellUser(field) {
            note(
                "\(path).user_field", "\(quoted(field)) is no field for that",
                "use one of your own, such as X-User")
        }
        let times = AuthenticationConfiguration.cacheRange
        if !times.contains(authentication.cache) {
            note(
                "\(path).cache",
                "\(authentication.cache) is outside \(times.lowerBound) to \(times.upperBound)",
                "give for how long right credentials need not be checked again, such as 5m")
        }
        let users = file(authentication.usersFile, "\(path).users_file") { name throws(OptionSyntaxError) in
            try CredentialFile.users(name)
        }
        let tokens = file(authentication.tokensFile, "\(path).tokens_file") {
            name throws(OptionSyntaxError) in
            try CredentialFile.tokens(name)
        }
        guard problems.count == before else { return nil }
        return Authenticator(authentication, users: users?.users ?? [], tokens: tokens?.tokens ?? [])
    }

    private mutating func file(
        _ name: String?, _ option: String, _ read: (String) throws(OptionSyntaxError) -> CredentialFile
    ) -> CredentialFile? {
        guard let name else { return nil }
        do throws(OptionSyntaxError) {
            let file = try read(name)
            for problem in file.problems { note(option, problem.message, problem.remedy) }
            return file
        } catch {
            let (message, remedy) = error.parts(otherwise: "check the path")
            note(option, message, remedy)
            return nil
        }
    }

    /// A field that means nothing to any hop.
    private static func mayTellUser(_ name: String) -> Bool {
        guard HashKey.isToken(Substring(name)), name.utf8.count <= 64 else { return false }
        return unsafe Array(name.utf8).withUnsafeBytes { FieldName.lookup(unsafe ByteView($0)) == .other }
    }

    private mutating func authenticator(of place: AccessPlaces.Place) -> Int32 {
        guard let name = place.access.authentication else { return AccessPlan.inherited }
        let path = "\(place.path).authentication"
        if name == AuthenticationConfiguration.off {
            if place.role != nil { note(path, "a listener asks nobody by itself", "leave it out") }
            return AccessPlan.none
        }
        if place.role == .tcp {
            note(path, "a connection of layer 4 has no credentials", "leave it out, or use allow and deny")
        }
        let names = configuration.authentication.map(\.name)
        guard let index = names.firstIndex(of: name) else {
            note(
                path, "there is no authentication \(quoted(name))",
                NearestName.remedy(for: name, among: names, of: "authentication"))
            return AccessPlan.inherited
        }
        return Int32(index)
    }

    private mutating func note(_ path: String, _ message: String, _ remedy: String) {
        problems.append(ConfigurationProblem(option: path, message: message, remedy: remedy))
    }
}
