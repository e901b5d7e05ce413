/// What names were resolved to, for as long as their records allow; knows no clock.
///
/// Bounded: when it is full, the hand of a clock goes over the entries and takes the first that expired or
/// was not asked for since its last round (second chance).
struct ResolverCache {
    struct Entry {
        let status: ResolverStatus
        let addresses: [IPAddress]
        let expiresNanoseconds: Int64
    }
    private struct Slot {
        var name: String
        var entry: Entry
        var wasUsed: Bool
    }

    let capacity: Int
    private var slots: [Slot] = []
    private var slotOfName: [String: Int] = [:]
    private var hand = 0

    init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    var count: Int { slots.count }

    mutating func entry(of name: String, nowNanoseconds: Int64) -> Entry? {
        guard let index = slotOfName[name] else { return nil }
        guard slots[index].entry.expiresNanoseconds > nowNanoseconds else { return nil }
        slots[index].wasUsed = true
        return slots[index].entry
    }

    mutating func insert(_ entry: Entry, for name: String, nowNanoseconds: Int64) {
        if let index = slotOfName[name] {
            slots[index].entry = entry
            return
        }
        // A new entry has to earn its second chance: a flood of names asked once does not drive out the
        // others.
        let slot = Slot(name: name, entry: entry, wasUsed: false)
        guard slots.count == capacity else {
            slotOfName[name] = slots.count
            slots.append(slot)
            return
        }
        while slots[hand].wasUsed && slots[hand].entry.expiresNanoseconds > nowNanoseconds {
            slots[hand].wasUsed = false
            hand = (hand + 1) % capacity
        }
        slotOfName[slots[hand].name] = nil
        slotOfName[name] = hand
        slots[hand] = slot
        hand = (hand + 1) % capacity
    }
}
