import CPosix
import TestSupport
import Testing

@testable import UringProxy

@Suite("TLS records that no library writes", .blocking)
struct TLSRecordTests {
    /// A client whose first request was answered, all in records of its own making.
    private func served(_ proxy: TLSProxy, _ origin: TestOrigin) throws -> (TLSSocket, TestSocket) {
        let client = try proxy.connect(TLSClient(versions: 13...13))
        try client.socket.send(client.session.record(23, latin1(Messages.get)))
        let upstream = try origin.accept()
        try answer(client, upstream)
        return (client, upstream)
    }

    private func answer(_ client: TLSSocket, _ upstream: TestSocket) throws {
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    /// Records with nothing for anybody, some of which are new keys.
    private func idleRecords(_ session: TLSEnd, _ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in 1...count {
            if number % 10 == 0 {
                bytes += session.record(22, TLSClient.keyUpdate)
                session.renewKeys()
            } else {
                bytes += session.record(23, [], padding: 100)
            }
        }
        return bytes
    }

    @Test(
        "Records without content are borne for a while, in a row of whatever kinds",
        arguments: TestDriver.offered)
    func idle(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address)
        let (client, upstream) = try served(proxy, origin)
        for _ in 0..<3 {
            try client.socket.send(idleRecords(client.session, 32))
            try client.socket.send(client.session.record(23, latin1(Messages.get), padding: 1000))
            try answer(client, upstream)
        }
        #expect(proxy[.tlsErrors] == 0)
        try client.socket.send(idleRecords(client.session, 33))
        _ = try client.socket.receiveUntilClosed()
        #expect(proxy[.tlsErrors] == 1)
    }

    @Test(
        "Nothing is sent between two halves of a message, and all of it after them",
        arguments: TestDriver.offered)
    func halves(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address)
        let (client, upstream) = try served(proxy, origin)
        let session = client.session
        try client.socket.send(
            session.record(23, latin1(Messages.get))
                + session.record(22, Array(TLSClient.keyUpdate.prefix(4))))
        try upstream.expect(Messages.get)
        let before = proxy[.bytesReceivedUpstream]
        try upstream.send(Messages.ok)
        try proxy.proxy.wait(for: "the answer") { proxy[.bytesReceivedUpstream] > before }
        try client.socket.send(session.record(22, Array(TLSClient.keyUpdate.suffix(1))))
        session.renewKeys()
        try client.expect(Messages.ok)
        try client.socket.send(session.record(23, latin1(Messages.get)))
        try answer(client, upstream)
        #expect(proxy[.tlsErrors] == 0)
    }

    @Test(
        "A message whose other half does not come ends as a reader that does not read",
        arguments: TestDriver.offered)
    func half(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address) { $0.timeoutSendIdle = .milliseconds(200) }
        let (client, upstream) = try served(proxy, origin)
        let session = client.session
        try client.socket.send(
            session.record(23, latin1(Messages.get))
                + session.record(22, Array(TLSClient.keyUpdate.prefix(4))))
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        #expect(try client.socket.receiveUntilClosed().text == "")
        #expect(proxy[.timeoutsSend] == 1 && proxy[.buffersExhausted] == 0)
    }

    @Test(
        "A body that does not come is waited for no longer for what is sent in its place",
        arguments: TestDriver.offered)
    func pace(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address) { $0.timeoutBodyIdle = .milliseconds(300) }
        let client = try proxy.connect(TLSClient(versions: 13...13))
        try client.socket.send(
            client.session.record(23, latin1("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nsome"))
        )
        let upstream = try origin.accept()
        _ = try upstream.receiveHead()
        for _ in 0..<30 where proxy[.timeoutsBody] == 0 {
            _ = client.socket.sendSome(client.session.record(23, [], padding: 1000))
            usleep(20_000)
        }
        #expect(proxy[.timeoutsBody] == 1)
    }

    @Test(
        "What has been changed on its way is told by an alert, wherever it comes",
        arguments: TestDriver.offered)
    func alerts(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        func expectAlert(_ client: TLSSocket) throws {
            try client.session.write(latin1(Messages.get))
            var bytes = client.session.take()
            bytes[bytes.count - 1] ^= 1
            try client.socket.send(bytes)
            do throws(TLSClient.Failure) {
                while let more = try? client.socket.receive() {
                    client.session.give(more)
                    _ = try client.session.read()
                }
                Issue.record("no alert")
            } catch .failed(let reason) {
                #expect(reason.hasSuffix("alert bad record mac"))
            }
        }
        let proxy = try TLSProxy(driver, origin.address)
        try expectAlert(try proxy.connect())
        let asking = try proxy.connect()
        try asking.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome")
        _ = try asking.receiveHead()
        try expectAlert(asking)
        _ = try upstream.receiveUntilClosed()
        let forward = try TLSProxy(forward: driver)
        let tunnel = try forward.connect()
        try tunnel.send("CONNECT \(origin.address) HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n")
        let target = try origin.accept()
        try tunnel.expect("HTTP/1.1 200 Connection established\r\n\r\n")
        try expectAlert(tunnel)
        #expect(try target.receiveUntilClosed().isReset)
        #expect(proxy[.tlsErrors] == 2 && forward[.tlsErrors] == 1)
    }
}
