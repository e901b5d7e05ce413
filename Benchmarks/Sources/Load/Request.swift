internal import CLoad
internal import CPosix

/// The bytes of the request, the same for every one, and how they are sent at the least cost.
///
/// A small body stands behind its head, and with `--pipeline` the whole repeats. A large body is a file in memory that
/// sendfile(2) hands to the socket by reference: nothing is copied on this side.
@safe struct Request: ~Copyable {
    /// The largest body that is sent together with the head.
    static var inlineBodySize: Int { 16 << 10 }

    private let bytes: UnsafeMutableRawBufferPointer
    private let tail: BodyFile?
    /// Bytes to send for one request, or for all that are pipelined.
    let size: Int

    init(_ options: Options) throws(UsageError) {
        let head = Self.head(options)
        let body = options.bodyBytes ?? 0
        var text = Array(head.utf8)
        if body > Self.inlineBodySize {
            let file = try BodyFile(size: body, isChunked: options.isChunked)
            tail = file
            size = text.count + file.streamSize
        } else {
            if options.isChunked {
                if body > 0 {
                    text += Array("\(String(body, radix: 16))\r\n".utf8) + BodyFile.pattern(body) + [13, 10]
                }
                text += Array("0\r\n\r\n".utf8)
            } else {
                text += BodyFile.pattern(body)
            }
            tail = nil
            text = Array(repeatElement(text, count: options.pipeline).joined())
            size = text.count
        }
        unsafe bytes = .allocate(byteCount: text.count, alignment: 64)
        unsafe bytes.copyBytes(from: text)
    }

    /// CONNECT to where a tunnel leads; nothing without one.
    init(tunnelTo authority: HostPort?) {
        let text =
            authority.map { Array("CONNECT \($0.text) HTTP/1.1\r\nHost: \($0.text)\r\n\r\n".utf8) } ?? []
        tail = nil
        size = text.count
        unsafe bytes = .allocate(byteCount: text.count, alignment: 64)
        unsafe bytes.copyBytes(from: text)
    }

    deinit { unsafe bytes.deallocate() }

    /// Sends from `offset` on, in one call: bytes taken by the socket, or -errno.
    func send(_ descriptor: Int32, from offset: Int) -> Int {
        let start = unsafe bytes.count
        if offset < start {
            let flags = tail == nil ? CPOSIX_MSG_NOSIGNAL : CPOSIX_MSG_NOSIGNAL | CPOSIX_MSG_MORE
            return unsafe cposix_send(descriptor, bytes.baseAddress! + offset, start - offset, Int32(flags))
        }
        return tail!.send(descriptor, from: offset - start)
    }

    private static func head(_ options: Options) -> String {
        let authority =
            options.connect?.text ?? options.absolute.map { String($0.dropFirst(7)) } ?? options.target.text
        let method = options.method ?? (options.bodyBytes == nil ? "GET" : "POST")
        var head =
            "\(method) \(options.absolute ?? "")\(options.path) HTTP/1.1\r\nHost: \(options.host ?? authority)\r\n"
        if options.isNewConnection { head += "Connection: close\r\n" }
        if options.isChunked {
            head += "Transfer-Encoding: chunked\r\n"
        } else if let size = options.bodyBytes {
            head += "Content-Length: \(size)\r\n"
        } else if method != "GET" {
            head += "Content-Length: 0\r\n"
        }
        return head + "\r\n"
    }
}
