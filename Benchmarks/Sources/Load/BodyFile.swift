internal import CLoad

/// A body of any size as a file in memory of about 1 MiB: a stretch that is sent again and again, then what is left.
struct BodyFile {
    private static var chunkSize: Int { 64 << 10 }
    private static var chunksPerStretch: Int { 16 }

    private let descriptor: Int32
    private let stretchSize: Int
    /// Bytes of the stream that come from the stretch.
    private let repeatedSize: Int
    /// Bytes to send: the body with its framing.
    let streamSize: Int

    init(size: Int, isChunked: Bool) throws(UsageError) {
        var chunk = Self.pattern(Self.chunkSize)
        var rest = Self.pattern(size % Self.chunkSize)
        if isChunked {
            chunk = Self.framed(chunk)
            rest = rest.isEmpty ? rest : Self.framed(rest)
            rest += Array("0\r\n\r\n".utf8)
        }
        stretchSize = chunk.count * Self.chunksPerStretch
        repeatedSize = size / Self.chunkSize * chunk.count
        streamSize = repeatedSize + rest.count
        let contents = Array(repeatElement(chunk, count: Self.chunksPerStretch).joined()) + rest
        descriptor = unsafe contents.withUnsafeBytes { unsafe cload_memory_file($0.baseAddress, $0.count) }
        if descriptor < 0 { throw UsageError("memfd_create failed with errno \(-descriptor)") }
    }

    /// Sends from `offset` of the stream on, in one call: bytes taken by the socket, or -errno.
    func send(_ socket: Int32, from offset: Int) -> Int {
        if offset >= repeatedSize {
            return cload_send_file(
                socket, descriptor, stretchSize + offset - repeatedSize, streamSize - offset)
        }
        let place = offset % stretchSize
        return cload_send_file(socket, descriptor, place, min(stretchSize - place, repeatedSize - offset))
    }

    /// Bytes that differ from their neighbours, so that what is lost or doubled on the way does not look the same.
    static func pattern(_ size: Int) -> [UInt8] { (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) } }

    private static func framed(_ data: [UInt8]) -> [UInt8] {
        Array("\(String(data.count, radix: 16))\r\n".utf8) + data + [13, 10]
    }
}
