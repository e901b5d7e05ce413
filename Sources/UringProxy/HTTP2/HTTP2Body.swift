internal import CNghttp2

/// What a stream sends behind its head, as its session asks for it.
typealias HTTP2Body = cnghttp2_body

extension HTTP2Body {
    /// - Parameter slot: the stream's.
    init(of slot: UInt32) {
        self.init()
        owner = slot
    }

    /// Tells what may leave.
    ///
    /// - Parameters:
    ///   - bytes: all that is there, and in no frame yet.
    ///   - isLast: nothing is added to them.
    /// - Returns: whether there is something to be sent.
    mutating func offer(_ bytes: UInt32, isLast: Bool, hasTrailers: Bool) -> Bool {
        available = bytes
        if isLast {
            ends = 1
            has_trailers = hasTrailers ? 1 : 0
        }
        return bytes > 0 || isLast
    }
}
