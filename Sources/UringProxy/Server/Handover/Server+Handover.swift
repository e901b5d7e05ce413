internal import CPosix
internal import Synchronization

// What a server does for a process that takes its place.
extension Server {
    /// The listening sockets of an address, by the address that was asked for.
    struct HandedListener {
        /// What it is for.
        var role: String
        var asked: SocketAddress
        var bound: SocketAddress
        var descriptors: [Int32]
    }

    /// Keeps the listeners as they are, until `resumeAccepting`: no reload changes what is being handed over.
    ///
    /// - Throws: that the process is about to end.
    func beginHandover() throws(StartError) {
        let isPossible = reloading.withLock { _ in
            state.withLock { state in
                if state.isEnding { return false }
                state.isHandingOver = true
                return true
            }
        }
        if !isPossible { throw StartError(message: "this process is to end") }
    }

    /// Sockets that another process has had, and may have wanted otherwise: the ring waits on them itself, and would not on a
    /// non-blocking one; epoll sets what it needs.
    func takeUp(_ bound: [OpenListener], usesRing: Bool) {
        if usesRing {
            for descriptor in bound.flatMap(\.descriptors) { _ = cposix_set_blocking(descriptor) }
        }
    }

    /// The listeners that this process opened. Those of the service manager are not among them.
    var listenersToHandOver: [HandedListener] {
        state.withLock { $0.bound }.compactMap { open in
            guard !open.isInherited, let asked = try? SocketAddress(parsing: open.listener.address) else {
                return nil
            }
            return HandedListener(
                role: open.listener.role.rawValue, asked: asked, bound: open.address,
                descriptors: open.descriptors)
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

    /// Goes on as before `beginHandover`.
    func resumeAccepting() {
        let (threads, bound, usesRing) = state.withLock { state in
            state.isHandingOver = false
            return (state.threads, state.bound, state.usesRing)
        }
        takeUp(bound, usesRing: usesRing)
        for thread in threads { thread.worker.send(.accept) }
    }

    /// Drains, after `pauseAccepting`: another process serves the listeners with these addresses; the others are closed.
    func handOver(_ keptAddresses: Set<String>) {
        state.withLock { state in
            state.isEnding = true
            for index in state.bound.indices
            where keptAddresses.contains(state.bound[index].address.description) {
                state.bound[index].isInherited = true
            }
            for listener in state.bound where !listener.isInherited {
                ListenerSocket.removeFile(listener.address)
            }
            let kept = state.bound.filter(\.isInherited).map(\.id)
            for thread in state.threads { thread.worker.handOver(kept: kept) }
        }
    }
}
