import Dispatch
import TestSupport
import Testing
import UringProxy

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

/// A thread of its own for `body`, to be joined by whoever needs its end.
@discardableResult
func spawn(_ body: @escaping @Sendable () -> Void) -> SystemThread {
    let thread = SystemThread()
    do throws(SystemCallError) { try thread.start { body() } } catch { preconditionFailure(error.message) }
    return thread
}
