import Testing

@testable import UringProxy

@Suite("Routes by place")
struct GeoRouteTests {
    private static func rule(
        countries: [String] = [], regions: [String] = [], systems: [String] = []
    ) throws -> RouteRule {
        var rule = RouteRule()
        for text in countries { try rule.geo.countries.add(text, GeoRule.Choice.country) }
        for text in regions { try rule.geo.regions.add(text, GeoRule.Choice.region) }
        for text in systems { try rule.geo.autonomousSystems.add(text, GeoRule.Choice.autonomousSystem) }
        return rule
    }

    private static func location(_ country: String, _ region: String = "", _ system: UInt32 = 0)
        -> GeoLocation
    {
        GeoLocation(country: GeoCode(country), region: GeoCode(region), autonomousSystem: system)
    }

    private static func find(_ table: RouteTable, _ location: GeoLocation) -> Int? {
        var scratch = RouteScratch(pathBytes: 0)
        let request = RouteRequest(
            host: .empty, path: .empty, query: .empty, method: .get, methodName: .empty, head: .empty,
            source: .loopback4, location: location)
        return table.find(request, fields: FieldTable(capacity: 1), scratch: &scratch)?.rule
    }

    @Test("Of each kind one value has to hold, and none behind a !")
    func conditions() throws {
        let table = try RouteTable(
            [
                Self.rule(countries: ["de", "AT"], regions: ["BY", "!W"], systems: ["AS64512", "7"]),
                Self.rule(countries: ["DE", "NO"]),
                Self.rule(countries: ["!FR", "!IT"], systems: ["!9"]),
                Self.rule(regions: ["9"]),
            ], seed: 7)
        #expect(table.asksLocation)
        for (location, expected) in [
            (Self.location("DE", "BY", 7), 0), (Self.location("AT", "BY", 64512), 0),
            (Self.location("DE", "BY", 8), 1), (Self.location("DE", "B", 7), 1),
            (Self.location("DE"), 1), (Self.location("NO"), 1),
            (Self.location("AT", "W", 7), 2), (Self.location("US"), 2), (.unknown, 2),
            (Self.location("US", "", 9), nil), (Self.location("FR"), nil), (Self.location("IT", "9", 9), 3),
        ] {
            #expect(Self.find(table, location) == expected, "\(location)")
        }
        #expect(try !RouteTable([RouteRule()], seed: 7).asksLocation)
    }

    @Test("Every one of many values is found, and no other")
    func manyValues() throws {
        let table = try RouteTable([Self.rule(systems: (1...500).map { "\($0 * 2)" })], seed: 7)
        for system in UInt32(1)...1002 {
            let isIn = system % 2 == 0 && system <= 1000
            #expect((Self.find(table, Self.location("", "", system)) != nil) == isIn)
        }
    }

    @Test("A route for the same places, in whatever order, can never be reached")
    func shadowed() throws {
        let table = try RouteTable(
            [
                Self.rule(countries: ["DE", "AT"]), Self.rule(countries: ["AT", "DE"]),
                Self.rule(countries: ["DE"]), Self.rule(countries: ["!DE"]), Self.rule(regions: ["DE"]),
            ], seed: 7)
        #expect(table.shadowed == [RouteTable.Shadowed(rule: 1, by: 0)])
    }

    @Test("Codes are numbers that can be written again")
    func codes() {
        for text in ["", "D", "DE", "ENG", "ABCD"] {
            #expect(GeoCode(text).description == text)
            #expect(GeoCode(text).count == text.utf8.count)
        }
        #expect(GeoCode("") == .none)
        #expect(MemoryLayout<GeoLocation>.size == 12)
    }
}
