import TestSupport
import Testing

@testable import UringProxy

@Suite struct RecordRingTests {
    private static let capacity = 65_536

    @Test func recordsComeOutInOrderAndWhole() {
        let ring = RecordRing(capacity: Self.capacity)
        var random = SplitMix(seed: 7)
        var (sent, received, waiting) = (UInt32(0), UInt32(0), 0)
        for _ in 0..<20_000 {
            if random.next() % 3 < 2 {
                let size = 16 + Int(random.next() % 1000) * 8
                if push(ring, size, sent) {
                    sent += 1
                    waiting += 1
                } else {
                    #expect(waiting > 0)
                }
            } else if let record = ring.next() {
                #expect(number(record) == received)
                #expect((8..<record.count).allSatisfy { record[$0] == UInt8(truncatingIfNeeded: received) })
                ring.consume(record)
                received += 1
                waiting -= 1
            } else {
                #expect(waiting == 0)
            }
        }
        while let record = ring.next() {
            #expect(number(record) == received)
            ring.consume(record)
            received += 1
        }
        #expect(sent == received)
        #expect(ring.waitingBytes < AccessRecord.sizeLimit)
        #expect(ring.droppedCount > 0)
    }

    @Test func whatFindsNoRoomIsCounted() {
        let ring = RecordRing(capacity: Self.capacity)
        for number in 0..<UInt32(Self.capacity / 4096) { #expect(push(ring, 4096, number)) }
        for _ in 0..<3 { #expect(!push(ring, 16, 99)) }
        #expect(ring.droppedCount == 3)
        guard let record = ring.next() else {
            Issue.record("the ring is empty")
            return
        }
        #expect(number(record) == 0)
        ring.consume(record)
        #expect(push(ring, 16, 100))
    }

    @Test func twoThreads() throws {
        let ring = RecordRing(capacity: Self.capacity)
        let count: UInt32 = 200_000
        let writer = SystemThread()
        try writer.start("writer") {
            for number in 0..<count {
                let size = 16 + Int(number % 61) * 8
                while !push(ring, size, number) {}
            }
        }
        var expected: UInt32 = 0
        while expected < count {
            guard let record = ring.next() else { continue }
            let last = record[record.count - 1]
            if number(record) != expected || last != UInt8(truncatingIfNeeded: expected) {
                Issue.record("record \(number(record)) in place of \(expected)")
                break
            }
            ring.consume(record)
            expected += 1
        }
        writer.join()
    }
}

/// A record of a size with a number, and bytes that follow from it.
private func push(_ ring: RecordRing, _ size: Int, _ number: UInt32) -> Bool {
    guard let place = unsafe ring.reserve(size) else { return false }
    unsafe place.initializeMemory(as: UInt8.self, repeating: UInt8(truncatingIfNeeded: number), count: size)
    unsafe place.storeBytes(of: UInt32(size), as: UInt32.self)
    unsafe place.storeBytes(of: number, toByteOffset: 4, as: UInt32.self)
    ring.publish(size)
    return true
}

private func number(_ record: ByteView) -> UInt32 { UInt32(truncatingIfNeeded: record.word(at: 0) >> 32) }
