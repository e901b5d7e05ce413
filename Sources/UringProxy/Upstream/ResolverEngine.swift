internal import CPosix
internal import Synchronization

/// The resolver's thread: queries in, lookups under way, answers out. One turn at a time.
final class ResolverEngine {
    /// A family that failed while the other was found is asked for again after so long.
    private static let partialTTLSeconds: UInt32 = 30
    /// How long until answers that found a full inbox are tried again.
    private static let retryNanoseconds: Int64 = 1_000_000
    /// Queries taken in one turn: the sockets shall not wait for all that a burst brings.
    private static let queriesPerTurn = 256
    private static let eventsPerTurn = 64

    /// Something that becomes due for a lookup after a time that is always the same: so a queue keeps the
    /// order.
    private struct Due {
        let deadlineNanoseconds: Int64
        let lookup: UInt64
    }
    private struct Undelivered {
        let inbox: Int
        let answer: ResolverAnswer
    }

    private let options: ResolverOptions
    private let shared: ResolverShared
    private let epoll: Epoll
    private var hosts: HostsFile?
    private var absolute: ResolverChannel
    private var search: ResolverChannel
    /// Channels of an earlier configuration, until what they have under way has ended.
    private var retired: [ResolverChannel] = []
    private var nextTag: UInt32 = 3
    private var configurationStamp: UInt64
    private var nextCheckNanoseconds: Int64 = 0

    private var cache: ResolverCache
    private var lookups: [UInt64: ResolverLookup] = [:]
    private var lookupOfName: [String: UInt64] = [:]
    private var nextLookup: UInt64 = 1
    private var waiterCount = 0
    private var surveys: [UInt64: ResolverSurvey] = [:]
    private var nextSurvey: UInt64 = 1
    /// Surveys of services under way, by their lookup: nobody shares one.
    private var serviceWaiters: [UInt64: ResolverLookup.Waiter] = [:]
    private var deadlines = FIFO<Due>()
    private var delays = FIFO<Due>()
    private var undelivered: [Undelivered] = []
    private var inboxes: [ResolverInbox] = []
    /// Inboxes that got an answer in this turn and are to be woken.
    private var touched: [Int] = []
    private var nowNanoseconds: Int64 = 0

    init(options: ResolverOptions, shared: ResolverShared) throws(ResolverError) {
        self.options = options
        self.shared = shared
        cache = ResolverCache(capacity: max(1, options.cacheCapacity))
        do { epoll = try Epoll() } catch { throw .system(error) }
        configurationStamp = WholeFile.stamp(of: options.configurationPath)
        hosts = options.hostsPath.map {
            HostsFile(path: $0, checkMilliseconds: options.configurationCheckMilliseconds)
        }
        absolute = try ResolverChannel(.absolute, options: options, epoll: epoll, tag: 1)
        search = try ResolverChannel(.search, options: options, epoll: epoll, tag: 2)
        let result = cposix_epoll_control(
            epoll.descriptor, EPOLL_CTL_ADD, shared.wakeup.descriptor, UInt32(CPOSIX_EPOLLIN), 0)
        guard result >= 0 else { throw .system(SystemCallError(call: "epoll_ctl", errno: -result)) }
    }

    deinit {
        absolute.close()
        search.close()
        for channel in retired { channel.close() }
    }

    /// Until the resolver is stopped.
    func run() {
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: ResolverEngine.eventsPerTurn)
        unsafe events.initialize(repeating: epoll_event(), count: ResolverEngine.eventsPerTurn)
        defer { unsafe events.deallocate() }
        while !shared.isStopping.load(ordering: .acquiring) {
            nowNanoseconds = cposix_monotonic_nanoseconds()
            takeQueries()
            takeSurveys()
            takeResults()
            expire()
            deliverRemaining()
            wakeTouched()
            unsafe sleep(events)
        }
        answerAllStopped()
    }

    // MARK: The turn

    private func takeQueries() {
        for _ in 0..<ResolverEngine.queriesPerTurn {
            guard let query = shared.queries.pop() else { return }
            handle(query)
        }
    }

    private func takeSurveys() {
        guard shared.hasSurveys.exchange(false, ordering: .acquiringAndReleasing) else { return }
        let taken = shared.surveys.withLock { surveys in
            defer { surveys.removeAll() }
            return surveys
        }
        for survey in taken { handle(survey) }
    }

    /// A result may be there before anything was awaited: "no server is configured" comes at once.
    private func takeResults() {
        for result in absolute.takeResults() { didReceive(result) }
        for result in search.takeResults() { didReceive(result) }
        guard !retired.isEmpty else { return }
        for channel in retired {
            for result in channel.takeResults() { didReceive(result) }
        }
        // None is idle while a result of it waits: those were taken just now.
        for channel in retired where channel.isIdle { channel.close() }
        retired.removeAll { $0.isIdle }
    }

    private func expire() {
        while let due = delays.first, due.deadlineNanoseconds <= nowNanoseconds {
            delays.removeFirst()
            answerPartially(due.lookup)
        }
        while let due = deadlines.first, due.deadlineNanoseconds <= nowNanoseconds {
            deadlines.removeFirst()
            if let waiter = serviceWaiters.removeValue(forKey: due.lookup) {
                answer(waiter, .timedOut, ttlSeconds: 0, [])
                continue
            }
            guard let expired = lookups[due.lookup]?.takeExpired(nowNanoseconds: nowNanoseconds),
                let lookup = lookups[due.lookup]
            else { continue }
            waiterCount -= expired.count
            for waiter in expired {
                if waiter.isSurvey && lookup.hasAddresses {
                    answer(waiter, lookup)
                } else {
                    answer(waiter, .timedOut, ttlSeconds: 0, [])
                }
            }
        }
    }

    private func sleep(_ events: UnsafeMutablePointer<epoll_event>) {
        var nanoseconds = Int64.max
        if let time = absolute.sleepNanoseconds { nanoseconds = min(nanoseconds, time) }
        if let time = search.sleepNanoseconds { nanoseconds = min(nanoseconds, time) }
        for channel in retired {
            if let time = channel.sleepNanoseconds { nanoseconds = min(nanoseconds, time) }
        }
        // What has become due meanwhile makes this negative, which would mean "for ever".
        let now = cposix_monotonic_nanoseconds()
        if let due = deadlines.first { nanoseconds = min(nanoseconds, max(0, due.deadlineNanoseconds - now)) }
        if let due = delays.first { nanoseconds = min(nanoseconds, max(0, due.deadlineNanoseconds - now)) }
        if !undelivered.isEmpty { nanoseconds = min(nanoseconds, ResolverEngine.retryNanoseconds) }
        shared.wakeup.prepareToSleep()
        if !shared.queries.isEmpty || shared.hasSurveys.load(ordering: .acquiring)
            || shared.isStopping.load(ordering: .acquiring)
        {
            nanoseconds = 0
        }
        let count = unsafe cposix_epoll_wait(
            epoll.descriptor, events, Int32(ResolverEngine.eventsPerTurn),
            nanoseconds == .max ? -1 : nanoseconds)
        shared.wakeup.didWake()
        for index in 0..<max(0, Int(count)) {
            let kinds = unsafe events[index].events
            let tag = unsafe cposix_epoll_tag(events + index)
            let descriptor = Int32(truncatingIfNeeded: tag)
            // An error or a hang-up is found by reading.
            let isReadable = kinds & ~UInt32(CPOSIX_EPOLLOUT) != 0
            let isWritable = kinds & UInt32(CPOSIX_EPOLLOUT) != 0
            let owner = UInt32(truncatingIfNeeded: tag >> 32)
            if owner == 0 {
                shared.wakeup.empty()
            } else if owner == absolute.tag {
                absolute.process(descriptor, isReadable: isReadable, isWritable: isWritable)
            } else if owner == search.tag {
                search.process(descriptor, isReadable: isReadable, isWritable: isWritable)
            } else {
                for channel in retired where channel.tag == owner {
                    channel.process(descriptor, isReadable: isReadable, isWritable: isWritable)
                }
            }
        }
        absolute.processTimeouts()
        search.processTimeouts()
        for channel in retired { channel.processTimeouts() }
    }

    /// Takes up a changed resolv.conf: other servers, after the machine went to another network, say.
    ///
    /// What is under way ends with the servers it was asked of; what was kept is forgotten, for another
    /// network may know other names.
    private func checkConfiguration() {
        guard nowNanoseconds >= nextCheckNanoseconds else { return }
        nextCheckNanoseconds = nowNanoseconds + options.configurationCheckMilliseconds * 1_000_000
        let stamp = WholeFile.stamp(of: options.configurationPath)
        // While it is being replaced there may be none: the next look will find it.
        guard stamp != 0 && stamp != configurationStamp else { return }
        configurationStamp = stamp
        do throws(ResolverError) {
            let absolute = try ResolverChannel(.absolute, options: options, epoll: epoll, tag: nextTag)
            let search = try ResolverChannel(.search, options: options, epoll: epoll, tag: nextTag + 1)
            nextTag += 2
            retired.append(self.absolute)
            retired.append(self.search)
            self.absolute = absolute
            self.search = search
            cache.removeAll()
        } catch {
            // Half written, most likely; it changes once more when it is whole. Until then the old one
            // serves.
            ResolverCounters.increment(shared.counters.configurationFailures)
        }
    }

    // MARK: A query

    private func handle(_ query: ResolverQuery) {
        let waiter = waiter(query.inbox, query.token)
        query.withName { handle($0, waiter) }
    }

    private func handle(_ survey: ResolverSurvey) {
        let waiter = waiter(-1, nextSurvey)
        surveys[nextSurvey] = survey
        nextSurvey += 1
        var name = survey.name
        name.withUTF8 { bytes in
            let name = unsafe ByteView(UnsafeRawBufferPointer(bytes))
            switch survey.kind {
            case .addresses: handle(name, waiter)
            case .services: startServices(name, for: waiter)
            }
        }
    }

    private func waiter(_ inbox: Int, _ token: UInt64) -> ResolverLookup.Waiter {
        ResolverCounters.increment(shared.counters.queries)
        checkConfiguration()
        return ResolverLookup.Waiter(
            inbox: inbox, token: token,
            deadlineNanoseconds: nowNanoseconds + options.timeoutMilliseconds * 1_000_000)
    }

    private func handle(_ name: ByteView, _ waiter: ResolverLookup.Waiter) {
        if let address = HostName.literal(name) {
            return answer(waiter, .ok, ttlSeconds: options.maximumTTLSeconds, [address])
        }
        guard let key = key(of: name) else {
            return answer(waiter, .notFound, ttlSeconds: options.negativeTTLSeconds, [])
        }
        if key.isLocalhost {
            let both: [IPAddress] =
                options.prefersIPv6 ? [.loopback6, .loopback4] : [.loopback4, .loopback6]
            return answer(waiter, .ok, ttlSeconds: options.maximumTTLSeconds, both)
        }
        if let addresses = hosts?.addresses(of: key.plainName, nowNanoseconds: nowNanoseconds) {
            let ordered = ResolverLookup.ordered(addresses, prefersIPv6: options.prefersIPv6)
            return answer(waiter, .ok, ttlSeconds: options.minimumTTLSeconds, ordered)
        }
        if !waiter.isSurvey, let entry = cache.entry(of: key.name, nowNanoseconds: nowNanoseconds) {
            ResolverCounters.increment(shared.counters.cacheHits)
            let remaining = (entry.expiresNanoseconds - nowNanoseconds + 999_999_999) / 1_000_000_000
            return answer(waiter, entry.status, ttlSeconds: UInt32(clamping: remaining), entry.addresses)
        }
        guard waiterCount < options.maximumWaiters else {
            return answer(waiter, .overloaded, ttlSeconds: 0, [])
        }
        if let identifier = lookupOfName[key.name], let lookup = lookups[identifier] {
            ResolverCounters.increment(shared.counters.joined)
            if !waiter.isSurvey && lookup.isLate && lookup.hasAddresses { return answer(waiter, lookup) }
            wait(waiter, for: identifier)
            return
        }
        start(key, for: waiter)
    }

    private struct Key {
        /// The name in lower case, with a dot at its end if the search list does not apply.
        let name: String
        /// Without that dot, as c-ares and the hosts file have it.
        let plainName: String
        let usesSearchList: Bool
        let isLocalhost: Bool
    }

    private func key(of text: ByteView) -> Key? {
        guard let name = HostName.normalised(text) else { return nil }
        let isFull = name.count < text.count  // It came with a final dot.
        var dots = 0
        for index in 0..<name.count where name[index] == UInt8(ascii: ".") { dots += 1 }
        // A name with enough dots stands for itself alone: no name of the internet is ever tried below the
        // search list, where whoever owns a wildcard would answer for it.
        let usesSearchList =
            options.usesSearchList && search.hasSearchList && !isFull && dots < search.dotsOfFullName
        let plainName = name.string.lowercased()
        return Key(
            name: usesSearchList ? plainName : plainName + ".", plainName: plainName,
            usesSearchList: usesSearchList, isLocalhost: HostName.isLocalhost(name))
    }

    private func start(_ key: Key, for waiter: ResolverLookup.Waiter) {
        guard lookups.count < options.maximumLookups else {
            return answer(waiter, .overloaded, ttlSeconds: 0, [])
        }
        ResolverCounters.increment(shared.counters.lookups)
        let identifier = nextLookup
        nextLookup += 1
        lookups[identifier] = ResolverLookup(name: key.name, outstanding: key.usesSearchList ? 1 : 2)
        lookupOfName[key.name] = identifier
        wait(waiter, for: identifier)
        if key.usesSearchList {
            // Both families in one call, so that both come from the same domain of the list.
            search.start(key.plainName, family: .both, identifier: identifier)
        } else {
            // One call for each family, so that one can be answered without the other.
            absolute.start(key.plainName, family: options.prefersIPv6 ? .ipv6 : .ipv4, identifier: identifier)
            absolute.start(key.plainName, family: options.prefersIPv6 ? .ipv4 : .ipv6, identifier: identifier)
        }
    }

    private func startServices(_ text: ByteView, for waiter: ResolverLookup.Waiter) {
        guard let name = HostName.normalised(text) else {
            return answer(waiter, .notFound, ttlSeconds: options.negativeTTLSeconds, [])
        }
        ResolverCounters.increment(shared.counters.lookups)
        let identifier = nextLookup
        nextLookup += 1
        serviceWaiters[identifier] = waiter
        deadlines.append(Due(deadlineNanoseconds: waiter.deadlineNanoseconds, lookup: identifier))
        absolute.startServices(name.string.lowercased(), identifier: identifier)
    }

    private func wait(_ waiter: ResolverLookup.Waiter, for identifier: UInt64) {
        lookups[identifier]?.wait(waiter)
        waiterCount += 1
        deadlines.append(Due(deadlineNanoseconds: waiter.deadlineNanoseconds, lookup: identifier))
    }

    // MARK: A result

    private func didReceive(_ result: ResolverChannel.Result) {
        if let waiter = serviceWaiters.removeValue(forKey: result.identifier) {
            let ttl = result.status == .ok ? bounded(result.ttlSeconds) : options.failureTTLSeconds
            return answer(waiter, result.status, ttlSeconds: ttl, [], services: result.services)
        }
        guard var lookup = lookups[result.identifier] else { return }
        lookup.didReceive(result)
        guard lookup.isFinished else {
            lookups[result.identifier] = lookup
            if lookup.hasAddresses {
                let deadline = nowNanoseconds + options.resolutionDelayMilliseconds * 1_000_000
                delays.append(Due(deadlineNanoseconds: deadline, lookup: result.identifier))
            }
            return
        }
        lookups[result.identifier] = nil
        lookupOfName[lookup.name] = nil
        remember(lookup)
        let waiters = lookup.takeWaiters()
        waiterCount -= waiters.count
        for waiter in waiters { answer(waiter, lookup) }
    }

    private func answerPartially(_ identifier: UInt64) {
        guard var lookup = lookups[identifier] else { return }
        lookup.delayEnded()
        let waiters = lookup.takeHasty()
        lookups[identifier] = lookup
        waiterCount -= waiters.count
        for waiter in waiters {
            ResolverCounters.increment(shared.counters.partialAnswers)
            answer(waiter, lookup)
        }
    }

    private func remember(_ lookup: ResolverLookup) {
        let entry = ResolverCache.Entry(
            status: lookup.status,
            // What is asked for from here on has no room for more.
            addresses: Array(
                lookup.addresses(prefersIPv6: options.prefersIPv6).prefix(ResolverAnswer.maximumAddresses)),
            expiresNanoseconds: nowNanoseconds + Int64(ttlSeconds(of: lookup)) * 1_000_000_000)
        cache.insert(entry, for: lookup.name, nowNanoseconds: nowNanoseconds)
    }

    private func ttlSeconds(of lookup: ResolverLookup) -> UInt32 {
        switch lookup.status {
        case .ok:
            return bounded(
                lookup.isPartial ? min(ResolverEngine.partialTTLSeconds, lookup.ttl) : lookup.ttl)
        case .notFound: return options.negativeTTLSeconds
        case .timedOut, .failed: return options.failureTTLSeconds
        }
    }

    private func bounded(_ ttlSeconds: UInt32) -> UInt32 {
        max(options.minimumTTLSeconds, min(options.maximumTTLSeconds, ttlSeconds))
    }

    // MARK: An answer

    private func answer(_ waiter: ResolverLookup.Waiter, _ lookup: ResolverLookup) {
        answer(
            waiter, lookup.status, ttlSeconds: ttlSeconds(of: lookup),
            lookup.addresses(prefersIPv6: options.prefersIPv6), isPartial: lookup.isPartial)
    }

    private func answer(
        _ waiter: ResolverLookup.Waiter, _ status: ResolverStatus, ttlSeconds: UInt32,
        _ addresses: [IPAddress], isPartial: Bool = false, services: [ServiceRecord] = []
    ) {
        switch status {
        case .ok: break
        case .notFound: ResolverCounters.increment(shared.counters.notFound)
        case .timedOut: ResolverCounters.increment(shared.counters.timeouts)
        case .failed: ResolverCounters.increment(shared.counters.failures)
        }
        if waiter.isSurvey {
            surveys.removeValue(forKey: waiter.token)?.answered(
                ResolverSurvey.Answer(
                    status: status, ttlSeconds: ttlSeconds, addresses: addresses, isPartial: isPartial,
                    services: services))
            return
        }
        deliver(
            Undelivered(
                inbox: waiter.inbox,
                answer: ResolverAnswer(
                    token: waiter.token, status: status, ttlSeconds: ttlSeconds,
                    addresses: Array(addresses.prefix(ResolverAnswer.maximumAddresses)))))
    }

    private func deliver(_ item: Undelivered) {
        guard let inbox = inbox(at: item.inbox) else { return }
        if inbox.queue.push(item.answer) {
            if !touched.contains(item.inbox) { touched.append(item.inbox) }
        } else {
            // Never lost: its worker keeps an exchange for it. Bounded, for each had its place among the
            // waiters.
            undelivered.append(item)
        }
    }

    private func deliverRemaining() {
        guard !undelivered.isEmpty else { return }
        let items = undelivered
        undelivered.removeAll(keepingCapacity: true)
        for item in items { deliver(item) }
        for item in undelivered where !touched.contains(item.inbox) { touched.append(item.inbox) }
    }

    private func wakeTouched() {
        for index in touched { inboxes[index].wake() }
        touched.removeAll(keepingCapacity: true)
    }

    private func inbox(at index: Int) -> ResolverInbox? {
        if index >= inboxes.count { inboxes = shared.inboxes.withLock { $0 } }
        return index >= 0 && index < inboxes.count ? inboxes[index] : nil
    }

    private func answerAllStopped() {
        takeSurveys()
        for lookup in lookups.values {
            for waiter in lookup.waiters { answer(waiter, .stopped, ttlSeconds: 0, []) }
        }
        lookups.removeAll()
        for waiter in serviceWaiters.values { answer(waiter, .stopped, ttlSeconds: 0, []) }
        serviceWaiters.removeAll()
        while let query = shared.queries.pop() {
            let waiter = ResolverLookup.Waiter(inbox: query.inbox, token: query.token, deadlineNanoseconds: 0)
            answer(waiter, .stopped, ttlSeconds: 0, [])
        }
        wakeTouched()
    }
}
