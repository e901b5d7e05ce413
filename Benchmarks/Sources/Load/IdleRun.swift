internal import CPosix

extension Generator {
    /// Runs `idle`: opens all connections with a request on each, says so, and holds them until the input ends.
    ///
    /// - Parameter whenReady: called once all connections are open, or have failed.
    mutating func runIdle(whenReady: (_ ready: Int, _ tally: borrowing Tally, _ elapsed: Int64) -> Void) {
        let start = now
        while firstAttemptsLeft > 0 && !isInterrupted {
            openMore()
            turn(until: .max)
        }
        phase = .running
        whenReady(idleCount, tally, cposix_monotonic_nanoseconds() - start)

        var input = Input()
        if poller.watchInput(STDIN_FILENO, tag: Self.inputTag) {
            while !isInterrupted && !input.isAtEnd {
                turn(until: .max)
                input.read()
            }
            poller.stopWatching(STDIN_FILENO)
        }
        // What happened to the connections meanwhile and was not told yet.
        while turn(until: now) > 0 {}
        if options.isAgain { askAgain() }
    }

    /// Connections that are open and have had all their answers.
    var idleCount: Int {
        var count = 0
        for slot in 0..<table.count where table[slot].state == .idle { count += 1 }
        return count
    }

    /// A second request on every connection that is still open.
    private mutating func askAgain() {
        var slot = 0
        while (slot < table.count || underWay > 0) && !isInterrupted {
            while slot < table.count && underWay < Self.openingAtOnce {
                if table[slot].state == .idle { begin(slot, at: now) }
                slot += 1
            }
            turn(until: underWay == 0 ? now : .max)
        }
    }
}
