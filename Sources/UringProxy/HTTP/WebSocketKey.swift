internal import CCrypt

/// What a WebSocket's handshake proves with (RFC 6455 §4): that the server has understood what it was asked.
enum WebSocketKey {
    private static let suffix: StaticString = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// The Sec-WebSocket-Accept that answers a Sec-WebSocket-Key (RFC 6455 §4.2.2): 28 characters.
    static func accept(_ key: ByteView) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 20)
        unsafe ccrypt_sha1(key.pointer, key.count, suffix.utf8Start, suffix.utf8CodeUnitCount, &digest)
        return Base64.encode(digest)
    }
}
