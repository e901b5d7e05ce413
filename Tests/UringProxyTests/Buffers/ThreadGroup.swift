@testable import UringProxy

/// Runs each body on a thread of its own and waits for all: more threads than cores, so that they are
/// preempted in the midst of what they do, which tasks are not.
func runThreads(_ bodies: [@Sendable () -> Void]) {
    let threads = bodies.map { body in
        let thread = SystemThread()
        do throws(SystemCallError) { try thread.start { body() } } catch {
            preconditionFailure(error.message)
        }
        return thread
    }
    for thread in threads { thread.join() }
}
