import Testing

extension TestSocket {
    /// Asks, and is answered with 200.
    func ask(_ path: String = "/", _ fields: String = "") throws -> (head: String, body: String) {
        try send(RouteProxy.get(path, fields))
        let answer = try receiveResponse()
        guard answer.head.hasPrefix("HTTP/1.1 200") else { throw TestFailure(answer.head) }
        return answer
    }

    /// Asks so many times, and is answered with `Messages.ok`.
    func getOK(_ count: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
        for _ in 0..<count {
            try send(Messages.get)
            try expect(Messages.ok, sourceLocation: sourceLocation)
        }
    }
}

extension [TestSocket] {
    /// Who answers so many requests, which they send in turn, each for a path of its own.
    func bodies(_ count: Int = 40, _ fields: String = "") throws -> Set<String> {
        Set(try (0..<count).map { try self[$0 % self.count].ask("/\($0)", fields).body })
    }
}

/// An end of a connection, over TLS or not.
protocol TestEnd {
    func send(_ text: String) throws
    func expect(_ wanted: String, sourceLocation: SourceLocation) throws
}

extension TestSocket: TestEnd {}
extension TLSSocket: TestEnd {}

/// A request and its answer, over connections that are there.
func exchange(
    _ client: some TestEnd, _ upstream: some TestEnd, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    try client.send(Messages.get)
    try upstream.expect(Messages.get, sourceLocation: sourceLocation)
    try upstream.send(Messages.ok)
    try client.expect(Messages.ok, sourceLocation: sourceLocation)
}
