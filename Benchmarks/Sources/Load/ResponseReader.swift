/// Reads the responses that arrive on one connection, however they are cut.
struct ResponseReader: BitwiseCopyable {
    private enum State: UInt8, BitwiseCopyable { case head, sized, chunked, untilClose }

    enum Step {
        /// All bytes were taken.
        case more
        /// The bytes left are the beginning of a head: to be offered again, with what follows them.
        case partOfHead
        case complete
        case invalid
    }

    private var state = State.head
    private var left = 0
    private var chunks = ChunkedReader()
    private(set) var head = ResponseHead()
    /// Bytes of the body so far, without its framing.
    private(set) var bodySize = 0
    /// Whether the answer is to CONNECT: success then has no body (RFC 9110 §9.3.6).
    var answersConnect = false

    /// Bytes of body that may be thrown away unseen.
    var skippable: Int {
        switch state {
        case .head: 0
        case .sized: left
        case .chunked: chunks.skippable
        case .untilClose: .max
        }
    }

    /// Says that `size` bytes, at most `skippable`, were thrown away. Whether the response is complete.
    mutating func didSkip(_ size: Int) -> Bool {
        bodySize += size
        switch state {
        case .head: preconditionFailure("a head is never skipped")
        case .sized:
            left -= size
            return left == 0
        case .chunked:
            chunks.didSkip(size)
            return false
        case .untilClose: return false
        }
    }

    /// Whether the connection's end is where this response ends.
    var endsWithConnection: Bool { state == .untilClose }

    /// Prepares for the next response.
    mutating func restart() {
        state = .head
        chunks = ChunkedReader()
        bodySize = 0
    }

    /// Takes bytes from `index` on, up to the end of one response.
    mutating func read(_ bytes: Span<UInt8>, from index: inout Int) -> Step {
        while index < bytes.count {
            switch state {
            case .head:
                switch ResponseHead.read(bytes, from: index) {
                case .incomplete: return .partOfHead
                case .invalid: return .invalid
                case .complete(let head, let end):
                    index = end
                    if 100..<200 ~= head.status {
                        // Interim responses come before the one that counts; nothing here asks for 101.
                        if head.status == 101 { return .invalid }
                        continue
                    }
                    self.head = head
                    if begin() { return .complete }
                }
            case .sized, .untilClose:
                let size = min(skippable, bytes.count - index)
                index += size
                if didSkip(size) { return .complete }
            case .chunked:
                if chunks.skippable > 0 {
                    let size = min(chunks.skippable, bytes.count - index)
                    index += size
                    _ = didSkip(size)
                } else {
                    guard let isEnd = chunks.take(bytes[index]) else { return .invalid }
                    index += 1
                    if isEnd { return .complete }
                }
            }
        }
        return .more
    }

    /// Chooses how the body is read. Whether there is none.
    private mutating func begin() -> Bool {
        if head.status == 204 || head.status == 304 || answersConnect && 200..<300 ~= head.status {
            return true
        }
        switch head.body {
        case .sized(let size):
            state = .sized
            left = size
            return size == 0
        case .chunked:
            state = .chunked
        case .untilClose:
            state = .untilClose
            head.keepsAlive = false
        }
        return false
    }
}
