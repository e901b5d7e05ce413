import Testing

@testable import UringProxy

@Suite("Server names")
struct ServerNameTests {
    private func rule(_ table: ServerNameTable, _ name: String) -> Int? {
        HTTPSupport.withView(Array(name.utf8)) { table.rule(for: $0) }
    }

    private func table(_ rules: [String]...) throws -> ServerNameTable {
        var names: [(pattern: ServerNamePattern, rule: Int)] = []
        for (rule, texts) in rules.enumerated() {
            for text in texts { names.append((try ServerNamePattern(parsing: text), rule)) }
        }
        return ServerNameTable(names, clusters: rules.indices.map { $0 * 10 }, seed: 7)
    }

    @Test("The name itself comes first, then the longest of those that it is below")
    func find() throws {
        let table = try table(
            ["example.org", "a.b.example.org"], ["*.example.org"], ["*.b.example.org", "*.net"])
        for (name, wanted) in [
            ("example.org", 0), ("EXAMPLE.org", 0), ("a.b.example.org", 0), ("a.example.org", 1),
            ("a.c.example.org", 1), ("b.example.org", 1), ("x.b.example.org", 2), ("x.A.B.Example.Org", 2),
            ("x.net", 2), ("net", nil), ("org", nil), ("xexample.org", nil), ("example.org.x", nil),
            ("a..net", 2), (".", nil), ("", nil),
        ] as [(String, Int?)] {
            #expect(rule(table, name) == wanted, "\(name)")
        }
        #expect(table.cluster(ofRule: 2) == 20)
    }

    @Test("Patterns are the same whatever their letter case and final dot")
    func patterns() throws {
        let pattern = try ServerNamePattern(parsing: "*.Example.ORG.")
        #expect(try pattern == ServerNamePattern(parsing: "*.example.org"))
        #expect(try pattern != ServerNamePattern(parsing: "example.org"))
        for text in ["", "*", "~a", "192.0.2.1", "[::1]", "a b", "a.*", "https://a", "a:1", ".a"] {
            #expect(throws: OptionSyntaxError.self) { try ServerNamePattern(parsing: text) }
        }
    }
}
