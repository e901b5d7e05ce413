internal import CPosix
internal import Synchronization

/// Resolves names on a thread of its own, so that no worker ever waits for DNS.
///
/// A worker registers an inbox once, then asks with `resolve` and finds the answer in the inbox later. Names
/// are looked up in /etc/hosts first, then with c-ares, A and AAAA at the same time. Any number of names is
/// under way at once; a server that hangs delays those it was asked for and no other. Equal names share one
/// lookup, and answers are kept as long as their records allow.
final class Resolver: Sendable {
    private let shared: ResolverShared
    private let thread = SystemThread()
    /// Until the thread is started.
    private let engine: Mutex<ResolverEngine?>

    /// Reads resolv.conf.
    init(_ options: ResolverOptions = ResolverOptions()) throws(ResolverError) {
        shared = try ResolverShared(queueCapacity: options.queueCapacity)
        let engine = try ResolverEngine(options: options, shared: shared)
        self.engine = Mutex(engine)
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
        let engine = engine.withLock { waiting in
            let engine = waiting
            waiting = nil
            return engine
        }
        guard let engine else { return }
        do throws(SystemCallError) { try thread.start("resolver") { engine.run() } } catch {
            throw .system(error)
        }
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

    /// Asks for the whole of an answer; never blocks. Any thread.
    func survey(_ survey: ResolverSurvey) {
        shared.surveys.withLock { $0.append(survey) }
        shared.hasSurveys.store(true, ordering: .releasing)
        shared.wakeup.signal()
    }

    /// Ends the thread and waits for it. What was asked and not answered is answered with `.stopped`.
    func stop() {
        shared.isStopping.store(true, ordering: .releasing)
        shared.wakeup.signal()
        thread.join()
    }
}
