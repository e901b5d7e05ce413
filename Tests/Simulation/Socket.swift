#if DEBUG || TESTABLE
    internal import Glibc
    internal import TestSupport
    @testable internal import UringProxy

    /// Who hears of a socket's changes: a peer, or a kernel on an engine's side.
    protocol SocketOwner: AnyObject {
        func socketReadable(_ socket: Socket)
        func socketWritable(_ socket: Socket)
    }

    /// One end of a TCP connection, with the bytes on their way to it.
    ///
    /// What `peer` writes is bounded by this end's capacity (a send and a receive buffer in one), travels in random
    /// segments, and arrives in order. Ends behave as Linux's do: a close over unread bytes resets, bytes for a closed
    /// end are answered by a reset, an error is told once and is an end of stream (receive) or EPIPE (send) afterwards.
    final class Socket {
        unowned let world: World
        let number: Int
        var peer: Socket?
        var owner: (any SocketOwner)?
        /// Of the other end, as `getpeername` tells it.
        var remote: SocketAddress?
        /// The cluster of the server at the other end; nil: it belongs to none, or there is no server.
        var cluster: Int?
        /// Of this end, as `getsockname` tells it.
        var local: SocketAddress?

        // Towards this end: `bytes[head..<arrived]` may be read, the rest is on its way.
        private var bytes: [UInt8] = []
        private var head = 0
        private var arrived = 0
        private let capacity: Int
        private var lastArrivalAt: Int64 = 0
        private var epoch = 0
        private var endQueued = false
        private(set) var endArrived = false
        private var error: Int32 = 0
        private(set) var isReset = false

        // This end's own doing.
        private(set) var writeEnded = false
        private(set) var readEnded = false
        private(set) var isClosed = false
        /// A writer found no room.
        private var waitsForRoom = false
        /// Makes records of what this end writes (TLS_TX).
        var records: KernelRecords?

        init(_ world: World) {
            self.world = world
            number = world.sockets.count
            capacity = world.random.within(world.profile.pipeCapacity)
        }

        var readableCount: Int { arrived - head }
        /// Nothing to read now, and nothing ended.
        var isQuiet: Bool { readableCount == 0 && !endArrived && !isReset && error == 0 && !isClosed }
        var isAtEnd: Bool { readableCount == 0 && (endArrived || readEnded || isReset) }
        /// Bytes that this end sent and the other has not acknowledged.
        var unacknowledged: Int { peer.map { $0.bytes.count - $0.arrived } ?? 0 }
        var room: Int { peer.map { max(0, $0.capacity - ($0.bytes.count - $0.head)) } ?? 0 }

        private func latency() -> Int64 {
            let base = world.profile.latency
            return base / 2 + world.random.time(0...base)
        }

        // MARK: - Writing

        /// How many bytes were taken; 0 if there is no room; `-errno`.
        func write(_ source: UnsafeRawBufferPointer) -> Int {
            precondition(!isClosed)
            if error != 0 {
                defer { error = 0 }
                return -Int(error)
            }
            guard !writeEnded, !isReset, let peer else { return -Int(EPIPE) }
            let size = min(source.count, room)
            if size == 0 {
                waitsForRoom = true
                return 0
            }
            let taken = unsafe UnsafeRawBufferPointer(rebasing: source[0..<size])
            if records != nil { return unsafe writeRecord(23, Array(taken.prefix(16_384))) }
            unsafe peer.bytes.append(contentsOf: taken)
            peer.expect(size)
            return size
        }

        /// A record is taken as a whole, though it is larger than the room for it.
        private func writeRecord(_ type: Int32, _ content: [UInt8]) -> Int {
            guard let record = records?.record(type, content[...]), let peer else { return -Int(EINVAL) }
            peer.bytes += record
            peer.expect(record.count)
            return content.count
        }

        /// An alert as a record of its own: as `write`.
        func writeAlert(_ alert: TLSAlert) -> Int {
            guard records != nil else { return -Int(EINVAL) }
            guard !writeEnded, !isReset, error == 0 else { return -Int(EPIPE) }
            if room == 0 {
                waitsForRoom = true
                return 0
            }
            return writeRecord(21, [alert.level, alert.description])
        }

        func write(_ source: ArraySlice<UInt8>) -> Int {
            unsafe source.withUnsafeBytes { unsafe write($0) }
        }

        /// Bytes set out towards this end.
        private func expect(_ size: Int) {
            var left = size
            while left > 0 {
                var part = left
                if world.random.chance(world.profile.splitPercent) { part = world.random.within(1...left) }
                if world.random.perMille(world.profile.oneByteMille) { part = 1 }
                // Not more than a few pieces of what was written at once.
                if left < size / 8 { part = left }
                left -= part
                let epoch = epoch
                let arriving = part
                travel { socket in
                    if socket.epoch == epoch { socket.arrive(arriving) }
                }
            }
        }

        /// Does something at this end, after all that set out before.
        private func travel(_ action: @escaping (Socket) -> Void) {
            lastArrivalAt = max(lastArrivalAt, world.now + latency())
            let socket = self
            world.schedule(after: lastArrivalAt - world.now) { action(socket) }
        }

        private func arrive(_ size: Int) {
            if isClosed {
                refuse()
                return
            }
            arrived += size
            precondition(arrived <= bytes.count)
            owner?.socketReadable(self)
        }

        /// Bytes came for an end that is closed: the sender is told so.
        private func refuse() {
            guard let peer, !peer.isClosed else { return }
            peer.travel { $0.becomeReset() }
        }

        // MARK: - Reading

        /// How many bytes were read; 0 at the end; `-errno`.
        func read(into target: UnsafeMutableRawBufferPointer) -> Int {
            precondition(!isClosed)
            let size = min(target.count, readableCount)
            if size == 0 { return status }
            unsafe bytes.withUnsafeBytes {
                unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[head..<head + size]))
            }
            drop(size)
            return size
        }

        /// The same for peers, who may do anything about it, such as close.
        func take(_ most: Int, _ body: (UnsafeRawBufferPointer) -> Void) -> Int {
            precondition(!isClosed)
            let size = min(most, readableCount)
            if size == 0 { return status }
            let taken = bytes[head..<head + size]
            drop(size)
            unsafe taken.withUnsafeBytes { unsafe body($0) }
            return size
        }

        private var status: Int {
            if error != 0 {
                defer { error = 0 }
                return -Int(error)
            }
            return isAtEnd ? 0 : -Int(EAGAIN)
        }

        private func drop(_ size: Int) {
            head += size
            if head == bytes.count {
                bytes.removeAll(keepingCapacity: true)
                arrived = 0
                head = 0
            } else if head > 32_768 {
                bytes.removeFirst(head)
                arrived -= head
                head = 0
            }
            guard let peer, peer.waitsForRoom else { return }
            // As Linux does: a writer is woken when a good part is free, not for each byte.
            guard bytes.count - head <= capacity * 2 / 3 else { return }
            peer.waitsForRoom = false
            let writer = peer
            world.schedule(after: latency()) {
                if !writer.isClosed { writer.owner?.socketWritable(writer) }
            }
        }

        // MARK: - Ending

        func shutdownWrite() {
            guard !writeEnded, !isReset, !isClosed else { return }
            writeEnded = true
            peer?.expectEnd()
            let socket = self
            world.schedule(after: 0) { if !socket.isClosed { socket.owner?.socketWritable(socket) } }
        }

        func shutdownRead() {
            guard !readEnded, !isClosed else { return }
            readEnded = true
            let socket = self
            world.schedule(after: 0) { if !socket.isClosed { socket.owner?.socketReadable(socket) } }
        }

        private func expectEnd() {
            if endQueued { return }
            endQueued = true
            let epoch = epoch
            travel { socket in
                guard socket.epoch == epoch, !socket.isClosed else { return }
                socket.endArrived = true
                socket.owner?.socketReadable(socket)
            }
        }

        func close(reset: Bool) {
            precondition(!isClosed, "closed once")
            let unread = readableCount > 0
            isClosed = true
            owner = nil
            bytes.removeAll()
            head = 0
            arrived = 0
            guard let peer, !peer.isClosed, !isReset else { return }
            if reset || unread {
                if reset && world.random.chance(50) {
                    // What was still in the send buffer is thrown away.
                    peer.dropWhatTravels()
                }
                peer.travel { $0.becomeReset() }
            } else if !writeEnded {
                writeEnded = true
                peer.expectEnd()
            }
            // What travels towards this end meets nobody when it arrives.
        }

        private func dropWhatTravels() {
            epoch += 1
            bytes.removeLast(bytes.count - arrived)
            endQueued = true
        }

        private func becomeReset() {
            guard !isClosed, !isReset else { return }
            isReset = true
            epoch += 1
            bytes.removeLast(bytes.count - arrived)
            error = ECONNRESET
            // On Linux what has arrived can still be read; not so elsewhere.
            if owner is Peer && world.profile.resetDropsInput {
                bytes.removeAll()
                head = 0
                arrived = 0
            }
            peer?.dropAfterReset()
            owner?.socketReadable(self)
            if !isClosed { owner?.socketWritable(self) }
        }

        /// The other end was reset: nothing of what it sent arrives any more.
        private func dropAfterReset() {
            if isClosed { return }
            epoch += 1
            bytes.removeLast(bytes.count - arrived)
        }
    }

    /// Where connections wait to be accepted by an engine.
    final class ListenSocket {
        unowned let world: World
        let address: SocketAddress
        let role: Listener.Role
        /// Of requests or connections that come here, unless routes say otherwise.
        let cluster: Int
        let hasRoutes: Bool
        /// Its connections go where the server name of their ClientHello leads.
        let asksName: Bool
        /// The cluster that forward requests go through; nil: none.
        let parent: Int?
        private let backlogCapacity: Int
        private(set) var waiting: [Socket] = []
        var isShutDown = false
        /// Of each process that listens there.
        var descriptors: [Descriptor] = []

        init(
            _ world: World, _ address: SocketAddress, role: Listener.Role, cluster: Int, hasRoutes: Bool,
            asksName: Bool, parent: Int?
        ) {
            self.world = world
            self.address = address
            self.role = role
            self.cluster = cluster
            self.hasRoutes = hasRoutes
            self.asksName = asksName
            self.parent = parent
            backlogCapacity = world.random.logarithmic(1...64)
        }

        func dispose() {
            descriptors.removeAll()
            waiting.removeAll()
        }

        /// A client's connection is established; false if it is refused.
        func offer(_ socket: Socket) -> Bool {
            guard !isShutDown, waiting.count < backlogCapacity || world.profile.isStrict else { return false }
            waiting.append(socket)
            for descriptor in descriptors where !waiting.isEmpty {
                descriptor.owner?.listenerReadable(descriptor)
            }
            return true
        }

        func takeFirst() -> Socket? { waiting.isEmpty ? nil : waiting.removeFirst() }

        /// What still waits is reset.
        func end() {
            isShutDown = true
            for socket in waiting { socket.close(reset: true) }
            waiting.removeAll()
        }
    }
#endif
