import Synchronization
import Testing

@testable import UringProxy

@Suite("The ring of the flight recorder")
struct FlightRingTests {
    private func event(_ number: UInt64) -> FlightEvent {
        FlightEvent(
            .routed, at: Int64(number), detail: UInt8(truncatingIfNeeded: number),
            value: UInt16(truncatingIfNeeded: number), index: UInt32(truncatingIfNeeded: number), a: number,
            b: ~number)
    }

    @Test("Its words come back as they were put in")
    func words() {
        let event = FlightEvent(
            .exchangeEnded, at: -5, detail: 0xAB, value: 0xCDEF, index: 0x1234_5678, a: .max,
            b: 7 << 32 | 0x00FF_FFFF)
        #expect(MemoryLayout<FlightEvent>.size == FlightEvent.size)
        #expect(event.kind == .exchangeEnded)
        #expect(event.detail == 0xAB)
        #expect(event.value == 0xCDEF)
        #expect(event.index == 0x1234_5678)
        #expect(event.generation == 0x00FF_FFFF)
        #expect(event.upper == 7)
        #expect(event.exchange == .max)
        #expect(FlightEvent(.accepted, at: 0).exchange == nil)
    }

    @Test("What does not fit any more is what was written first")
    func wrapping() {
        let ring = FlightRing(capacity: 128)
        defer { ring.destroy() }
        #expect(ring.read().events.isEmpty)
        for number in 0..<UInt64(128) { ring.write(event(number)) }
        // Of a full ring the oldest may be written over at this moment.
        #expect(ring.read().first == 1)
        #expect(ring.read().events.count == 127)
        for number in 128..<UInt64(1000) { ring.write(event(number)) }
        let (events, first) = ring.read()
        #expect(first == 1000 - 127)
        #expect(events == (first..<1000).map(event))
        #expect(ring.read(limit: 3).events == (997..<UInt64(1000)).map(event))
    }

    @Test("Whoever reads while it is written finds whole events, in their order")
    func concurrency() throws {
        let ring = FlightRing(capacity: 256)
        defer { ring.destroy() }
        let isDone = Atomic(false)
        let reads = Atomic(0)
        let failures = Atomic(0)
        let reader = SystemThread()
        try reader.start {
            while !isDone.load(ordering: .acquiring) {
                let (events, first) = ring.read()
                for (offset, event) in events.enumerated() where event != self.event(first + UInt64(offset)) {
                    failures.wrappingAdd(1, ordering: .relaxed)
                }
                reads.wrappingAdd(1, ordering: .relaxed)
            }
        }
        // For as long as it takes until it has been read often, while it is written.
        var number: UInt64 = 0
        while reads.load(ordering: .relaxed) < 500 {
            for _ in 0..<100 {
                ring.write(event(number))
                number += 1
            }
        }
        isDone.store(true, ordering: .releasing)
        reader.join()
        #expect(failures.load(ordering: .relaxed) == 0)
        #expect(ring.count == number)
    }
}
