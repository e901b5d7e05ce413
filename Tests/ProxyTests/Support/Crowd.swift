import CPosix
import Synchronization

/// Counts how many are inside at a time.
final class Crowd: Sendable {
    private let inside = Atomic<Int>(0)
    private let highest = Atomic<Int>(0)

    /// As many as there have been at once.
    var most: Int { highest.load(ordering: .relaxed) }

    /// Is inside for so long.
    func stay(microseconds: UInt32) {
        highest.max(inside.wrappingAdd(1, ordering: .relaxed).newValue, ordering: .relaxed)
        usleep(microseconds)
        inside.wrappingSubtract(1, ordering: .relaxed)
    }
}
