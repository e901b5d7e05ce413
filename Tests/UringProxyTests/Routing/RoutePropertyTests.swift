import TestSupport
import Testing

@testable import UringProxy

/// The table against the rules themselves: each compared with the request, sorted by how specific it is.
@Suite("RouteTable, against a naive matcher")
struct RoutePropertyTests {
    private struct Request {
        var host: String
        /// In normal form.
        var path: String
        var query: [(String, String)]
        var method: String
        var fields: [(String, String)]
        var source: String
    }

    @Test("Random rules and requests: both find the same rule")
    func agreement() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("RoutePropertyTests: seed \(seed)")
        var random = SplitMix(seed: seed)
        var wrong: [String] = []
        var foundCount = 0
        for _ in 0..<150 {
            let rules = try (0..<Int.random(in: 1...40, using: &random)).map { _ in try rule(&random) }
            let table = try RouteTable(rules, seed: random.next())
            let matcher = try NaiveMatcher(rules)
            var scratch = RouteScratch(pathBytes: 64)
            for _ in 0..<60 {
                let request = request(&random)
                let expected = try matcher.find(request)
                let path = disguised(request.path, &random)
                let query = request.query.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
                let found = RouteSupport.find(
                    table, query.isEmpty ? path : path + "?" + query, host: request.host,
                    method: request.method,
                    fields: request.fields, from: request.source, scratch: &scratch)
                if expected != nil { foundCount += 1 }
                if found?.rule != expected {
                    wrong.append("\(request) as \(path): \(found?.rule ?? -1) of \(expected ?? -1)")
                }
            }
            #expect(table.shadowed.allSatisfy { $0.by < $0.rule })
        }
        #expect(Array(wrong.prefix(5)) == [], "seed \(seed)")
        #expect(foundCount > 3000, "seed \(seed)")
    }

    // MARK: Random rules and requests

    private static let labels = ["a", "b", "org", "www"]
    private static let segments = ["a", "b", "c", "~d", "x%2Fy"]

    private func pick<Element>(_ elements: [Element], _ random: inout SplitMix) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }

    private func isLucky(_ odds: Int, _ random: inout SplitMix) -> Bool {
        Int.random(in: 0..<odds, using: &random) == 0
    }

    private func host(_ random: inout SplitMix) -> String {
        (0..<Int.random(in: 1...4, using: &random)).map { _ in pick(Self.labels, &random) }.joined(
            separator: ".")
    }

    private func path(_ random: inout SplitMix) -> String {
        let count = Int.random(in: 0...5, using: &random)
        guard count > 0 else { return "/" }
        let path = (0..<count).map { _ in "/" + pick(Self.segments, &random) }.joined()
        return isLucky(5, &random) ? path + "/" : path
    }

    private func rule(_ random: inout SplitMix) throws -> RouteRule {
        var hosts: [String] = []
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: hosts.append(pick(["~^a", "~B\\.", "~org$"], &random))
            case 1, 2: hosts.append("*." + host(&random))
            default: hosts.append(host(&random))
            }
        }
        let path: String? =
            switch Int.random(in: 0..<10, using: &random) {
            case 0: nil
            case 1: pick(["~^/a", "~b/", "~c$", "~(a|b)/(c|d)"], &random)
            case 2, 3, 4: prefix(&random)
            case 5, 6, 7: template(&random)
            default: self.path(&random)
            }
        return try RouteSupport.rule(
            hosts: hosts, path: path,
            methods: isLucky(4, &random) ? [pick(["GET", "POST", "PURGE"], &random)] : [],
            fields: isLucky(4, &random)
                ? [(pick(["x-a", "Accept"], &random), pick(Self.values, &random))] : [],
            query: isLucky(4, &random) ? [(pick(["p", "q"], &random), pick(Self.values, &random))] : [],
            sources: isLucky(5, &random) ? [pick(["10.0.0.0/8", "10.1.0.0/16", "::/0"], &random)] : [])
    }

    private static let values = ["1", "12", "1*", "*", "!*", "~^1.?$"]

    private func prefix(_ random: inout SplitMix) -> String {
        let path = path(&random)
        return path.hasSuffix("/") ? path + "*" : path + "/*"
    }

    private func template(_ random: inout SplitMix) -> String {
        let segments = (0..<Int.random(in: 1...5, using: &random)).map { index in
            isLucky(2, &random) ? "/{x\(index)}" : "/" + pick(Self.segments, &random)
        }
        return segments.joined() + pick(["", "", "", "/", "/{rest...}"], &random)
    }

    private func request(_ random: inout SplitMix) -> Request {
        func value(_ random: inout SplitMix) -> String { pick(["1", "12", "123", "2"], &random) }
        var query: [(String, String)] = []
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            query.append((pick(["p", "q"], &random), value(&random)))
        }
        var fields: [(String, String)] = []
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            fields.append((pick(["X-A", "accept", "x-b"], &random), value(&random)))
        }
        return Request(
            host: host(&random), path: path(&random), query: query,
            method: pick(["GET", "GET", "POST", "PURGE", "MOVE"], &random), fields: fields,
            source: pick(["10.0.0.1", "10.1.0.1", "192.0.2.1", "2001:db8::1"], &random))
    }

    /// Another spelling of the same path.
    private func disguised(_ path: String, _ random: inout SplitMix) -> String {
        var result = ""
        for character in path {
            switch character {
            case "/" where isLucky(6, &random):
                result += pick(["/./", "/%2e/", "//", "/x/../", "/y/%2E./"], &random)
            case "a", "b", "c", "d":
                let value = character.asciiValue ?? 0
                result += isLucky(6, &random) ? "%" + String(value, radix: 16) : String(character)
            default: result.append(character)
            }
        }
        return result
    }
}

extension RoutePropertyTests {
    /// As the doc comment of `RouteTable` has it, by sorting.
    private struct NaiveMatcher {
        private let rules: [RouteRule]

        init(_ rules: [RouteRule]) throws { self.rules = rules }

        func find(_ request: Request) throws -> Int? {
            var candidates: [(rank: [Int], rule: Int)] = []
            for (index, rule) in rules.enumerated() {
                for host in rule.hosts.isEmpty ? [nil] : rule.hosts.map(Optional.some) {
                    guard let hostRank = try rank(host, of: request.host),
                        let pathRank = try rank(rule.path, of: request.path, host: host),
                        try conditionsHold(rule, request)
                    else { continue }
                    candidates.append((hostRank + pathRank + [index], index))
                }
            }
            return candidates.min { $0.rank.lexicographicallyPrecedes($1.rank) }?.rule
        }

        /// Two numbers, lower for what is more specific; nil if it is another host.
        private func rank(_ pattern: HostPattern?, of host: String) throws -> [Int]? {
            switch pattern?.kind {
            case nil: return [3, 0]
            case .exact(let name): return name == host ? [0, 0] : nil
            case .below(let name): return host.hasSuffix("." + name) ? [1, -name.count] : nil
            case .expression(let expression):
                guard host.firstMatch(of: try Regex(expression.text).ignoresCase()) != nil else { return nil }
                // In the order of the file, of two in one rule as well.
                return [2, rules.flatMap(\.hosts).firstIndex { $0 == pattern } ?? -1]
            }
        }

        /// A list that orders patterns, closed by a number larger than all in it.
        private func rank(_ pattern: PathPattern?, of path: String, host: HostPattern?) throws -> [Int]? {
            let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(
                String.init)
            switch pattern?.kind {
            case nil: return [4]
            case .exact(let segments): return segments == parts ? [0] : nil
            case .prefix(let segments):
                return parts.starts(with: segments) ? [2, -segments.count] : nil
            case .template(let segments):
                var rank = [1]
                for (index, segment) in segments.enumerated() {
                    guard index < parts.count else { return nil }
                    switch segment {
                    case .literal(let text):
                        guard parts[index] == text else { return nil }
                        rank.append(0)
                    case .placeholder:
                        guard parts[index] != "" else { return nil }
                        rank.append(1)
                    case .rest: return rank + [2]
                    }
                }
                return parts.count == segments.count ? rank : nil
            case .expression(let expression):
                guard path.firstMatch(of: try Regex(expression.text)) != nil else { return nil }
                let first = rules.firstIndex { rule in
                    rule.path == pattern && (host.map { rule.hosts.contains($0) } ?? rule.hosts.isEmpty)
                }
                return [3, first ?? -1]
            }
        }

        private func conditionsHold(_ rule: RouteRule, _ request: Request) throws -> Bool {
            let methods = try rule.methods.map { try $0 == MethodPattern(parsing: request.method) }
            let source = IPAddress(request.source)!
            return try (methods.isEmpty || methods.contains(true))
                && (rule.sources.isEmpty || rule.sources.contains { $0.contains(source) })
                && rule.fields.allSatisfy { pattern in
                    let values = request.fields.filter { $0.0.lowercased() == pattern.name }.map(\.1)
                    return try holds(pattern.value, values)
                }
                && rule.query.allSatisfy { pattern in
                    try holds(pattern.value, request.query.filter { $0.0 == pattern.name }.map(\.1))
                }
        }

        private func holds(_ pattern: ValuePattern, _ values: [String]) throws -> Bool {
            switch pattern {
            case .exact(let text): values.contains(text)
            case .prefix(let text): values.contains { $0.hasPrefix(text) }
            case .expression(let expression):
                try values.contains { $0.firstMatch(of: try Regex(expression.text)) != nil }
            case .present: !values.isEmpty
            case .absent: values.isEmpty
            }
        }
    }
}
