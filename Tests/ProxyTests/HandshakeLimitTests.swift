import TestSupport
import Testing

@testable import UringProxy

@Suite("Limits of handshakes", .blocking)
struct HandshakeLimitTests {
    /// Half a handshake: it has begun, and goes on with `finish`.
    private struct Half {
        let socket: TestSocket
        let session: TLSClient
        let rest: [UInt8]

        /// - Parameter header: of the PROXY protocol.
        init(_ proxy: TLSProxy, behind header: String = "") throws {
            socket = try proxy.proxy.connect()
            try socket.send(header)
            session = TLSClient()
            _ = try session.shakeHands()
            let hello = session.take()
            try socket.send(Array(hello.prefix(50)))
            rest = Array(hello.dropFirst(50))
        }

        func finish() throws {
            try socket.send(rest)
            _ = try TLSSocket(socket, session)
        }
    }

    private func handshakes(_ proxy: TLSProxy) -> Int {
        proxy.proxy.server.handshakeLimit?.load.connections ?? 0
    }

    private func check(
        _ driver: TestDriver, _ counter: Counter, _ change: @escaping (inout Configuration, Int) -> Void
    ) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address) { change(&$0, 1) }
        let first = try Half(proxy)
        try proxy.proxy.wait(for: "the handshake") { handshakes(proxy) == 1 }
        let surplus = try Half(proxy)
        #expect(try surplus.socket.receiveUntilClosed().text == "")
        #expect(proxy[counter] == 1)
        // What is over makes room, be it done, given up or refused.
        try first.finish()
        try proxy.proxy.wait(for: "its end") { handshakes(proxy) == 0 }
        let second = try Half(proxy)
        try proxy.proxy.wait(for: "the handshake") { handshakes(proxy) == 1 }
        second.socket.close()
        try proxy.proxy.wait(for: "its end") { handshakes(proxy) == 0 }
        let third = try proxy.proxy.connect()
        try third.send([22, 3, 1, 0, 4, 9, 9, 9, 9])
        _ = try third.receiveUntilClosed()
        try proxy.proxy.wait(for: "its end") { handshakes(proxy) == 0 }
        _ = try proxy.connect()
        #expect(proxy[counter] == 1)
        // A reload changes it, and what is under way goes on.
        let fourth = try Half(proxy)
        try proxy.proxy.wait(for: "the handshake") { handshakes(proxy) == 1 }
        try proxy.proxy.reload { change(&$0, 2) }
        _ = try proxy.connect()
        try fourth.finish()
        try proxy.proxy.wait(for: "their ends") { handshakes(proxy) == 0 }
        #expect(proxy[counter] == 1)
    }

    @Test("So many handshakes at a time, and no more", arguments: TestDriver.offered)
    func all(_ driver: TestDriver) throws {
        try check(driver, .tlsHandshakesExceeded) { $0.limitHandshakes = $1 }
    }

    @Test("So many of a client, and no more", arguments: TestDriver.offered)
    func perClient(_ driver: TestDriver) throws {
        try check(driver, .tlsHandshakesPerClientExceeded) { $0.limitHandshakesPerClient = $1 }
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address) {
            $0.limitHandshakesPerClient = 1
            $0.trust.proxyProtocol = .require
        }
        let halves = try ["192.0.2.7", "192.0.2.8"].map {
            try Half(proxy, behind: "PROXY TCP4 \($0) 192.0.2.1 4711 443\r\n")
        }
        try proxy.proxy.wait(for: "one of each") { handshakes(proxy) == 2 }
        for half in halves { try half.finish() }
    }
}
