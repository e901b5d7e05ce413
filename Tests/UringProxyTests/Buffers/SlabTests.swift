import Testing

@testable import UringProxy

@Suite("Slab")
struct SlabTests {
    @Test("A slot's generation moves on when it is freed, and wraps within a token's 24 bits")
    func generations() {
        // A slab is not copyable, so what is expected of it is taken out first.
        var slab = Slab<UInt64>(capacity: 2)
        let first = slab.insert(1)!
        let generation = slab.generation(first)
        slab.remove(first)
        let isOccupied = slab.isOccupied(first)
        #expect(!isOccupied)
        let second = slab.insert(2)
        #expect(second == first)
        let next = slab.generation(first)
        #expect(next == generation + 1)
        let value = slab[first]
        #expect(value == 2)
        _ = slab.insert(3)
        let isFull = slab.isFull
        let refused = slab.insert(4)
        #expect(isFull && refused == nil)
        let count = slab.count
        #expect(count == 2)
        let token = OperationToken(.send, slot: first, generation: Slot.generationMask)
        #expect(token.slot == first && token.generation == Slot.generationMask && token.kind == .send)
    }

    @Test("A queue of slots is first in, first out, across its end")
    func slotQueue() {
        var queue = SlotQueue(capacity: 3)
        for round in 0..<10 as Range<UInt32> {
            queue.append(round)
            queue.append(round + 100)
            #expect(queue.popFirst() == round)
            queue.append(round + 200)
            #expect(queue.popFirst() == round + 100)
            #expect(queue.popFirst() == round + 200)
            #expect(queue.popFirst() == nil && queue.isEmpty)
        }
    }
}
