import Testing

@testable import UringProxy

@Suite struct HistogramRegistryTests {
    private typealias Number = HistogramRegistry.RowNumber

    @Test func aNameHasOneNumberOfItsKind() {
        let registry = HistogramRegistry()
        let cluster = registry.row(.cluster, "a")
        #expect(cluster == registry.row(.cluster, "a"))
        #expect(cluster != registry.row(.route, "a"))
        let endpoint = registry.row(.endpoint, "10.0.0.1:80", of: "a")
        #expect(endpoint != registry.row(.endpoint, "10.0.0.1:80", of: "b"))
        #expect(endpoint.kind == HistogramRegistry.Kind.endpoint.rawValue)
        #expect(cluster != .none)
        #expect(
            registry.rows.filter { $0.name != "other" }.map(\.name) == [
                "a", "a", "10.0.0.1:80", "10.0.0.1:80",
            ])
    }

    @Test func whatFindsNoPlaceSharesOne() {
        let registry = HistogramRegistry()
        let numbers = Set((0..<HistogramRegistry.nameLimit).map { registry.row(.route, "r\($0)") })
        #expect(numbers.count == HistogramRegistry.nameLimit)
        #expect(registry.refused == 0)
        #expect(registry.row(.route, "one more") == HistogramRegistry.other(.route))
        #expect(registry.row(.cluster, "c") == HistogramRegistry.other(.cluster))
        #expect(registry.refused == 2)
        // Their own name has it as well.
        #expect(registry.row(.cluster, "other") == HistogramRegistry.other(.cluster))
        #expect(registry.refused == 2)
        let endpoints = Set(
            (0..<HistogramRegistry.endpointLimit).map { registry.row(.endpoint, "\($0)", of: "c") })
        #expect(endpoints.count == HistogramRegistry.endpointLimit)
        #expect(endpoints.isDisjoint(with: numbers))
        #expect((endpoints.map(\.place).max() ?? 0) < HistogramRegistry.placeCount)
        #expect(registry.row(.endpoint, "more", of: "c") == HistogramRegistry.other(.endpoint))
    }

    @Test func namesOutliveReloadsAndGiveWayOnceTheyAreGone() {
        let registry = HistogramRegistry()
        let kept = registry.row(.cluster, "kept")
        let gone = registry.row(.cluster, "gone")
        registry.keep([kept])
        #expect(!registry.rows.contains { $0.name == "gone" })
        // As long as its place is not needed it may come back.
        #expect(registry.row(.cluster, "gone") == gone)
        #expect(registry.rows.contains { $0.name == "gone" })
        registry.keep([kept])
        for index in 2..<HistogramRegistry.nameLimit { _ = registry.row(.cluster, "c\(index)") }
        let heir = registry.row(.cluster, "heir")
        #expect(heir.place == gone.place)
        #expect(heir.generation == gone.generation + 1)
        #expect(registry.row(.cluster, "kept") == kept)
        #expect(registry.row(.cluster, "gone") == HistogramRegistry.other(.cluster))
        #expect(registry.refused == 1)
    }

    @Test func placesAreHandedOnWithinTheirKind() {
        let registry = HistogramRegistry()
        let route = registry.row(.route, "r")
        for index in 1..<HistogramRegistry.nameLimit { _ = registry.row(.listener, "l\(index)") }
        registry.keep([])
        #expect(registry.row(.cluster, "c") == HistogramRegistry.other(.cluster))
        #expect(registry.row(.route, "s").place == route.place)
    }
}
