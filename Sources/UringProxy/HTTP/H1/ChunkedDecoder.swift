/// Finds the data in a chunked body (RFC 9112 §7.1). It keeps its place at every byte, holds nothing back, and refuses
/// whatever another reader could take for another size.
struct ChunkedDecoder: BitwiseCopyable {
    enum Step: Equatable, BitwiseCopyable {
        /// All bytes given are framing and may be forwarded as they are.
        case needMore(consumed: Int)
        /// `framing` bytes of chunk lines, then `size` bytes of data, all of them among those given. Go on behind.
        case data(framing: Int, size: Int)
        /// The last chunk's line ends after `consumed` bytes; the trailer section follows. The decoder is done.
        case trailers(consumed: Int)
        case invalid(HeadError)
    }

    private enum State: UInt8, BitwiseCopyable {
        case sizeStart, size
        case extensionName, extensionNameMore, extensionValue, extensionToken
        case extensionQuoted, extensionEscaped, extensionQuotedEnd
        case lineFeed
        case data, dataReturn, dataLineFeed
        case finished, failed
    }

    private var state = State.sizeStart
    private var digits: UInt8 = 0
    private var extensionSize: UInt16 = 0
    /// While the line is read, the chunk's size; then the bytes of it that have not come yet.
    private(set) var remaining: UInt64 = 0

    /// Extensions mean nothing to anyone and cost whoever reads them; real ones have a few bytes.
    private static var maxExtensionSize: UInt16 { 256 }

    /// Bytes of extensions beyond what the data justifies: small chunks with long extensions make us read much for
    /// little (CVE-2023-39326).
    private var excess: UInt32 = 0
    private static var maxExcess: UInt32 { 16 * 1024 }

    /// Whether the last chunk's line has been read.
    var isFinished: Bool { state == .finished }

    /// Reads on. After `data` the next call gets the bytes behind the data.
    mutating func advance(_ bytes: ByteView) -> Step {
        var index = 0
        while index < bytes.count {
            switch state {
            case .data:
                let size = Int(truncatingIfNeeded: min(remaining, UInt64(bytes.count &- index)))
                remaining &-= UInt64(size)
                if remaining == 0 { state = .dataReturn }
                return .data(framing: index, size: size)
            case .finished:
                return .trailers(consumed: index)
            case .failed:
                return .invalid(.invalidChunkSize)
            default:
                if let error = take(bytes[index]) {
                    state = .failed
                    return .invalid(error)
                }
                index &+= 1
            }
        }
        return state == .finished ? .trailers(consumed: index) : .needMore(consumed: index)
    }

    /// One byte of framing.
    @inline(__always)
    private mutating func take(_ byte: UInt8) -> HeadError? {
        switch state {
        case .sizeStart:
            guard let value = byte.hexValue else { return .invalidChunkSize }
            remaining = UInt64(value)
            digits = 1
            extensionSize = 0
            state = .size
        case .size:
            if let value = byte.hexValue {
                guard digits < 16 else { return .invalidChunkSize }
                // No message has chunks of 2^63 bytes and more; sizes stay within what `Int` holds.
                guard remaining < 1 << 59 else { return .chunkSizeOverflow }
                remaining = remaining << 4 | UInt64(value)
                digits &+= 1
                return nil
            }
            if byte == UInt8(ascii: "\r") || byte == UInt8(ascii: ";") { return endToken(byte) }
            return byte == UInt8(ascii: "\n") ? .bareLineFeed : .invalidChunkSize
        case .lineFeed:
            guard byte == UInt8(ascii: "\n") else { return .bareCarriageReturn }
            state = remaining == 0 ? .finished : .data
        case .dataReturn:
            guard byte == UInt8(ascii: "\r") else { return .chunkNotTerminated }
            state = .dataLineFeed
        case .dataLineFeed:
            guard byte == UInt8(ascii: "\n") else { return .chunkNotTerminated }
            state = .sizeStart
        case .extensionName, .extensionNameMore, .extensionValue, .extensionToken, .extensionQuoted,
            .extensionEscaped, .extensionQuotedEnd:
            return takeExtension(byte)
        case .data, .finished, .failed:
            preconditionFailure("not framing")
        }
        return nil
    }

    /// RFC 9112 §7.1.1: *( ";" token [ "=" ( token / quoted-string ) ] ). The grammar's "bad white space" is refused: a
    /// size followed by a space is what readers disagree on.
    @inline(never)
    private mutating func takeExtension(_ byte: UInt8) -> HeadError? {
        if byte == UInt8(ascii: "\n") { return .bareLineFeed }
        if byte != UInt8(ascii: "\r") {
            extensionSize &+= 1
            guard extensionSize <= Self.maxExtensionSize else { return .chunkExtensionTooLong }
        }
        switch state {
        case .extensionName:
            guard byte.isTokenByte else { return .invalidChunkExtension }
            state = .extensionNameMore
        case .extensionNameMore:
            if byte.isTokenByte { return nil }
            guard byte == UInt8(ascii: "=") else { return endToken(byte) }
            state = .extensionValue
        case .extensionValue:
            if byte.isTokenByte {
                state = .extensionToken
            } else if byte == UInt8(ascii: "\"") {
                state = .extensionQuoted
            } else {
                return .invalidChunkExtension
            }
        case .extensionToken:
            if byte.isTokenByte { return nil }
            return endToken(byte)
        case .extensionQuoted:
            // RFC 9110 §5.6.4
            if byte == UInt8(ascii: "\"") {
                state = .extensionQuotedEnd
            } else if byte == UInt8(ascii: "\\") {
                state = .extensionEscaped
            } else if byte.isControl {
                return .invalidChunkExtension
            }
        case .extensionEscaped:
            if byte.isControl { return .invalidChunkExtension }
            state = .extensionQuoted
        case .extensionQuotedEnd:
            return endToken(byte)
        case .sizeStart, .size, .lineFeed, .data, .dataReturn, .dataLineFeed, .finished, .failed:
            preconditionFailure("not an extension")
        }
        return nil
    }

    /// Each chunk pays for 16 bytes of extensions, and for two a byte of its data.
    private mutating func accountForExtension() -> Bool {
        let paid = min(remaining, UInt64(Self.maxExcess)) &* 2 &+ 16
        let total = UInt64(excess) &+ UInt64(extensionSize)
        excess = total > paid ? UInt32(truncatingIfNeeded: total &- paid) : 0
        return excess <= Self.maxExcess
    }

    /// What may follow the size, an extension's name or its value.
    private mutating func endToken(_ byte: UInt8) -> HeadError? {
        if byte == UInt8(ascii: "\r") {
            if state != .size, !accountForExtension() { return .chunkExtensionTooLong }
            state = .lineFeed
        } else if byte == UInt8(ascii: ";") {
            if state == .size { extensionSize = 1 }
            state = .extensionName
        } else {
            return .invalidChunkExtension
        }
        return nil
    }
}
