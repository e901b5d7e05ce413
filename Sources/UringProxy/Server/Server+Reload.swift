internal import CPosix
internal import Synchronization

// Another configuration, in the same process: what is under way goes on under the one before.
extension Server {
    /// Why a configuration was not taken up. Everything is as it was.
    public enum ReloadError: Error, Sendable {
        /// What only a new process can do, each problem by the option that asks for it.
        case needsNewProcess([ConfigurationProblem])
        case failed(StartError)
        /// The process is about to end.
        case isEnding
        /// A process is starting that is to take this one's place.
        case isHandingOver
    }

    /// How long workers may take to adopt a snapshot before the caller is told of it.
    private static let patience = Nanoseconds.seconds(10)

    /// What of a configuration cannot take effect in this process; empty if all of it can.
    private func obstacles(to new: Configuration) -> [ConfigurationProblem] {
        let old = configuration
        let fixed: [(option: String, isSame: Bool)] = [
            ("--admin", old.adminAddress == new.adminAddress),
            ("--admin-token-file", old.adminTokenFile == new.adminTokenFile),
            ("--threads", old.threads == new.threads),
            ("--io", old.io == new.io), ("--pid-file", old.pidFile == new.pidFile),
            ("--user", old.user == new.user), ("--pin", old.pin == new.pin),
            ("--memory", old.memoryBytes == new.memoryBytes), ("--busy-poll", old.busyPoll == new.busyPoll),
            ("--zero-copy", old.zeroCopy == new.zeroCopy), ("--splice", old.splice == new.splice),
            ("--kernel-tls", old.kernelTLS == new.kernelTLS),
            ("--limit-connections", old.limitConnections == new.limitConnections),
            ("--dns-server", old.dnsServers == new.dnsServers),
        ]
        return fixed.filter { !$0.isSame }.map {
            ConfigurationProblem(
                option: $0.option, message: "a running process cannot change it",
                remedy: "undo the change, or start a new process")
        }
    }

    /// Serves by another configuration from the next turn of each worker on; returns when all have adopted it.
    ///
    /// Listeners that are new are opened, and those that are gone take no connection more; connections that came by them
    /// end with their exchange. Endpoints that stay keep their connections, and clusters what they have learned. Exchanges,
    /// tunnels and upgraded connections go on.
    ///
    /// - Returns: what has changed, in a line.
    /// - Throws: why nothing has.
    public func reload(_ new: Configuration) throws(ReloadError) -> String {
        try reloading.withLock { _ throws(ReloadError) in
            do throws(ReloadError) {
                let line = try replace(by: new)
                reloadCounters.done.wrappingAdd(1, ordering: .relaxed)
                return line
            } catch {
                countRefusedReload()
                throw error
            }
        }
    }

    /// For what is wrong with a file before it is a configuration.
    public func countRefusedReload() { reloadCounters.refused.wrappingAdd(1, ordering: .relaxed) }

    private func replace(by configuration: Configuration) throws(ReloadError) -> String {
        var new = configuration
        new.keepPseudonym(of: self.configuration)
        let obstacles = obstacles(to: new)
        guard obstacles.isEmpty else { throw .needsNewProcess(obstacles) }
        let (present, previous, workers) = state.withLock {
            ($0.bound, $0.snapshot, $0.threads.map(\.worker))
        }
        guard let previous else { throw .isEnding }
        if state.withLock({ $0.isHandingOver }) { throw .isHandingOver }
        let old = self.configuration
        let handover: Handover
        do throws(StartError) {
            handover = try prepare(new, present, previous, workers)
        } catch {
            forget(previous)
            throw .failed(error)
        }
        guard hand(handover, new, to: workers) else {
            handover.abandon()
            forget(previous)
            throw .isEnding
        }
        warn(of: new, after: old)
        return handover.summary + finish(handover, new)
    }

    /// What a configuration that was not taken up would have brought.
    private func forget(_ previous: Snapshot) {
        registries.keep(configuration, previous)
        state.withLock { $0.companions.discovery }?.follow(previous.clusters)
    }

    /// Ends what workers do without, once they have adopted a snapshot.
    ///
    /// - Returns: what is not as it should be, behind `; ` each.
    func finish(_ handover: Handover, _ configuration: Configuration) -> String {
        registries.keep(configuration, handover.snapshot)
        var late = ""
        if let monitor = handover.companions.monitor, handover.before.monitor == nil {
            do throws(StartError) { try startMonitor(monitor) } catch { late = "; \(error.message)" }
        }
        let isDone = handover.acknowledgement.wait(patience: Self.patience)
        for listener in handover.gone { listener.close() }
        // Geo and TLS alone: the others go on.
        handover.before.stop(but: handover.companions)
        if isDone { handover.companions.checker?.use(handover.snapshot.access.authenticators) }
        if !isDone { late += "; a worker has not taken a turn for \(Self.patience) and will adopt it then" }
        return late
    }

    // MARK: - Making

    /// All that a reload needs, so that nothing can fail any more.
    struct Handover {
        var snapshot: Snapshot
        /// Those that there were, and those that there are to be.
        var before: Companions
        var companions: Companions
        var all: [OpenListener]
        var new: [OpenListener]
        var gone: [OpenListener]
        /// Of those that are gone, the ones whose socket a new one has.
        var handedOn: [Int]
        /// By worker.
        var listeners: [[Listener]]
        var acknowledgement: Acknowledgement

        func abandon() {
            for listener in new { listener.abandon() }
            companions.stop(but: before)
            for listener in listeners.joined() where listener.descriptor >= 0 {
                _ = cposix_close(listener.descriptor)
            }
        }

        var summary: String {
            func count(_ number: Int, _ what: String) -> String {
                "\(number) \(what)\(number == 1 ? "" : "s")"
            }
            let before = snapshot.change.endpointBefore
            let added = before.count { $0 < 0 }
            let removed = snapshot.change.endpointAfter.count { $0 < 0 }
            return "\(count(all.count, "listener")) (\(new.count) new, \(gone.count) gone), "
                + "\(count(before.count, "endpoint")) (\(added) new, \(removed) gone)"
        }
    }

    private func prepare(
        _ configuration: Configuration, _ present: [OpenListener], _ previous: Snapshot,
        _ workers: [Worker]
    ) throws(StartError) -> Handover {
        var compiler = try SnapshotCompiler(configuration, registries)
        let acknowledgement: Acknowledgement
        do throws(SystemCallError) { acknowledgement = try Acknowledgement(count: workers.count) } catch {
            throw StartError(message: error.message)
        }
        let (all, new) = try OpenListener.open(
            configuration.allListeners, count: budget.threads, beside: present, inherited)
        let before = state.withLock { $0.companions }
        var companions = before
        do throws(StartError) {
            try checkRoom(for: new.count, workers)
            try start(&companions, for: configuration, &compiler, beside: previous.clusters)
            let snapshot = compiler.snapshot(
                budget, wakeups: workers.map(\.wakeup), listeners: all, geo: companions.geo,
                tls: companions.tls, accessLog: companions.accessLog?.plan, tracing: companions.tracing,
                flight: companions.flight,
                after: previous)
            let listeners = try OpenListener.share(
                all, with: snapshot, count: budget.threads,
                isNew: { open in new.contains { $0.id == open.id } })
            let gone = present.filter { old in !all.contains { $0.id == old.id } }
            return Handover(
                snapshot: snapshot, before: before, companions: companions, all: all, new: new, gone: gone,
                handedOn: new.compactMap(\.successorOf), listeners: listeners,
                acknowledgement: acknowledgement)
        } catch {
            for listener in new { listener.abandon() }
            companions.stop(but: before)
            throw error
        }
    }

    /// Listeners that have gone take a place until their last connection ends.
    private func checkRoom(for count: Int, _ workers: [Worker]) throws(StartError) {
        let held = workers.map { $0.gauges.listeners.load(ordering: .relaxed) }.max() ?? 0
        if held + count > ListenerConfiguration.limit * 2 {
            throw StartError(
                message:
                    "\(held) listeners, of earlier configurations too, still have connections, and \(count) new ones would be too many; wait for some to end, or start a new process"
            )
        }
    }

    /// Hands it to the workers; false if they have been told to end.
    func hand(_ handover: Handover, _ configuration: Configuration, to workers: [Worker]) -> Bool {
        state.withLock { state in
            guard !state.isEnding else { return false }
            // Before the last connections are taken from their backlogs: none is to find the file and then nobody.
            for listener in handover.gone
            where !listener.isInherited && !handover.handedOn.contains(listener.id) {
                ListenerSocket.removeFile(listener.address)
            }
            handover.snapshot.clientLimit?.setLimit(configuration.limitConnectionsPerClient)
            handover.snapshot.handshakes?.clients?.setLimit(configuration.limitHandshakesPerClient)
            if handover.companions.accessLog !== handover.before.accessLog {
                handover.before.accessLog?.leave { handover.acknowledgement.isDone }
                if let log = handover.companions.accessLog {
                    handover.companions.accessLogWriter?.follow(log)
                } else {
                    handover.before.accessLogWriter?.noteLeft()
                }
            }
            if let tracing = handover.companions.tracing, tracing !== handover.before.tracing {
                handover.companions.traceExporter?.use(tracing.configuration)
            }
            handover.companions.flight?.use(configuration.flightRecorder)
            handover.companions.monitor?.follow(handover.snapshot.clusters)
            handover.companions.discovery?.follow(handover.snapshot.clusters)
            // Those of before as well, until all workers have adopted: what is asked under them is answered.
            let authenticators = handover.snapshot.access.authenticators
            handover.companions.checker?.use(authenticators + (state.snapshot?.access.authenticators ?? []))
            for (index, worker) in workers.enumerated() {
                worker.adopt(
                    Worker.Adoption(
                        snapshot: handover.snapshot, listeners: handover.listeners[index],
                        handedOn: handover.handedOn, resolver: handover.companions.resolver,
                        checker: handover.companions.checker,
                        acknowledgement: handover.acknowledgement))
            }
            state.configuration = configuration
            state.snapshot = handover.snapshot
            state.companions = handover.companions
            state.bound = handover.all
            state.lines = handover.all.map { $0.describe(configuration) } + state.lines.suffix(1)
            return true
        }
    }
}

/// What became of a reload, for whoever asked for it.
public struct ReloadOutcome: Sendable {
    /// Whether the workers serve by what the configuration says now.
    public let isDone: Bool
    public let lines: [String]

    public init(isDone: Bool, lines: [String]) {
        self.isDone = isDone
        self.lines = lines
    }
}

/// What became of reloads.
final class ReloadCounters: Sendable {
    let done = Atomic<UInt64>(0)
    let refused = Atomic<UInt64>(0)
}
