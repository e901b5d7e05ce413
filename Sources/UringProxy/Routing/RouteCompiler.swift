/// Makes tables of the routes that a configuration has, and finds what is wrong with them.
enum RouteCompiler {
    private static let redirectStatuses = [301, 302, 303, 307, 308]
    /// A whole answer is written into one slice.
    private static let bodyLimit = 64 << 10

    /// All that is wrong with the routes, each problem by the path of its key.
    static func problems(of configuration: Configuration) -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        let sets = AddressSets(configuration)
        for list in configuration.routes { _ = compile(list, configuration, sets: sets, seed: 0, &problems) }
        return problems
    }

    /// The routes of a list; nil if something is wrong with them, which is noted.
    ///
    /// - Parameters:
    ///   - sets: the configuration's; nil: read anew.
    ///   - seed: of the table's hashes; random.
    static func compile(
        _ list: RouteListConfiguration, _ configuration: Configuration, sets: AddressSets? = nil,
        seed: UInt64,
        _ problems: inout [ConfigurationProblem]
    ) -> RouteSet? {
        let path = "routes.\(list.name)"
        let before = problems.count
        if list.routes.isEmpty {
            problems.append(
                ConfigurationProblem(
                    option: path, message: "there is no route", remedy: "add one, or leave the list out"))
        }
        let clusters = configuration.allClusters.map(\.name)
        let sets = sets ?? AddressSets(configuration)
        let places = AccessPlaces(configuration)
        var access: [Int32] = []
        var routes: [(rule: RouteRule, action: RouteSet.Action)] = []
        for (index, route) in list.routes.enumerated() {
            var reader = RouteReader(path: "\(path)[\(index)]", sets: sets)
            let rule = reader.rule(route)
            if let action = reader.action(route, rule.path?.captureNames ?? [], clusters) {
                routes.append((rule, action))
                access.append(places.index(of: reader.path))
            }
            problems += reader.problems
        }
        guard problems.count == before else { return nil }
        do throws(OptionSyntaxError) {
            let set = try RouteSet(routes, access: access, seed: seed)
            for shadowed in set.table.shadowed {
                problems.append(
                    ConfigurationProblem(
                        option: "\(path)[\(shadowed.rule)]",
                        message:
                            "it can never take a request, for \(path)[\(shadowed.by)] takes all that it matches",
                        remedy: "take it out, or put it first and give it a condition"))
            }
            return problems.count == before ? set : nil
        } catch {
            let (message, remedy) = error.parts(otherwise: "use fewer placeholders")
            problems.append(ConfigurationProblem(option: path, message: message, remedy: remedy))
            return nil
        }
    }

    /// Reads one route.
    private struct RouteReader {
        let path: String
        let sets: AddressSets
        var problems: [ConfigurationProblem] = []

        init(path: String, sets: AddressSets) {
            self.path = path
            self.sets = sets
        }

        mutating func note(_ key: String, _ message: String, _ remedy: String) {
            problems.append(
                ConfigurationProblem(
                    option: key.isEmpty ? path : "\(path).\(key)", message: message, remedy: remedy))
        }

        /// What `read` gives, or nil and a note.
        mutating func value<Value>(_ key: String, _ read: () throws(OptionSyntaxError) -> Value) -> Value? {
            do throws(OptionSyntaxError) { return try read() } catch {
                let (message, remedy) = error.parts(otherwise: "see the README")
                note(key, message, remedy)
                return nil
            }
        }

        mutating func rule(_ route: RouteConfiguration) -> RouteRule {
            var rule = RouteRule()
            for (index, text) in route.hosts.enumerated() {
                let host = value("match.host[\(index)]") { () throws(OptionSyntaxError) in
                    try HostPattern(parsing: text)
                }
                if let host { rule.hosts.append(host) }
            }
            if let text = route.path {
                rule.path = value("match.path") { () throws(OptionSyntaxError) in
                    try PathPattern(parsing: text)
                }
            }
            for (index, text) in route.methods.enumerated() {
                let method = value("match.method[\(index)]") { () throws(OptionSyntaxError) in
                    try MethodPattern(parsing: text)
                }
                if let method { rule.methods.append(method) }
            }
            for condition in route.headers {
                let field = value("match.headers.\(condition.name)") { () throws(OptionSyntaxError) in
                    try FieldPattern(name: condition.name, value: ValuePattern(parsing: condition.value))
                }
                if let field { rule.fields.append(field) }
            }
            for condition in route.query {
                let parameter = value("match.query.\(condition.name)") { () throws(OptionSyntaxError) in
                    try QueryPattern(name: condition.name, value: ValuePattern(parsing: condition.value))
                }
                if let parameter { rule.query.append(parameter) }
            }
            let sets = sets
            for (index, text) in route.sources.enumerated() {
                let sources = value("match.source[\(index)]") { () throws(OptionSyntaxError) in
                    try sets.prefixes(text)
                }
                if sources?.isEmpty == true {
                    note(
                        "match.source[\(index)]", "the address set \(quoted(text)) is empty: nobody is in it",
                        "take the route out, or put an address into the set")
                }
                rule.sources += sources ?? []
            }
            choice("match.geo.country", route.countries, \.countries, GeoRule.Choice.country, &rule)
            choice("match.geo.region", route.regions, \.regions, GeoRule.Choice.region, &rule)
            choice(
                "match.geo.asn", route.autonomousSystems, \.autonomousSystems,
                GeoRule.Choice.autonomousSystem, &rule)
            return rule
        }

        private mutating func choice(
            _ key: String, _ texts: [String], _ property: WritableKeyPath<GeoRule, GeoRule.Choice>,
            _ read: (Substring) throws(OptionSyntaxError) -> UInt32, _ rule: inout RouteRule
        ) {
            for (index, text) in texts.enumerated() {
                var choice = rule.geo[keyPath: property]
                let added: Void? = value("\(key)[\(index)]") { () throws(OptionSyntaxError) in
                    try choice.add(text, read)
                }
                if added != nil { rule.geo[keyPath: property] = choice }
            }
        }

        mutating func action(_ route: RouteConfiguration, _ captures: [String], _ clusters: [String])
            -> RouteSet.Action?
        {
            switch (route.cluster, route.redirect, route.response) {
            case (let name?, nil, nil):
                guard let index = clusters.firstIndex(of: name) else {
                    let near = NearestName.of(name, among: clusters).map { "did you mean '\($0)'?" }
                    note(
                        "cluster", "there is no cluster \(quoted(name))", near ?? "define it below 'clusters'"
                    )
                    return nil
                }
                return .proxy(cluster: index)
            case (nil, let redirect?, nil): return self.redirect(redirect, captures)
            case (nil, nil, let response?): return self.response(response)
            case (nil, nil, nil):
                note(
                    "", "it does not say what becomes of a request",
                    "add one of cluster, redirect and respond")
                return nil
            case (_, _, _):
                note(
                    "", "it says more than one thing to do with a request",
                    "keep one of cluster, redirect and respond")
                return nil
            }
        }

        private mutating func redirect(_ redirect: RouteConfiguration.Redirect, _ captures: [String])
            -> RouteSet.Action?
        {
            if !RouteCompiler.redirectStatuses.contains(redirect.status) {
                note(
                    "redirect.status", "\(redirect.status) does not redirect",
                    "write 301, 302, 303, 307 or 308")
            }
            let target = value("redirect.to") { () throws(OptionSyntaxError) in
                try TargetTemplate(parsing: redirect.target, captures: captures)
            }
            return target.map { .reply(.redirect(status: UInt16(clamping: redirect.status), $0)) }
        }

        private mutating func response(_ response: RouteConfiguration.Response) -> RouteSet.Action? {
            if !(200...599).contains(response.status) {
                note(
                    "respond.status", "\(response.status) is outside 200 to 599",
                    "write the status of a final response")
            }
            if [204, 205, 304].contains(response.status) && !response.body.isEmpty {
                note(
                    "respond.body", "an answer with \(response.status) has no body",
                    "leave it out, or choose another status")
            }
            if response.body.utf8.count > RouteCompiler.bodyLimit {
                note(
                    "respond.body",
                    "\(response.body.utf8.count) bytes are more than \(RouteCompiler.bodyLimit >> 10) KiB",
                    "serve it by a cluster")
            }
            let isFieldValue = response.type.utf8.allSatisfy { $0 >= 32 && $0 < 127 }
            if response.type.isEmpty || !isFieldValue || response.type.utf8.count > 256 {
                note(
                    "respond.type", "\(quoted(response.type)) is no media type",
                    "write for example text/html; charset=utf-8")
            }
            return .reply(
                .fixed(
                    FixedReply(
                        status: UInt16(clamping: response.status), body: Array(response.body.utf8),
                        type: response.type)))
        }
    }
}
