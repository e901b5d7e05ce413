#if DEBUG || TESTABLE
    internal import Glibc
    internal import TestSupport
    @testable internal import UringProxy

    /// What stands behind one engine's driver: submissions, completions, and a strict eye on how both are used.
    final class Kernel: SocketOwner {
        private enum Submission {
            case operation(Operation)
            case cancel(Int32, OperationToken)
            case close(Int32, reset: Bool)
        }

        private struct Pending {
            var completion: Completion
            var operation: Operation
            var readyAt: Int64
            /// Nothing forbids that later completions of the descriptor overtake it.
            var isFree: Bool
        }

        let world: World
        let name: String
        let arena: Arena
        let segments: SegmentPool
        let pipes: Pipes

        private(set) var now: Int64
        var statistics = DriverStatistics()

        private var submissions: [Submission] = []
        private var pending: [Pending] = []
        /// Successful sends that nobody is woken for.
        private var withheld: [Pending] = []
        private var batch: [Pending] = []
        private var batchIndex = 0
        /// Zero-copy sends whose notification is due, with the memory they read.
        private var notifications = 0
        private var published: [SliceID] = []
        private let publishTarget: Int
        var operationsInFlight = 0
        var acceptsInFlight = 0

        init(_ world: World, name: String, arena: Arena, segments: SegmentPool) {
            self.world = world
            self.name = name
            self.arena = arena
            self.segments = segments
            pipes = Pipes(world, name: name)
            now = world.now
            publishTarget = world.profile.publishedSlices
            refill()
        }

        var openDescriptors: Int {
            var count = 0
            for case .some(let descriptor) in world.descriptors where descriptor.owner === self { count += 1 }
            return count
        }
        /// Bytes that only the kernel holds.
        var publishedBytes: Int { published.count * SliceClass.medium.sliceSize }
        var zeroCopiesInFlight: Int { notifications }

        private func random(_ percent: Int) -> Bool { world.random.chance(percent) }

        private func note(_ text: @autoclosure () -> String) {
            if world.isVerbose { world.trace("\(name) \(text())") }
        }

        // MARK: - Asking

        private func use(_ number: Int32, _ what: String) -> Descriptor? {
            guard let descriptor = world.descriptor(number), !descriptor.isClosing else {
                world.violate("\(name): \(what) on descriptor \(number), which is closed")
                return nil
            }
            if descriptor.owner == nil {
                descriptor.owner = self
                descriptor.socket?.owner = self
            }
            guard descriptor.owner === self else {
                world.violate("\(name): \(what) on descriptor \(number), which is another engine's")
                return nil
            }
            return descriptor
        }

        private func ask(_ number: Int32, _ what: String, _ token: OperationToken) -> Operation? {
            guard let descriptor = use(number, what) else { return nil }
            world.operationCount += 1
            let operation = Operation(token, descriptor, number: world.operationCount)
            if let failure = world.failure, failure.operation == world.operationCount {
                operation.injected = failure.errno(of: token.kind)
            }
            operationsInFlight += 1
            submissions.append(.operation(operation))
            return operation
        }

        func accept(_ listener: Int32, _ token: OperationToken) {
            guard let operation = ask(listener, "accept", token) else { return }
            note("accept \(listener)")
            if operation.descriptor.accept != nil {
                world.violate("\(name): two accepts on listener \(listener)")
            }
            operation.descriptor.accept = operation
            acceptsInFlight += 1
        }

        func connect(_ number: Int32, _ address: SocketAddress, _ token: OperationToken) {
            guard let operation = ask(number, "connect", token) else { return }
            note("connect \(number) to \(address.description)")
            if !operation.descriptor.isQuiet {
                world.violate("\(name): connect on the busy descriptor \(number)")
            }
            operation.address = address
            operation.descriptor.connect = operation
        }

        func receive(_ number: Int32, _ target: ReceiveTarget, _ token: OperationToken) {
            guard let operation = ask(number, "receive", token) else { return }
            note("receive \(number) \(target)")
            if operation.descriptor.receive != nil {
                world.violate("\(name): two receives on descriptor \(number)")
            }
            if operation.descriptor.socket == nil {
                world.violate("\(name): receive on \(number), not connected")
            }
            operation.target = target
            if case .pipe(let pipe, _) = target { pipes.beginReceive(pipe) }
            if case .slice(let slice, let size) = target {
                if !arena.isLeased(slice) || Int(size) > slice.sliceClass.sliceSize {
                    world.violate(
                        "\(name): receive on \(number) into a slice that is not leased, or too small")
                }
            }
            operation.descriptor.receive = operation
        }

        func send(_ number: Int32, _ queue: SegmentQueue, promptly: Bool, _ token: OperationToken) {
            guard let operation = ask(number, "send", token) else { return }
            segments.forEach(queue) { segment in
                operation.segments.append(segment)
                operation.size += Int(segment.size)
                return operation.segments.count < 16 && operation.size < 512 * 1024
            }
            operation.isQuiet = !promptly
            if operation.isQuiet && operation.descriptor.socket?.records != nil {
                world.violate("\(name): quiet send on \(number), where the kernel encrypts")
            }
            startSend(number, operation)
            note("send \(number) \(operation.size) bytes\(promptly ? "" : ", quietly")")
        }

        func sendAtOnce(_ number: Int32, _ bytes: [UInt8]) {
            guard let descriptor = use(number, "send at once") else { return }
            note("send \(number) \(bytes.count) bytes at once")
            if descriptor.send != nil { world.violate("\(name): two sends on descriptor \(number)") }
            _ = descriptor.socket?.write(bytes[...])
        }

        /// Where the kernel encrypts.
        func sendAlert(_ number: Int32, _ alert: TLSAlert, _ token: OperationToken) {
            guard let operation = ask(number, "send", token) else { return }
            operation.alert = alert
            operation.size = 2
            startSend(number, operation)
            note("send \(number) an alert")
        }

        func sendAlertAtOnce(_ number: Int32, _ alert: TLSAlert) {
            guard let descriptor = use(number, "send an alert at once") else { return }
            note("send \(number) alert \(alert.description) at once")
            _ = descriptor.socket?.writeAlert(alert)
        }

        /// 0: what is sent from now on leaves in records; or `-errno`.
        func encrypt(_ number: Int32, _ keys: [UInt8]) -> Int32 {
            guard let descriptor = use(number, "encrypt"), let socket = descriptor.socket else {
                return -ENOTCONN
            }
            if descriptor.send != nil { world.violate("\(name): keys for \(number), which is sending") }
            if socket.records != nil { world.violate("\(name): keys for \(number) once more") }
            guard world.kernelTLS, !random(10), let records = KernelRecords(keys) else { return -ENOENT }
            note("encrypt \(number)")
            socket.records = records
            return 0
        }

        func sendZeroCopy(_ number: Int32, _ segment: Segment, _ token: OperationToken) {
            guard let operation = ask(number, "send", token) else { return }
            operation.segments = [segment]
            operation.size = Int(segment.size)
            operation.isZeroCopy = true
            if operation.descriptor.socket?.records != nil {
                world.violate("\(name): send without a copy on \(number), where the kernel encrypts")
            }
            startSend(number, operation)
            note("send \(number) \(operation.size) bytes without a copy")
        }

        func leasePipe() -> PipeID? {
            let pipe = pipes.lease()
            note("lease of \(pipe.map { "pipe \($0.index)" } ?? "a pipe: none")")
            return pipe
        }

        func returnPipe(_ pipe: PipeID) {
            note("pipe \(pipe.index) given back")
            pipes.giveBack(pipe)
        }

        func send(_ number: Int32, from pipe: PipeID, size: Int, _ token: OperationToken) {
            guard let operation = ask(number, "send", token) else { return }
            operation.pipe = pipe
            operation.size = size
            pipes.beginSend(pipe, size: size)
            startSend(number, operation)
            note("send \(number) \(operation.size) bytes from pipe \(pipe.index)")
        }

        private func startSend(_ number: Int32, _ operation: Operation) {
            if operation.descriptor.send != nil {
                world.violate("\(name): two sends on descriptor \(number)")
            }
            if operation.descriptor.socket == nil {
                world.violate("\(name): send on \(number), not connected")
            }
            if operation.size == 0 { world.violate("\(name): empty send on \(number)") }
            operation.descriptor.send = operation
            operation.checksum = checksum(operation)
        }

        func cancel(_ number: Int32, _ token: OperationToken) {
            guard use(number, "cancel") != nil else { return }
            note("cancel \(number) \(token.kind)")
            submissions.append(.cancel(number, token))
        }

        func shutdown(_ number: Int32, _ direction: ShutdownDirection) {
            guard let descriptor = use(number, "shutdown") else { return }
            note("shutdown \(number) \(direction)")
            switch descriptor.kind {
            case .listener(let listener):
                if listener.descriptors.count > 1 {
                    world.violate("\(name): shuts down listener \(number), which another process has")
                }
                listener.end()
                descriptor.wasShutDown = true
                // The accept wakes and finds nothing to wait for.
                if let accept = descriptor.accept, accept.isActive, !accept.isFinished {
                    world.schedule(after: jitter()) { [self] in
                        if !accept.isFinished { finish(accept, -EINVAL) }
                    }
                }
            case .socket:
                if let socket = descriptor.socket {
                    if direction != .receiving { socket.shutdownWrite() }
                    if direction != .sending { socket.shutdownRead() }
                } else if let connect = descriptor.connect {
                    descriptor.wasShutDown = true
                    world.schedule(after: jitter()) { [self] in
                        if connect.isActive && !connect.isFinished {
                            finish(connect, -world.random.pick([ECONNRESET, ECONNABORTED, ECANCELED]))
                        }
                    }
                }
            }
        }

        func close(_ number: Int32, reset: Bool) {
            guard let descriptor = use(number, "close") else { return }
            note("close \(number)\(reset ? " with a reset" : "")")
            if !descriptor.isQuiet {
                world.violate("\(name): close of \(number), on which something is under way")
            }
            descriptor.isClosing = true
            submissions.append(.close(number, reset: reset))
        }

        func detach(_ number: Int32) {
            guard let descriptor = use(number, "detach") else { return }
            note("detach \(number)")
            if !descriptor.isQuiet {
                world.violate("\(name): \(number) is given away with something under way")
            }
            descriptor.owner = nil
            descriptor.socket?.owner = nil
        }

        func makeSocket() -> Int32 {
            world.operationCount += 1
            if let failure = world.failure, failure.operation == world.operationCount { return -EMFILE }
            if world.random.perMille(world.profile.socketErrorMille) {
                note("no descriptor for a socket")
                return -world.random.pick([EMFILE, ENFILE, ENOMEM, ENOBUFS, EAFNOSUPPORT])
            }
            return world.open(.socket, owner: self).number
        }

        func acceptNow(_ number: Int32) -> Int32 {
            guard let descriptor = use(number, "accept"), case .listener(let listener) = descriptor.kind
            else {
                return -EBADF
            }
            guard let socket = listener.takeFirst() else { return -EAGAIN }
            let accepted = admit(socket)
            note("accepts \(accepted) from the backlog")
            return accepted
        }

        /// Asked of a connection that is between two workers, without taking it.
        func isQuiet(_ number: Int32) -> Bool {
            guard let descriptor = world.descriptor(number),
                descriptor.owner == nil || descriptor.owner === self
            else {
                world.violate("\(name): looks at descriptor \(number), which is not on offer")
                return false
            }
            return descriptor.socket?.isQuiet ?? false
        }

        func socket(_ number: Int32) -> Socket? { use(number, "look")?.socket }

        private func admit(_ socket: Socket) -> Int32 {
            let descriptor = world.open(.socket, owner: self)
            descriptor.socket = socket
            socket.owner = self
            return descriptor.number
        }

        // MARK: - Submitting

        /// Between two turns: the kernel takes what was asked for and begins to work on it.
        func submit() {
            let taken = submissions
            submissions.removeAll(keepingCapacity: true)
            for submission in taken {
                switch submission {
                case .operation(let operation):
                    operation.isActive = true
                    if operation.injected != 0 {
                        finish(operation, -operation.injected)
                    } else {
                        start(operation)
                    }
                case .cancel(let number, let token):
                    cancelNow(number, token)
                case .close(let number, let reset):
                    guard let descriptor = world.descriptor(number) else { continue }
                    if case .listener(let listener) = descriptor.kind {
                        listener.descriptors.removeAll { $0 === descriptor }
                        if listener.descriptors.isEmpty { listener.end() }
                    }
                    descriptor.socket?.close(reset: reset)
                    descriptor.dispose()
                    world.descriptors[Int(number)] = nil
                }
            }
        }

        private func jitter() -> Int64 {
            world.random.chance(70) ? 0 : Int64(world.random.logarithmic(1...5000)) * microsecond
        }

        private func start(_ operation: Operation) {
            if operation.token.kind == .connect {
                startConnect(operation)
                return
            }
            if operation.token.kind == .receive, case .stream = operation.target,
                world.random.perMille(world.profile.streamEndMille)
            {
                // A stream ends by itself now and then.
                world.schedule(after: Int64(world.random.logarithmic(1...1_000_000)) * microsecond) {
                    [self] in
                    if !operation.isFinished && operation.descriptor.receive === operation {
                        finish(operation, -world.random.pick([ENOBUFS, ECANCELED]))
                    }
                }
            }
            attempt(operation)
        }

        private func attempt(_ operation: Operation) {
            if random(world.profile.lateAttemptPercent) {
                // Only what a socket takes at once may be passed over in silence.
                operation.isQuiet = false
                world.schedule(after: jitter()) { [self] in attemptNow(operation) }
            } else {
                attemptNow(operation)
            }
        }

        private func attemptNow(_ operation: Operation) {
            guard operation.isActive, !operation.isFinished else { return }
            switch operation.token.kind {
            case .accept: attemptAccept(operation)
            case .connect: break
            case .receive: attemptReceive(operation)
            case .send, .zeroCopy: attemptSend(operation)
            }
        }

        func socketReadable(_ socket: Socket) {
            guard let descriptor = descriptor(of: socket), let receive = descriptor.receive else { return }
            attempt(receive)
        }

        func socketWritable(_ socket: Socket) {
            guard let descriptor = descriptor(of: socket), let send = descriptor.send else { return }
            attempt(send)
        }

        func listenerReadable(_ descriptor: Descriptor) {
            if let accept = descriptor.accept { attempt(accept) }
        }

        private func descriptor(of socket: Socket) -> Descriptor? {
            for case .some(let descriptor) in world.descriptors where descriptor.socket === socket {
                return descriptor
            }
            return nil
        }

        // MARK: - Operations

        private func attemptAccept(_ operation: Operation) {
            guard case .listener(let listener) = operation.descriptor.kind else { return }
            if listener.isShutDown {
                finish(operation, -EINVAL)
                return
            }
            while !listener.waiting.isEmpty {
                if world.random.perMille(world.profile.acceptErrorMille) {
                    let errno = world.random.pick([EMFILE, ENFILE, ECONNABORTED, ENOMEM, ENOBUFS])
                    if errno == ECONNABORTED { listener.takeFirst()?.close(reset: true) }
                    finish(operation, -errno)
                    return
                }
                guard let socket = listener.takeFirst() else { return }
                let isLast = world.random.perMille(world.profile.streamEndsWithData)
                post(operation, result: admit(socket), more: !isLast)
                if isLast {
                    operation.isFinished = true
                    return
                }
            }
        }

        private func startConnect(_ operation: Operation) {
            guard let address = operation.address else { return }
            if operation.descriptor.wasShutDown {
                finish(operation, -ECONNRESET)
                return
            }
            if random(world.profile.connectErrorPercent) {
                switch world.random.below(4) {
                case 0: finish(operation, -ECONNREFUSED)
                case 1:
                    finish(operation, -world.random.pick([ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EACCES]))
                case 2:
                    world.schedule(after: world.random.time(0...2 * second)) { [self] in
                        if !operation.isFinished { finish(operation, -ECONNREFUSED) }
                    }
                default:
                    // Nobody answers; the kernel gives up after two minutes.
                    world.schedule(after: 127 * second) { [self] in
                        if !operation.isFinished { finish(operation, -ETIMEDOUT) }
                    }
                }
                return
            }
            let delay = world.profile.latency + world.random.time(0...world.profile.latency)
            world.schedule(after: delay) { [self] in
                guard !operation.isFinished else { return }
                guard let origin = world.origins.first(where: { $0.address == address }), !origin.isDown,
                    !world.isClosing
                else {
                    finish(operation, -ECONNREFUSED)
                    return
                }
                let (own, other) = world.makePair(self, nil)
                operation.descriptor.socket = own
                own.remote = address
                own.cluster = world.clusterOfOrigin[address.description]
                origin.accept(other)
                finish(operation, 0)
            }
        }

        private func attemptReceive(_ operation: Operation) {
            guard let socket = operation.descriptor.socket else { return }
            if case .pipe(let pipe, let size) = operation.target {
                attemptReceive(operation, into: pipe, size: Int(size), socket)
                return
            }
            while true {
                if socket.readableCount == 0 {
                    guard socket.isAtEnd || !socket.isQuiet else { return }
                    var nothing: UInt8 = 0
                    let result = unsafe withUnsafeMutableBytes(of: &nothing) { unsafe socket.read(into: $0) }
                    if result != -Int(EAGAIN) { finish(operation, Int32(result)) }
                    return
                }
                let slice: SliceID
                var room: Int
                var isStream = false
                switch operation.target {
                case .pipe:
                    preconditionFailure("received into by a call of its own")
                case .slice(let given, let size):
                    slice = given
                    room = Int(size)
                case .stream, .once:
                    if case .stream = operation.target { isStream = true }
                    guard let taken = takeSlice() else {
                        statistics.slicesExhausted += 1
                        finish(operation, -ENOBUFS)
                        return
                    }
                    slice = taken
                    room = SliceClass.medium.sliceSize
                }
                if random(world.profile.splitPercent) {
                    room = world.random.within(1...min(room, socket.readableCount))
                }
                if world.random.perMille(world.profile.oneByteMille) { room = 1 }
                let target = unsafe UnsafeMutableRawBufferPointer(start: arena.address(slice), count: room)
                let result = unsafe socket.read(into: target)
                precondition(result > 0)
                let isLast = !isStream || world.random.perMille(world.profile.streamEndsWithData)
                if isLast { operation.isFinished = true }
                var given = SliceID.none
                if case .slice = operation.target {} else { given = slice }
                post(operation, result: Int32(result), slice: given, more: !isLast)
                if isLast { return }
                if random(world.profile.lateAttemptPercent) {
                    world.schedule(after: jitter()) { [self] in attemptNow(operation) }
                    return
                }
            }
        }

        private func attemptReceive(_ operation: Operation, into pipe: PipeID, size: Int, _ socket: Socket) {
            if socket.isQuiet && !socket.isAtEnd { return }
            statistics.splices += 1
            let result = pipes.fill(pipe, from: socket, size: size)
            if result != -Int(EAGAIN) { finish(operation, Int32(result)) }
        }

        private func attemptSend(_ operation: Operation) {
            guard let socket = operation.descriptor.socket else { return }
            if operation.pipe != .none {
                statistics.splices += 1
                let result = pipes.empty(operation.pipe, into: socket, size: operation.size)
                if result == 0 { return }
                if result > 0 && result < operation.size { statistics.shortSends += 1 }
                operation.isFinished = true
                post(operation, result: Int32(result), isFree: true)
                return
            }
            if let alert = operation.alert {
                let result = socket.writeAlert(alert)
                if result == 0 { return }
                operation.isFinished = true
                post(operation, result: Int32(result), isFree: true)
                return
            }
            var most = operation.size
            if random(world.profile.splitPercent) { most = world.random.within(1...most) }
            if world.random.perMille(world.profile.oneByteMille) { most = 1 }
            var sent = 0
            for segment in operation.segments where sent < most {
                let from = unsafe arena.address(segment.slice) + Int(segment.offset)
                let size = min(Int(segment.size), most - sent)
                let result = unsafe socket.write(UnsafeRawBufferPointer(start: from, count: size))
                if result < 0 {
                    if sent == 0 {
                        finish(operation, Int32(result))
                        return
                    }
                    break
                }
                sent += result
                if result < size { break }
            }
            if sent == 0 && !operation.isQuiet { return }
            if sent < operation.size { statistics.shortSends += 1 }
            operation.isFinished = true
            if operation.isZeroCopy {
                notifications += 1
                post(operation, result: Int32(sent), more: true)
                notifyLater(operation)
            } else if operation.isQuiet && sent == operation.size {
                withheld.append(
                    Pending(
                        completion: Completion(token: operation.token, result: Int32(sent)),
                        operation: operation,
                        readyAt: 0, isFree: true))
            } else {
                post(operation, result: Int32(sent), isFree: true)
            }
        }

        private func notifyLater(_ operation: Operation) {
            let delay = Int64(world.random.logarithmic(1...3_000_000)) * microsecond
            world.schedule(after: world.random.chance(30) ? 0 : delay) { [self] in
                post(operation, result: world.random.chance(30) ? 1 : 0, isNotification: true, isFree: true)
            }
        }

        private func cancelNow(_ number: Int32, _ token: OperationToken) {
            guard let descriptor = world.descriptor(number) else { return }
            let candidates = [descriptor.receive, descriptor.send, descriptor.connect, descriptor.accept]
            guard
                let operation = candidates.lazy.compactMap({ $0 }).first(where: {
                    $0.token == token && $0.isActive
                })
            else { return }
            if let place = withheld.firstIndex(where: { $0.operation === operation }) {
                var entry = withheld.remove(at: place)
                entry.readyAt = world.now
                pending.append(entry)
                return
            }
            if operation.isFinished { return }
            let cancelled = { [self] in
                if !operation.isFinished { finish(operation, -ECANCELED) }
            }
            if random(world.profile.lateCancelPercent) {
                world.schedule(after: jitter() * 4, cancelled)
            } else {
                cancelled()
            }
        }

        // MARK: - Completing

        private func finish(_ operation: Operation, _ result: Int32) {
            operation.isFinished = true
            var more = false
            if operation.isZeroCopy {
                // Where a notification was already made it follows a failure, too.
                more = world.random.chance(50)
                if more {
                    notifications += 1
                    post(operation, result: result, more: true)
                    notifyLater(operation)
                    return
                }
            }
            post(operation, result: result, more: more)
        }

        private func post(
            _ operation: Operation, result: Int32, slice: SliceID = .none, more: Bool = false,
            isNotification: Bool = false, isFree: Bool = false
        ) {
            var completion = Completion(token: operation.token, result: result)
            completion.slice = slice
            completion.more = more
            completion.isNotification = isNotification
            var readyAt = world.now
            if random(world.profile.lateCompletionPercent) {
                readyAt += Int64(world.random.logarithmic(1...20_000)) * microsecond
            }
            readyAt = max(readyAt, operation.lastReadyAt)
            operation.lastReadyAt = readyAt
            if !isFree {
                readyAt = max(readyAt, operation.descriptor.lastReadyAt)
                operation.descriptor.lastReadyAt = readyAt
                operation.lastReadyAt = readyAt
            }
            pending.append(
                Pending(completion: completion, operation: operation, readyAt: readyAt, isFree: isFree))
        }

        /// When the engine would be woken.
        var wakesAt: Int64 {
            var earliest = Int64.max
            for entry in pending { earliest = min(earliest, entry.readyAt) }
            return earliest
        }

        /// The engine wakes: what has completed by now is handed out, in some order that is legal.
        func turn() {
            if batchIndex < batch.count { world.violate("\(name): a turn begins with completions left") }
            submit()
            refill()
            now = world.now
            statistics.entries += 1
            statistics.wholeEntries += 1
            batch.removeAll(keepingCapacity: true)
            batchIndex = 0
            var kept: [Pending] = []
            for entry in pending {
                if entry.readyAt > now {
                    kept.append(entry)
                    continue
                }
                insert(entry)
            }
            pending = kept
            if !withheld.isEmpty && (!batch.isEmpty || world.random.chance(50)) {
                batch.append(contentsOf: withheld)
                withheld.removeAll(keepingCapacity: true)
            }
            statistics.completions += UInt64(batch.count)
        }

        /// Puts a completion anywhere behind those that it may not overtake.
        private func insert(_ entry: Pending) {
            var lowest = batch.count
            while lowest > 0 {
                let before = batch[lowest - 1]
                if before.operation === entry.operation { break }
                if !entry.isFree && !before.isFree
                    && before.operation.descriptor === entry.operation.descriptor
                {
                    break
                }
                lowest -= 1
            }
            batch.insert(
                entry, at: world.random.chance(50) ? batch.count : world.random.within(lowest...batch.count))
        }

        func next() -> Completion? {
            guard batchIndex < batch.count else { return nil }
            let entry = batch[batchIndex]
            batchIndex += 1
            handOut(entry)
            return entry.completion
        }

        private func handOut(_ entry: Pending) {
            let operation = entry.operation
            let completion = entry.completion
            note(describe(entry))
            let kind = operation.token.kind
            if kind == .send || kind == .zeroCopy {
                if checksum(operation) != operation.checksum {
                    world.violate(
                        "\(name): bytes of a send on \(operation.descriptor.number) changed under way: \(operation.segments)"
                    )
                }
            }
            if completion.isNotification {
                notifications -= 1
                return
            }
            if completion.more && !operation.isZeroCopy { return }
            operationsInFlight -= 1
            switch kind {
            case .accept:
                operation.descriptor.accept = nil
                acceptsInFlight -= 1
            case .connect: operation.descriptor.connect = nil
            case .receive:
                if case .slice(let slice, _) = operation.target, !arena.isLeased(slice) {
                    world.violate("\(name): the slice of a receive was released under way")
                }
                if case .pipe(let pipe, _) = operation.target { pipes.endReceive(pipe) }
                operation.descriptor.receive = nil
            case .send, .zeroCopy:
                if operation.pipe != .none { pipes.endSend(operation.pipe) }
                operation.descriptor.send = nil
            }
        }

        private func describe(_ entry: Pending) -> String {
            let completion = entry.completion
            let what = completion.isNotification ? "notification" : "\(entry.operation.token.kind)"
            return
                "  -> \(what) \(entry.operation.descriptor.number) #\(entry.operation.number): \(completion.result)"
                + (completion.more ? ", more" : "")
        }

        private func checksum(_ operation: Operation) -> UInt64 {
            var sum: UInt64 = 0xCBF2_9CE4_8422_2325
            for segment in operation.segments {
                if !arena.isLeased(segment.slice) {
                    world.violate("\(name): a send on \(operation.descriptor.number) lost its memory")
                    return 0
                }
                let base = unsafe UnsafeRawPointer(arena.address(segment.slice)) + Int(segment.offset)
                let size = Int(segment.size)
                var index = 0
                while index + 8 <= size {
                    sum =
                        unsafe (sum ^ base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                        &* 0x100_0000_01B3
                    sum ^= sum >> 29
                    index += 8
                }
                while index < size {
                    sum =
                        unsafe (sum ^ UInt64(base.load(fromByteOffset: index, as: UInt8.self)))
                        &* 0x100_0000_01B3
                    index += 1
                }
            }
            return sum
        }

        // MARK: - Slices

        private func takeSlice() -> SliceID? {
            if publishTarget == 0 { return arena.lease(.medium) }
            return published.popLast()
        }

        private func refill() {
            while published.count < publishTarget, let slice = arena.lease(.medium) {
                published.append(slice)
            }
        }

        var receivableSlices: Int {
            if publishTarget > 0 { return published.count }
            return max(0, (arena.budgetBytes - arena.leasedBytes) / SliceClass.medium.sliceSize)
        }

        /// The connections whose send nobody will be told of until something else completes.
        var withheldSlots: [UInt32] { withheld.map { $0.operation.token.slot } }

        /// The end: what was never handed out, and what was published.
        func dispose() {
            for slice in published { arena.release(slice) }
            published.removeAll()
            for entry in pending where entry.completion.slice != .none {
                arena.release(entry.completion.slice)
            }
            pending.removeAll()
            submissions.removeAll()
            withheld.removeAll()
            batch.removeAll()
        }

        /// The kernel has nothing to say and nothing to do.
        var isSilent: Bool { pending.isEmpty && submissions.isEmpty && batchIndex == batch.count }
    }
#endif
