/// Where a request's head begins, and whether it can be HTTP at all.
struct HeadStart {
    /// Index of the request line's first byte; nil if too few bytes have come to tell.
    ///
    /// RFC 9112 §2.2: one empty line before it is skipped, for old clients that end a body with one.
    @inline(__always)
    static func find(_ bytes: ByteView) throws(HeadError) -> Int? {
        guard bytes.count > 0 else { return nil }
        // The methods begin with capitals: no need to look further.
        if bytes[0] &- UInt8(ascii: "A") < 26 { return 0 }
        return try findSlowly(bytes)
    }

    @inline(never)
    private static func findSlowly(_ bytes: ByteView) throws(HeadError) -> Int? {
        var start = 0
        if bytes[0] == UInt8(ascii: "\r") {
            guard bytes.count > 1 else { return nil }
            guard bytes[1] == UInt8(ascii: "\n") else { throw .bareCarriageReturn }
            start = 2
            guard bytes.count > 2 else { return nil }
        }
        let first = bytes[start..<start &+ 1]
        if first.isToken { return start }
        // A handshake record of TLS; its second byte, 3, is a control byte too.
        if first[0] == 0x16 { throw .looksLikeTLS }
        if first[0] == UInt8(ascii: "\n") { throw .bareLineFeed }
        throw first[0] < 0x20 && !first[0].isSpaceOrTab && first[0] != UInt8(ascii: "\r")
            ? .controlByte : .invalidMethod
    }
}
