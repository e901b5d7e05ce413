internal import CPosix

/// What the thread of discovery does: asks when it is time, looks at files, tells of changes.
final class DiscoveryLoop {
    /// Between two looks at a file.
    private static let fileInterval: Int64 = 500_000_000
    /// What changes sooner than this after the last change is taken up together with what follows.
    private static let takeUpInterval: Int64 = 1_000_000_000
    /// Until another attempt to take something up, after one that had to give way.
    private static let retryInterval: Int64 = 20_000_000

    private let wakeup: Wakeup
    private let log: DiagnosticLog
    private let takeUp: () -> Bool
    private let ask: (DiscoverySource) -> Void
    private let mail: () -> EndpointDiscovery.Mail

    private var followed: [FollowedSource] = []
    private var hasNews = false
    private var takeUpAt = Int64.min

    init(
        wakeup: Wakeup, log: DiagnosticLog, takeUp: @escaping () -> Bool,
        ask: @escaping (DiscoverySource) -> Void, mail: @escaping () -> EndpointDiscovery.Mail
    ) {
        self.wakeup = wakeup
        self.log = log
        self.takeUp = takeUp
        self.ask = ask
        self.mail = mail
    }

    private var now: Int64 { cposix_monotonic_nanoseconds() }

    func run() {
        while true {
            wakeup.prepareToSleep()
            let mail = mail()
            if mail.isStopping { return }
            if let plans = mail.plans { follow(plans) }
            for (source, answer) in mail.answers { take(answer, of: source) }
            for entry in followed where entry.dueAt <= now { look(entry) }
            if hasNews && takeUpAt <= now {
                hasNews = !takeUp()
                takeUpAt = now + (hasNews ? Self.retryInterval : Self.takeUpInterval)
            }
            let next = followed.reduce(hasNews ? takeUpAt : .max) { min($0, $1.dueAt) }
            let isWoken = cposix_await_until(wakeup.descriptor, Int16(POLLIN), next) != 0
            wakeup.didWake()
            if isWoken { wakeup.empty() }
        }
    }

    private func follow(_ plans: [DiscoveryPlan]) {
        let old = followed
        followed = plans.map { plan in
            guard let entry = old.first(where: { $0.source === plan.source }) else {
                return FollowedSource(plan)
            }
            entry.plan = plan
            if entry.dueAt != .max { entry.dueAt = min(entry.dueAt, now + plan.refreshMax) }
            return entry
        }
        // A reload that was refused may have read a file by which nobody serves yet.
        hasNews = true
    }

    private func look(_ entry: FollowedSource) {
        if case .file(let path) = entry.source.place {
            entry.dueAt = now + Self.fileInterval
            lookAtFile(path, entry)
        } else {
            entry.dueAt = .max
            ask(entry.source)
        }
    }

    // MARK: - DNS

    private func take(_ answer: ResolverSurvey.Answer, of source: DiscoverySource) {
        guard let entry = followed.first(where: { $0.source === source }) else { return }
        switch answer.status {
        case .ok:
            let endpoints: [FixedUpstream]
            switch source.place {
            case .addresses(let host, let port):
                endpoints = DiscoveredEndpoints.of(answer, host: host, port: port, keeping: source.endpoints)
            case .services, .file:
                endpoints = DiscoveredEndpoints.of(answer.services)
            }
            if endpoints.isEmpty {
                fail(entry, "\(quoted(source.place.name)) names no host", isFinal: true)
            } else {
                entry.answered(ttlSeconds: answer.ttlSeconds, now: now)
                found(endpoints, entry)
            }
        case .notFound: fail(entry, "\(quoted(source.place.name)) has no records", isFinal: true)
        case .timedOut:
            fail(entry, "no name server has answered for \(quoted(source.place.name))", isFinal: false)
        case .failed:
            fail(entry, "name servers have failed to answer for \(quoted(source.place.name))", isFinal: false)
        }
    }

    private func fail(_ entry: FollowedSource, _ reason: String, isFinal: Bool) {
        entry.failed(now: now)
        entry.source.failed(isFinal: isFinal)
        tell(entry, trouble: reason)
    }

    // MARK: - Files

    /// Reads it if it has changed and was left alone since the last look.
    private func lookAtFile(_ path: String, _ entry: FollowedSource) {
        let stamp = WholeFile.stamp(of: path)
        let isQuiet = stamp == entry.latestStamp
        entry.latestStamp = stamp
        // What it says was read by whoever read the configuration; a change since then is seen by what it says now.
        guard stamp != entry.readStamp, isQuiet else { return }
        let file = EndpointFile(reading: path)
        // Written to meanwhile: the next look sees that as well.
        guard WholeFile.stamp(of: path) == stamp else { return }
        entry.readStamp = stamp
        if let problem = file.problems.first {
            entry.source.failed(isFinal: true)
            tell(entry, trouble: "\(problem.message); \(problem.remedy)")
            return
        }
        do throws(StartError) { found(try ClusterCompiler.endpoints(file.endpoints), entry) } catch {
            entry.source.failed(isFinal: true)
            tell(entry, trouble: error.message)
        }
    }

    // MARK: - What was found

    private func found(_ endpoints: [FixedUpstream], _ entry: FollowedSource) {
        tell(entry, trouble: "")
        guard let change = entry.source.found(endpoints) else { return }
        hasNews = true
        let number = count(endpoints.count)
        say(
            entry,
            change.new + change.gone == 0
                ? "\(number) with other weights, zones or priorities"
                : "\(number) (\(change.new) new, \(change.gone) gone)")
    }

    /// Says what stands in the way, or that nothing does any more; once.
    private func tell(_ entry: FollowedSource, trouble: String) {
        if entry.trouble == trouble { return }
        entry.trouble = trouble
        if trouble.isEmpty {
            say(entry, "endpoints are found again")
            return
        }
        let known = entry.source.endpoints.count
        say(
            entry,
            known == 0
                ? "\(trouble); until there is an endpoint, the answer is 503"
                : "\(trouble); \(count(known)) found before \(known == 1 ? "stays" : "stay") in use")
    }

    private func count(_ number: Int) -> String { "\(number) endpoint\(number == 1 ? "" : "s")" }

    private func say(_ entry: FollowedSource, _ text: String) {
        log.write("cluster \(entry.source.cluster): \(text)")
    }
}
