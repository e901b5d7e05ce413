import Testing

@testable import UringProxy

@Suite("EndpointTable")
struct EndpointTableTests {
    private func find(_ table: inout EndpointTable, _ name: String, _ port: UInt16, now: Int64 = 1) -> UInt32?
    {
        let bytes = Array(name.utf8)
        return unsafe bytes.withUnsafeBytes {
            let name = unsafe ByteView($0)
            return table.find(name: name, port: port, now: now) ?? table.add(name: name, port: port, now: now)
        }
    }

    @Test("One endpoint per name and port, letter case aside")
    func identity() throws {
        var table = EndpointTable(dynamicLimit: 8, room: 4, seed: 99)
        let first = try #require(find(&table, "Example.ORG", 80))
        #expect(find(&table, "example.org", 80) == first)
        #expect(find(&table, "example.org", 81) != first)
        #expect(find(&table, "example.or", 80) != first)
        #expect(find(&table, "example.or_", 80) != first)
        #expect(
            find(&table, "a.much.longer.example.org", 80) == find(&table, "A.much.longer.example.ORG", 80))
        #expect(
            find(&table, "a.much.longer.example.org", 80) != find(&table, "b.much.longer.example.org", 80))
        table.withName(first) { #expect($0.string == "example.org") }
    }

    @Test("A full table gives up what nothing uses, and tells the resolver's late answer so")
    func eviction() throws {
        var table = EndpointTable(dynamicLimit: 4, room: 4, seed: 99)
        let kept = try #require(find(&table, "kept", 80))
        table[kept].inUse = 1
        let token = table.token(of: try #require(find(&table, "a", 80)))
        for index in 0..<100 { #expect(find(&table, "name-\(index)", 80) != nil) }
        #expect(find(&table, "kept", 80) == kept)
        #expect(table.index(ofToken: token) == nil)
        for index in 0..<3 { table[try #require(find(&table, "busy-\(index)", 80))].inUse = 1 }
        #expect(find(&table, "one too many", 80) == nil)
        #expect(find(&table, "busy-1", 80) != nil)
    }
}
