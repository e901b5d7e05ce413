/// What an endpoint answers to an http check, as it comes: whether it is what was expected.
struct HealthAnswer {
    enum Verdict: Equatable {
        case undecided, healthy
        case unhealthy(String)
    }

    /// Of the head and the body: who has so much to say is not asked for more.
    private static let limit = 64 << 10

    private var bytes: [UInt8] = []
    private var hasHead = false
    private var reader = BodyReader()
    private var body: [UInt8] = []
    /// Where in the body the text may begin that has not been looked for yet.
    private var searched = 0
    private var size = 0

    mutating func received(_ new: ArraySlice<UInt8>, _ check: HealthCheck, _ fields: inout FieldTable)
        -> Verdict
    {
        bytes += new
        size += new.count
        // Only a line's end can be that of a head: what comes byte by byte is not read through with each of them.
        if !hasHead && !new.contains(UInt8(ascii: "\n")) {
            return isTooLong("the head of its answer has no end")
        }
        while !hasHead {
            switch readHead(check, &fields) {
            case .none: return isTooLong("the head of its answer has no end")
            case .some(.undecided): continue
            case .some(let verdict): return verdict
            }
        }
        return readBody(check)
    }

    /// The connection has ended.
    func ended() -> Verdict {
        if !hasHead { return .unhealthy("it closed the connection before it answered") }
        return .unhealthy("its answer does not hold the expected text")
    }

    private func isTooLong(_ text: String) -> Verdict { size > Self.limit ? .unhealthy(text) : .undecided }

    /// nil: there is no whole head yet; undecided: a head was read.
    private mutating func readHead(_ check: HealthCheck, _ fields: inout FieldTable) -> Verdict? {
        var head = ResponseHead()
        let status = unsafe bytes.withUnsafeBytes { buffer in
            ResponseParser.parse(
                unsafe ByteView(buffer), requestMethod: .get, limits: HeadLimits(), fields: &fields,
                head: &head)
        }
        switch status {
        case .incomplete: return nil
        case .invalid: return .unhealthy("its answer is not valid HTTP/1")
        case .complete: break
        }
        bytes.removeFirst(head.size)
        if head.isInterim { return .undecided }
        guard check.statuses.contains(where: { $0.contains(head.status) }) else {
            return .unhealthy("it answered with \(head.status)")
        }
        if check.body.isEmpty { return .healthy }
        hasHead = true
        reader = BodyReader(head.framing)
        return .undecided
    }

    private mutating func readBody(_ check: HealthCheck) -> Verdict {
        // What is not valid ends it.
        if !reader.takeContent(from: &bytes, into: &body) { reader.finish() }
        if contains(check.body) { return .healthy }
        return reader.isDone || reader.state == .trailers
            ? ended() : isTooLong("its answer does not hold the expected text")
    }

    private mutating func contains(_ text: [UInt8]) -> Bool {
        while searched + text.count <= body.count {
            if body[searched] == text[0] && body[searched..<searched + text.count].elementsEqual(text) {
                return true
            }
            searched += 1
        }
        return false
    }
}
