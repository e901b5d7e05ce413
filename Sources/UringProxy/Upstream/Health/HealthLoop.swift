internal import CPosix
internal import Synchronization

/// What the monitor's thread does: begins checks when they are due, follows their sockets, and tells of changes.
final class HealthLoop {
    typealias Orders = (clusters: [ClusterPlan]?, isStopping: Bool)

    /// Checks under way at most; what is due beyond that waits for one to end.
    static let mostUnderWay = 64
    private static let wakeupTag = UInt64.max

    private let news: HealthNews
    private let wakeup: Wakeup
    private let resolver: () -> Resolver?
    private let log: DiagnosticLog
    private let orders: () -> Orders
    private let epoll: Int32
    private let answers: ResolverInbox
    /// At the resolver; -1 until there is one.
    private var inbox = -1

    private var targets: [HealthTarget] = []
    private var timers = TimerWheel(capacity: 1, now: cposix_monotonic_nanoseconds())
    /// Targets that are due and wait for another check to end.
    private var waiting: [Int] = []
    private var underWay = 0
    private var attempts: UInt32 = 0
    /// Which target's an attempt is.
    private var targetOfAttempt: [UInt32: Int] = [:]
    private var toldChanges: UInt64 = .max
    private var panicking: Set<String> = []
    private var fields = FieldTable(capacity: HeadLimits().fields)
    private var random = SystemRandomNumberGenerator()
    private var received = [UInt8](repeating: 0, count: 16 << 10)

    init(
        news: HealthNews, wakeup: Wakeup, resolver: @escaping () -> Resolver?, log: DiagnosticLog,
        orders: @escaping () -> Orders
    ) throws(SystemCallError) {
        self.news = news
        self.wakeup = wakeup
        self.resolver = resolver
        self.log = log
        self.orders = orders
        epoll = cposix_epoll_create()
        if epoll < 0 { throw SystemCallError(call: "epoll_create1", errno: -epoll) }
        answers = ResolverInbox(minimumCapacity: Self.mostUnderWay * 2) { wakeup.signal() }
        _ = cposix_epoll_control(
            epoll, EPOLL_CTL_ADD, wakeup.descriptor, UInt32(CPOSIX_EPOLLIN), Self.wakeupTag)
    }

    deinit { _ = cposix_close(epoll) }

    private var now: Int64 { cposix_monotonic_nanoseconds() }

    // MARK: - The loop

    func run() {
        var events = unsafe [epoll_event](repeating: epoll_event(), count: Self.mostUnderWay + 1)
        while true {
            wakeup.prepareToSleep()
            let (clusters, isStopping) = orders()
            if isStopping { break }
            if let clusters { follow(clusters) }
            while let answer = answers.queue.pop() { resolved(answer) }
            expire()
            while underWay < Self.mostUnderWay, !waiting.isEmpty { begin(waiting.removeFirst()) }
            report()
            let isQuiet = answers.queue.isEmpty && news.changes == toldChanges
            let next = timers.nextDeadline
            let timeout = isQuiet ? (next == TimerWheel.never ? -1 : max(0, next - now)) : 0
            let count = unsafe cposix_epoll_wait(epoll, &events, Int32(events.count), timeout)
            wakeup.didWake()
            for index in 0..<max(0, Int(count)) {
                let tag = unsafe cposix_epoll_tag(&events[index])
                if tag == Self.wakeupTag { wakeup.empty() } else { proceed(tag) }
            }
        }
        for target in targets { endAttempt(target) }
    }

    private func follow(_ clusters: [ClusterPlan]) {
        waiting.removeAll()
        let before = targets
        var old: [ObjectIdentifier: HealthTarget] = [:]
        for target in before { old[ObjectIdentifier(target.state)] = target }
        targets.removeAll()
        for plan in clusters {
            guard let health = plan.health else { continue }
            health.forgetWhatIsNotAsked(now: now)
            var seen: Set<String> = []
            for (index, upstream) in plan.endpoints.enumerated()
            where seen.insert(health.endpoints[index].identity).inserted {
                let tls = plan.tls.map { EndpointTLS($0, upstream) }
                let target = HealthTarget(
                    health, index, upstream, tls, speaksHTTP2: plan.http2.use == .on)
                if let before = old[ObjectIdentifier(target.state)] { target.takeOver(before) }
                if target.attempt != 0 { targetOfAttempt[target.attempt] = targets.count }
                targets.append(target)
            }
        }
        // What nobody goes on with.
        for target in before { endAttempt(target) }
        let now = now
        timers = TimerWheel(capacity: max(1, targets.count), now: now)
        for (index, target) in targets.enumerated() {
            guard let check = target.check else { continue }
            // At once, or when it was due before.
            let next = target.startedAt == 0 ? now : max(now, target.startedAt + check.interval)
            timers.set(UInt32(index), deadline: target.attempt == 0 ? next : target.deadline)
        }
    }

    private func expire() {
        let now = now
        while let slot = timers.expire(now: now) {
            let index = Int(slot)
            let target = targets[index]
            if target.attempt != 0 {
                // The wheel's steps are coarse: it may be early.
                if target.deadline > now {
                    timers.set(slot, deadline: target.deadline)
                } else {
                    finish(index, failure: "it did not answer in time")
                }
            } else if underWay < Self.mostUnderWay {
                begin(index)
            } else {
                waiting.append(index)
            }
        }
    }

    // MARK: - A check

    private func begin(_ index: Int) {
        let target = targets[index]
        guard let check = target.check else { return }
        attempts = attempts &+ 1 == 0 ? 1 : attempts &+ 1
        target.attempt = attempts
        targetOfAttempt[attempts] = index
        target.startedAt = now
        target.deadline = target.startedAt + check.timeout
        target.answer = HealthAnswer()
        target.unsent = check.header[...]
        if target.tls == nil { target.unsent += request(of: target, check)[...] }
        underWay += 1
        timers.set(UInt32(index), deadline: target.deadline)
        if let address = target.upstream.address {
            target.addresses = [address]
            connect(index)
            return
        }
        let resolver = resolver()
        if inbox < 0, let resolver { inbox = resolver.register(answers) }
        var name = target.upstream.name
        let token = UInt64(target.attempt)
        let query = name.withUTF8 { bytes in
            ResolverQuery(
                name: unsafe ByteView(UnsafeRawBufferPointer(bytes)), inbox: inbox, token: token)
        }
        guard let resolver, let query, resolver.resolve(query) else {
            finish(index, failure: "its name could not be asked for")
            return
        }
    }

    private func resolved(_ answer: ResolverAnswer) {
        guard let index = targetOfAttempt[UInt32(truncatingIfNeeded: answer.token)] else { return }
        guard answer.status == .ok else {
            finish(index, failure: "its name has no address, or could not be resolved")
            return
        }
        let target = targets[index]
        target.addresses = (0..<Int(answer.count)).map {
            SocketAddress(answer.addresses[$0], port: target.upstream.port)
        }
        connect(index)
    }

    /// Connects to the next address.
    private func connect(_ index: Int) {
        let target = targets[index]
        var failure: Int32 = 0
        while !target.addresses.isEmpty {
            let address = target.addresses.removeFirst()
            let descriptor = SocketOptions.makeSocket(address, flags: Int32(CPOSIX_SOCK_NONBLOCK))
            guard descriptor >= 0 else {
                finish(index, failure: nil)
                return
            }
            target.descriptor = descriptor
            target.isConnected = false
            let result = unsafe address.withSockaddr { unsafe cposix_connect(descriptor, $0, $1) }
            if result == 0 || result == -EINPROGRESS {
                let tag = UInt64(target.attempt)
                let events = UInt32(CPOSIX_EPOLLIN | CPOSIX_EPOLLOUT) | CPOSIX_EPOLLET
                _ = cposix_epoll_control(epoll, EPOLL_CTL_ADD, descriptor, events, tag)
                return
            }
            failure = -result
            closeSocket(target)
        }
        finish(index, failure: Self.text(ofConnect: failure))
    }

    /// A socket is ready for something.
    private func proceed(_ tag: UInt64) {
        guard let index = targetOfAttempt[UInt32(truncatingIfNeeded: tag)] else { return }
        let target = targets[index]
        guard let check = target.check, target.descriptor >= 0 else { return }
        if !target.isConnected {
            var errno: Int32 = 0
            unsafe _ = cposix_getsockopt_int(target.descriptor, SOL_SOCKET, SO_ERROR, &errno)
            if errno != 0 {
                closeSocket(target)
                if target.addresses.isEmpty {
                    finish(index, failure: Self.text(ofConnect: errno))
                } else {
                    connect(index)
                }
                return
            }
            // Ready, without an error: it is connected, or there was an event before it was.
            guard SocketAddress(peerOf: target.descriptor) != nil || target.upstream.address?.isUnix == true
            else {
                return
            }
            target.isConnected = true
            if check.kind == .http, let tls = target.tls {
                target.secure = HealthTLS(
                    tls, request: request(of: target, check), protocols: target.speaksHTTP2 ? .http2 : .http1)
                guard target.secure != nil else {
                    finish(index, failure: nil)
                    return
                }
            }
        }
        send(target)
        if check.kind == .tcp {
            finish(index, failure: "")
        } else {
            receive(index, check)
        }
    }

    /// What a check sends, before or after the TLS handshake.
    private func request(of target: HealthTarget, _ check: HealthCheck) -> [UInt8] {
        let isSecure = target.tls != nil
        let request = check.request(to: target.upstream, isSecure: isSecure)
        if !target.speaksHTTP2 || request.isEmpty { return request }
        target.http2 = HealthHTTP2(request: request, isSecure: isSecure)
        return target.http2?.takeOutput() ?? []
    }

    private func send(_ target: HealthTarget) {
        if let secure = target.secure { target.unsent += secure.takeOutput() }
        guard !target.unsent.isEmpty else { return }
        let sent = unsafe target.unsent.withUnsafeBytes {
            unsafe cposix_send(target.descriptor, $0.baseAddress!, $0.count, Int32(CPOSIX_MSG_NOSIGNAL))
        }
        // An error shows when its answer is received.
        if sent > 0 { target.unsent.removeFirst(sent) }
    }

    private func receive(_ index: Int, _ check: HealthCheck) {
        let target = targets[index]
        while true {
            let size = unsafe received.withUnsafeMutableBytes {
                unsafe cposix_recv(target.descriptor, $0.baseAddress!, $0.count, 0)
            }
            let verdict: HealthAnswer.Verdict
            switch size {
            case -Int(EAGAIN), -Int(EINTR): return
            case 0 where target.secure.map { !$0.isOpen } ?? false:
                verdict = .unhealthy("it closed the connection in the TLS handshake")
            case 0: verdict = target.answer.ended()
            case ..<0: verdict = .unhealthy("it reset the connection")
            default:
                if let secure = target.secure {
                    verdict = receive(secure.received(received[..<size]), target, check)
                } else {
                    verdict = read(received[..<size], target, check)
                }
            }
            switch verdict {
            case .undecided: continue
            case .healthy: finish(index, failure: "")
            case .unhealthy(let reason): finish(index, failure: reason)
            }
            return
        }
    }

    /// What came over TLS.
    private func receive(_ progress: HealthTLS.Progress, _ target: HealthTarget, _ check: HealthCheck)
        -> HealthAnswer.Verdict
    {
        // Or an alert that says why not.
        send(target)
        switch progress {
        case .failed(let reason): return .unhealthy(reason)
        case .goesOn(let bytes):
            return bytes.isEmpty ? .undecided : read(bytes[...], target, check)
        case .ended(let bytes):
            let verdict = bytes.isEmpty ? .undecided : read(bytes[...], target, check)
            return verdict == .undecided ? target.answer.ended() : verdict
        }
    }

    /// Some of the answer has come.
    private func read(_ bytes: ArraySlice<UInt8>, _ target: HealthTarget, _ check: HealthCheck)
        -> HealthAnswer.Verdict
    {
        guard let http2 = target.http2 else { return target.answer.received(bytes, check, &fields) }
        let answer = http2.received(bytes)
        if let secure = target.secure {
            secure.send(http2.takeOutput())
        } else {
            target.unsent += http2.takeOutput()[...]
        }
        send(target)
        guard let answer else { return .unhealthy("it did not keep to HTTP/2, or reset the request") }
        return answer.isEmpty ? .undecided : target.answer.received(answer[...], check, &fields)
    }

    private static func text(ofConnect errno: Int32) -> String {
        switch errno {
        case ECONNREFUSED: "it refused the connection"
        case ENOENT: "its socket does not exist"
        case EAGAIN: "its queue of connections is full"
        default: "it could not be connected, errno \(errno)"
        }
    }

    // MARK: - The end of a check

    private func closeSocket(_ target: HealthTarget) {
        guard target.descriptor >= 0 else { return }
        _ = cposix_close(target.descriptor)
        target.descriptor = -1
    }

    private func endAttempt(_ target: HealthTarget) {
        if let secure = target.secure, target.descriptor >= 0 {
            secure.end()
            send(target)
        }
        target.secure = nil
        target.http2 = nil
        closeSocket(target)
        if target.attempt != 0 {
            underWay -= 1
            targetOfAttempt[target.attempt] = nil
        }
        target.attempt = 0
        target.addresses.removeAll()
    }

    /// - Parameter failure: empty: it works; nil: nobody knows, for want of a descriptor of our own.
    private func finish(_ index: Int, failure: String?) {
        let target = targets[index]
        endAttempt(target)
        if let check = target.check {
            if let failure { judge(target, check, failure) }
            let stray = Double(check.interval) * check.jitter * Double.random(in: -1...1, using: &random)
            let next = target.startedAt + check.interval + Int64(stray)
            timers.set(UInt32(index), deadline: max(next, now))
        }
    }

    private func judge(_ target: HealthTarget, _ check: HealthCheck, _ failure: String) {
        let isSuccess = failure.isEmpty
        target.state.checks.wrappingAdd(1, ordering: .relaxed)
        target.successes = isSuccess ? target.successes + 1 : 0
        target.failures = isSuccess ? 0 : target.failures + 1
        if !isSuccess {
            target.state.failedChecks.wrappingAdd(1, ordering: .relaxed)
            target.lastFailure = failure
        }
        let isFirst = target.state.checkedState == .nothing
        if isFirst || (isSuccess ? target.successes >= check.rise : target.failures >= check.fall) {
            target.cluster.noteChecked(target.index, isHealthy: isSuccess, now: now)
        }
    }

    // MARK: - Reports

    /// Tells of what has changed since it was told last.
    private func report() {
        let changes = news.changes
        guard changes != toldChanges else { return }
        toldChanges = changes
        var clusters: [String: ClusterHealth] = [:]
        for target in targets {
            clusters[target.cluster.name] = target.cluster
            report(target)
        }
        for (name, cluster) in clusters.sorted(by: { $0.key < $1.key }) {
            let available = cluster.availableCount
            let isPanic = cluster.isPanic || available == 0
            guard isPanic != panicking.contains(name) else { continue }
            if isPanic {
                panicking.insert(name)
                let consequence = cluster.isPanic ? cluster.panicText : "requests are answered with 503"
                log.write(
                    "cluster \(name): \(available) of \(cluster.endpoints.count) endpoints are healthy, \(consequence)"
                )
            } else {
                panicking.remove(name)
                log.write(
                    "cluster \(name): \(available) of \(cluster.endpoints.count) endpoints are healthy again")
            }
        }
    }

    private func report(_ target: HealthTarget) {
        let state = target.state
        let name = "cluster \(target.cluster.name): endpoint \(state.identity)"
        let isUnhealthy = state.checkedState == .unhealthy
        if isUnhealthy != target.wasUnhealthy {
            target.wasUnhealthy = isUnhealthy
            log.write(
                isUnhealthy
                    ? "\(name) is unhealthy: \(target.lastFailure)"
                    : "\(name) is healthy again, say its checks")
        }
        let ejections = state.ejections.load(ordering: .relaxed)
        let isEjected = state.isEjected
        if ejections != target.ejectionsTold && isEjected {
            let rest = max(0, (state.trialDueAt - now + 999_999) / 1_000_000)
            log.write(
                "\(name) is ejected for \(Nanoseconds.milliseconds(rest)): \(state.ejectionReason.text)")
        } else if target.wasEjected && !isEjected {
            log.write("\(name) is back")
        }
        target.ejectionsTold = ejections
        target.wasEjected = isEjected
    }
}
