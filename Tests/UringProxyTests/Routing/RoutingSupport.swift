@testable import UringProxy

/// What the tests of routes share: rules from texts, and requests that go through the real parser.
enum RouteSupport {
    struct Found: Equatable, CustomStringConvertible {
        var rule: Int
        var captures: [String] = []

        var description: String { captures.isEmpty ? "\(rule)" : "\(rule) \(captures)" }
    }

    static func rule(
        hosts: [String] = [], path: String? = nil, methods: [String] = [], fields: [(String, String)] = [],
        query: [(String, String)] = [], sources: [String] = []
    ) throws -> RouteRule {
        RouteRule(
            hosts: try hosts.map { try HostPattern(parsing: $0) },
            path: try path.map { try PathPattern(parsing: $0) },
            methods: try methods.map { try MethodPattern(parsing: $0) },
            fields: try fields.map { try FieldPattern(name: $0.0, value: ValuePattern(parsing: $0.1)) },
            query: try query.map { try QueryPattern(name: $0.0, value: ValuePattern(parsing: $0.1)) },
            sources: try sources.map { try AddressList.block($0) })
    }

    /// Rules for any host, one for each path.
    static func table(paths: [String]) throws -> RouteTable {
        try RouteTable(paths.map { try rule(path: $0) }, seed: 7)
    }

    /// Rules for any path, one for each host.
    static func table(hosts: [String]) throws -> RouteTable {
        try RouteTable(hosts.map { try rule(hosts: [$0]) }, seed: 7)
    }

    static func find(
        _ table: RouteTable, _ target: String = "/", host: String = "", method: String = "GET",
        fields: [(String, String)] = [], from source: String = "192.0.2.1"
    ) -> Found? {
        var scratch = RouteScratch(pathBytes: 64)
        return find(
            table, target, host: host, method: method, fields: fields, from: source, scratch: &scratch)
    }

    static func find(
        _ table: RouteTable, _ target: String, host: String = "", method: String = "GET",
        fields: [(String, String)] = [], from source: String = "192.0.2.1", scratch: inout RouteScratch
    ) -> Found? {
        let lines = fields.map { "\($0.0): \($0.1)\r\n" }.joined()
        let bytes = HTTPSupport.bytes("\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\n\(lines)\r\n")
        var fieldTable = FieldTable(capacity: 256)
        var head = RequestHead()
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { unsafe memory.deallocate() }
        unsafe memory.copyBytes(from: bytes)
        let view = unsafe ByteView(UnsafeRawBufferPointer(memory))
        let status = RequestParser.parse(view, limits: HTTPSupport.limits, fields: &fieldTable, head: &head)
        precondition(status == .complete, "\(status): \(method) \(target)")
        do {
            let request = try RouteRequest(
                head, bytes: view, source: IPAddress(source)!, scratch: &scratch)
            guard let match = table.find(request, fields: fieldTable, scratch: &scratch) else { return nil }
            let captures = (0..<match.captureCount).map { request.path[match.capture($0)].string }
            return Found(rule: match.rule, captures: captures)
        } catch {
            preconditionFailure("\(target): \(error.message)")
        }
    }

    /// The path in its normal form, or the name of its problem.
    static func normalised(_ path: String) -> String {
        HTTPSupport.withView(Array(path.utf8)) { view in
            var scratch = RouteScratch(pathBytes: 0)
            do {
                return try scratch.normalised(view).string
            } catch {
                return "\(error)"
            }
        }
    }

    static func message<Value>(_ body: () throws(OptionSyntaxError) -> Value) -> String {
        do {
            let value = try body()
            return "accepted: \(value)"
        } catch {
            return error.message
        }
    }
}
