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
    ///   - sets: the configuration's.
    ///   - seed: of the table's hashes; random.
    static func compile(
        _ list: RouteListConfiguration, _ configuration: Configuration, sets: AddressSets, seed: UInt64,
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
        let defaults = configuration.routeDefaults.first { $0.name == list.name }
        if let defaults { check(defaults, &problems) }
        let places = AccessPlaces(configuration)
        var routes: [RouteDefinition] = []
        for (index, route) in list.routes.enumerated() {
            var reader = RouteReader(
                path: "\(path)[\(index)]", place: "\(list.name)[\(index)]", clusters: clusters, sets: sets)
            if var definition = reader.definition(route, defaults) {
                definition.policy = RoutePolicy(route, defaults, configuration)
                definition.access = places.index(of: reader.path)
                routes.append(definition)
            }
            problems += reader.problems
        }
        guard problems.count == before else { return nil }
        do throws(OptionSyntaxError) {
            let set = try RouteSet(routes, seed: seed)
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

    /// What is wrong with what holds for all routes of a list, whatever they do.
    private static func check(_ defaults: RouteDefaults, _ problems: inout [ConfigurationProblem]) {
        for (key, edits) in [("request", defaults.request), ("response", defaults.response)] {
            var compiler = FieldEditCompiler(
                FieldTemplate(
                    route: "", cluster: "", proxies: true, captures: [], isResponse: key == "response"))
            compiler.apply(edits)
            for problem in compiler.problems {
                let end = problem.key.isEmpty ? "" : ".\(problem.key)"
                problems.append(
                    ConfigurationProblem(
                        option: "route_defaults.\(defaults.name).\(key)\(end)", message: problem.message,
                        remedy: problem.remedy))
            }
        }
    }

    /// Reads one route.
    private struct RouteReader {
        let path: String
        /// What the route is called in fields.
        let place: String
        let clusters: [String]
        let sets: AddressSets
        private(set) var problems: [ConfigurationProblem] = []

        init(path: String, place: String, clusters: [String], sets: AddressSets) {
            self.path = path
            self.place = place
            self.clusters = clusters
            self.sets = sets
        }

        /// nil if it is not said what becomes of a request.
        mutating func definition(_ route: RouteConfiguration, _ defaults: RouteDefaults?) -> RouteDefinition?
        {
            let rule = rule(route)
            let captures = rule.path?.captureNames ?? []
            guard let action = action(route, captures) else { return nil }
            var definition = RouteDefinition(rule: rule, action: action)
            rewrite(route.rewrite, captures, &definition)
            let proxies = route.redirect == nil && route.response == nil
            if !proxies && route.rewrite != RouteConfiguration.Rewrite() {
                note("rewrite", "nothing is forwarded that could be rewritten", "leave it out")
            }
            if !proxies && route.requestEdits != FieldEdits() {
                note(
                    "request", "nothing is forwarded that could be edited",
                    "leave it out, or edit the response")
            }
            if !proxies && route.timeouts != RouteTimeouts() {
                note("timeouts", "nothing is forwarded that could take its time", "leave them out")
            }
            if let mirror = route.mirror { definition.mirror = self.mirror(mirror, proxies: proxies) }
            let cluster = route.cluster ?? (proxies ? nil : "")
            for (key, isResponse) in [("request", false), ("response", true)] {
                let template = FieldTemplate(
                    route: place, cluster: cluster, proxies: proxies, captures: captures,
                    isResponse: isResponse)
                let fields = edits(
                    key, isResponse ? route.responseEdits : route.requestEdits,
                    isResponse ? defaults?.response : defaults?.request, template)
                if isResponse { definition.response = fields } else if proxies { definition.request = fields }
            }
            // Nothing is asked, so that no endpoint answers.
            if !proxies { definition.response.lines.removeAll { $0 == .variable(.endpoint) } }
            return definition
        }

        /// - Parameter defaults: without problems, or with problems that are known.
        private mutating func edits(
            _ key: String, _ edits: FieldEdits, _ defaults: FieldEdits?, _ template: FieldTemplate
        ) -> RouteDefinition.Fields {
            var lenient = template
            // What asks for a cluster is for those of the list that have one.
            lenient.captures = []
            lenient.proxies = true
            var compiler = FieldEditCompiler(lenient)
            if let defaults { compiler.apply(defaults) }
            compiler = compiler.continued(with: template)
            compiler.apply(edits)
            for problem in compiler.problems {
                note(
                    problem.key.isEmpty ? key : "\(key).\(problem.key)", problem.message, problem.remedy)
            }
            return compiler.fields
        }

        private mutating func rewrite(
            _ rewrite: RouteConfiguration.Rewrite, _ captures: [String], _ definition: inout RouteDefinition
        ) {
            if let text = rewrite.path {
                if rewrite.prefix != nil {
                    note(
                        "rewrite.prefix", "the whole path is rewritten already", "keep one of path and prefix"
                    )
                }
                let target = value("rewrite.path") { () throws(OptionSyntaxError) in
                    try TargetTemplate.rewrite(text, captures: captures)
                }
                definition.target = target ?? []
            } else if let text = rewrite.prefix {
                definition.target = prefix(text, definition.rule.path) ?? []
            }
            guard let host = rewrite.host else { return }
            if host == RouteConfiguration.Rewrite.upstream {
                definition.host = .ofEndpoint
            } else if Self.isAuthority(host) {
                definition.host = .fixed(host)
            } else {
                note(
                    "rewrite.host", "\(quoted(host)) is no host",
                    "write a name or an address, with :PORT or without, or upstream for the endpoint's")
            }
        }

        /// The target in which another prefix stands in place of the one that the route's path names.
        private mutating func prefix(_ text: String, _ path: PathPattern?) -> [TemplatePart]? {
            guard case .prefix(let segments)? = path?.kind else {
                note(
                    "rewrite.prefix", "the route's path names no prefix that could be replaced",
                    "match a path such as /a/*, or rewrite the whole path")
                return nil
            }
            let target = value("rewrite.prefix") { () throws(OptionSyntaxError) in
                try TargetTemplate.prefix(text)
            }
            guard let target else { return nil }
            let size = segments.reduce(0) { $0 + 1 + $1.utf8.count }
            return target + [.pathWithoutPrefix(size), .variable(.query)]
        }

        private static func isAuthority(_ text: String) -> Bool {
            var text = text
            return text.withUTF8 { bytes in
                let view = unsafe ByteView(UnsafeRawBufferPointer(bytes))
                return (try? Authority.parse(view, 0..<view.count)) != nil
            }
        }

        private mutating func note(_ key: String, _ message: String, _ remedy: String) {
            problems.append(
                ConfigurationProblem(
                    option: key.isEmpty ? path : "\(path).\(key)", message: message, remedy: remedy))
        }

        /// What `read` gives, or nil and a note.
        private mutating func value<Value>(_ key: String, _ read: () throws(OptionSyntaxError) -> Value)
            -> Value?
        {
            do throws(OptionSyntaxError) { return try read() } catch {
                let (message, remedy) = error.parts(otherwise: "see the README")
                note(key, message, remedy)
                return nil
            }
        }

        private mutating func rule(_ route: RouteConfiguration) -> RouteRule {
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
            let clients = ClientRule(route, of: "route", sets: sets) { note("match.\($0)", $1, $2) }
            rule.sources = clients.sources
            rule.geo = clients.geo
            rule.clientCertificate = route.clientCertificate
            return rule
        }

        private mutating func action(_ route: RouteConfiguration, _ captures: [String])
            -> RouteDefinition.Action?
        {
            if route.splitKey != nil && route.split.isEmpty {
                note("split_by", "there is no split whose clusters could be chosen by it", "leave it out")
            }
            if !route.split.isEmpty {
                if route.cluster == nil && route.redirect == nil && route.response == nil {
                    return split(route)
                }
                note(
                    "", "it says more than one thing to do with a request",
                    "keep one of cluster, split, redirect and respond")
                return nil
            }
            switch (route.cluster, route.redirect, route.response) {
            case (let name?, nil, nil): return cluster(name, "cluster").map { .proxy(cluster: $0) }
            case (nil, let redirect?, nil): return self.redirect(redirect, captures)
            case (nil, nil, let response?): return self.response(response)
            case (nil, nil, nil):
                note(
                    "", "it does not say what becomes of a request",
                    "add one of cluster, split, redirect and respond")
                return nil
            case (_, _, _):
                note(
                    "", "it says more than one thing to do with a request",
                    "keep one of cluster, split, redirect and respond")
                return nil
            }
        }

        private mutating func cluster(_ name: String, _ key: String) -> Int? {
            if let index = clusters.firstIndex(of: name) { return index }
            note(
                key, "there is no cluster \(quoted(name))",
                NearestName.remedy(for: name, among: clusters, of: "clusters"))
            return nil
        }

        private mutating func split(_ route: RouteConfiguration) -> RouteDefinition.Action? {
            var shares: [ClusterSplit.Share] = []
            for (index, share) in route.split.enumerated() {
                let key = "split[\(index)]"
                if !(0...ClusterSplit.weightLimit).contains(share.weight) {
                    note(
                        "\(key).weight", "\(share.weight) is outside 0 to \(ClusterSplit.weightLimit)",
                        "weights are shares next to each other, such as 95 and 5")
                    return nil
                }
                if shares.contains(where: { $0.name == share.cluster }) {
                    note(
                        "\(key).cluster", "\(quoted(share.cluster)) has a share already",
                        "add up their weights")
                }
                guard let cluster = cluster(share.cluster, "\(key).cluster") else { continue }
                shares.append(
                    ClusterSplit.Share(cluster: cluster, name: share.cluster, weight: UInt64(share.weight)))
            }
            if route.split.count > ClusterSplit.shareLimit {
                note(
                    "split", "\(route.split.count) clusters are more than \(ClusterSplit.shareLimit)",
                    "name fewer")
            }
            guard shares.contains(where: { $0.weight > 0 }) else {
                if shares.count == route.split.count {
                    note("split", "no cluster has a share of the requests", "give one a weight above 0")
                }
                return nil
            }
            return .split(ClusterSplit(shares: shares, key: route.splitKey))
        }

        private mutating func mirror(_ mirror: RouteConfiguration.Mirror, proxies: Bool) -> RouteMirror? {
            if !proxies {
                note("mirror", "nothing is forwarded that could be copied", "leave it out")
                return nil
            }
            if !(0...100).contains(mirror.share) {
                note("mirror.share", "\(mirror.share)% is outside 0 to 100%", "write a share such as 10%")
                return nil
            }
            return cluster(mirror.cluster, "mirror.cluster").map {
                RouteMirror(cluster: $0, percent: mirror.share)
            }
        }

        private mutating func redirect(_ redirect: RouteConfiguration.Redirect, _ captures: [String])
            -> RouteDefinition.Action?
        {
            if !RouteCompiler.redirectStatuses.contains(redirect.status) {
                note(
                    "redirect.status", "\(redirect.status) does not redirect",
                    "write 301, 302, 303, 307 or 308")
            }
            let target = value("redirect.to") { () throws(OptionSyntaxError) in
                try TargetTemplate.redirection(redirect.target, captures: captures)
            }
            return target.map { .redirect(status: UInt16(clamping: redirect.status), $0) }
        }

        private mutating func response(_ response: RouteConfiguration.Response) -> RouteDefinition.Action? {
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
            return .fixed(
                FixedReply(
                    status: UInt16(clamping: response.status), body: Array(response.body.utf8),
                    type: response.type))
        }
    }
}
