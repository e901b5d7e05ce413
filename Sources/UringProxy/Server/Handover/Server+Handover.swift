internal import CPosix
internal import Synchronization

// What a server does for a process that takes its place.
extension Server {
    /// A listening socket of each worker, by the address that was asked for.
    struct HandedListener {
        /// What it is for.
        var role: String
        var asked: SocketAddress
        var bound: SocketAddress
        var descriptors: [Int32]
    }

    /// Lets the workers accept, now and again after `pauseAccepting`.
    func beginAccepting(_ workers: [Worker], usesRing: Bool) {
        for worker in workers {
            // Who had the socket before may have wanted it otherwise. The ring waits on sockets itself, and would not on a
            // non-blocking one; epoll sets what it needs.
            if usesRing {
                for listener in worker.plan.listeners { _ = cposix_set_blocking(listener.descriptor) }
            }
            worker.send(.accept)
        }
    }

    /// The listeners that this process opened, in the order in which workers know them. Those of the service manager are not
    /// among them.
    var listenersToHandOver: [HandedListener] {
        let (threads, bound) = state.withLock { ($0.threads, $0.bound) }
        return zip(bound, Self.groups(bound, threads.map(\.worker))).compactMap { open, descriptors in
            guard !open.isInherited, let asked = try? SocketAddress(parsing: open.listener.address) else {
                return nil
            }
            return HandedListener(
                role: open.listener.role.rawValue, asked: asked, bound: open.address, descriptors: descriptors
            )
        }
    }

    /// The workers' own descriptors of each listener.
    private static func groups(_ bound: [OpenListener], _ workers: [Worker]) -> [[Int32]] {
        var next = [Int](repeating: 0, count: workers.count)
        return bound.map { open in
            // As `makePlans` dealt them out.
            open.descriptors.indices.map { index in
                let worker = index % workers.count
                defer { next[worker] += 1 }
                return workers[worker].plan.listeners[next[worker]].descriptor
            }
        }
    }

    /// Takes no connection any more; returns when no worker can get one. They wait in the backlogs.
    ///
    /// - Returns: whether all workers have said so in time.
    func pauseAccepting(until deadline: Int64) -> Bool {
        let workers = workers
        for worker in workers { worker.send(.pause) }
        for worker in workers {
            // No latch: the wait is for one turn, once in the life of a process.
            while !worker.isPaused.load(ordering: .acquiring) {
                guard cposix_monotonic_nanoseconds() < deadline else { return false }
                usleep(100)
            }
        }
        return true
    }

    /// Goes on as before `pauseAccepting`.
    func resumeAccepting() {
        let (threads, usesRing) = state.withLock { ($0.threads, $0.usesRing) }
        beginAccepting(threads.map(\.worker), usesRing: usesRing)
    }

    /// Drains, after `pauseAccepting`: another process serves the listeners with these addresses; the others are closed.
    func handOver(_ keptAddresses: Set<String>) {
        let (threads, bound) = state.withLock { state in
            for index in state.bound.indices
            where keptAddresses.contains(state.bound[index].address.description) {
                state.bound[index].isInherited = true
            }
            return (state.threads, state.bound)
        }
        let workers = threads.map(\.worker)
        var kept = [[Bool]](repeating: [], count: workers.count)
        for open in bound {
            for index in open.descriptors.indices { kept[index % workers.count].append(open.isInherited) }
        }
        for (worker, kept) in zip(workers, kept) { worker.handOver(kept: kept) }
    }
}
