internal import CPosix

/// An epoll descriptor and the events of one wait.
@safe struct Poller: ~Copyable {
    struct Event: BitwiseCopyable {
        let tag: UInt64
        let mask: UInt32
        /// Bytes, or the end of the stream.
        var isReadable: Bool { mask & UInt32(CPOSIX_EPOLLIN | CPOSIX_EPOLLHUP | CPOSIX_EPOLLERR) != 0 }
        var isWritable: Bool { mask & UInt32(CPOSIX_EPOLLOUT | CPOSIX_EPOLLHUP | CPOSIX_EPOLLERR) != 0 }
        /// The peer has ended its side, or both: a read that finds few bytes must go on to that.
        var isEnding: Bool { mask & UInt32(CPOSIX_EPOLLRDHUP | CPOSIX_EPOLLHUP | CPOSIX_EPOLLERR) != 0 }
    }

    private static var capacity: Int { 256 }
    private let descriptor: Int32
    private let events: UnsafeMutablePointer<epoll_event>

    init() throws(UsageError) {
        descriptor = cposix_epoll_create()
        if descriptor < 0 { throw UsageError("epoll_create1 failed with errno \(-descriptor)") }
        unsafe events = .allocate(capacity: Self.capacity)
    }

    deinit {
        _ = cposix_close(descriptor)
        unsafe events.deallocate()
    }

    /// Watches a socket for all that can happen, edge triggered: one call for the whole life of a connection. An edge
    /// for writing comes only after a send found the socket full.
    func watch(_ socket: Int32, tag: UInt64) {
        let mask = UInt32(CPOSIX_EPOLLIN | CPOSIX_EPOLLOUT | CPOSIX_EPOLLRDHUP) | CPOSIX_EPOLLET
        let result = cposix_epoll_control(descriptor, EPOLL_CTL_ADD, socket, mask, tag)
        precondition(result == 0, "epoll_ctl failed with errno \(-result)")
    }

    /// Watches for the end of an input, level triggered. Whether it can be watched: a file cannot.
    func watchInput(_ input: Int32, tag: UInt64) -> Bool {
        cposix_epoll_control(descriptor, EPOLL_CTL_ADD, input, UInt32(CPOSIX_EPOLLIN), tag) == 0
    }

    func stopWatching(_ descriptor: Int32) {
        _ = cposix_epoll_control(self.descriptor, EPOLL_CTL_DEL, descriptor, 0, 0)
    }

    /// Waits until something happens, for at most `nanoseconds`. The number of events.
    func wait(nanoseconds: Int64) -> Int {
        Int(unsafe max(0, cposix_epoll_wait(descriptor, events, Int32(Self.capacity), max(0, nanoseconds))))
    }

    func event(_ index: Int) -> Event {
        precondition(index >= 0 && index < Self.capacity)
        return unsafe Event(tag: cposix_epoll_tag(events + index), mask: events[index].events)
    }
}
