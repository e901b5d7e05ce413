internal import CNghttp2

/// What the HTTP/2 sessions of a worker tell of: the events of the last call, and the frames of bodies that leave with it.
@safe struct HTTP2Inbox: ~Copyable {
    /// `struct cnghttp2_inbox`: sessions know its address.
    let inbox: UnsafeMutablePointer<cnghttp2_inbox>

    /// - Parameter headLimit: bytes of a head at most, as RFC 9113 §6.5.2 counts them.
    init(headLimit: Int) {
        unsafe inbox = .allocate(capacity: 1)
        unsafe inbox.initialize(to: cnghttp2_inbox())
        unsafe inbox.pointee.head_limit = UInt32(clamping: headLimit)
    }

    deinit {
        unsafe cnghttp2_inbox_free(inbox)
        unsafe inbox.deallocate()
    }

    /// The limit of heads that begin from now on.
    func setHeadLimit(_ bytes: Int) { unsafe inbox.pointee.head_limit = UInt32(clamping: bytes) }

    // MARK: - Events

    var eventCount: Int { unsafe inbox.pointee.event_count }

    func event(_ index: Int) -> HTTP2Event {
        precondition(index < eventCount)
        return unsafe HTTP2Event(inbox.pointee.events[index])
    }

    /// A field of an event, its name in lower case.
    @inline(__always)
    func field(_ index: Int) -> HTTP2Field {
        unsafe precondition(index < inbox.pointee.field_count)
        let field = unsafe inbox.pointee.fields[index]
        let name = unsafe inbox.pointee.text + Int(field.offset)
        return unsafe HTTP2Field(
            kind: field.name, name: ByteView(base: name, count: Int(field.name_size)),
            value: ByteView(base: name + Int(field.name_size), count: Int(field.value_size)))
    }

    /// Bytes that a head of these fields takes in HTTP/1.1, unless some of them stand there twice.
    func sizeOfHead(_ fields: Range<Int>) -> Int {
        fields.reduce(256) { size, index in
            let field = field(index)
            return size + field.name.count + field.value.count + 4
        }
    }

    /// Frames of the last call that carry nothing of a message: settings, pings, windows, resets, and heads until they are one.
    var idleFrames: Int { unsafe Int(inbox.pointee.idle_frames) }

    /// Of them, those that reset a stream.
    var resets: Int { unsafe Int(inbox.pointee.resets) }

    /// The last call has had the peer's settings; the word that the peer is about to end the connection.
    var hasSettings: Bool { unsafe inbox.pointee.settings_came != 0 }
    var hasGoAway: Bool { unsafe inbox.pointee.goaway_came != 0 }

    /// More has been taken than was told of: the next call tells of it, be there more to take or not.
    var isInputPaused: Bool { unsafe inbox.pointee.is_input_paused != 0 }

    /// Errors of peers that were told since the last call: that ended a connection, and that ended a stream.
    func takeErrors() -> (connections: Int, streams: Int) {
        let errors = unsafe (Int(inbox.pointee.connection_errors), Int(inbox.pointee.stream_errors))
        unsafe inbox.pointee.connection_errors = 0
        unsafe inbox.pointee.stream_errors = 0
        return errors
    }

    // MARK: - Frames of bodies

    /// So many bytes of bodies may be put into frames from now on.
    func allowToSend(_ bytes: Int) { unsafe inbox.pointee.send_budget = bytes }

    /// More could leave than was allowed.
    var isPaused: Bool { unsafe inbox.pointee.is_paused != 0 }

    var sentCount: Int { unsafe inbox.pointee.sent_count }

    func sent(_ index: Int) -> HTTP2DataFrame {
        precondition(index < sentCount)
        return unsafe HTTP2DataFrame(inbox, index)
    }
}

/// A field of a head or of trailers.
struct HTTP2Field: BitwiseCopyable {
    /// One of `CNGHTTP2_NAME_…`, or 0.
    var kind: UInt32
    var name: ByteView
    var value: ByteView
}

/// What has become of a stream.
struct HTTP2Event {
    enum Kind: BitwiseCopyable {
        case head, trailers, data, end
        /// It is over; one side has reset it, or both have ended it.
        case closed
        /// The last frame of what we send has left.
        case left
    }

    var kind: Kind
    var stream: Int32
    /// The slot that the stream has; none if it has none.
    var slot: UInt32
    /// Of a closed stream: the peer has done nothing of its request.
    var isRefused: Bool
    /// Of a head: nothing follows it. Of the end of a stream: it was with an error.
    var ends: Bool
    /// Of a head: its fields are not there.
    var isTooLarge: Bool
    /// Of heads and trailers, by their index.
    var fields: Range<Int>
    /// What has come of a body, in what was given to the session.
    var data: ByteView

    @unsafe
    fileprivate init(_ event: cnghttp2_event) {
        kind =
            switch unsafe Int(event.kind) {
            case CNGHTTP2_HEAD: .head
            case CNGHTTP2_TRAILERS: .trailers
            case CNGHTTP2_DATA: .data
            case CNGHTTP2_END: .end
            case CNGHTTP2_LEFT: .left
            default: .closed
            }
        stream = unsafe event.stream
        slot = unsafe event.body?.pointee.owner ?? Slot.none
        isRefused = unsafe event.is_refused != 0
        ends = unsafe event.ends != 0
        isTooLarge = unsafe event.is_too_large != 0
        fields = unsafe Int(event.first_field)..<Int(event.first_field + event.field_count)
        data = unsafe kind == .data ? ByteView(base: event.bytes, count: Int(event.size)) : .empty
    }
}

/// A DATA frame that is to leave.
struct HTTP2DataFrame: BitwiseCopyable {
    var slot: UInt32
    /// Bytes of the body behind the header.
    var size: UInt32
    /// The last of its body.
    var ends: Bool
    /// Nine bytes; empty: there is no frame, as the body has ended before.
    var header: ByteView

    @unsafe
    fileprivate init(_ inbox: UnsafeMutablePointer<cnghttp2_inbox>, _ index: Int) {
        let frame = unsafe cnghttp2_sent_at(inbox, index)!
        slot = unsafe frame.pointee.body.pointee.owner
        size = unsafe frame.pointee.size
        ends = unsafe frame.pointee.ends != 0
        header = unsafe ByteView(
            base: cnghttp2_sent_header(frame), count: Int(frame.pointee.header_size))
    }
}
