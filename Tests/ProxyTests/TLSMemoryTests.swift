import CPosix
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite("TLS and memory", .blocking)
struct TLSMemoryTests {
    @Test(
        "Many readers that stop at once fill the memory, and all get what is theirs when they go on",
        arguments: TestDriver.offered)
    func slowReaders(_ driver: TestDriver) throws {
        let count = 100
        let size = 300_000
        let begun = Locked(0)
        let origin = try ServedOrigin { socket in
            let path = try socket.receivePath()
            begun.withLock { $0 += 1 }
            while begun.withLock({ $0 }) < 100 { usleep(1000) }
            try socket.send("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n")
            try socket.send(pattern(300_000, seed: UInt64(path.dropFirst()) ?? 0))
        }
        let proxy = try TLSProxy(driver, origin.address) {
            $0.memoryBytes = 16 << 20
            $0.limitRateMin = .off
        }
        let clients = try (0..<count).map { _ in try proxy.connect(receiveBuffer: 4096) }
        for (number, client) in clients.enumerated() {
            try client.send("GET /\(number + 1) HTTP/1.1\r\nHost: h\r\n\r\n")
        }
        // Half a window of each; io_uring has no slice left by then.
        try proxy.proxy.wait(for: "the answers") { proxy[.bytesReceivedUpstream] > 100 * 32 << 10 }
        for (number, client) in clients.enumerated() {
            #expect(contentLength(try client.receiveHead()) == size)
            let body = try client.receive(exactly: size)
            #expect(difference(body, pattern(size, seed: UInt64(number + 1))) == nil)
        }
        proxy.proxy.end()
        origin.end()
    }

    @Test(
        "Many bodies that nobody reads fill the memory, and none waits for ever or is changed",
        arguments: TestDriver.offered)
    func slowOrigin(_ driver: TestDriver) throws {
        let begun = Locked(0)
        let isRead = Locked(false)
        let origin = try ServedOrigin { socket in
            let seed = UInt64(try socket.receivePath().dropFirst()) ?? 0
            begun.withLock { $0 += 1 }
            while !isRead.withLock({ $0 }) { usleep(1000) }
            let body = try socket.receive(exactly: 300_000)
            let isSame = difference(body, pattern(300_000, seed: seed)) == nil
            try socket.send("HTTP/1.1 \(isSame ? "204 No Content" : "400 Other Bytes")\r\n\r\n")
        }
        let proxy = try TLSProxy(driver, origin.address) {
            $0.memoryBytes = 16 << 20
            $0.limitRateMin = .off
        }
        let clients = try (0..<100).map { _ in try proxy.connect() }
        for (number, client) in clients.enumerated() {
            try client.send("POST /\(number + 1) HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n")
        }
        try proxy.proxy.wait(for: "all of them") { begun.withLock { $0 } == 100 }
        let senders = try clients.enumerated().map { number, client in
            try client.session.write(pattern(300_000, seed: UInt64(number + 1)))
            let ciphertext = client.session.take()
            return client.socket.sendAside(ciphertext)
        }
        try proxy.proxy.wait(for: "the bodies") { proxy[.bytesReceivedDownstream] > 100 * 32 << 10 }
        isRead.withLock { $0 = true }
        // Where there is no memory for an answer the connection ends.
        for client in clients {
            if let head = try? client.receiveHead() { #expect(head.hasPrefix("HTTP/1.1 204 "), "\(head)") }
        }
        for sender in senders { sender.join() }
        try proxy.proxy.wait(for: "the ends") { proxy[.exchangesFinished] == 100 }
        #expect(proxy[.responses2xx] + proxy[.buffersExhausted] >= 100 && proxy[.responses2xx] > 0)
        proxy.proxy.end()
        origin.end()
    }

    @Test("Sessions count as memory, and have at most half of it", arguments: TestDriver.offered)
    func sessions(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address) { $0.memoryBytes = 16 << 20 }
        let client = try proxy.connect()
        // What they take in a handshake is more.
        let most = (8 << 20) / TLSSession.handshakeBytes
        let session = TLSClient()
        _ = try session.shakeHands()
        let hello = session.take()
        let others = try (0...most).map { _ in
            let socket = try proxy.proxy.connect()
            try socket.send(hello)
            return socket
        }
        try proxy.proxy.wait(for: "one too many") { proxy[.tlsRefused] > 0 }
        for other in others { other.close() }
        try proxy.proxy.wait(for: "their ends") { proxy.proxy.downstreamConnections == 1 }
        let refused = proxy[.tlsRefused]
        _ = try proxy.connect()
        try client.serve(by: origin)
        #expect(proxy[.tlsRefused] == refused)
    }

    @Test("A moment without memory leaves no trace", arguments: TestDriver.offered)
    func recovery(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address) { $0.memoryBytes = 16 << 20 }
        let body = [UInt8](repeating: 0x61, count: 60_000)
        var hogs: [TLSSocket] = []
        for _ in 0..<200 {
            let client = try proxy.connect()
            try client.session.write(
                latin1("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n") + body)
            _ = client.socket.sendSome(client.session.take())
            hogs.append(client)
        }
        try proxy.proxy.wait(for: "their bytes") { proxy[.bytesReceivedDownstream] > 8 << 20 }
        for hog in hogs { hog.socket.close() }
        try proxy.proxy.wait(for: "the end of the hogs") { proxy.proxy.downstreamConnections == 0 }
        while origin.acceptNow() != nil {}
        for worker in proxy.proxy.server.workers {
            try proxy.proxy.wait(for: "the memory") {
                worker.gauges.leasedBytes.load(ordering: .relaxed) < 8 << 20
            }
        }
        let client = try proxy.connect()
        try client.serve(by: origin)
    }
}
