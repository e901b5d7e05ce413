/// Where in a body the next received byte stands.
struct BodyReader: BitwiseCopyable {
    enum State: UInt8, BitwiseCopyable {
        /// There is no body, or all of it has been read.
        case done
        case length
        case chunked
        /// Behind the last chunk, up to the empty line.
        case trailers
        case untilClose
    }

    private(set) var state = State.done
    /// Of a body with a length: bytes still to come.
    private(set) var remaining: UInt64 = 0
    private var decoder = ChunkedDecoder()
    /// `.max`: it is not chunked. An optional would take a ninth byte, and with it each exchange eight more.
    private var chunkedContent = UInt64.max

    init() {}

    init(_ framing: BodyFraming) {
        switch framing {
        case .none: state = .done
        case .length(let size):
            remaining = size
            state = size == 0 ? .done : .length
        case .chunked:
            state = .chunked
            chunkedContent = 0
        case .untilClose: state = .untilClose
        }
    }

    var isDone: Bool { state == .done }

    /// Of a chunked body: bytes of content so far, without what frames them; else nil.
    var content: UInt64? { chunkedContent == .max ? nil : chunkedContent }

    /// How many of the next `available` bytes belong to a body with a length; they count as read.
    mutating func takeLength(_ available: UInt32) -> UInt32 {
        precondition(state == .length)
        let size = UInt32(min(remaining, UInt64(available)))
        remaining -= UInt64(size)
        if remaining == 0 { state = .done }
        return size
    }

    mutating func advanceChunked(_ bytes: ByteView) -> ChunkedDecoder.Step {
        precondition(state == .chunked)
        let step = decoder.advance(bytes)
        if case .trailers = step { state = .trailers }
        if case .data(_, let size) = step { chunkedContent += UInt64(size) }
        return step
    }

    mutating func finish() { state = .done }
}
