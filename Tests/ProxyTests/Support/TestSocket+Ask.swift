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
