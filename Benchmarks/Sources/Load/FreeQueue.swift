/// Slots in the order in which they became free, each at most once: connections are used in rotation.
struct FreeQueue {
    private var slots: [Int]
    private var first = 0
    private var count = 0

    init(capacity: Int) { slots = Array(repeating: 0, count: capacity) }

    mutating func append(_ slot: Int) {
        precondition(count < slots.count, "a slot is queued once")
        let end = first + count
        slots[end < slots.count ? end : end - slots.count] = slot
        count += 1
    }

    mutating func popFirst() -> Int? {
        if count == 0 { return nil }
        defer {
            first = first + 1 == slots.count ? 0 : first + 1
            count -= 1
        }
        return slots[first]
    }

    var isEmpty: Bool { count == 0 }
}
