// For those who read whole answers themselves, at their leisure: health checks, and who sends spans.
extension BodyReader {
    /// Takes what belongs to a body out of its framing, and ends with the trailers, of which nothing is kept.
    ///
    /// - Parameters:
    ///   - bytes: what has come; left in it is what belongs to no body, or is a part of its framing that is not whole.
    ///   - content: gets the content.
    /// - Returns: false if they are not those of such a body.
    mutating func takeContent(from bytes: inout [UInt8], into content: inout [UInt8]) -> Bool {
        while !bytes.isEmpty {
            switch state {
            case .done: return true
            case .untilClose:
                content += bytes
                bytes.removeAll()
            case .length:
                let taken = Int(takeLength(UInt32(clamping: bytes.count)))
                content += bytes[..<taken]
                bytes.removeFirst(taken)
            case .chunked:
                let step = unsafe bytes.withUnsafeBytes { advanceChunked(unsafe ByteView($0)) }
                switch step {
                case .needMore(let consumed):
                    bytes.removeFirst(consumed)
                    if consumed == 0 { return true }
                case .trailers(let consumed): bytes.removeFirst(consumed)
                case .data(let framing, let size):
                    content += bytes[framing..<framing + size]
                    bytes.removeFirst(framing + size)
                case .invalid: return false
                }
            case .trailers:
                // Up to the empty line.
                guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return true }
                let isLast = end == 0 || end == 1 && bytes[0] == UInt8(ascii: "\r")
                bytes.removeFirst(end + 1)
                if isLast { finish() }
            }
        }
        return true
    }
}
