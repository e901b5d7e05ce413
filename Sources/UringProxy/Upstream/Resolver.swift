internal import CPosix
internal import Synchronization

/// Resolves names on a thread of its own, so that no worker ever waits for DNS.
///
/// A worker registers an inbox once, then asks with `resolve` and finds the answer in the inbox later. Names
/// are looked up with c-ares: /etc/hosts first, then A and AAAA at the same time. Any number of names is
/// under way at once; a server that hangs delays those it was asked for and no other. Equal names share one
/// lookup, and answers are kept as long as their records allow.
final class Resolver: Sendable {
    private let shared: ResolverShared
    /// The thread, once started; and the engine, until then.
    private let state: Mutex<State>

    private struct State {
        var engine: ResolverEngine?
        var thread: UInt?
    }

    /// Reads resolv.conf.
    init(_ options: ResolverOptions = ResolverOptions()) throws(ResolverError) {
        shared = try ResolverShared(queueCapacity: options.queueCapacity)
        let engine = try ResolverEngine(options: options, shared: shared)
        state = Mutex(State(engine: engine, thread: nil))
    }

    deinit { stop() }

    var counters: ResolverCounters { shared.counters }

    /// Makes an inbox known; the index belongs into the queries whose answers go there. Any thread, any time.
    func register(_ inbox: ResolverInbox) -> Int {
        shared.inboxes.withLock { inboxes in
            inboxes.append(inbox)
            return inboxes.count - 1
        }
    }

    /// Starts the thread. Once.
    func start() throws(ResolverError) {
        let result: Int32 = state.withLock { state in
            guard let engine = state.engine else { return 0 }
            state.engine = nil
            var thread = pthread_t()
            let argument = unsafe Unmanaged.passRetained(engine)
            let result = unsafe cposix_start_thread(
                &thread,
                { argument in
                    guard let argument = unsafe argument else { return nil }
                    unsafe cposix_name_thread("resolver")
                    unsafe Unmanaged<ResolverEngine>.fromOpaque(argument).takeRetainedValue().run()
                    return nil
                }, argument.toOpaque())
            if result == 0 { state.thread = thread } else { unsafe argument.release() }
            return result
        }
        if result < 0 { throw .system(SystemCallError(call: "pthread_create", errno: -result)) }
    }

    /// Asks; never blocks. Any thread. False if the queue is full: then no answer comes.
    func resolve(_ query: ResolverQuery) -> Bool {
        guard shared.queries.push(query) else {
            shared.counters.rejected.wrappingAdd(1, ordering: .relaxed)
            return false
        }
        shared.wakeup.signal()
        return true
    }

    /// Ends the thread and waits for it. What was asked and not answered is answered with `.stopped`.
    func stop() {
        let thread: UInt? = state.withLock { state in
            let thread = state.thread
            state.thread = nil
            return thread
        }
        guard let thread else { return }
        shared.isStopping.store(true, ordering: .releasing)
        shared.wakeup.signal()
        _ = pthread_join(thread, nil)
    }
}
