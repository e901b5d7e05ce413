internal import CPosix
internal import Synchronization

/// The thread a worker runs on, and the word whether its driver stands.
///
/// A plain thread and not a task: io_uring belongs to the thread that made the ring, and its requests end with it.
final class WorkerThread<Work: DriverWork>: Sendable {
    enum State: Sendable {
        case starting
        case running(features: String)
        case failed(DriverError)
        case ended
    }

    let worker: Work
    private let usesRing: Bool
    private let state = Mutex(State.starting)
    private let changed: Latch
    private let thread = SystemThread()

    /// - Parameter usesRing: io_uring, else epoll.
    init(_ worker: Work, usesRing: Bool) throws(SystemCallError) {
        self.worker = worker
        self.usesRing = usesRing
        changed = try Latch()
    }

    /// Starts a thread for each worker; returns when all their drivers stand. If one fails, none is left.
    static func startAll(
        _ workers: [Work], usesRing: Bool
    ) throws(StartError) -> (threads: [WorkerThread], features: String) {
        var threads: [WorkerThread] = []
        var features = ""
        for worker in workers {
            do throws(StartError) {
                let thread: WorkerThread
                do throws(SystemCallError) { thread = try WorkerThread(worker, usesRing: usesRing) } catch {
                    throw StartError(message: error.message)
                }
                switch thread.start() {
                case .running(let text): features = text
                case .failed(let error): throw StartError(message: error.message, isDriverFailure: true)
                case .starting, .ended: preconditionFailure("start waits, and a worker ends when told to")
                }
                threads.append(thread)
            } catch {
                for thread in threads { thread.worker.send(.stop) }
                for thread in threads { thread.join() }
                for worker in workers[threads.count...] { worker.closeListeners() }
                throw error
            }
        }
        return (threads, features)
    }

    /// Starts the thread and waits until its driver stands or has failed.
    private func start() -> State {
        do throws(SystemCallError) { try thread.start { self.run() } } catch {
            return .failed(.thread(errno: error.errno))
        }
        changed.wait()
        return state.withLock { $0 }
    }

    /// Whether the worker has done its last turn.
    var hasEnded: Bool {
        if case .ended = state.withLock({ $0 }) { true } else { false }
    }

    /// Waits for the thread's end.
    func join() { thread.join() }

    // MARK: - On the thread

    private func run() {
        if let cpu = worker.cpu { _ = cposix_pin_thread(Int32(cpu)) }
        unsafe worker.threadName.withCString { unsafe cposix_name_thread($0) }
        let arena = Arena(budgetBytes: worker.memoryBytes)
        let segments = SegmentPool(arena: arena)
        do throws(DriverError) {
            #if Uring
                if usesRing {
                    let driver = try UringDriver(
                        arena: arena, segments: segments, wakeup: worker.wakeup,
                        connections: worker.connectionLimit, busyPoll: worker.busyPoll,
                        pipes: worker.pipeLimit)
                    tell(.running(features: driver.features))
                    worker.run(on: driver, arena, segments)
                    tell(.ended)
                } else {
                    try runOnEpoll(arena, segments)
                }
            #else
                try runOnEpoll(arena, segments)
            #endif
        } catch {
            tell(.failed(error))
        }
        segments.destroy()
        arena.destroy()
    }

    private func runOnEpoll(_ arena: Arena, _ segments: SegmentPool) throws(DriverError) {
        let driver = try EpollDriver(
            arena: arena, segments: segments, wakeup: worker.wakeup, busyPoll: worker.busyPoll,
            pipes: worker.pipeLimit)
        tell(.running(features: ""))
        worker.run(on: driver, arena, segments)
        tell(.ended)
    }

    private func tell(_ news: State) {
        state.withLock { $0 = news }
        changed.open()
    }
}
