/// Makes the plans of what listeners and routes let in, and finds what is wrong with them.
struct AccessCompiler {
    private let configuration: Configuration
    let sets: AddressSets
    private(set) var problems: [ConfigurationProblem]

    init(_ configuration: Configuration) {
        self.configuration = configuration
        sets = AddressSets(configuration)
        problems = sets.problems
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
        AccessPlan(addresses: addressRules(of: place))
    }

    private mutating func addressRules(of place: AccessPlaces.Place) -> AddressRules? {
        let access = place.access
        guard !access.allow.isEmpty || !access.deny.isEmpty else { return nil }
        let allow = prefixes(access.allow, "\(place.path).allow")
        let deny = prefixes(access.deny, "\(place.path).deny")
        return AddressRules(allow: access.allow.isEmpty ? nil : allow, deny: deny)
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
}
