/// Opens the databases that a configuration names, and finds what is wrong with them and with what asks for them.
struct GeoCompiler {
    /// Those that could be opened.
    let databases: GeoDatabases
    /// What routes and clusters ask for.
    let asked: GeoKinds
    /// Each by the path of its key.
    private(set) var problems: [ConfigurationProblem] = []

    init(_ configuration: Configuration) {
        var databases: [GeoDatabase] = []
        var problems: [ConfigurationProblem] = []
        func note(_ option: String, _ message: String, _ remedy: String) {
            problems.append(ConfigurationProblem(option: option, message: message, remedy: remedy))
        }
        for (index, path) in configuration.geoDatabases.enumerated() {
            let option = "geo.databases[\(index)]"
            do throws(GeoDatabaseError) {
                let database = try GeoDatabase(path)
                databases.append(database)
                if database.kinds.isEmpty {
                    note(
                        option, "\(quoted(path)) knows neither countries nor regions nor autonomous systems",
                        "give one such as GeoLite2-Country or GeoLite2-ASN")
                }
            } catch {
                note(option, "\(quoted(path)) \(error.reason)", "check the path")
            }
        }
        self.databases = GeoDatabases(databases)
        // What a database that could not be opened would tell is not known.
        let asked = Self.asked(configuration)
        if problems.isEmpty {
            for (option, kind, product) in asked where !self.databases.kinds.contains(kind) {
                note(
                    option, "no database knows \(kind.text)", "add one such as \(product) to 'geo.databases'")
            }
        }
        self.asked = asked.reduce(into: []) { $0.formUnion($1.kind) }
        self.problems = problems
    }

    /// What routes and clusters ask for: the path of each key, its kind, and a database that knows it.
    private static func asked(_ configuration: Configuration) -> Asked {
        var asked: Asked = []
        for list in configuration.routes {
            for (index, route) in list.routes.enumerated() {
                let path = "routes.\(list.name)[\(index)]"
                asked += Self.asked(of: route, "\(path).match.geo") + Self.asked(route, path)
            }
        }
        for cluster in configuration.clusters {
            for (index, preferred) in cluster.preferredZones.enumerated() {
                asked += Self.asked(of: preferred, "clusters.\(cluster.name).preferred_zones[\(index)].geo")
            }
        }
        for defaults in configuration.routeDefaults {
            let path = "route_defaults.\(defaults.name)"
            asked += Self.asked(defaults.request, "\(path).request")
            asked += Self.asked(defaults.response, "\(path).response")
        }
        return asked
    }

    private typealias Asked = [(option: String, kind: GeoKinds, product: String)]

    private static func asked(of conditions: some ClientConditions, _ path: String) -> Asked {
        var asked: Asked = []
        if !conditions.countries.isEmpty { asked.append(("\(path).country", .country, "GeoLite2-Country")) }
        if !conditions.regions.isEmpty { asked.append(("\(path).region", .region, "GeoLite2-City")) }
        if !conditions.autonomousSystems.isEmpty {
            asked.append(("\(path).asn", .autonomousSystem, "GeoLite2-ASN"))
        }
        return asked
    }

    /// What the placeholders of a route ask for.
    private static func asked(_ route: RouteConfiguration, _ path: String) -> Asked {
        asked(route.requestEdits, "\(path).request") + asked(route.responseEdits, "\(path).response")
            + asked(route.rewrite.path ?? "", "\(path).rewrite.path")
            + asked(route.redirect?.target ?? "", "\(path).redirect.to")
    }

    private static func asked(_ edits: FieldEdits, _ path: String) -> Asked {
        edits.set.flatMap { asked($0.value, "\(path).set.\($0.name)") }
            + edits.add.flatMap { asked($0.value, "\(path).add.\($0.name)") }
    }

    private static func asked(_ template: String, _ path: String) -> Asked {
        let text = template.replacing("{{", with: "")
        let placeholders: [(text: String, kind: GeoKinds, product: String)] = [
            ("{geo:country}", .country, "GeoLite2-Country"), ("{geo:region}", .region, "GeoLite2-City"),
            ("{geo:asn}", .autonomousSystem, "GeoLite2-ASN"),
        ]
        return placeholders.filter { text.contains($0.text) }.map { (path, $0.kind, $0.product) }
    }
}
