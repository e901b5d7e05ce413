import Testing

@testable import UringProxy

@Suite("Connection")
struct ConnectionTests {
    private func make(_ side: Connection.Side) -> Connection {
        Connection(descriptor: 7, side: side, phase: side == .downstream ? .waiting : .connecting, now: 1_000)
    }

    @Test("It takes two cache lines, the first of which ends before its times")
    func layout() {
        #expect(MemoryLayout<Connection>.stride == 128)
        #expect(MemoryLayout<Connection>.offset(of: \.phaseStartedAt) == 64)
    }

    @Test("An exchange takes four cache lines")
    func exchangeLayout() {
        #expect(MemoryLayout<Exchange>.stride == 256)
    }

    @Test("What is packed into bits is kept apart")
    func flags() {
        let flags: [WritableKeyPath<Connection, Bool>] = [
            \.isSending, \.inputEnded, \.isStarved, \.flushQueued, \.readQueued, \.closesAfterFlush,
            \.outputEnded, \.isCongested, \.isBulk, \.resetsOnClose, \.isReused, \.requestHeld, \.peerKnown,
            \.countedPerClient, \.countedAtListener, \.isSurplus, \.endsSoon,
        ]
        for one in flags {
            var connection = make(.downstream)
            #expect(!connection[keyPath: one])
            connection[keyPath: one] = true
            for other in flags { #expect(connection[keyPath: other] == (other == one)) }
            #expect(connection.pausedAt == 0 && connection.listener == 0)
            connection.listener = 1023
            #expect(connection.listener == 1023 && connection[keyPath: one])
            connection[keyPath: one] = false
            for other in flags { #expect(!connection[keyPath: other]) }
        }
    }

    @Test("Downstream's address comes back as it was")
    func peer() {
        for address in [
            IPAddress.loopback4, .loopback6, IPAddress(high: .max - 1, low: 0x0123_4567_89AB_CDEF),
        ] {
            var connection = make(.downstream)
            connection.peer = address
            #expect(connection.peer == address)
        }
    }

    @Test("A pause has a beginning until it ends")
    func pause() {
        var connection = make(.upstream)
        #expect(connection.pausedAt == 0)
        connection.pausedAt = 5_000
        #expect(connection.pausedAt == 5_000)
        connection.pausedAt = 0
        #expect(connection.pausedAt == 0)
    }

    @Test("Counts stop at what they have room for")
    func counts() {
        var connection = make(.upstream)
        connection.countReceived(300)
        connection.countSent(20)
        #expect(connection.streamBytes == 300 && connection.receiveWindowBytes == 300)
        #expect(connection.sendWindowBytes == 20)
        connection.countReceived(.max - 100)
        connection.countSent(.max)
        #expect(connection.streamBytes == UInt64(UInt32.max))
        #expect(connection.receiveWindowBytes == Int64(UInt32.max))
        #expect(connection.sendWindowBytes == Int64(UInt32.max))
        connection.streamBytes = 0
        connection.receiveWindowBytes = 1 << 40
        #expect(connection.streamBytes == 0)
        #expect(connection.receiveWindowBytes == Int64(UInt32.max))
    }
}
