internal import CNghttp2

/// One end of an HTTP/2 connection (RFC 9113): a handle, like an index, that whoever has it gives back with `free`.
///
/// All zeros is none.
@safe struct HTTP2Session: BitwiseCopyable {
    /// `struct cnghttp2_session`.
    private let pointer: OpaquePointer?

    /// What a session takes of memory that is not the arena's: most of it room for a frame. Measured with 1.52: 25,681 bytes after the first
    /// SETTINGS, and 708 for each stream.
    static let memoryBytes = 28 * 1024

    private init() { unsafe pointer = nil }

    static var none: HTTP2Session { HTTP2Session() }

    /// A server's; nil without memory.
    ///
    /// - Parameters:
    ///   - streams: that the client may have open at a time.
    ///   - streamWindow: bytes of a body that may come before some of them were consumed; `connectionWindow`: of all bodies.
    init?(
        _ inbox: borrowing HTTP2Inbox, streams: UInt32, streamWindow: UInt32, connectionWindow: UInt32
    ) {
        guard
            let made = unsafe cnghttp2_server_make(inbox.inbox, streams, streamWindow, connectionWindow)
        else { return nil }
        unsafe pointer = made
    }

    /// A client's; nil without memory.
    init?(_ inbox: borrowing HTTP2Inbox, streamWindow: UInt32, connectionWindow: UInt32) {
        guard let made = unsafe cnghttp2_client_make(inbox.inbox, streamWindow, connectionWindow) else {
            return nil
        }
        unsafe pointer = made
    }

    private var library: OpaquePointer? { unsafe cnghttp2_library(pointer) }

    @inline(__always)
    var isNone: Bool { unsafe pointer == nil }

    func free() { unsafe cnghttp2_free(pointer) }

    // MARK: - Bytes

    /// Takes what has come; nil: the session has failed.
    func receive(_ bytes: ByteView) -> Int? {
        let taken = unsafe cnghttp2_receive(pointer, bytes.pointer, bytes.count)
        return taken < 0 ? nil : taken
    }

    /// The next frames: those of the inbox, and behind them these bytes; nil: the session has failed.
    func send() -> ByteView? {
        var bytes: UnsafePointer<UInt8>?
        let size = unsafe cnghttp2_send(pointer, &bytes)
        if size < 0 { return nil }
        return unsafe ByteView(base: bytes, count: size)
    }

    /// Whether anything more is expected of the peer.
    var wantsToRead: Bool { unsafe nghttp2_session_want_read(library) != 0 }
    /// Whether there is something to be sent.
    var wantsToWrite: Bool { unsafe nghttp2_session_want_write(library) != 0 }

    /// Frames that wait to be sent, those of bodies aside.
    var queuedFrames: Int { unsafe nghttp2_session_get_outbound_queue_size(library) }

    // MARK: - Streams

    /// Gives a stream to a body, which stays where it is until `unbind`.
    @unsafe
    func bind(_ stream: Int32, to body: UnsafeMutablePointer<HTTP2Body>) {
        unsafe cnghttp2_bind(pointer, stream, body)
    }

    func unbind(_ stream: Int32) { unsafe cnghttp2_bind(pointer, stream, nil) }

    /// Answers a request; false without memory, or if the stream is no more.
    ///
    /// - Parameter body: that which the stream is bound to; nil: there is none.
    @unsafe
    func respond(
        _ stream: Int32, _ fields: UnsafePointer<nghttp2_nv>, _ count: Int,
        body: UnsafeMutablePointer<HTTP2Body>?
    ) -> Bool {
        unsafe cnghttp2_respond(pointer, stream, fields, count, body) == 0
    }

    /// Sends a request.
    ///
    /// - Parameter body: what its stream is bound to until `unbind`, be there a body or not.
    /// - Returns: the stream; below 0 without memory, or if the connection has had all that it can have.
    @unsafe
    func request(
        _ fields: UnsafePointer<nghttp2_nv>, _ count: Int, body: UnsafeMutablePointer<HTTP2Body>,
        hasBody: Bool
    ) -> Int32 {
        unsafe cnghttp2_request(pointer, fields, count, body, hasBody ? 1 : 0)
    }

    /// Whether the connection takes further requests: neither end is about to end it.
    var takesRequests: Bool { unsafe nghttp2_session_check_request_allowed(library) != 0 }

    /// How many streams the peer allows at a time; 100 until it has said so.
    var peerStreams: UInt32 {
        unsafe nghttp2_session_get_remote_settings(library, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
    }

    /// Whether the peer takes WebSockets (RFC 8441 §3).
    var takesTunnels: Bool {
        unsafe nghttp2_session_get_remote_settings(library, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1
    }

    /// An interim response (RFC 9110 §15.2).
    @unsafe
    func inform(_ stream: Int32, _ fields: UnsafePointer<nghttp2_nv>, _ count: Int) -> Bool {
        unsafe cnghttp2_inform(pointer, stream, fields, count) == 0
    }

    /// The fields behind a body.
    @unsafe
    func conclude(_ stream: Int32, _ fields: UnsafePointer<nghttp2_nv>, _ count: Int) -> Bool {
        unsafe nghttp2_submit_trailer(library, stream, fields, count) == 0
    }

    /// More of a stream's body is there, or its end.
    func resume(_ stream: Int32) { _ = unsafe nghttp2_session_resume_data(library, stream) }

    func reset(_ stream: Int32, _ code: HTTP2ErrorCode) {
        _ = unsafe nghttp2_submit_rst_stream(
            library, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, code.rawValue)
    }

    /// Whether the client lets more of a stream's body come.
    func maySend(_ stream: Int32) -> Bool {
        unsafe nghttp2_session_get_remote_window_size(library) > 0
            && nghttp2_session_get_stream_remote_window_size(library, stream) > 0
    }

    /// Bytes of a body have gone on: as many more may come.
    func consume(_ stream: Int32, _ size: Int) { _ = unsafe nghttp2_session_consume(library, stream, size) }

    /// Bytes of a stream that is no more.
    func consume(_ size: Int) { _ = unsafe nghttp2_session_consume_connection(library, size) }

    // MARK: - Ends

    /// Tells that the connection is about to end: what the client has sent by now is served still (RFC 9113 §6.8).
    func announceEnd() { _ = unsafe nghttp2_submit_shutdown_notice(library) }

    /// Takes no stream behind `last`.
    func refuseStreams(after last: Int32) {
        _ = unsafe nghttp2_submit_goaway(
            library, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, HTTP2ErrorCode.noError.rawValue, nil, 0)
    }

    /// Nothing more is read, and a GOAWAY is the last that is sent.
    func terminate(_ code: HTTP2ErrorCode) {
        _ = unsafe nghttp2_session_terminate_session(library, code.rawValue)
    }
}

/// RFC 9113 §7.
enum HTTP2ErrorCode: UInt32, BitwiseCopyable {
    case noError = 0
    case protocolError = 1
    case internalError = 2
    case refusedStream = 7
    case cancel = 8
    case connectError = 10
    case enhanceYourCalm = 11
}
