#if DEBUG || TESTABLE
    internal import Glibc
    @testable internal import UringProxy

    /// Somebody at the other end of a connection, who follows a script for what is sent and reads at its own pace.
    class Peer: SocketOwner {
        enum Step {
            case bytes([UInt8])
            case pause(Int64)
            /// Until `isFree` says so.
            case wait
            case mark(() -> Void)
            case endOutput
            case close
            case reset
        }

        unowned let world: World
        let name: String
        var socket: Socket?
        private var steps: [Step] = []
        private var stepIndex = 0
        private var offset = 0
        private var pauseEndsAt: Int64?
        private var isReadScheduled = false
        var readLimit = Int.max
        var readPause: Int64 = 0
        /// Nothing more will happen here.
        private(set) var isFinished = false
        /// Where it is spoken.
        private var tls: PeerTLS?
        /// Nothing has come yet that would tell whether it is.
        private var mayBeSecure = false
        /// What TLS has made of steps, and says by itself.
        private var outbox: [UInt8] = []
        private var outboxOffset = 0
        /// All that is left is to say so.
        private var isEnding = false
        /// The step is in there.
        private var isSealed = false
        /// Both ends came properly.
        private(set) var sawEnd = false
        private(set) var sawReset = false

        init(_ world: World, name: String) {
            self.world = world
            self.name = name
            world.peers.append(self)
        }

        func dispose() {
            socket = nil
            steps.removeAll()
        }

        func note(_ text: @autoclosure () -> String) {
            if world.isVerbose { world.trace("        \(name): \(text())") }
        }

        // MARK: - For subclasses

        func received(_ bytes: UnsafeRawBufferPointer) {}
        /// The other side ended the stream.
        func inputEnded() {}
        func wasReset() {}
        func scriptEnded() {}
        /// Whether it chooses HTTP/2 where TLS offers that.
        func choosesHTTP2() -> Bool { false }
        /// Whether a `wait` step is over.
        func mayGoOn() -> Bool { true }

        // MARK: - Script

        func add(_ step: Step) { steps.append(step) }
        func dropScript() {
            steps.removeAll()
            stepIndex = 0
            offset = 0
            isSealed = false
            pauseEndsAt = nil
        }
        var hasScript: Bool { stepIndex < steps.count }

        func run() {
            while let socket, !isFinished {
                guard flushOutbox(socket) else { return }
                guard stepIndex < steps.count else {
                    if !steps.isEmpty {
                        dropScript()
                        scriptEnded()
                        if hasScript { continue }
                    }
                    return
                }
                switch steps[stepIndex] {
                case .bytes(let bytes) where tls != nil:
                    if !isSealed {
                        tls?.seal(bytes)
                        isSealed = true
                        takeFromTLS()
                        continue
                    }
                    isSealed = false
                case .endOutput where tls?.saidEnd == false, .close where tls?.saidEnd == false:
                    tls?.end()
                    takeFromTLS()
                    continue
                case .bytes(let bytes):
                    let result = socket.write(bytes[offset...])
                    if result < 0 {
                        // Whoever cannot write may still have something to read.
                        dropScript()
                        if !sawReset { scheduleRead() }
                        return
                    }
                    offset += result
                    if offset < bytes.count {
                        if result == 0 { return }
                        continue
                    }
                    offset = 0
                case .pause(let delay):
                    guard let end = pauseEndsAt else {
                        pauseEndsAt = world.now + delay
                        world.schedule(after: delay) { [self] in run() }
                        return
                    }
                    guard world.now >= end else { return }
                    pauseEndsAt = nil
                case .wait:
                    guard mayGoOn() else { return }
                case .mark(let action):
                    action()
                case .endOutput:
                    note("ends its output")
                    socket.shutdownWrite()
                case .close:
                    finish(reset: false)
                    return
                case .reset:
                    finish(reset: true)
                    return
                }
                if stepIndex < steps.count { stepIndex += 1 }
            }
        }

        func finish(reset: Bool) {
            if isFinished { return }
            if !reset, !isEnding, !sawReset, tls?.saidEnd == false, socket?.isReset == false {
                // The other side is told before.
                isEnding = true
                dropScript()
                add(.close)
                run()
                return
            }
            note(reset ? "resets" : "closes")
            isFinished = true
            socket?.close(reset: reset)
            socket?.owner = nil
            dropScript()
        }

        /// It never had a connection.
        func giveUp() { isFinished = true }

        // MARK: - TLS

        /// It speaks TLS with whoever begins so.
        ///
        /// - Parameter always: whatever comes first.
        func expectTLS(always: Bool) {
            if always {
                tls = world.tls?.accept(choosesHTTP2() ? "h2" : "http/1.1")
            } else {
                mayBeSecure = true
            }
        }

        /// What bytes say, once TLS is taken off them where it is spoken.
        func opened(_ bytes: [UInt8]) -> [UInt8] {
            if mayBeSecure, let first = bytes.first {
                mayBeSecure = false
                // RFC 8446 §5.1: handshake.
                if first == 22 { expectTLS(always: true) }
            }
            guard let tls else { return bytes }
            let plain = tls.opened(bytes)
            takeFromTLS()
            if let socket { _ = flushOutbox(socket) }
            return plain
        }

        private func takeFromTLS() {
            guard let tls else { return }
            outbox += tls.take()
            if let failure = tls.failure { world.violate("\(name): TLS has failed: \(failure)") }
        }

        /// False if some is left, or the connection is broken.
        private func flushOutbox(_ socket: Socket) -> Bool {
            while outboxOffset < outbox.count {
                let result = socket.write(outbox[outboxOffset...])
                if result < 0 {
                    outbox.removeAll()
                    outboxOffset = 0
                    dropScript()
                    if isEnding {
                        finish(reset: false)
                    } else if !sawReset {
                        scheduleRead()
                    }
                    return false
                }
                if result == 0 { return false }
                outboxOffset += result
            }
            outbox.removeAll(keepingCapacity: true)
            outboxOffset = 0
            return true
        }

        // MARK: - Reading

        func socketReadable(_ socket: Socket) { scheduleRead() }
        func socketWritable(_ socket: Socket) { run() }

        /// The proxy holds its end open.
        var isHeld: Bool { socket.map { !$0.isReset && $0.peer?.isClosed == false } ?? false }

        private func scheduleRead() {
            if isReadScheduled || isFinished { return }
            if readPause == 0 {
                read()
                return
            }
            isReadScheduled = true
            world.schedule(after: readPause) { [self] in
                isReadScheduled = false
                read()
            }
        }

        func read() {
            if let socket, !isFinished, !wantsInput, socket.isReset {
                // Whoever does not read hears of this much.
                sawReset = true
                wasReset()
                return
            }
            while let socket, !isFinished, !sawEnd, !sawReset {
                guard wantsInput else { return }
                let result = unsafe socket.take(readLimit) { bytes in unsafe received(bytes) }
                if result == -Int(EAGAIN) { return }
                if isFinished { return }
                if result < 0 {
                    sawReset = true
                    note("was reset")
                    wasReset()
                } else if result == 0 && socket.isReset {
                    // A write was told of it first.
                    sawReset = true
                    note("was reset")
                    wasReset()
                } else if result == 0 && tls != nil {
                    // Nobody has said so.
                    sawReset = true
                    note("sees the end, though it was not told of it")
                    wasReset()
                } else if result == 0 || tls?.hasEnded ?? false {
                    sawEnd = true
                    note("sees the end")
                    inputEnded()
                } else if readPause > 0 {
                    if socket.readableCount > 0 || !socket.isQuiet { scheduleRead() }
                    return
                }
            }
        }

        var wantsInput: Bool { true }

        /// Reads little at a time, and not at once.
        func choosePace() {
            readLimit = world.random.logarithmic(16...4096)
            // 20 KB a second at least: else a run takes hours.
            readPause = min(
                Int64(world.random.logarithmic(10...50_000)) * microsecond,
                Int64(readLimit) * 50 * microsecond)
        }
    }
#endif
