import Testing

@testable import UringProxy

@Suite("Discovered endpoints")
struct DiscoveredEndpointsTests {
    private func endpoints(_ texts: [String], isPartial: Bool = false, keeping kept: [FixedUpstream] = [])
        -> [FixedUpstream]
    {
        let answer = ResolverSurvey.Answer(
            status: .ok, ttlSeconds: 1, addresses: texts.map { IPAddress($0)! }, isPartial: isPartial)
        return DiscoveredEndpoints.of(answer, host: "h.", port: 80, keeping: kept)
    }

    @Test("Each address is an endpoint, once, and the order of the answer does not count")
    func order() {
        let found = endpoints(["10.0.0.2", "fd00::1", "10.0.0.1", "10.0.0.2"])
        #expect(found.map(\.identity) == ["10.0.0.1:80", "10.0.0.2:80", "[fd00::1]:80"])
        #expect(endpoints(["fd00::1", "10.0.0.1", "10.0.0.2"]).map(\.identity) == found.map(\.identity))
        #expect(found.allSatisfy { $0.isOfName && $0.name == "h" && $0.port == 80 && $0.weight == 1 })
    }

    @Test("What is known of a family that no server answered for stays; what is said of the other one counts")
    func partial() {
        let known = endpoints(["10.0.0.1", "10.0.0.2", "fd00::1"])
        #expect(
            endpoints(["10.0.0.2"], isPartial: true, keeping: known).map(\.identity) == [
                "10.0.0.2:80", "[fd00::1]:80",
            ])
        #expect(endpoints(["10.0.0.2"], keeping: known).map(\.identity) == ["10.0.0.2:80"])
    }

    @Test(
        "Records that name a host are endpoints, once each, with their priority and their weight among those of the same"
    )
    func services() {
        func record(_ priority: UInt16, _ weight: UInt16, _ port: UInt16, _ target: String) -> ServiceRecord {
            ServiceRecord(priority: priority, weight: weight, port: port, target: target)
        }
        let found = DiscoveredEndpoints.of([
            record(5, 1, 80, "far"), record(1, 10, 81, "b.test"), record(0, 1, 80, ""),
            record(0, 1, 80, "not a host"), record(0, 1, 0, "no.port"), record(1, 20, 80, "a.test"),
            record(1, 20, 80, "a.test"), record(9, 0, 80, "a.test"), record(9, 0, 82, "far"),
            record(9, 8, 83, "far"),
        ])
        #expect(found.map(\.identity) == ["a.test:80", "b.test:81", "far:80", "far:82", "far:83"])
        #expect(found.map(\.weight) == [20, 10, 1, 1, 1000])
        #expect(found.map(\.priority) == [1, 1, 5, 9, 9])
        #expect(found.allSatisfy { $0.address == nil && !$0.isOfName })
        #expect(DiscoveredEndpoints.of([record(0, 0, 0, "")]).isEmpty)
    }

    @Test(
        "Weights of 0 to 65535 become those of endpoints with their shares",
        arguments: [
            ([], []), ([0, 0], [1, 1]), ([3, 1], [3, 1]), ([1000], [1000]), ([0, 5], [1, 1000]),
            ([65535, 0], [1000, 1]), ([2000, 1000, 1], [1000, 500, 1]),
        ] as [([UInt16], [UInt32])])
    func weights(_ records: [UInt16], _ wanted: [UInt32]) {
        #expect(DiscoveredEndpoints.weights(of: records) == wanted)
    }
}
