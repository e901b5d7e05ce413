internal import CPosix

/// The epoll driver: the same contract over readiness, for hosts that deny io_uring and as the control of every
/// comparison.
///
/// Tries each call at once and arms only on EAGAIN; edge triggered, one registration per descriptor for its whole
/// life, so that a request costs its receives and sends and one `epoll_wait` per turn.
@safe struct EpollDriver: Driver, ~Copyable {
    static var name: StaticString { "epoll" }

    private static let eventCapacity = 512
    private static let partsPerMessage = 16
    /// At most this much leaves in one call: past it one fast connection would hold up the others.
    private static let sendLimit: UInt32 = 512 * 1024
    private static let acceptLimit = 64

    /// What is known of one descriptor.
    private struct Entry {
        var receiveToken: UInt64 = 0
        var sendToken: UInt64 = 0
        var queue = SegmentQueue()
        var target = ReceiveTarget.stream
        /// What is sent from, if not from the queue.
        var pipe = PipeID.none
        var receiveArmed = false
        var sendArmed = false
        var connecting = false
        var listening = false
        /// The send under way is a close_notify.
        var sendsEnd = false
        /// The send under way was asked for with `promptly` false.
        var quiet = false
        /// Edges seen and not yet used up.
        var readable = false
        var writable = true
        var hungUp = false
        var inReadyList = false
        /// epoll refused to watch it.
        var isUnwatched = false
    }

    private let epoll: Int32
    private let arena: Arena
    private let segments: SegmentPool
    private let wakeup: Wakeup
    private var busyPoll: BusyPoll
    private(set) var now: Int64
    private(set) var statistics = DriverStatistics()

    private var entries: Slab<Entry>
    /// By the descriptor's number, the place of its entry plus one; 0: it is not watched. Every worker has such a table,
    /// and a descriptor touches a page in the tables of its neighbours' workers too: so four bytes, not an entry.
    private let places: UnsafeMutablePointer<UInt32>
    private let descriptorLimit: Int
    private let events: UnsafeMutablePointer<epoll_event>
    private let parts: UnsafeMutablePointer<iovec>
    private var pipes: PipePool
    private var completions: CompletionQueue
    /// Those of `completions` that may wait for the next event: whole sends that nobody waits to hear of.
    private var quietCompletions = 0
    /// Descriptors to try without waiting for an edge.
    private var ready: UnsafeMutablePointer<Int32>
    private var readyCount = 0
    private var readyNow: UnsafeMutablePointer<Int32>

    /// - Parameter pipes: how many at most; none without splicing.
    init(
        arena: Arena, segments: SegmentPool, wakeup: Wakeup, busyPoll: BusyPoll = .off, pipes: Int = 0
    ) throws(DriverError) {
        let epoll = cposix_epoll_create()
        if epoll < 0 { throw .descriptor(errno: -epoll) }
        let control = cposix_epoll_control(
            epoll, EPOLL_CTL_ADD, wakeup.descriptor, UInt32(CPOSIX_EPOLLIN), UInt64(UInt32(wakeup.descriptor))
        )
        let descriptorLimit = Int(min(cposix_limit(0), 1 << 22))
        guard control == 0, let memory = unsafe cposix_map(descriptorLimit * 4),
            let first = unsafe cposix_map(descriptorLimit * 4),
            let second = unsafe cposix_map(descriptorLimit * 4)
        else {
            _ = cposix_close(epoll)
            throw .descriptor(errno: control == 0 ? ENOMEM : -control)
        }
        self.epoll = epoll
        self.arena = arena
        self.segments = segments
        self.wakeup = wakeup
        self.busyPoll = busyPoll
        self.descriptorLimit = descriptorLimit
        self.pipes = PipePool(limit: pipes)
        now = cposix_monotonic_nanoseconds()
        entries = Slab(capacity: descriptorLimit)
        unsafe places = memory.assumingMemoryBound(to: UInt32.self)
        unsafe ready = first.assumingMemoryBound(to: Int32.self)
        unsafe readyNow = second.assumingMemoryBound(to: Int32.self)
        unsafe events = .allocate(capacity: Self.eventCapacity)
        unsafe parts = .allocate(capacity: Self.partsPerMessage)
        completions = CompletionQueue()
    }

    deinit {
        _ = cposix_close(epoll)
        unsafe _ = cposix_unmap(places, descriptorLimit * 4)
        unsafe _ = cposix_unmap(ready, descriptorLimit * 4)
        unsafe _ = cposix_unmap(readyNow, descriptorLimit * 4)
        unsafe events.deallocate()
        unsafe parts.deallocate()
    }

    // MARK: - Operations

    /// The descriptor's entry, registered with epoll for both directions.
    @inline(__always)
    private mutating func entry(_ descriptor: Int32) -> UnsafeMutablePointer<Entry> {
        if let entry = unsafe watched(descriptor) { return unsafe entry }
        return unsafe register(descriptor)
    }

    /// The descriptor's entry; nil if nothing was ever asked for on it.
    @inline(__always)
    private func watched(_ descriptor: Int32) -> UnsafeMutablePointer<Entry>? {
        precondition(descriptor >= 0 && Int(descriptor) < descriptorLimit)
        let place = unsafe places[Int(descriptor)]
        return place == 0 ? nil : unsafe entries.address(of: place - 1)
    }

    private mutating func register(_ descriptor: Int32) -> UnsafeMutablePointer<Entry> {
        guard let place = entries.insert(Entry()) else {
            preconditionFailure("a descriptor beyond the limit")
        }
        unsafe places[Int(descriptor)] = place + 1
        let entry = unsafe entries.address(of: place)
        let mask = UInt32(CPOSIX_EPOLLIN | CPOSIX_EPOLLOUT | CPOSIX_EPOLLRDHUP) | CPOSIX_EPOLLET
        let result = cposix_epoll_control(
            epoll, EPOLL_CTL_ADD, descriptor, mask, UInt64(UInt32(descriptor)))
        // ENOSPC (fs.epoll.max_user_watches) and ENOMEM: no edge will ever tell of the descriptor, so what would wait for
        // one fails.
        if result < 0 {
            statistics.entryFailures += 1
            unsafe entry.pointee.isUnwatched = true
        }
        return unsafe entry
    }

    private mutating func tryLater(_ descriptor: Int32, _ entry: UnsafeMutablePointer<Entry>) {
        if unsafe entry.pointee.inReadyList { return }
        unsafe entry.pointee.inReadyList = true
        unsafe ready[readyCount] = descriptor
        readyCount += 1
    }

    mutating func makeSocket(for address: SocketAddress) -> Int32 {
        SocketOptions.makeSocket(address, flags: Int32(CPOSIX_SOCK_NONBLOCK))
    }

    /// Completes an operation that would wait for an edge that never comes; false if edges do come.
    private mutating func failUnwatched(_ entry: UnsafeMutablePointer<Entry>, _ token: OperationToken) -> Bool
    {
        guard unsafe entry.pointee.isUnwatched else { return false }
        completions.append(Completion(token: token, result: -ENOMEM))
        return true
    }

    mutating func accept(_ listener: Int32, token: OperationToken) {
        let entry = unsafe entry(listener)
        if unsafe failUnwatched(entry, token) { return }
        _ = cposix_set_nonblocking(listener)
        unsafe entry.pointee.listening = true
        unsafe entry.pointee.receiveArmed = true
        unsafe entry.pointee.receiveToken = token.rawValue
        // Connections may have come while none was accepted: their edge is gone.
        unsafe tryLater(listener, entry)
    }

    mutating func acceptNow(_ listener: Int32) -> Int32 {
        cposix_accept(listener, Int32(CPOSIX_SOCK_CLOEXEC | CPOSIX_SOCK_NONBLOCK))
    }

    mutating func connect(_ descriptor: Int32, to address: SocketAddress, token: OperationToken) {
        let entry = unsafe entry(descriptor)
        let result = unsafe address.withSockaddr { unsafe cposix_connect(descriptor, $0, $1) }
        if result == -EINPROGRESS {
            if unsafe failUnwatched(entry, token) { return }
            unsafe entry.pointee.connecting = true
            unsafe entry.pointee.writable = false
            unsafe entry.pointee.sendToken = token.rawValue
        } else {
            // EAGAIN from a unix socket: its backlog is full, which is a refusal.
            completions.append(Completion(token: token, result: result == -EAGAIN ? -ECONNREFUSED : result))
        }
    }

    @inline(__always)
    mutating func receive(_ descriptor: Int32, into target: ReceiveTarget, token: OperationToken) {
        let entry = unsafe entry(descriptor)
        if unsafe failUnwatched(entry, token) { return }
        if case .pipe(let pipe, let size) = target {
            pipes.beginReceive(pipe, from: descriptor, size: size, token: token)
        }
        unsafe entry.pointee.receiveToken = token.rawValue
        unsafe entry.pointee.target = target
        unsafe entry.pointee.receiveArmed = true
        if unsafe entry.pointee.readable || entry.pointee.hungUp { unsafe tryLater(descriptor, entry) }
    }

    @inline(__always)
    mutating func send(_ descriptor: Int32, _ queue: SegmentQueue, promptly: Bool, token: OperationToken) {
        let entry = unsafe entry(descriptor)
        unsafe entry.pointee.sendToken = token.rawValue
        unsafe entry.pointee.queue = queue
        unsafe entry.pointee.quiet = !promptly
        unsafe attemptSend(descriptor, entry)
    }

    mutating func leasePipe() -> PipeID? { pipes.lease(now: now) }

    mutating func returnPipe(_ pipe: PipeID) { pipes.giveBack(pipe) }

    mutating func read(_ pipe: PipeID, into slice: SliceID) -> Int32 {
        unsafe pipes.read(pipe, to: arena.address(slice), size: slice.sliceClass.sliceSize)
    }

    mutating func send(_ descriptor: Int32, from pipe: PipeID, size: UInt32, token: OperationToken) {
        let entry = unsafe entry(descriptor)
        unsafe entry.pointee.sendToken = token.rawValue
        unsafe entry.pointee.pipe = pipe
        pipes.beginSend(pipe, to: descriptor, size: size, token: token)
        if unsafe entry.pointee.writable {
            unsafe attemptSend(entry, from: pipe)
        } else {
            unsafe awaitWritable(entry, token)
        }
    }

    mutating func sendEnd(_ descriptor: Int32, token: OperationToken) {
        let entry = unsafe entry(descriptor)
        unsafe entry.pointee.sendToken = token.rawValue
        unsafe entry.pointee.sendsEnd = true
        unsafe attemptEnd(descriptor, entry)
    }

    func canSendZeroCopy(_ slice: SliceID) -> Bool { false }

    mutating func sendZeroCopy(_ descriptor: Int32, _ segment: Segment, token: OperationToken) {
        preconditionFailure("the epoll driver never offers it")
    }

    mutating func cancel(_ descriptor: Int32, token: OperationToken) {
        guard let entry = unsafe watched(descriptor) else { return }
        let canceled = Completion(token: token, result: -ECANCELED)
        switch token.kind {
        case .accept, .receive:
            guard unsafe entry.pointee.receiveArmed, unsafe entry.pointee.receiveToken == token.rawValue
            else {
                return
            }
            unsafe entry.pointee.receiveArmed = false
            if case .pipe(let pipe, _) = unsafe entry.pointee.target { pipes.endReceive(pipe) }
            completions.append(canceled)
        case .connect, .send, .zeroCopy:
            guard unsafe entry.pointee.sendArmed || entry.pointee.connecting,
                unsafe entry.pointee.sendToken == token.rawValue
            else { return }
            unsafe entry.pointee.sendArmed = false
            unsafe entry.pointee.connecting = false
            unsafe entry.pointee.sendsEnd = false
            unsafe endPipeSend(entry)
            completions.append(canceled)
        }
    }

    mutating func shutdown(_ descriptor: Int32, _ direction: ShutdownDirection) {
        _ = cposix_shutdown(descriptor, direction.rawValue)
        // The edge this makes arrives with the next wait.
    }

    mutating func sendAtOnce(_ descriptor: Int32, _ bytes: ByteView) {
        SocketOptions.sendAtOnce(descriptor, bytes)
    }

    mutating func encrypt(_ descriptor: Int32, with keys: ByteView) -> Int32 {
        SocketOptions.encrypt(descriptor, with: keys)
    }

    mutating func sendAlertAtOnce(_ descriptor: Int32, _ alert: TLSAlert) {
        SocketOptions.sendAlertAtOnce(descriptor, alert)
    }

    mutating func close(_ descriptor: Int32, reset: Bool) {
        if let entry = unsafe watched(descriptor) {
            unsafe precondition(
                !entry.pointee.receiveArmed && !entry.pointee.sendArmed && !entry.pointee.connecting,
                "a descriptor is closed once nothing is under way on it")
            // There are duplicates of it, and as long as one is open epoll goes on to tell of it under this number.
            if unsafe entry.pointee.listening {
                _ = cposix_epoll_control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0)
            }
        }
        if reset { _ = cposix_set_reset_on_close(descriptor) }
        forget(descriptor)
        _ = cposix_close(descriptor)
    }

    /// The descriptor is another thread's from now on, or gone: no edge of it concerns this driver.
    private mutating func forget(_ descriptor: Int32) {
        guard let entry = unsafe watched(descriptor) else { return }
        if unsafe entry.pointee.inReadyList {
            for index in 0..<readyCount where unsafe ready[index] == descriptor { unsafe ready[index] = -1 }
        }
        entries.remove(unsafe places[Int(descriptor)] - 1)
        unsafe places[Int(descriptor)] = 0
    }

    mutating func detach(_ descriptor: Int32) {
        forget(descriptor)
        _ = cposix_epoll_control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0)
    }

    mutating func unsentBytes(_ descriptor: Int32) -> Int32 { SocketOptions.unsentBytes(descriptor) }

    mutating func peerAddress(_ descriptor: Int32) -> SocketAddress? { SocketAddress(peerOf: descriptor) }

    mutating func localAddress(_ descriptor: Int32) -> SocketAddress? { SocketAddress(boundBy: descriptor) }

    mutating func isQuiet(_ descriptor: Int32) -> Bool { SocketOptions.isQuiet(descriptor) }

    var receivableSlices: Int { arena.leasable(.medium) }

    // MARK: - Attempts

    @inline(__always)
    private mutating func attemptSend(_ descriptor: Int32, _ entry: UnsafeMutablePointer<Entry>) {
        let queue = unsafe entry.pointee.queue
        let token = unsafe OperationToken(rawValue: entry.pointee.sendToken)
        let flags = Int32(CPOSIX_MSG_NOSIGNAL | CPOSIX_MSG_DONTWAIT)
        var size: UInt32 = 0
        let result: Int
        if segments.isContiguous(queue) {
            let segment = segments.first(of: queue)
            // What was appended since the send was asked for is not to leave with it.
            size = min(segment.size, queue.byteCount)
            let from = unsafe arena.address(segment.slice) + Int(segment.offset)
            unsafe result = cposix_send(descriptor, from, Int(size), flags)
        } else {
            var count = 0
            segments.forEach(queue) { segment in
                let from = unsafe arena.address(segment.slice) + Int(segment.offset)
                let part = min(segment.size, queue.byteCount - size)
                unsafe parts[count] = iovec(iov_base: from, iov_len: Int(part))
                count += 1
                size += part
                return count < Self.partsPerMessage && size < Self.sendLimit && size < queue.byteCount
            }
            unsafe result = cposix_sendmsg(descriptor, parts, count, flags)
        }
        if result == -Int(EAGAIN) {
            if unsafe failUnwatched(entry, token) { return }
            unsafe entry.pointee.writable = false
            unsafe entry.pointee.sendArmed = true
            // By the time there is room others may wait for it.
            unsafe entry.pointee.quiet = false
            return
        }
        if result >= 0 && result < Int(size) { statistics.shortSends += 1 }
        if unsafe entry.pointee.quiet && result == Int(size) { quietCompletions += 1 }
        unsafe entry.pointee.sendArmed = false
        completions.append(Completion(token: token, result: Int32(truncatingIfNeeded: result)))
    }

    private mutating func attemptSend(_ entry: UnsafeMutablePointer<Entry>, from pipe: PipeID) {
        let send = pipes.send(of: pipe)
        var result = -ECANCELED
        if !pipes.isReturned(pipe) {
            statistics.splices += 1
            result = pipes.empty(pipe, blocks: false)
        }
        if result == -EAGAIN {
            unsafe awaitWritable(entry, send.token)
            return
        }
        if result >= 0 && result < Int32(send.size) {
            statistics.shortSends += 1
            // The socket is full: its next edge is still to come, or has not been seen yet.
            unsafe entry.pointee.writable = false
        }
        unsafe entry.pointee.sendArmed = false
        unsafe endPipeSend(entry)
        completions.append(Completion(token: send.token, result: result))
    }

    private mutating func attemptEnd(_ descriptor: Int32, _ entry: UnsafeMutablePointer<Entry>) {
        let token = unsafe OperationToken(rawValue: entry.pointee.sendToken)
        // `writable` says that there was room for a byte. Where poll(2) finds too little, the kernel will tell of more.
        var result = -Int(EAGAIN)
        if cposix_is_writable(descriptor) != 0 {
            let flags = Int32(CPOSIX_MSG_NOSIGNAL | CPOSIX_MSG_DONTWAIT)
            unsafe result = cposix_send_message(descriptor, cposix_tls_close_notify(), flags)
        }
        if result == -Int(EAGAIN) {
            unsafe awaitWritable(entry, token)
            return
        }
        unsafe entry.pointee.sendArmed = false
        unsafe entry.pointee.sendsEnd = false
        completions.append(Completion(token: token, result: Int32(truncatingIfNeeded: result)))
    }

    /// A send out of a pipe, or a close_notify, waits for room in its socket.
    private mutating func awaitWritable(_ entry: UnsafeMutablePointer<Entry>, _ token: OperationToken) {
        if unsafe failUnwatched(entry, token) {
            unsafe entry.pointee.sendsEnd = false
            unsafe endPipeSend(entry)
            return
        }
        unsafe entry.pointee.writable = false
        unsafe entry.pointee.sendArmed = true
    }

    private mutating func endPipeSend(_ entry: UnsafeMutablePointer<Entry>) {
        let pipe = unsafe entry.pointee.pipe
        guard pipe != .none else { return }
        unsafe entry.pointee.pipe = .none
        pipes.endSend(pipe)
    }

    private mutating func attemptReceive(_ entry: UnsafeMutablePointer<Entry>, into pipe: PipeID) {
        let receive = pipes.receive(of: pipe)
        var result = -ECANCELED
        if !pipes.isReturned(pipe) {
            statistics.splices += 1
            result = pipes.fill(pipe)
        }
        if result == -EAGAIN {
            unsafe entry.pointee.readable = false
            return
        }
        // A splice that was short may have met the end of the pipe's room for pages, and not of the socket's bytes.
        unsafe entry.pointee.readable = true
        unsafe entry.pointee.receiveArmed = false
        pipes.endReceive(pipe)
        completions.append(Completion(token: receive.token, result: result))
    }

    @inline(__always)
    private mutating func attemptReceive(_ descriptor: Int32, _ entry: UnsafeMutablePointer<Entry>) {
        let token = unsafe OperationToken(rawValue: entry.pointee.receiveToken)
        var slice = SliceID.none
        var capacity = SliceClass.medium.sliceSize
        var multishot = false
        switch unsafe entry.pointee.target {
        case .pipe:
            preconditionFailure("received into by a call of its own")
        case .slice(let given, let size):
            slice = given
            capacity = Int(size)
        case .stream, .once:
            if case .stream = unsafe entry.pointee.target { multishot = true }
            guard let leased = arena.lease(.medium) else {
                statistics.slicesExhausted += 1
                unsafe entry.pointee.receiveArmed = false
                completions.append(Completion(token: token, result: -ENOBUFS))
                return
            }
            slice = leased
        }
        let flags = Int32(CPOSIX_MSG_DONTWAIT)
        let result = unsafe cposix_recv(descriptor, arena.address(slice), capacity, flags)
        let leasedHere: Bool
        if case .slice = unsafe entry.pointee.target { leasedHere = false } else { leasedHere = true }
        if result == -Int(EAGAIN) {
            unsafe entry.pointee.readable = false
            if leasedHere { arena.release(slice) }
            return
        }
        var completion = Completion(token: token, result: Int32(truncatingIfNeeded: result))
        if leasedHere {
            if result > 0 { completion.slice = slice } else { arena.release(slice) }
        }
        if result > 0 {
            // A short read emptied the socket (epoll(7)); a full one may have left more. After a hang-up the end of
            // the stream is still to be read.
            let mayHoldMore = unsafe result == capacity || entry.pointee.hungUp
            unsafe entry.pointee.readable = mayHoldMore
            completion.more = multishot
            if multishot {
                if mayHoldMore { unsafe tryLater(descriptor, entry) }
            } else {
                unsafe entry.pointee.receiveArmed = false
            }
        } else {
            unsafe entry.pointee.receiveArmed = false
        }
        completions.append(completion)
    }

    private mutating func attemptAccept(_ listener: Int32, _ entry: UnsafeMutablePointer<Entry>) {
        let token = unsafe OperationToken(rawValue: entry.pointee.receiveToken)
        for _ in 0..<Self.acceptLimit {
            let result = acceptNow(listener)
            if result == -EAGAIN { return }
            if result == -ECONNABORTED || result == -EINTR { continue }
            if result < 0 { unsafe entry.pointee.receiveArmed = false }
            completions.append(Completion(token: token, result: result, more: result >= 0))
            if result < 0 { return }
        }
        unsafe tryLater(listener, entry)
    }

    private mutating func attempt(_ descriptor: Int32, _ entry: UnsafeMutablePointer<Entry>) {
        if unsafe entry.pointee.connecting && entry.pointee.writable {
            var status: Int32 = 0
            unsafe _ = cposix_getsockopt_int(descriptor, SOL_SOCKET, SO_ERROR, &status)
            unsafe entry.pointee.connecting = false
            completions.append(
                Completion(token: unsafe OperationToken(rawValue: entry.pointee.sendToken), result: -status))
        }
        if unsafe entry.pointee.sendArmed && entry.pointee.writable {
            let pipe = unsafe entry.pointee.pipe
            if unsafe entry.pointee.sendsEnd {
                unsafe attemptEnd(descriptor, entry)
            } else if pipe == .none {
                unsafe attemptSend(descriptor, entry)
            } else {
                unsafe attemptSend(entry, from: pipe)
            }
        }
        guard unsafe entry.pointee.receiveArmed else { return }
        if unsafe entry.pointee.listening {
            unsafe attemptAccept(descriptor, entry)
        } else if unsafe entry.pointee.readable || entry.pointee.hungUp {
            if case .pipe(let pipe, _) = unsafe entry.pointee.target {
                unsafe attemptReceive(entry, into: pipe)
            } else {
                unsafe attemptReceive(descriptor, entry)
            }
        }
    }

    mutating func trim() {}

    // MARK: - Turn

    mutating func turn(until deadline: Int64) {
        // Not empty: sends and cancels asked for since the last turn have been done at once.
        let count = readyCount
        unsafe swap(&ready, &readyNow)
        readyCount = 0
        for index in 0..<count {
            let descriptor = unsafe readyNow[index]
            guard descriptor >= 0, let entry = unsafe watched(descriptor) else { continue }
            unsafe entry.pointee.inReadyList = false
            unsafe attempt(descriptor, entry)
        }
        statistics.entries += 1
        statistics.wholeEntries += 1
        let hasWork = completions.count > quietCompletions || readyCount > 0
        var found: Int32 = 0
        if !hasWork && deadline > now && busyPoll.begins() { found = spin(until: deadline) }
        if found == 0 {
            var timeout: Int64 = hasWork ? 0 : -1
            if !hasWork && deadline != .max { timeout = max(0, deadline - cposix_monotonic_nanoseconds()) }
            found = wait(timeout)
        }
        if found < 0 && found != -EINTR { statistics.entryFailures += 1 }
        now = cposix_monotonic_nanoseconds()
        for index in 0..<max(0, Int(found)) {
            let event = unsafe events[index]
            let descriptor = Int32(truncatingIfNeeded: unsafe cposix_epoll_tag(events + index))
            if descriptor == wakeup.descriptor {
                wakeup.empty()
                continue
            }
            guard let entry = unsafe watched(descriptor) else { continue }
            let bits = Int(unsafe event.events)
            let ended = Int(CPOSIX_EPOLLHUP | CPOSIX_EPOLLERR | CPOSIX_EPOLLRDHUP)
            if bits & (Int(CPOSIX_EPOLLIN) | ended) != 0 { unsafe entry.pointee.readable = true }
            if bits & ended != 0 { unsafe entry.pointee.hungUp = true }
            let writes = Int(CPOSIX_EPOLLOUT | CPOSIX_EPOLLHUP | CPOSIX_EPOLLERR)
            if bits & writes != 0 { unsafe entry.pointee.writable = true }
            unsafe attempt(descriptor, entry)
        }
        quietCompletions = 0
        statistics.completions += UInt64(completions.count)
    }

    /// - Parameter timeout: nanoseconds; negative: for ever.
    @inline(__always)
    private mutating func wait(_ timeout: Int64) -> Int32 {
        unsafe cposix_epoll_wait(epoll, events, Int32(Self.eventCapacity), timeout)
    }

    /// Asks for events again and again without sleeping; how many there are, or `-errno`.
    @inline(never)
    private mutating func spin(until deadline: Int64) -> Int32 {
        var found = wait(0)
        if found != 0 { return found }
        let start = cposix_monotonic_nanoseconds()
        let end = min(start + busyPoll.limit, deadline)
        var time = start
        repeat {
            time = cposix_monotonic_nanoseconds()
            found = wait(0)
        } while found == 0 && time < end
        // As with io_uring: see `UringDriver.spin`.
        let paid = time - start < busyPoll.limit
        statistics.noteSpin(time - start, paid: paid)
        busyPoll.ended(paid: paid)
        return found
    }

    @inline(__always)
    mutating func next() -> Completion? {
        if let completion = completions.popFirst() { return completion }
        // What was sent by a handler completes within the same loop: none of it is left to wait for an event. Counted on,
        // it would let a receive that has completed wait with it.
        quietCompletions = 0
        return nil
    }
}
