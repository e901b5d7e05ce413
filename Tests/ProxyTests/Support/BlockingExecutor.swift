import CPosix
import Dispatch
import Testing

/// Threads that run test bodies: these block on sockets, which the threads that Swift's concurrency shares must not.
final class BlockingExecutor: TaskExecutor {
    /// As many tests at once as this: most of their time is spent waiting for deadlines of the proxy.
    static let shared = BlockingExecutor(threads: 6)

    private let jobs = Locked<[UnownedJob]>([])
    private let count = DispatchSemaphore(value: 0)

    private init(threads: Int) {
        for _ in 0..<threads { spawn { self.run() } }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        count.signal()
    }

    private func run() -> Never {
        while true {
            count.wait()
            let job = jobs.withLock { $0.removeFirst() }
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}

/// Runs the tests of a suite on `BlockingExecutor`.
struct Blocking: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(BlockingExecutor.shared) { try await function() }
    }
}

extension Trait where Self == Blocking {
    static var blocking: Blocking { Blocking() }
}

/// A thread of its own for `body`; what `join` of the result waits for.
@discardableResult
func spawn(_ body: @escaping @Sendable () -> Void) -> TestThread {
    let argument = unsafe Unmanaged.passRetained(Box(body))
    var thread = pthread_t()
    let result = unsafe cposix_start_thread(
        &thread,
        { argument in
            guard let argument = unsafe argument else { return nil }
            unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }, argument.toOpaque())
    precondition(result == 0, "no thread: errno \(-result)")
    return TestThread(thread: thread)
}

struct TestThread: Sendable {
    let thread: pthread_t
    /// To be called once.
    func join() { _ = pthread_join(thread, nil) }
}

private final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// A value behind a pthread mutex. Not `Synchronization.Mutex`: the thread sanitizer does not see through that one's futex
/// and reports what it guards as a race.
@safe final class Locked<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var value: Value

    init(_ value: Value) {
        self.value = value
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return body(&value)
    }
}
