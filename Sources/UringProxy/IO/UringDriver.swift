#if Uring
    internal import CPosix
    internal import CURing

    /// The io_uring driver: everything a turn asks for is submitted, and everything that completed is collected, in one
    /// kernel entry.
    ///
    /// Needs Linux 6.0 (multishot receive, provided slices); 6.1 adds DEFER_TASKRUN, without which another CPU
    /// interrupts this one for each completion (measured: 17.6 against 12.3 µs of CPU per request).
    @safe struct UringDriver: Driver, ~Copyable {
        static var name: StaticString { "io_uring" }

        private static let entries = UInt32(RingSizes.submissionEntries)
        private static let sliceGroup: Int32 = 0
        /// Slices published at first, and at least.
        private static let publishFirst = 128
        private static let partsPerMessage = 16
        /// Room for any `sockaddr`.
        private static let addressSize = 128
        /// At most this much leaves in one send: past it a slow reader would pin memory for nothing.
        private static let sendLimit: UInt32 = 512 * 1024

        // Operations of the driver itself; the engine's tokens have neither of the top bits.
        private static let wakeToken: UInt64 = 1 << 63 | 1
        private static let ignoredToken: UInt64 = 1 << 63 | 2
        private static let quietBit: UInt64 = 1 << 62
        /// Polls for a pipe's transfers: its index, and a bit for sends.
        private static let pipeToken: UInt64 = 1 << 63 | 1 << 62

        private struct QuietSend {
            var token: UInt64
            var size: Int32
        }

        private let ring: UnsafeMutablePointer<io_uring>
        private let arena: Arena
        private let segments: SegmentPool
        private let wakeup: Wakeup
        private(set) var now: Int64

        private var completions: UnsafeMutablePointer<io_uring_cqe>
        private var completionCapacity: Int
        private var completionCount = 0
        private var completionIndex = 0

        // Quiet sends: those of this turn, and those submitted whose silence means success.
        private var quietNew: UnsafeMutablePointer<QuietSend>
        private var quietNewCount = 0
        private var quietDone: UnsafeMutablePointer<QuietSend>
        private var quietDoneCount = 0
        private var quietDoneIndex = 0
        private let quietCapacity = Int(UringDriver.entries) * 4
        private let quietSupported: Bool
        /// The last entry left something unsubmitted (-EBUSY): quiet sends among it would not end a sleep.
        private var isBehind = false

        // What SQEs point to until they are submitted, one place per SQE in turn.
        private let messages: UnsafeMutablePointer<msghdr>
        private let parts: UnsafeMutablePointer<iovec>
        private let addresses: UnsafeMutableRawPointer
        private var place = 0
        private let wakeCount: UnsafeMutablePointer<UInt64>
        private var wakeArmed = false

        // Provided slices.
        private let sliceRing: UnsafeMutableRawPointer
        private let sliceRingEntries: Int
        private var published = 0
        private var publishTarget: Int
        /// The fewest published at the beginning of a turn since the last `trim`: that many were not needed.
        private var leastPublished = 0
        /// A quarter of the memory at most: what is published here nobody else can lease, and it comes back only in the
        /// hands of a receive.
        private let publishLimit: Int
        private var starvedSinceRefill = false

        private var busyPoll: BusyPoll
        private var pipes: PipePool
        /// What completed without the kernel's word.
        private var made = CompletionQueue()

        private let multishotReceive: Bool
        private var multishotAccept = true
        /// For the start-up line: the flags the kernel took and what it lacks.
        let features: String
        private(set) var statistics = DriverStatistics()

        /// Sets a ring up on the calling thread, which alone may use it.
        ///
        /// - Parameters:
        ///   - connections: how many the worker serves at most; sizes the completion queue.
        ///   - pipes: how many at most; none without splicing.
        init(
            arena: Arena, segments: SegmentPool, wakeup: Wakeup, connections: Int, busyPoll: BusyPoll = .off,
            pipes: Int = 0
        ) throws(DriverError) {
            let ring = UnsafeMutablePointer<io_uring>.allocate(capacity: 1)
            let completionsWanted = UInt32(RingSizes.completionEntries(connections: connections))
            var featureBits: UInt32 = 0
            let flags = unsafe try Self.setUp(
                ring, completionsWanted, tellsOfTaskWork: busyPoll.isOn, &featureBits)
            func give(_ error: DriverError) -> DriverError {
                unsafe io_uring_queue_exit(ring)
                unsafe ring.deallocate()
                return error
            }
            guard featureBits & UInt32(CURING_FEAT_EXT_ARG) != 0,
                featureBits & UInt32(CURING_FEAT_NODROP) != 0
            else {
                throw give(.featureMissing("timeouts in io_uring_enter (5.11)"))
            }
            let quietSupported = featureBits & UInt32(CURING_FEAT_CQE_SKIP) != 0
            for (operation, name): (Int, StaticString) in [
                (Int(CURING_OP_ACCEPT), "accept"), (Int(CURING_OP_CONNECT), "connect"),
                (Int(CURING_OP_RECV), "recv"), (Int(CURING_OP_SEND), "send"),
                (Int(CURING_OP_SENDMSG), "sendmsg"), (Int(CURING_OP_ASYNC_CANCEL), "cancel"),
                (Int(CURING_OP_CLOSE), "close"), (Int(CURING_OP_READ), "read"),
            ] where unsafe curing_supports(ring, Int32(operation)) == 0 {
                throw give(.featureMissing(name))
            }
            let zeroCopySupported = unsafe curing_supports(ring, Int32(CURING_OP_SEND_ZC)) != 0
            let sliceRingEntries = 32_768
            guard let memory = unsafe cposix_map(sliceRingEntries * 16) else {
                throw give(.ringRefused(errno: 12))
            }
            let registered = unsafe curing_register_slices(
                ring, memory, UInt32(sliceRingEntries), Self.sliceGroup)
            if registered < 0 {
                unsafe _ = cposix_unmap(memory, sliceRingEntries * 16)
                // ENOMEM: the limit on locked memory, of which the user's other processes may hold a part.
                throw give(
                    registered == -ENOMEM
                        ? .ringRefused(errno: ENOMEM) : .featureMissing("provided buffer rings (5.19)"))
            }
            // Nothing fails from here on.
            self.arena = arena
            self.segments = segments
            self.wakeup = wakeup
            self.busyPoll = busyPoll
            self.pipes = PipePool(limit: pipes)
            now = cposix_monotonic_nanoseconds()
            unsafe self.ring = ring
            unsafe sliceRing = memory
            self.sliceRingEntries = sliceRingEntries
            publishLimit = min(
                sliceRingEntries, max(16, arena.budgetBytes / 4 / SliceClass.medium.sliceSize))
            publishTarget = min(Self.publishFirst, publishLimit)
            self.quietSupported = quietSupported
            // SEND_ZC came in 6.0 with multishot receive, which no probe names.
            multishotReceive = zeroCopySupported

            // Saves a look-up per entry (454 against 370 ns for an empty one); its lack costs nothing else.
            unsafe _ = io_uring_register_ring_fd(ring)
            var workers: (UInt32, UInt32) = (1, 1)
            // Nothing here runs on the kernel's worker threads; should it ever, one of them is enough to be seen.
            // The kernel writes the old limits back, both of them: the pointer is to the pair, not to its first half.
            unsafe withUnsafeMutableBytes(of: &workers) {
                let limits = unsafe $0.baseAddress!.assumingMemoryBound(to: UInt32.self)
                unsafe _ = io_uring_register_iowq_max_workers(ring, limits)
            }

            completionCapacity = Int(completionsWanted) * 2
            unsafe completions = .allocate(capacity: completionCapacity)
            unsafe quietNew = .allocate(capacity: quietCapacity)
            unsafe quietDone = .allocate(capacity: quietCapacity)
            let places = Int(Self.entries)
            unsafe messages = .allocate(capacity: places)
            unsafe parts = .allocate(capacity: places * Self.partsPerMessage)
            unsafe addresses = .allocate(byteCount: places * Self.addressSize, alignment: 16)
            unsafe wakeCount = .allocate(capacity: 1)

            var notes = flags
            if zeroCopySupported {
                unsafe notes += ", " + Self.registerArena(ring, arena)
            }
            features = notes
            refillSlices()
        }

        deinit {
            unsafe io_uring_queue_exit(ring)
            unsafe ring.deallocate()
            unsafe completions.deallocate()
            unsafe quietNew.deallocate()
            unsafe quietDone.deallocate()
            unsafe messages.deallocate()
            unsafe parts.deallocate()
            unsafe addresses.deallocate()
            unsafe wakeCount.deallocate()
            unsafe _ = cposix_unmap(sliceRing, sliceRingEntries * 16)
        }

        /// Sets the ring up with the best flags that the kernel takes; what they are, in words.
        private static func setUp(
            _ ring: UnsafeMutablePointer<io_uring>, _ completions: UInt32, tellsOfTaskWork: Bool,
            _ features: inout UInt32
        ) throws(DriverError) -> String {
            let base = UInt32(CURING_SETUP_CQSIZE | CURING_SETUP_CLAMP)
            // Who spins sees in memory when to enter the kernel. Who does not is spared the atomic operations that tell.
            let told = UInt32(tellsOfTaskWork ? CURING_SETUP_TASKRUN_FLAG : 0)
            let ladder: [(UInt32, String)] = [
                // DEFER_TASKRUN (6.1, needs SINGLE_ISSUER): no completion arrives until this thread asks for it.
                (
                    UInt32(CURING_SETUP_SUBMIT_ALL | CURING_SETUP_SINGLE_ISSUER | CURING_SETUP_DEFER_TASKRUN)
                        | told, "deferred task work"
                ),
                (
                    UInt32(CURING_SETUP_SUBMIT_ALL | CURING_SETUP_COOP_TASKRUN) | told,
                    "cooperative task work"
                ),
                (0, "no task work flags"),
            ]
            var entries = Self.entries
            var completions = completions
            var step = 0
            while true {
                let result = unsafe curing_init(ring, entries, completions, base | ladder[step].0, &features)
                switch -result {
                case 0: return ladder[step].1
                case EINVAL where step + 1 < ladder.count: step += 1  // A flag this kernel does not know.
                case ENOMEM where completions > 512:
                    // RLIMIT_MEMLOCK counts ring memory: less of it may fit.
                    completions /= 2
                    entries = min(entries, completions)
                default:
                    // EPERM is a decision (seccomp, sysctl): asking again would not change it.
                    throw .ringRefused(errno: -result)
                }
            }
        }

        /// Registers the beginning of the arena as fixed buffers 0 (medium) and 1 (bulk), as much as RLIMIT_MEMLOCK
        /// allows.
        private static func registerArena(_ ring: UnsafeMutablePointer<io_uring>, _ arena: Arena) -> String {
            var medium = RingSizes.registeredMediumSlices
            var bulk = RingSizes.registeredBulkSlices
            let mediumMemory = unsafe arena.reserveForRegistration(.medium, count: medium)
            let bulkMemory = unsafe arena.reserveForRegistration(.bulk, count: bulk)
            medium = mediumMemory.count / SliceClass.medium.sliceSize
            bulk = bulkMemory.count / SliceClass.bulk.sliceSize
            while medium > 0 && bulk > 0 {
                let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: 2)
                defer { unsafe vectors.deallocate() }
                unsafe vectors[0] = iovec(
                    iov_base: mediumMemory.baseAddress, iov_len: medium * SliceClass.medium.sliceSize)
                unsafe vectors[1] = iovec(
                    iov_base: bulkMemory.baseAddress, iov_len: bulk * SliceClass.bulk.sliceSize)
                let result = unsafe io_uring_register_buffers(ring, vectors, 2)
                if result == 0 {
                    arena.didRegister(.medium, count: medium)
                    arena.didRegister(.bulk, count: bulk)
                    let bytes = medium * SliceClass.medium.sliceSize + bulk * SliceClass.bulk.sliceSize
                    return "\(bytes >> 10) KiB of registered buffers"
                }
                medium /= 2
                bulk /= 2
            }
            return "no registered buffers (RLIMIT_MEMLOCK)"
        }

        // MARK: - Submission

        /// A free SQE; submits what is queued when the queue is full, without waiting.
        @inline(__always)
        private mutating func nextEntry() -> UnsafeMutablePointer<io_uring_sqe> {
            if let entry = unsafe curing_get_sqe(ring) {
                place += 1
                if place == Int(Self.entries) { place = 0 }
                return unsafe entry
            }
            return unsafe entryAfterSubmitting()
        }

        @inline(never)
        private mutating func entryAfterSubmitting() -> UnsafeMutablePointer<io_uring_sqe> {
            while true {
                statistics.submissionQueueFull += 1
                let result = unsafe curing_enter(ring, 0, 0)
                // -EBUSY: completions overflowed and must be taken first; they are kept for this turn's `next`.
                if result < 0 { reap() }
                if let entry = unsafe curing_get_sqe(ring) {
                    place += 1
                    if place == Int(Self.entries) { place = 0 }
                    return unsafe entry
                }
            }
        }

        mutating func makeSocket(for address: SocketAddress) -> Int32 {
            SocketOptions.makeSocket(address, flags: 0)
        }

        mutating func accept(_ listener: Int32, token: OperationToken) {
            unsafe curing_prep_accept(nextEntry(), listener, token.rawValue, multishotAccept ? 1 : 0)
        }

        mutating func acceptNow(_ listener: Int32) -> Int32 {
            // The listener blocks, for the ring waits on it itself. This is its end: the accept has been cancelled.
            _ = cposix_set_nonblocking(listener)
            return cposix_accept(listener, Int32(CPOSIX_SOCK_CLOEXEC))
        }

        mutating func connect(_ descriptor: Int32, to address: SocketAddress, token: OperationToken) {
            let entry = unsafe nextEntry()
            let storage = unsafe addresses + place * Self.addressSize
            unsafe address.copy(to: storage)
            unsafe curing_prep_connect(entry, descriptor, storage, address.size, token.rawValue)
        }

        @inline(__always)
        mutating func receive(_ descriptor: Int32, into target: ReceiveTarget, token: OperationToken) {
            switch target {
            case .stream:
                unsafe curing_prep_recv_provided(
                    nextEntry(), descriptor, Self.sliceGroup, multishotReceive ? 1 : 0, token.rawValue)
            case .once:
                unsafe curing_prep_recv_provided(
                    nextEntry(), descriptor, Self.sliceGroup, 0, token.rawValue)
            case .slice(let slice, let size):
                unsafe curing_prep_recv(nextEntry(), descriptor, arena.address(slice), size, token.rawValue)
            case .pipe(let pipe, let size):
                pipes.beginReceive(pipe, from: descriptor, size: size, token: token)
                awaitReadable(pipe)
            }
        }

        @inline(__always)
        mutating func send(_ descriptor: Int32, _ queue: SegmentQueue, promptly: Bool, token: OperationToken)
        {
            let quiet = !promptly && quietSupported && quietNewCount < quietCapacity && !starvedSinceRefill
            let data = quiet ? token.rawValue | Self.quietBit : token.rawValue
            let entry = unsafe nextEntry()
            var size: UInt32 = 0
            if segments.isContiguous(queue) {
                let segment = segments.first(of: queue)
                size = segment.size
                let from = unsafe arena.address(segment.slice) + Int(segment.offset)
                unsafe curing_prep_send(entry, descriptor, from, size, quiet ? 1 : 0, data)
            } else {
                let vector = unsafe parts + place * Self.partsPerMessage
                var count = 0
                segments.forEach(queue) { segment in
                    let from = unsafe arena.address(segment.slice) + Int(segment.offset)
                    unsafe vector[count] = iovec(iov_base: from, iov_len: Int(segment.size))
                    count += 1
                    size += segment.size
                    return count < Self.partsPerMessage && size < Self.sendLimit
                }
                unsafe curing_prep_sendmsg(
                    entry, descriptor, messages + place, vector, UInt32(count), quiet ? 1 : 0, data)
            }
            if quiet {
                unsafe quietNew[quietNewCount] = QuietSend(token: token.rawValue, size: Int32(size))
                quietNewCount += 1
            }
        }

        mutating func sendEnd(_ descriptor: Int32, token: OperationToken) {
            unsafe curing_prep_sendmsg_when_writable(
                nextEntry(), descriptor, cposix_tls_close_notify(), token.rawValue)
        }

        func canSendZeroCopy(_ slice: SliceID) -> Bool { arena.isRegistered(slice) }

        mutating func sendZeroCopy(_ descriptor: Int32, _ segment: Segment, token: OperationToken) {
            precondition(arena.isRegistered(segment.slice))
            let from = unsafe arena.address(segment.slice) + Int(segment.offset)
            let index: UInt32 = segment.slice.sliceClass == .bulk ? 1 : 0
            unsafe curing_prep_send_zc_fixed(
                nextEntry(), descriptor, from, segment.size, index, 1, token.rawValue)
        }

        mutating func cancel(_ descriptor: Int32, token: OperationToken) {
            var target = token.rawValue
            if let (pipe, isSend) = pipes.find(token) { target = Self.token(of: pipe, isSend: isSend) }
            unsafe curing_prep_cancel(nextEntry(), target, quietSupported ? 1 : 0, Self.ignoredToken)
        }

        mutating func shutdown(_ descriptor: Int32, _ direction: ShutdownDirection) {
            // Not through the ring: IORING_OP_SHUTDOWN always runs on a kernel worker thread.
            _ = cposix_shutdown(descriptor, direction.rawValue)
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
            if reset { _ = cposix_set_reset_on_close(descriptor) }
            unsafe curing_prep_close(nextEntry(), descriptor, quietSupported ? 1 : 0, Self.ignoredToken)
        }

        mutating func detach(_ descriptor: Int32) {}

        mutating func unsentBytes(_ descriptor: Int32) -> Int32 { SocketOptions.unsentBytes(descriptor) }

        mutating func peerAddress(_ descriptor: Int32) -> SocketAddress? {
            SocketAddress(peerOf: descriptor)
        }

        mutating func localAddress(_ descriptor: Int32) -> SocketAddress? {
            SocketAddress(boundBy: descriptor)
        }

        mutating func isQuiet(_ descriptor: Int32) -> Bool { SocketOptions.isQuiet(descriptor) }

        // MARK: - Pipes

        // IORING_OP_SPLICE always runs on a kernel worker thread (seen on 6.18), at 1.3 to 1.8 times the CPU. So the ring only
        // tells when a socket is ready, in the one entry of the turn, and the call is made when its completion is handed
        // out.

        private static func token(of pipe: PipeID, isSend: Bool) -> UInt64 {
            pipeToken | UInt64(pipe.index) << 1 | (isSend ? 1 : 0)
        }

        mutating func leasePipe() -> PipeID? { pipes.lease(now: now) }

        mutating func returnPipe(_ pipe: PipeID) { pipes.giveBack(pipe) }

        mutating func read(_ pipe: PipeID, into slice: SliceID) -> Int32 {
            unsafe pipes.read(pipe, to: arena.address(slice), size: slice.sliceClass.sliceSize)
        }

        mutating func send(_ descriptor: Int32, from pipe: PipeID, size: UInt32, token: OperationToken) {
            pipes.beginSend(pipe, to: descriptor, size: size, token: token)
            // What a short send left over would meet a full socket: its room is waited for.
            if pipes.wasShort(pipe) { awaitWritable(pipe) } else { attemptSend(pipe) }
        }

        private mutating func awaitReadable(_ pipe: PipeID) {
            unsafe curing_prep_poll(
                nextEntry(), pipes.receive(of: pipe).descriptor, UInt32(CPOSIX_POLLIN),
                Self.token(of: pipe, isSend: false))
        }

        private mutating func awaitWritable(_ pipe: PipeID) {
            unsafe curing_prep_poll(
                nextEntry(), pipes.send(of: pipe).descriptor, UInt32(CPOSIX_POLLOUT),
                Self.token(of: pipe, isSend: true))
        }

        private mutating func attemptSend(_ pipe: PipeID) {
            statistics.splices += 1
            // The ring needs sockets in blocking mode: it does not wait for others.
            let result = pipes.empty(pipe, blocks: true)
            if result == -EAGAIN { awaitWritable(pipe) } else { finishSend(pipe, result) }
        }

        private mutating func finishSend(_ pipe: PipeID, _ result: Int32) {
            let send = pipes.send(of: pipe)
            if result >= 0 && result < Int32(send.size) { statistics.shortSends += 1 }
            pipes.endSend(pipe)
            made.append(Completion(token: send.token, result: result))
        }

        /// A socket is ready for a pipe, or the wait for it has ended; nil where that completes nothing yet.
        private mutating func pipeReady(_ entry: io_uring_cqe) -> Completion? {
            let pipe = PipeID(index: UInt16(truncatingIfNeeded: entry.user_data >> 1))
            var result = pipes.isReturned(pipe) ? -ECANCELED : min(entry.res, 0)
            if entry.user_data & 1 != 0 {
                if result < 0 { finishSend(pipe, result) } else { attemptSend(pipe) }
                return nil
            }
            let receive = pipes.receive(of: pipe)
            // Without POLLIN there is an error or an end that a plain receive tells; and the socket, in blocking mode, would
            // be waited for.
            if result == 0 && entry.res & Int32(CPOSIX_POLLIN) != 0 {
                statistics.splices += 1
                result = pipes.fill(pipe)
                if result == -EAGAIN {
                    awaitReadable(pipe)
                    return nil
                }
            }
            pipes.endReceive(pipe)
            return Completion(token: receive.token, result: result)
        }

        // MARK: - Provided slices

        /// Those of the next turn too: what was released since the last refill is published when it begins.
        var receivableSlices: Int {
            published + min(max(0, publishTarget - published), arena.leasable(.medium))
        }

        /// Publishes slices up to the target.
        ///
        /// The kernel takes them in the order they were published, so their number is cache footprint: it starts
        /// small and doubles when it ran out.
        private mutating func refillSlices() {
            if starvedSinceRefill {
                starvedSinceRefill = false
                publishTarget = min(publishTarget * 2, publishLimit)
            }
            leastPublished = min(leastPublished, published)
            if published >= publishTarget { return }
            var place: Int32 = 0
            let ring = unsafe sliceRing
            let mask = UInt32(sliceRingEntries - 1)
            let added = unsafe arena.lease(.medium, upTo: publishTarget - published) { slice, address in
                unsafe curing_provide(
                    ring, address, UInt32(SliceClass.medium.sliceSize), UInt16(slice.index), mask, place)
                place &+= 1
            }
            published += added
            if added > 0 { unsafe curing_publish(sliceRing, Int32(added)) }
        }

        /// After a burst fewer slices are published again, as those that are too many are received into: the kernel goes
        /// through all of them in turn, so that their number is cache footprint.
        mutating func trim() {
            if leastPublished > publishTarget / 2 {
                publishTarget = max(min(Self.publishFirst, publishLimit), publishTarget / 2)
            }
            leastPublished = published
        }

        // MARK: - Turn

        mutating func turn(until deadline: Int64) {
            precondition(
                completionIndex == completionCount && quietDoneIndex == quietDoneCount,
                "a turn begins when all completions of the last one were taken")
            completionIndex = 0
            completionCount = 0
            if !wakeArmed {
                wakeArmed = true
                unsafe curing_prep_read(nextEntry(), wakeup.descriptor, wakeCount, 8, Self.wakeToken)
            }
            refillSlices()
            statistics.entries += 1
            if hasCompletions || deadline <= now || !busyPoll.begins() || !spin(until: deadline) {
                wait(until: deadline)
            }
            reap()
            now = cposix_monotonic_nanoseconds()
            // Silence means success only for what the kernel has really taken.
            isBehind = unsafe curing_unsubmitted(ring) != 0
            if !isBehind {
                statistics.wholeEntries += 1
                unsafe swap(&quietNew, &quietDone)
                quietDoneCount = quietNewCount
                quietDoneIndex = 0
                quietNewCount = 0
            }
            statistics.completions += UInt64(completionCount)
        }

        /// Something completed before the turn's entry: while the queue was full, or without the kernel's word.
        private var hasCompletions: Bool { completionCount > 0 || !made.isEmpty }

        /// Submits what is queued and sleeps until something completes or `deadline` has come.
        @inline(__always)
        private mutating func wait(until deadline: Int64) {
            var timeout: Int64 = -1
            if deadline != .max { timeout = max(0, deadline - cposix_monotonic_nanoseconds()) }
            let wait: UInt32 = hasCompletions || isBehind || timeout == 0 ? 0 : 1
            enter(wait, wait == 0 ? 0 : timeout)
        }

        @inline(__always)
        private mutating func enter(_ wait: UInt32, _ timeout: Int64) {
            let result = unsafe curing_enter(ring, wait, timeout)
            if result < 0 && result != -ETIME && result != -EINTR {
                // -EBUSY and -EAGAIN: the kernel wants its completions taken first; what was not submitted goes
                // with the next turn.
                statistics.entryFailures += 1
            }
        }

        /// Submits what is queued and looks out for completions, in shared memory alone; whether there are any.
        @inline(never)
        private mutating func spin(until deadline: Int64) -> Bool {
            if unsafe curing_unsubmitted(ring) > 0 { enter(0, 0) }
            if isSomethingComplete() { return true }
            let start = cposix_monotonic_nanoseconds()
            let end = min(start + busyPoll.limit, deadline)
            var time = start
            var found = false
            repeat {
                cposix_pause()
                time = cposix_monotonic_nanoseconds()
                found = isSomethingComplete()
            } while !found && time < end
            // A deadline that came is what was waited for as well. What came only after another thread had had the CPU would
            // have come to a sleeper too.
            let paid = time - start < busyPoll.limit
            statistics.noteSpin(time - start, paid: paid)
            busyPoll.ended(paid: paid)
            return found
        }

        @inline(__always)
        private mutating func isSomethingComplete() -> Bool {
            if unsafe curing_is_entry_due(ring) != 0 { enter(0, 0) }
            return unsafe curing_has_completions(ring) != 0
        }

        private mutating func reap() {
            while true {
                let room = completionCapacity - completionCount
                let taken = unsafe curing_reap(ring, completions + completionCount, UInt32(room))
                for index in completionCount..<completionCount + Int(taken) {
                    let data = unsafe completions[index].user_data
                    // It was not silent: bytes were left over, or it failed.
                    if data & Self.quietBit != 0 && data >> 63 == 0 { forgetQuiet(data & ~Self.quietBit) }
                }
                completionCount += Int(taken)
                if completionCount == completionCapacity {
                    growCompletions()
                    continue
                }
                // Overflowed completions are kept by the kernel (NODROP) and moved into the ring when it is entered.
                guard unsafe curing_overflowed(ring) != 0 else { return }
                statistics.completionOverflows += 1
                unsafe _ = curing_enter(ring, 0, 0)
            }
        }

        @inline(never)
        private mutating func growCompletions() {
            let larger = UnsafeMutablePointer<io_uring_cqe>.allocate(capacity: completionCapacity * 2)
            unsafe larger.update(from: completions, count: completionCount)
            unsafe completions.deallocate()
            unsafe completions = larger
            completionCapacity *= 2
        }

        @inline(__always)
        mutating func next() -> Completion? {
            // First what was sent before anything of this turn arrived: its slices are free, and warm, for what follows.
            while quietDoneIndex < quietDoneCount {
                let send = unsafe quietDone[quietDoneIndex]
                quietDoneIndex += 1
                if send.size >= 0 {
                    return Completion(token: OperationToken(rawValue: send.token), result: send.size)
                }
            }
            while completionIndex < completionCount {
                let entry = unsafe completions[completionIndex]
                completionIndex += 1
                if entry.user_data >> 63 == 0 { return translate(entry) }
                if entry.user_data == Self.wakeToken {
                    wakeArmed = false
                } else if entry.user_data & Self.pipeToken == Self.pipeToken,
                    let completion = pipeReady(entry)
                {
                    return completion
                }
            }
            return made.popFirst()
        }

        @inline(__always)
        private mutating func translate(_ entry: io_uring_cqe) -> Completion {
            var completion = Completion(
                token: OperationToken(rawValue: entry.user_data & ~Self.quietBit), result: entry.res)
            if entry.user_data & Self.quietBit != 0 {
                if entry.res == -EAGAIN { completion.result = 0 }
                statistics.shortSends += 1
                return completion
            }
            let flags = entry.flags
            completion.more = flags & UInt32(CURING_CQE_F_MORE) != 0
            if flags & UInt32(CURING_CQE_F_BUFFER) != 0 {
                published -= 1
                let slice = SliceID(.medium, index: flags >> UInt32(CURING_CQE_BUFFER_SHIFT))
                if entry.res > 0 { completion.slice = slice } else { arena.release(slice) }
            }
            if flags & UInt32(CURING_CQE_F_NOTIF) != 0 {
                completion.isNotification = true
                completion.result = UInt32(bitPattern: entry.res) & IORING_NOTIF_USAGE_ZC_COPIED != 0 ? 1 : 0
                return completion
            }
            if entry.res < 0 { noteFailure(completion) }
            return completion
        }

        @inline(never)
        private mutating func noteFailure(_ completion: Completion) {
            if completion.result == -ENOBUFS && completion.token.kind == .receive {
                statistics.slicesExhausted += 1
                starvedSinceRefill = true
            }
            if completion.token.kind == .accept && completion.result == -EINVAL { multishotAccept = false }
        }

        /// Strikes a quiet send off the list of those whose silence means success.
        @inline(never)
        private mutating func forgetQuiet(_ token: UInt64) {
            for index in 0..<quietNewCount where unsafe quietNew[index].token == token {
                unsafe quietNew[index].size = -1
                return
            }
        }
    }
#endif
