import CPosix
import Testing

@testable import UringProxy

/// The contract of `Driver`, over real sockets, for each driver that this kernel offers.
@Suite("Driver contract")
struct DriverContractTests {
    /// A driver, and one end of a connection whose other end the test holds.
    private struct Fixture<D: Driver & ~Copyable>: ~Copyable {
        var driver: D
        let arena: Arena
        let segments: SegmentPool
        let ours: Int32
        let theirs: Int32

        /// The completions of the turns until `count` of them have come, or a second has passed.
        mutating func completions(_ count: Int) -> [Completion] {
            var found: [Completion] = []
            let end = cposix_monotonic_nanoseconds() + 1_000_000_000
            repeat {
                driver.turn(until: min(end, driver.now + 100_000_000))
                while let completion = driver.next() { found.append(completion) }
            } while found.count < count && driver.now < end
            return found
        }

        func queue(_ bytes: [UInt8], class sliceClass: SliceClass = .bulk) -> SegmentQueue {
            var queue = SegmentQueue()
            let slice = arena.lease(sliceClass)!
            for (index, byte) in bytes.enumerated() { unsafe arena.address(slice)[index] = byte }
            segments.append(Segment(slice: slice, offset: 0, size: UInt32(bytes.count)), to: &queue)
            return queue
        }

        func write(_ text: String) {
            var bytes = Array(text.utf8)
            let sent = unsafe cposix_send(theirs, &bytes, bytes.count, 0)
            #expect(sent == bytes.count)
        }

        func read(_ size: Int) -> [UInt8] { receive(theirs, size) }

        deinit {
            _ = cposix_close(theirs)
        }
    }

    private func eachDriver(
        _ ring: (inout Fixture<UringDriver>) throws -> Void,
        _ epoll: (inout Fixture<EpollDriver>) throws -> Void
    )
        throws
    {
        if let failure = RingProbe.failure() {
            print("skipped for io_uring: \(failure.message)")
        } else {
            for busyPoll in Self.busyPolls {
                let arena = Arena(budgetBytes: 32 << 20)
                let segments = SegmentPool(arena: arena)
                let (ours, theirs) = try pair()
                var fixture = Fixture(
                    driver: try UringDriver(
                        arena: arena, segments: segments, wakeup: Wakeup(), connections: 64,
                        busyPoll: busyPoll, pipes: 2),
                    arena: arena, segments: segments, ours: ours, theirs: theirs)
                try ring(&fixture)
            }
        }
        for busyPoll in Self.busyPolls {
            let arena = Arena(budgetBytes: 32 << 20)
            let segments = SegmentPool(arena: arena)
            let (ours, theirs) = try pair()
            var fixture = Fixture(
                driver: try EpollDriver(
                    arena: arena, segments: segments, wakeup: Wakeup(), busyPoll: busyPoll, pipes: 2),
                arena: arena, segments: segments, ours: ours, theirs: theirs)
            try epoll(&fixture)
        }
    }

    /// Without and with a spin before each sleep, long enough that most waits end within it.
    private static let busyPolls = [BusyPoll.off, BusyPoll(limit: 1_000_000)]

    /// Two ends of a TCP connection over loopback.
    private func pair() throws -> (Int32, Int32) {
        let listener = try ListenerSocket.listen(try SocketAddress(parsing: "127.0.0.1:0"))
        defer { _ = cposix_close(listener) }
        let address = try #require(SocketAddress(boundBy: listener))
        let ours = cposix_socket(AF_INET, Int32(CPOSIX_SOCK_STREAM | CPOSIX_SOCK_CLOEXEC), 0)
        unsafe #expect(address.withSockaddr { unsafe cposix_connect(ours, $0, $1) } == 0)
        let theirs = cposix_accept(listener, 0)
        #expect(theirs >= 0)
        return (ours, theirs)
    }

    private func token(_ kind: OperationKind) -> OperationToken {
        OperationToken(kind, slot: 7, generation: 9)
    }

    @Test("A stream goes on by itself, ends when cancelled, and loses nothing in between")
    func stream() throws {
        func check<D: Driver & ~Copyable>(_ fixture: inout Fixture<D>) throws {
            let token = token(.receive)
            fixture.driver.receive(fixture.ours, into: .stream, token: token)
            for text in ["one", "two"] {
                fixture.write(text)
                let found = fixture.completions(1)
                #expect(found.count == 1)
                #expect(found[0].token == token && found[0].result == 3 && found[0].more)
                let view = fixture.segments.view(Segment(slice: found[0].slice, offset: 0, size: 3))
                #expect(view.string == text)
                fixture.arena.release(found[0].slice)
            }
            fixture.driver.cancel(fixture.ours, token: token)
            let ended = fixture.completions(1)
            #expect(ended.count == 1)
            #expect(ended[0].result == -ECANCELED && !ended[0].more)
            fixture.write("three")
            fixture.driver.receive(fixture.ours, into: .once, token: token)
            let last = fixture.completions(1)
            #expect(last.count == 1)
            #expect(last[0].result == 5 && !last[0].more)
        }
        try eachDriver(check, check)
    }

    @Test("The end of the stream is a completion of 0")
    func endOfStream() throws {
        func check<D: Driver & ~Copyable>(_ fixture: inout Fixture<D>) throws {
            fixture.driver.receive(fixture.ours, into: .stream, token: token(.receive))
            _ = cposix_shutdown(fixture.theirs, Int32(CPOSIX_SHUT_WR))
            let found = fixture.completions(1)
            #expect(found.count == 1)
            #expect(found[0].result == 0 && !found[0].more && found[0].slice == .none)
        }
        try eachDriver(check, check)
    }

    @Test("A send that does not fit is short, and the rest can be sent when the peer has read")
    func shortSends() throws {
        func check<D: Driver & ~Copyable>(_ fixture: inout Fixture<D>) throws {
            _ = cposix_setsockopt_int(fixture.ours, SOL_SOCKET, SO_SNDBUF, 8192)
            let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            var queue = fixture.queue(bytes)
            var received: [UInt8] = []
            var promptly = false
            while !queue.isEmpty {
                fixture.driver.send(fixture.ours, queue, promptly: promptly, token: token(.send))
                promptly = true
                // A send that waits completes when there is room: read until it does.
                var found = fixture.completions(0)
                while found.isEmpty {
                    received += fixture.read(min(4096, bytes.count - received.count))
                    found = fixture.completions(0)
                }
                #expect(found.count == 1)
                let sent = found[0].result
                #expect(sent >= 0 && sent <= queue.byteCount)
                guard sent >= 0 else { return }
                fixture.segments.consume(UInt32(sent), from: &queue)
            }
            received += fixture.read(bytes.count - received.count)
            let isEqual = received == bytes
            #expect(isEqual)
        }
        try eachDriver(check, check)
    }

    @Test("What is appended while a send waits for room does not leave with it")
    func appended() throws {
        func check<D: Driver & ~Copyable>(_ fixture: inout Fixture<D>) throws {
            _ = cposix_setsockopt_int(fixture.ours, SOL_SOCKET, SO_SNDBUF, 8192)
            _ = cposix_setsockopt_int(fixture.theirs, SOL_SOCKET, SO_RCVBUF, 8192)
            let filler = [UInt8](repeating: 1, count: 4096)
            let flags = Int32(CPOSIX_MSG_DONTWAIT | CPOSIX_MSG_NOSIGNAL)
            for appendsInPlace in [true, false] {
                var filled = 0
                var queue = SegmentQueue()
                var early: Completion?
                // Until one has to wait: the kernel makes room for a while.
                repeat {
                    fixture.segments.removeAll(&queue)
                    while true {
                        let sent = unsafe cposix_send(fixture.ours, filler, filler.count, flags)
                        if sent < 0 { break }
                        filled += sent
                    }
                    queue = fixture.queue([7, 8, 9], class: .tiny)
                    fixture.driver.send(fixture.ours, queue, promptly: true, token: token(.send))
                    filled += 3
                    fixture.driver.turn(until: fixture.driver.now + 5_000_000)
                    early = fixture.driver.next()
                } while early != nil
                let slice = fixture.segments.first(of: queue).slice
                if appendsInPlace { fixture.arena.retain(slice) }
                let other = appendsInPlace ? slice : try #require(fixture.arena.lease(.tiny))
                fixture.segments.append(Segment(slice: other, offset: 3, size: 100), to: &queue)
                _ = fixture.read(filled - 3)
                let found = fixture.completions(1)
                #expect(found.map(\.result) == [3])
                #expect(fixture.read(3) == [7, 8, 9])
                fixture.segments.removeAll(&queue)
            }
        }
        try eachDriver(check, check)
    }

    @Test("Bytes pass through a pipe whole and in order, however slowly they are taken")
    func pipes() throws {
        func check<D: Driver & ~Copyable>(_ fixture: inout Fixture<D>) throws {
            let (other, reader) = try pair()
            defer { _ = cposix_close(reader) }
            _ = cposix_setsockopt_int(other, SOL_SOCKET, SO_SNDBUF, 8192)
            for descriptor in [fixture.ours, other] where D.name.description == "epoll" {
                _ = cposix_set_nonblocking(descriptor)
            }
            let leased = fixture.driver.leasePipe()
            let pipe = try #require(leased)
            let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let sent = unsafe bytes.withUnsafeBytes {
                unsafe cposix_send(fixture.theirs, $0.baseAddress!, $0.count, 0)
            }
            #expect(sent == bytes.count)
            _ = cposix_shutdown(fixture.theirs, Int32(CPOSIX_SHUT_WR))
            var received: [UInt8] = []
            var total = 0
            while true {
                // No byte beyond what is asked for enters the pipe.
                fixture.driver.receive(fixture.ours, into: .pipe(pipe, size: 60_000), token: token(.receive))
                let found = fixture.completions(1)
                #expect(found.count == 1)
                #expect(found[0].token == token(.receive) && !found[0].more && found[0].result <= 60_000)
                guard found[0].result > 0 else {
                    #expect(found[0].result == 0)
                    break
                }
                var left = UInt32(found[0].result)
                total += Int(left)
                while left > 0 {
                    fixture.driver.send(other, from: pipe, size: left, token: token(.send))
                    var ended = fixture.completions(0)
                    while ended.isEmpty {
                        received += receive(reader, min(4096, total - received.count))
                        ended = fixture.completions(0)
                    }
                    #expect(ended.count == 1 && ended[0].token == token(.send))
                    #expect(ended[0].result > 0 && ended[0].result <= left)
                    guard ended[0].result > 0 else { return }
                    left -= UInt32(ended[0].result)
                }
            }
            received += receive(reader, total - received.count)
            let isEqual = received == bytes
            #expect(isEqual)
            fixture.driver.returnPipe(pipe)
            // Empty, it is kept.
            let again = fixture.driver.leasePipe()
            #expect(again == pipe)
        }
        try eachDriver(check, check)
    }

    @Test("Room that comes before the rest of a pipe is to be sent is not waited for again")
    func pipesAndRoom() throws {
        func check<D: Driver & ~Copyable>(_ fixture: inout Fixture<D>) throws {
            let (other, reader) = try pair()
            defer { _ = cposix_close(reader) }
            _ = cposix_setsockopt_int(other, SOL_SOCKET, SO_SNDBUF, 8192)
            for descriptor in [fixture.ours, other] where D.name.description == "epoll" {
                _ = cposix_set_nonblocking(descriptor)
            }
            let leased = fixture.driver.leasePipe()
            let pipe = try #require(leased)
            let bytes = [UInt8](repeating: 7, count: 400_000)
            _ = unsafe bytes.withUnsafeBytes {
                unsafe cposix_send(
                    fixture.theirs, $0.baseAddress!, $0.count, Int32(CPOSIX_MSG_DONTWAIT))
            }
            var left: UInt32 = 0
            var taken = 0
            // Until a send is short, which it is once the buffers on its way are full.
            repeat {
                fixture.driver.receive(fixture.ours, into: .pipe(pipe, size: 60_000), token: token(.receive))
                let found = fixture.completions(1)
                left = UInt32(max(0, found.first?.result ?? 0))
                try #require(left > 0)
                fixture.driver.send(other, from: pipe, size: left, token: token(.send))
                let ended = fixture.completions(1)
                let sent = UInt32(max(0, ended.first?.result ?? 0))
                left -= sent
                taken += Int(sent)
            } while left == 0
            _ = receive(reader, taken)
            // The driver hears of the room, and nobody asks for anything.
            _ = fixture.completions(0)
            fixture.driver.send(other, from: pipe, size: left, token: token(.send))
            let rest = fixture.completions(1)
            #expect(rest.count == 1 && rest[0].token == token(.send))
            #expect(rest.first.map { $0.result > 0 } == true)
        }
        try eachDriver(check, check)
    }

    @Test("A receive into a pipe can be cancelled, and a pipe given back under way is nobody's until then")
    func pipesGivenBack() throws {
        func check<D: Driver & ~Copyable>(_ fixture: inout Fixture<D>) throws {
            if D.name.description == "epoll" { _ = cposix_set_nonblocking(fixture.ours) }
            let leased = fixture.driver.leasePipe()
            let pipe = try #require(leased)
            fixture.driver.receive(fixture.ours, into: .pipe(pipe, size: 1000), token: token(.receive))
            let early = fixture.completions(0)
            #expect(early.isEmpty)
            fixture.driver.cancel(fixture.ours, token: token(.receive))
            let ended = fixture.completions(1)
            #expect(ended.count == 1)
            #expect(ended[0].token == token(.receive) && ended[0].result == -ECANCELED)
            fixture.driver.receive(fixture.ours, into: .pipe(pipe, size: 1000), token: token(.receive))
            let earlier = fixture.completions(0)
            #expect(earlier.isEmpty)
            fixture.driver.returnPipe(pipe)
            let second = fixture.driver.leasePipe()
            let other = try #require(second)
            #expect(other != pipe)
            // Two are all there are.
            let third = fixture.driver.leasePipe()
            #expect(third == nil)
            fixture.write("late")
            let late = fixture.completions(1)
            #expect(late.count == 1)
            #expect(late[0].result == -ECANCELED)
            let again = fixture.driver.leasePipe()
            #expect(again == pipe)
            // Nothing was taken from the socket.
            fixture.driver.receive(fixture.ours, into: .once, token: token(.receive))
            let plain = fixture.completions(1)
            #expect(plain.first?.result == 4)
        }
        try eachDriver(check, check)
    }

    @Test("A quiet send completes together with the next completion, a prompt one by itself")
    func quietSends() throws {
        func check<D: Driver & ~Copyable>(_ fixture: inout Fixture<D>) throws {
            fixture.driver.receive(fixture.ours, into: .stream, token: token(.receive))
            let queue = fixture.queue(Array("hello".utf8))
            fixture.driver.send(fixture.ours, queue, promptly: false, token: token(.send))
            _ = fixture.completions(0)
            #expect(fixture.read(5) == Array("hello".utf8))
            fixture.write("x")
            let found = fixture.completions(1)
            #expect(found.contains { $0.token.kind == .receive && $0.result == 1 })
            let other = fixture.queue(Array("again".utf8))
            fixture.driver.send(fixture.ours, other, promptly: true, token: token(.send))
            let prompt = fixture.completions(1)
            #expect(prompt.contains { $0.token.kind == .send && $0.result == 5 })
        }
        try eachDriver(check, check)
    }

    @Test("A connect to a closed port is refused, and one that waits can be cancelled")
    func connect() throws {
        func check<D: Driver & ~Copyable>(_ fixture: inout Fixture<D>) throws {
            let listener = try ListenerSocket.listen(try SocketAddress(parsing: "127.0.0.1:0"))
            let address = try #require(SocketAddress(boundBy: listener))
            _ = cposix_close(listener)
            let descriptor = fixture.driver.makeSocket(for: address)
            #expect(descriptor >= 0)
            fixture.driver.connect(descriptor, to: address, token: token(.connect))
            let found = fixture.completions(1)
            #expect(found.count == 1)
            #expect(found[0].result == -ECONNREFUSED)
            fixture.driver.close(descriptor, reset: false)
        }
        try eachDriver(check, check)
    }

    @Test("An accept goes on by itself and hands out descriptors until cancelled")
    func accept() throws {
        func check<D: Driver & ~Copyable>(_ fixture: inout Fixture<D>) throws {
            let listener = try ListenerSocket.listen(try SocketAddress(parsing: "127.0.0.1:0"))
            let address = try #require(SocketAddress(boundBy: listener))
            let token = token(.accept)
            fixture.driver.accept(listener, token: token)
            for _ in 0..<3 {
                let client = cposix_socket(AF_INET, Int32(CPOSIX_SOCK_STREAM), 0)
                unsafe #expect(address.withSockaddr { unsafe cposix_connect(client, $0, $1) } == 0)
                let found = fixture.completions(1)
                #expect(found.count == 1)
                #expect(found[0].result >= 0 && found[0].more && found[0].token == token)
                #expect(fixture.driver.peerAddress(found[0].result) == SocketAddress(boundBy: client))
                #expect(fixture.driver.localAddress(found[0].result) == address)
                fixture.driver.close(found[0].result, reset: false)
                _ = cposix_close(client)
            }
            fixture.driver.cancel(listener, token: token)
            let ended = fixture.completions(1)
            #expect(ended.count == 1)
            #expect(ended[0].result == -ECANCELED && !ended[0].more)
            #expect(fixture.driver.acceptNow(listener) == -EAGAIN)
        }
        try eachDriver(check, check)
    }

    @Test("Another thread's signal ends a wait")
    func wakeup() throws {
        let wakeup = try Wakeup()
        func check<D: Driver & ~Copyable>(_ driver: inout D) {
            for _ in 0..<3 {
                wakeup.prepareToSleep()
                wakeup.signal()
                let start = cposix_monotonic_nanoseconds()
                driver.turn(until: start + 5_000_000_000)
                wakeup.didWake()
                while driver.next() != nil {}
                #expect(driver.now - start < 2_000_000_000)
            }
        }
        for busyPoll in Self.busyPolls {
            let arena = Arena(budgetBytes: 32 << 20)
            let segments = SegmentPool(arena: arena)
            if RingProbe.failure() == nil {
                var ring = try UringDriver(
                    arena: arena, segments: segments, wakeup: wakeup, connections: 64, busyPoll: busyPoll)
                check(&ring)
            }
            var epoll = try EpollDriver(
                arena: arena, segments: segments, wakeup: wakeup, busyPoll: busyPoll)
            check(&epoll)
        }
    }

    @Test(
        "A socket to connect with sends small messages at once, without Nagle's wait for an acknowledgement")
    func noDelay() throws {
        func check<D: Driver & ~Copyable>(_ fixture: inout Fixture<D>) throws {
            let descriptor = fixture.driver.makeSocket(for: try SocketAddress(parsing: "127.0.0.1:1"))
            #expect(descriptor >= 0)
            defer { fixture.driver.close(descriptor, reset: false) }
            var value: Int32 = 0
            let level = Int32(CPOSIX_IPPROTO_TCP)
            #expect(unsafe cposix_getsockopt_int(descriptor, level, TCP_NODELAY, &value) == 0)
            #expect(value == 1)
        }
        try eachDriver(check, check)
    }

    @Test("A wait that spins keeps its deadline, notices what comes, and stops spinning where nothing does")
    func busyPolling() throws {
        func check<D: Driver & ~Copyable>(_ driver: inout D, _ ours: Int32, _ theirs: Int32) {
            driver.receive(ours, into: .stream, token: token(.receive))
            // With epoll a new socket first tells that it is writable.
            driver.turn(until: 0)
            #expect(driver.next() == nil)
            func wait(_ duration: Int64) {
                let start = cposix_monotonic_nanoseconds()
                // A signal may end a turn early.
                repeat {
                    driver.turn(until: start + duration)
                    #expect(driver.next() == nil)
                } while driver.now - start < duration
                #expect(driver.now - start < 1_000_000_000)
            }
            for _ in 0..<100 { wait(2_000_000) }
            // On a busy machine a wait may end a little early and spin for the rest, which pays: so no exact count.
            #expect(driver.statistics.spins > 0 && driver.statistics.spins < 50)
            #expect(driver.statistics.spinsPaid < 20)
            // A deadline within the limit ends the spin, and is what was waited for.
            for _ in 0..<100 { wait(20_000) }
            #expect(driver.statistics.spinsPaid > 0)
            #expect(driver.statistics.spinNanoseconds > 0)
        }
        let busyPoll = BusyPoll(limit: 500_000)
        let arena = Arena(budgetBytes: 32 << 20)
        let segments = SegmentPool(arena: arena)
        if RingProbe.failure() == nil {
            let (ours, theirs) = try pair()
            var ring = try UringDriver(
                arena: arena, segments: segments, wakeup: Wakeup(), connections: 64, busyPoll: busyPoll)
            check(&ring, ours, theirs)
        }
        let (ours, theirs) = try pair()
        var epoll = try EpollDriver(arena: arena, segments: segments, wakeup: Wakeup(), busyPoll: busyPoll)
        check(&epoll, ours, theirs)
    }
}

/// So many bytes, or what came before the end.
private func receive(_ descriptor: Int32, _ size: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: size)
    var count = 0
    while count < size {
        let result = unsafe bytes.withUnsafeMutableBytes {
            unsafe cposix_recv(descriptor, $0.baseAddress! + count, size - count, 0)
        }
        guard result > 0 else { break }
        count += result
    }
    return Array(bytes.prefix(count))
}
