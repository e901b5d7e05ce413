internal import CPosix
internal import Synchronization

/// Checks credentials on a thread of its own, for a hash made to be slow would hold up all else that a worker does.
///
/// What it found out it remembers for as long as workers may, so that a client's second connection, or another worker, does not
/// make it do the work again. A full queue is an answer: 503.
final class CredentialChecker: Sendable {
    /// Questions that may wait.
    static let queueCapacity = 64
    /// For how long a request waits for its answer at most (nanoseconds): with slow hashes, fewer questions than may wait are
    /// answered in that time.
    static let patience: Int64 = 10_000_000_000
    /// Answers that are remembered.
    private static let memoryCapacity = 4096

    private let queries = BoundedQueue<CredentialQuery>(minimumCapacity: queueCapacity)
    private let wakeup: Wakeup
    private let isStopping = Atomic<Bool>(false)
    private let inboxes = Mutex<[CredentialInbox]>([])
    private let authenticators = Mutex<[UInt64: Authenticator]>([:])
    private let thread = SystemThread()

    init(_ authenticators: [Authenticator]) throws(SystemCallError) {
        wakeup = try Wakeup()
        use(authenticators)
    }

    /// The authenticators of a configuration, from now on. Any thread.
    func use(_ authenticators: [Authenticator]) {
        self.authenticators.withLock { known in
            known = Dictionary(
                authenticators.map { ($0.identity, $0) }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// Makes an inbox known; the index belongs into the questions whose answers go there. Any thread.
    func register(_ inbox: CredentialInbox) -> Int {
        inboxes.withLock { inboxes in
            inboxes.append(inbox)
            return inboxes.count - 1
        }
    }

    /// Starts the thread. Once.
    func start() throws(SystemCallError) { try thread.start("credentials") { self.run() } }

    /// Asks; never blocks. Any thread. False if the queue is full: then no answer comes.
    func check(_ query: CredentialQuery) -> Bool {
        guard queries.push(query) else { return false }
        wakeup.signal()
        return true
    }

    /// Ends the thread and waits for it; what was asked is not answered any more.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        wakeup.signal()
        thread.join()
    }

    // MARK: - On the thread

    private func run() {
        var memory: [Digest: (user: Int32, expiresAt: Int64)] = [:]
        while !isStopping.load(ordering: .acquiring) {
            if let query = queries.pop() {
                answer(query, &memory)
                continue
            }
            wakeup.prepareToSleep()
            if queries.isEmpty && !isStopping.load(ordering: .acquiring) {
                cposix_wait_readable(wakeup.descriptor)
                wakeup.empty()
            }
            wakeup.didWake()
        }
    }

    private func answer(_ query: CredentialQuery, _ memory: inout [Digest: (user: Int32, expiresAt: Int64)]) {
        let now = cposix_monotonic_nanoseconds()
        var user: Int32 = -1
        if let known = memory[query.digest], known.expiresAt > now {
            user = known.user
        } else if let authenticator = authenticators.withLock({ $0[query.identity] }) {
            user = authenticator.user(ofBasic: query.credentials)
            if memory.count >= Self.memoryCapacity { memory.removeAll(keepingCapacity: true) }
            let time = user < 0 ? authenticator.wrongCacheTime : authenticator.cacheTime
            memory[query.digest] = (user, now + time)
        }
        let verdict = CredentialVerdict(
            identity: query.identity, exchange: query.exchange, generation: query.generation,
            digest: query.digest, user: user)
        let inbox = inboxes.withLock { $0[query.inbox] }
        guard inbox.queue.push(verdict) else {
            preconditionFailure("a worker asks no more than its inbox has places for")
        }
        inbox.wake()
    }
}
