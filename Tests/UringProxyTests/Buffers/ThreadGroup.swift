import CPosix

/// Runs each body on a thread of its own and waits for all: more threads than cores, so that they are
/// preempted in the midst of what they do, which tasks are not.
func runThreads(_ bodies: [@Sendable () -> Void]) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let threads = bodies.map { body in
        var thread = pthread_t()
        let argument = unsafe Unmanaged.passRetained(Box(body))
        let result = unsafe cposix_start_thread(
            &thread,
            { argument in
                unsafe Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            }, argument.toOpaque())
        precondition(result == 0)
        return thread
    }
    for thread in threads { _ = pthread_join(thread, nil) }
}
