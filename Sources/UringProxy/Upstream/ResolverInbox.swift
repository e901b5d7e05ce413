/// Where one worker receives its answers.
final class ResolverInbox: Sendable {
    /// Make it as large as the number of queries the worker has under way at most: what does not fit waits in
    /// the resolver and is tried again each millisecond.
    let queue: BoundedQueue<ResolverAnswer>
    /// Called on the resolver's thread after a batch of answers; must not block.
    let wake: @Sendable () -> Void

    init(minimumCapacity: Int, wake: @escaping @Sendable () -> Void) {
        queue = BoundedQueue(minimumCapacity: minimumCapacity)
        self.wake = wake
    }
}
