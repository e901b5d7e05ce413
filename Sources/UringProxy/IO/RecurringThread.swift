internal import CPosix

/// A thread that does something, waits, and does it again, until it is stopped.
final class RecurringThread: Sendable {
    private let latch: Latch
    private let thread = SystemThread()

    init() throws(SystemCallError) { latch = try Latch() }

    /// Starts it. Once.
    ///
    /// - Parameter interval: before the first time, and between two (nanoseconds).
    func start(_ name: StaticString, every interval: Int64, _ body: @escaping @Sendable () -> Void)
        throws(SystemCallError)
    {
        try thread.start(name) { [latch] in
            while true {
                let deadline = cposix_monotonic_nanoseconds() + interval
                if cposix_await_until(latch.descriptor, Int16(POLLIN), deadline) != 0 { return }
                body()
            }
        }
    }

    /// Ends it and waits for it.
    func stop() {
        latch.open()
        thread.join()
    }
}
