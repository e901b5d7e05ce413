internal import CPosix

/// The load of `slow`: request heads that come byte by byte and never end.
struct SlowRun: ~Copyable {
    private enum State { case vacant, connecting, sending, answered, closed, failed }

    private struct Sender {
        var state = State.vacant
        var descriptor: Int32 = -1
        var sent = 0
        /// When connecting began.
        var begun: Int64 = 0
    }

    /// How long signals may wait, in nanoseconds.
    private static var tick: Int64 { 50_000_000 }

    private let options: Options
    private var target: Target
    private var poller: Poller
    private var senders: [Sender]
    private let head: [UInt8]
    private var opened = 0
    private var connecting = 0
    private var nextToGiveUp: Int64 = 0
    private(set) var tally = Tally()
    private var isInterrupted = false

    init(_ options: Options) throws(UsageError) {
        let target = try Target(options.target, sourceCount: options.sourceCount)
        let poller = try Poller()
        self.options = options
        self.target = target
        self.poller = poller
        senders = Array(repeating: Sender(), count: options.connections)
        head = Array(
            "GET \(options.path) HTTP/1.1\r\nHost: \(options.host ?? options.target.text)\r\nX-Slow: ".utf8)
    }

    var alive: Int { count { $0 == .sending } }
    /// Connections that got an answer, or its beginning.
    var answered: Int { count { $0 == .answered } }
    /// Connections that the peer ended without an answer.
    var closed: Int { count { $0 == .closed } }

    private func count(_ predicate: (State) -> Bool) -> Int { senders.count { predicate($0.state) } }

    /// Runs until the input ends.
    ///
    /// - Parameter whenReady: called once all connections are open, or have failed.
    mutating func run(whenReady: (_ ready: Int, _ tally: borrowing Tally, _ elapsed: Int64) -> Void) {
        let start = cposix_monotonic_nanoseconds()
        while opened < senders.count || connecting > 0 {
            openMore()
            turn(until: cposix_monotonic_nanoseconds() + Self.tick)
            giveUpConnecting()
            if isInterrupted { return }
        }
        whenReady(alive, tally, cposix_monotonic_nanoseconds() - start)

        var input = Input()
        guard poller.watchInput(STDIN_FILENO, tag: Generator.inputTag) else { return }
        // The senders take turns within the interval, so that the bytes come evenly.
        let step = max(1, nanoseconds(options.interval) / Int64(senders.count))
        var due = cposix_monotonic_nanoseconds()
        var next = 0
        while !input.isAtEnd && !isInterrupted {
            let now = cposix_monotonic_nanoseconds()
            while due <= now {
                sendByte(next)
                next = (next + 1) % senders.count
                due += step
            }
            turn(until: min(due, now + Self.tick))
            input.read()
        }
        poller.stopWatching(STDIN_FILENO)
        // What happened to the connections meanwhile and was not told yet.
        while turn(until: 0) > 0 {}
    }

    private mutating func openMore() {
        while opened < senders.count && connecting < Generator.openingAtOnce {
            let descriptor = target.connect()
            if descriptor < 0 {
                senders[opened].state = .failed
                tally.count(.connect, detail: Int(-descriptor))
            } else {
                senders[opened].descriptor = descriptor
                senders[opened].state = .connecting
                senders[opened].begun = cposix_monotonic_nanoseconds()
                connecting += 1
                poller.watch(descriptor, tag: UInt64(opened))
            }
            opened += 1
        }
    }

    private mutating func giveUpConnecting() {
        let latest = cposix_monotonic_nanoseconds() - nanoseconds(options.timeout)
        if latest < nextToGiveUp { return }
        nextToGiveUp = latest + Self.tick
        for index in 0..<opened where senders[index].state == .connecting && senders[index].begun < latest {
            tally.count(.timeout)
            connecting -= 1
            end(index, .failed)
        }
    }

    @discardableResult
    private mutating func turn(until deadline: Int64) -> Int {
        let count = poller.wait(nanoseconds: deadline - cposix_monotonic_nanoseconds())
        for place in 0..<count {
            let event = poller.event(place)
            if event.tag == Generator.inputTag { continue }
            let index = Int(event.tag)
            if senders[index].state == .connecting { connected(index) }
            if senders[index].state == .sending && event.isReadable {
                var byte: UInt8 = 0
                let size = unsafe cposix_recv(senders[index].descriptor, &byte, 1, Int32(CPOSIX_MSG_DONTWAIT))
                if size == -Int(EAGAIN) { continue }
                end(index, size > 0 ? .answered : .closed)
            }
        }
        if cposix_wait_for_signal_within(0) != 0 { isInterrupted = true }
        return count
    }

    private mutating func connected(_ index: Int) {
        var error: Int32 = 0
        unsafe _ = cposix_getsockopt_int(senders[index].descriptor, SOL_SOCKET, SO_ERROR, &error)
        connecting -= 1
        if error == 0 {
            senders[index].state = .sending
            tally.connectionsOpened += 1
        } else {
            tally.count(.connect, detail: Int(error))
            end(index, .failed)
        }
    }

    /// The head's next byte; behind its beginning a field value that goes on and on.
    private mutating func sendByte(_ index: Int) {
        guard senders[index].state == .sending else { return }
        var byte = senders[index].sent < head.count ? head[senders[index].sent] : UInt8(ascii: "a")
        let size = unsafe cposix_send(senders[index].descriptor, &byte, 1, Int32(CPOSIX_MSG_NOSIGNAL))
        if size == 1 {
            senders[index].sent += 1
            tally.counts.bytesOut += 1
        } else if size != -Int(EAGAIN) {
            end(index, .closed)
        }
    }

    private mutating func end(_ index: Int, _ state: State) {
        _ = cposix_close(senders[index].descriptor)
        senders[index].descriptor = -1
        senders[index].state = state
    }
}
