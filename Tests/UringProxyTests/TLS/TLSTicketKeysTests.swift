import TestSupport
import Testing

@testable import UringProxy

@Suite("Keys of session tickets")
struct TLSTicketKeysTests {
    private let certificate = TestCertificate("example.org")

    /// Shakes hands, and lets the client have its tickets.
    private func visit(_ context: TLSContext, after earlier: TLSClient? = nil, version: Int32 = 12) throws
        -> TLSClient
    {
        let client = TLSClient(versions: version...version, after: earlier)
        let server = try TLSServer(context)
        #expect(try shakeHands(client, server) == .done(1))
        _ = try client.read()
        // OpenSSL forgets a session that does not end in order.
        client.end()
        return client
    }

    private func context(_ keys: TLSTicketKeys?) throws -> TLSContext {
        try TLSContext(
            TLSConfiguration(), certificates: [try TLSCertificate(certificate)], tickets: keys, identity: [1])
    }

    @Test("Another key seals after each period; those before open for as long as tickets live")
    func rotation() throws {
        let hour: Int64 = 3_600_000_000_000
        let keys = TLSTicketKeys(period: hour, now: 0)
        let context = try context(keys)
        // Clients take up a session once.
        let first = try (0..<4).map { _ in try visit(context, version: 13) }
        keys.rotate(now: hour - 1)
        #expect(try visit(context, after: first[0], version: 13).isResumed)
        keys.rotate(now: hour)
        let second = try visit(context, after: first[1], version: 13)
        #expect(second.isResumed)
        keys.rotate(now: hour + 1)
        keys.rotate(now: 2 * hour)
        #expect(try visit(context, after: first[2], version: 13).isResumed)
        keys.rotate(now: 3 * hour)
        #expect(try !visit(context, after: first[3], version: 13).isResumed)
        // It was given a ticket of the newer key when it was taken up.
        #expect(try visit(context, after: second, version: 13).isResumed)
    }

    @Test("Of a long period one key before is kept")
    func longPeriod() throws {
        let day: Int64 = 86_400_000_000_000
        let keys = TLSTicketKeys(period: day, now: 5)
        let context = try context(keys)
        let first = try (0..<2).map { _ in try visit(context, version: 13) }
        keys.rotate(now: day + 5)
        #expect(try visit(context, after: first[0], version: 13).isResumed)
        keys.rotate(now: 2 * day + 5)
        #expect(try !visit(context, after: first[1], version: 13).isResumed)
    }

    @Test("Keys that change while sessions begin are never read by halves")
    func race() throws {
        let keys = TLSTicketKeys()
        // Each opens what the other seals.
        let pair = [[UInt8](repeating: 1, count: 80), [UInt8](repeating: 2, count: 48)]
        keys.use(pair)
        let context = try context(keys)
        let isOver = Locked(false)
        let thread = SystemThread()
        try thread.start {
            var turn = false
            while !isOver.withLock({ $0 }) {
                keys.use(turn ? pair : pair.reversed())
                turn.toggle()
            }
        }
        var last = try visit(context)
        for _ in 0..<200 {
            let next = try visit(context, after: last)
            #expect(next.isResumed)
            last = next
        }
        isOver.withLock { $0 = true }
        thread.join()
    }

    @Test("Where keys come from decides who shares them, and a configuration without them lets them go")
    func registry() throws {
        let registry = TLSTicketRegistry()
        let own = registry.keys(of: .own(period: 1 << 60))
        #expect(registry.keys(of: .own(period: 1 << 60)) === own)
        #expect(registry.keys(of: .files(["a"])) === registry.keys(of: .files(["a"])))
        #expect(registry.keys(of: .files(["a"])) !== registry.keys(of: .files(["a", "b"])))
        registry.keep(Configuration())
        #expect(registry.keys(of: .own(period: 1 << 60)) !== own)
    }
}
