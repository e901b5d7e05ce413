import CPosix
import Synchronization

/// Counts how many are inside at a time.
public final class Crowd: Sendable {
    private let inside = Atomic<Int>(0)
    private let highest = Atomic<Int>(0)
    private let entries = Atomic<Int>(0)

    public init() {}

    /// As many as there have been at once.
    public var most: Int { highest.load(ordering: .relaxed) }
    /// As many as have come in.
    public var entered: Int { entries.load(ordering: .relaxed) }

    public func enter() {
        highest.max(inside.wrappingAdd(1, ordering: .relaxed).newValue, ordering: .relaxed)
        entries.wrappingAdd(1, ordering: .relaxed)
    }

    public func leave() { inside.wrappingSubtract(1, ordering: .relaxed) }

    /// Is inside for so long.
    public func stay(microseconds: UInt32) {
        enter()
        usleep(microseconds)
        leave()
    }
}
