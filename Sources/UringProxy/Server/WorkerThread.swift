internal import CPosix
internal import Synchronization

/// The thread a worker runs on, and the word whether its driver stands.
///
/// A plain thread and not a task: io_uring belongs to the thread that made the ring, and its requests end with it.
final class WorkerThread: Sendable {
    enum State: Sendable {
        case starting
        case running(features: String)
        case failed(DriverError)
    }

    let worker: Worker
    private let usesRing: Bool
    private let state = Mutex(State.starting)
    private let changed: Latch
    private let thread = Atomic<UInt>(0)

    /// - Parameter usesRing: io_uring, else epoll.
    init(_ worker: Worker, usesRing: Bool) throws(SystemCallError) {
        self.worker = worker
        self.usesRing = usesRing
        changed = try Latch()
    }

    /// Starts the thread and waits until its driver stands or has failed.
    func start() -> State {
        var thread = pthread_t()
        let argument = unsafe Unmanaged.passRetained(self)
        let result = unsafe cposix_start_thread(
            &thread,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<WorkerThread>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, argument.toOpaque())
        guard result == 0 else {
            unsafe argument.release()
            return .failed(.thread(errno: -result))
        }
        self.thread.store(thread, ordering: .releasing)
        changed.wait()
        return state.withLock { $0 }
    }

    /// Waits for the thread's end.
    func join() {
        let thread = thread.exchange(0, ordering: .acquiring)
        if thread != 0 { _ = pthread_join(thread, nil) }
    }

    private func run() {
        if let cpu = worker.plan.cpu { _ = cposix_pin_thread(Int32(cpu)) }
        unsafe "worker-\(worker.plan.index)".withCString { unsafe cposix_name_thread($0) }
        func ready(_ result: Result<String, DriverError>) {
            state.withLock { state in
                switch result {
                case .success(let features): state = .running(features: features)
                case .failure(let error): state = .failed(error)
                }
            }
            changed.open()
        }
        #if Uring
            if usesRing {
                worker.runUring(ready: ready)
                return
            }
        #endif
        worker.runEpoll(ready: ready)
    }
}
