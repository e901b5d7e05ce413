internal import CPosix
internal import Synchronization

/// A thread for what may block, and must hold up no worker. It has the signal mask of whoever starts it.
///
/// A plain thread and not a task: the pool that tasks share has a thread for each CPU, and none to spare for a wait.
public final class SystemThread: Sendable {
    /// 0 where there is none to be joined.
    private let handle = Atomic<UInt>(0)

    /// Of a thread that is yet to be started.
    public init() {}

    /// Starts the thread, which keeps what `body` refers to alive until it has ended. One after the other: the last one has been joined.
    ///
    /// - Parameter name: for top, perf and gdb, at most 15 bytes; nil: that of the thread which starts it.
    /// - Throws: where the system gives no thread, as by a limit of processes (`EAGAIN`, pthread_create(3)).
    public func start(
        _ name: StaticString? = nil, _ body: sending @escaping () -> Void
    ) throws(SystemCallError) {
        var started = pthread_t()
        let argument = unsafe Unmanaged.passRetained(Entry(name, body))
        let result = unsafe cposix_start_thread(
            &started,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Entry>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, argument.toOpaque())
        guard result == 0 else {
            unsafe argument.release()
            throw SystemCallError(call: "pthread_create", errno: -result)
        }
        let last = handle.exchange(started, ordering: .acquiringAndReleasing)
        precondition(last == 0, "a thread is started before the last one was joined")
    }

    /// Whether it was started, and not joined since. Any thread.
    public var isStarted: Bool { handle.load(ordering: .acquiring) != 0 }

    /// Waits for the thread's end, where one was started and nobody else waits for it. Any thread but itself.
    public func join() {
        let thread = handle.exchange(0, ordering: .acquiringAndReleasing)
        if thread != 0 { _ = pthread_join(thread, nil) }
    }

    /// What a C function can be handed.
    private final class Entry {
        private let name: StaticString?
        private let body: () -> Void

        init(_ name: StaticString?, _ body: @escaping () -> Void) {
            self.name = name
            self.body = body
        }

        func run() {
            if let name {
                unsafe cposix_name_thread(
                    UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self))
            }
            body()
        }
    }
}
