import TestSupport
import Testing

@testable import UringProxy

@Suite("Session tickets", .blocking)
struct TicketTests {
    /// A client that has been served, and has its tickets.
    private func visit(_ proxy: TLSProxy, version: Int32, after earlier: TLSClient? = nil) throws -> TLSClient
    {
        let session = TLSClient("example.org", versions: version...version, after: earlier)
        let client = try proxy.connect(session)
        try client.send(Messages.get)
        try client.expect(Messages.ok)
        // OpenSSL forgets a session that does not end in order.
        try client.end()
        return session
    }

    @Test("Instances with the same key file go on with each other's sessions", arguments: TestDriver.offered)
    func shared(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { _, _ in Messages.ok }
        for size in [48, 80] {
            let file = try TemporaryFile(pattern(size, seed: 1))
            let change: (inout Configuration) -> Void = { $0.listeners[0].tls!.ticketKeyPaths = [file.path] }
            let one = try TLSProxy(driver, origin.address, change: change)
            let two = try TLSProxy(driver, origin.address, change: change)
            let stranger = try TLSProxy(driver, origin.address)
            for version in [Int32(12), 13] {
                let first = try visit(one, version: version)
                #expect(!first.isResumed)
                #expect(try visit(two, version: version, after: first).isResumed)
                #expect(try !visit(stranger, version: version, after: first).isResumed)
            }
            one.proxy.end()
            two.proxy.end()
            stranger.proxy.end()
        }
        origin.end()
    }

    @Test(
        "Each visit may be followed by another, though a ticket is used once", arguments: TestDriver.offered)
    func again(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { _, _ in Messages.ok }
        let proxy = try TLSProxy(driver, origin.address)
        var earlier = try visit(proxy, version: 13)
        for _ in 0..<3 {
            earlier = try visit(proxy, version: 13, after: earlier)
            #expect(earlier.isResumed)
        }
        proxy.proxy.end()
        origin.end()
    }

    @Test(
        "Key files are read again when they change; a wrong one changes nothing",
        arguments: TestDriver.offered)
    func files(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { _, _ in Messages.ok }
        let sealing = try TemporaryFile(pattern(80, seed: 1))
        let opening = try TemporaryFile(pattern(48, seed: 2))
        let proxy = try TLSProxy(driver, origin.address) {
            $0.listeners[0].tls!.ticketKeyPaths = [sealing.path, opening.path]
        }
        let first = try visit(proxy, version: 12)
        // The order of the two is turned: the old key opens, and a ticket of the other one is given.
        try sealing.replace(with: pattern(48, seed: 2))
        try opening.replace(with: pattern(80, seed: 1))
        proxy.look()
        let second = try visit(proxy, version: 12, after: first)
        #expect(second.isResumed)
        try opening.replace(with: pattern(80, seed: 3))
        proxy.look()
        #expect(try visit(proxy, version: 12, after: second).isResumed)
        #expect(try !visit(proxy, version: 12, after: first).isResumed)
        try sealing.replace(with: pattern(47, seed: 4))
        proxy.look()
        #expect(try visit(proxy, version: 12, after: second).isResumed)
        let line = proxy.proxy.log.withLock { $0.last } ?? ""
        #expect(line.contains(" holds 47 bytes, and a key has 48 or 80; "), "\(line)")
        proxy.proxy.end()
        origin.end()
    }

    @Test("Without tickets nothing is taken up again", arguments: TestDriver.offered)
    func off(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { _, _ in Messages.ok }
        let proxy = try TLSProxy(driver, origin.address) { $0.listeners[0].tls!.sessionTickets = false }
        for version in [Int32(12), 13] {
            let first = try visit(proxy, version: version)
            #expect(try !visit(proxy, version: version, after: first).isResumed)
        }
        #expect(proxy[.tlsResumed] == 0)
        proxy.proxy.end()
        origin.end()
    }
}
