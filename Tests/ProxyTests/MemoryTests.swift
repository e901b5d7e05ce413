import CPosix
import Synchronization
import Testing

@testable import UringProxy

@Suite("Memory", .blocking)
struct MemoryTests {
    @Test("Interim responses without end are held back by a reader that stops", arguments: TestDriver.offered)
    func interimFlood(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.limitRateMin = .off }
        let client = try proxy.connect(receiveBuffer: 4096)
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        let interim = "HTTP/1.1 103 Early Hints\r\n\r\n"
        let flood = latin1(String(repeating: interim, count: 2000))
        var offset = 0
        var sent = 0
        var idle = 0
        // Until it is not taken any more.
        while idle < 300 && sent < 64 << 20 {
            let result = upstream.sendSome(Array(flood[offset...]))
            if result > 0 {
                sent += result
                offset = (offset + result) % flood.count
                idle = 0
            } else {
                idle += 1
                usleep(1000)
            }
        }
        #expect(idle == 300, "\(sent) bytes were taken without end")
        for worker in proxy.server.workers {
            #expect(worker.gauges.peakLeasedBytes.load(ordering: .relaxed) < 20 << 20)
        }
        #expect(proxy[.buffersExhausted] == 0)
        // What was held back goes on when the reader does.
        var got = 0
        let wanted = sent / interim.utf8.count * interim.utf8.count
        while got < wanted {
            guard let more = try client.receive() else { break }
            got += more.count
        }
        #expect(got == wanted)
    }

    @Test("A moment without memory leaves no trace", arguments: TestDriver.offered)
    func recovery(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.memoryBytes = 16 << 20 }
        let body = [UInt8](repeating: 0x61, count: 60_000)
        var hogs: [TestSocket] = []
        for _ in 0..<400 {
            let client = try proxy.connect()
            try client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")
            _ = client.sendSome(body)
            hogs.append(client)
        }
        usleep(300_000)
        for hog in hogs { hog.close() }
        try proxy.wait(for: "the end of the hogs") { proxy.downstreamConnections == 0 }
        while origin.acceptNow() != nil {}
        var clients: [TestSocket] = []
        for _ in 0..<60 {
            let client = try proxy.connect()
            try client.send(Messages.get)
            clients.append(client)
        }
        for _ in 0..<60 {
            let upstream = try origin.accept()
            try upstream.expect(Messages.get)
            hogs.append(upstream)
        }
        for upstream in hogs.suffix(60) { try upstream.send(Messages.ok) }
        for client in clients { try client.expect(Messages.ok) }
    }

    @Test("The content of a CONNECT that failed is not the next request", arguments: TestDriver.offered)
    func connectContent(_ driver: TestDriver) throws {
        let closed = try TestOrigin.nobody()
        let proxy = try TestProxy(forward: driver)
        let client = try proxy.connect()
        let hidden = "GET http://\(closed)/hidden HTTP/1.1\r\nHost: h\r\n\r\n"
        try client.send(
            "CONNECT \(closed) HTTP/1.1\r\nHost: h\r\nContent-Length: \(hidden.utf8.count)\r\n\r\n"
                + hidden)
        let all = try client.receiveAll()
        #expect(all.components("HTTP/1.1 ") == 1, "\(all)")
    }
}

extension String {
    fileprivate func components(_ text: String) -> Int {
        var count = 0
        var rest = self[...]
        while let found = rest.firstRange(of: text) {
            count += 1
            rest = rest[found.upperBound...]
        }
        return count
    }
}
