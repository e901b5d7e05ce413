import CPosix
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

/// A long stream that is the same for whoever computes it: bytes whose period no slice, page or pipe divides.
struct LongStream: Sendable {
    private let block = pattern(999_983)

    /// The bytes from `offset` on: up to `count` of them.
    func bytes(_ offset: Int, _ count: Int) -> ArraySlice<UInt8> {
        let start = offset % block.count
        return block[start..<min(block.count, start + count)]
    }

    /// Sends `size` bytes, from `offset` on.
    func send(_ size: Int, from offset: Int = 0, to socket: TestSocket) throws {
        var sent = offset
        while sent < offset + size {
            let part = bytes(sent, offset + size - sent)
            try socket.send(Array(part))
            sent += part.count
        }
    }

    /// Receives `size` bytes, which have to be these from `offset` on.
    func expect(_ size: Int, from offset: Int = 0, at socket: TestSocket) throws {
        var got = offset
        while got < offset + size {
            guard let more = try socket.receive(atMost: min(1 << 18, offset + size - got)) else {
                throw TestFailure("the stream ended after \(got - offset) of \(size) bytes")
            }
            guard matches(more, from: got) else { throw TestFailure("other bytes from \(got) on") }
            got += more.count
        }
    }

    private func matches(_ got: [UInt8], from offset: Int) -> Bool {
        var checked = 0
        while checked < got.count {
            let wanted = bytes(offset + checked, got.count - checked)
            let isEqual = unsafe got.withUnsafeBytes { got in
                unsafe wanted.withUnsafeBytes { wanted in
                    unsafe memcmp(got.baseAddress! + checked, wanted.baseAddress!, wanted.count) == 0
                }
            }
            if !isEqual { return false }
            checked += wanted.count
        }
        return true
    }
}

@Suite("Splicing", .blocking)
struct SpliceTests {
    private static let size = 64 << 20
    private let stream = LongStream()

    private func head(_ size: Int) -> String { "HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n" }

    private func post(_ size: Int) -> String {
        "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n"
    }

    /// Sends on a thread of its own, over a duplicate of the descriptor.
    private func sending(_ size: Int, from offset: Int = 0, to socket: TestSocket, ends: Bool = false)
        -> SystemThread
    {
        let descriptor = cposix_duplicate(socket.descriptor)
        let stream = stream
        return spawn {
            let socket = TestSocket(descriptor: descriptor)
            try? stream.send(size, from: offset, to: socket)
            if ends { socket.finish() }
        }
    }

    private func tunnel(_ proxy: TestProxy, _ origin: TestOrigin) throws -> (TestSocket, TestSocket) {
        let client = try proxy.connect()
        try client.send("CONNECT \(origin.address) HTTP/1.1\r\nHost: h\r\n\r\n")
        let upstream = try origin.accept()
        try client.expect("HTTP/1.1 200 Connection established\r\n\r\n")
        return (client, upstream)
    }

    private func peakMemory(_ proxy: TestProxy) -> Int {
        proxy.server.workers.reduce(into: 0) { $0 += $1.gauges.peakLeasedBytes.load(ordering: .relaxed) }
    }

    @Test(
        "A long response passes unchanged and uncopied, and both connections go on",
        arguments: TestDriver.offered)
    func download(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        for round in 0..<2 {
            try upstream.expect(Messages.get)
            try upstream.send(head(Self.size))
            let sender = sending(Self.size, to: upstream)
            try client.expect(head(Self.size))
            try stream.expect(Self.size, at: client)
            sender.join()
            try client.send(Messages.get)
            // A test that gets no processor for a while is a slow reader, which is copied for a while.
            #expect(proxy[.bytesSpliced] > UInt64((round + 1) * Self.size) / 4)
        }
        // The connections receive as before.
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        #expect(proxy[.upstreamOpened] == 1)
        #expect(proxy[.spliceFallbacks] == 0)
        #expect(peakMemory(proxy) < 16 << 20)
        let spliced = proxy[.bytesSpliced]
        let metrics = MetricsReport.render(proxy.server)
        #expect(metrics.contains("\nuproxy_spliced_bytes_total \(spliced)\n"))
        #expect(!metrics.contains("\nuproxy_splice_calls_total 0\n"))
    }

    @Test(
        "A long request passes so too, and the request behind it is not taken for a part of it",
        arguments: TestDriver.offered)
    func upload(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(post(Self.size))
        let descriptor = cposix_duplicate(client.descriptor)
        let sender = spawn { [stream] in
            let socket = TestSocket(descriptor: descriptor)
            try? stream.send(Self.size, to: socket)
            try? socket.send(Messages.get)
        }
        let upstream = try origin.accept()
        try upstream.expect(post(Self.size))
        try stream.expect(Self.size, at: upstream)
        sender.join()
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        #expect(proxy[.bytesSpliced] > UInt64(Self.size) / 4)
        #expect(peakMemory(proxy) < 16 << 20)
    }

    @Test("A unix socket is spliced from as well, or copied from", arguments: TestDriver.offered)
    func unixUpstream(_ driver: TestDriver) throws {
        let origin = try TestOrigin("unix:/tmp/uproxy-splice-\(driver.rawValue)-\(getpid())")
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        for _ in 0..<2 {
            try client.send(post(4 << 20))
            let uploader = sending(4 << 20, to: client)
            let upstream = try origin.accept()
            try upstream.expect(post(4 << 20))
            try stream.expect(4 << 20, at: upstream)
            uploader.join()
            let closing = "HTTP/1.1 200 OK\r\nContent-Length: \(4 << 20)\r\nConnection: close\r\n\r\n"
            try upstream.send(closing)
            let sender = sending(4 << 20, to: upstream)
            try client.expect(head(4 << 20))
            try stream.expect(4 << 20, at: client)
            sender.join()
        }
    }

    @Test(
        "A body that ends with its connection ends so, and a cut one does not", arguments: TestDriver.offered)
    func untilClose(_ driver: TestDriver) throws {
        let size = 8 << 20
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        for isCut in [false, true] {
            let client = try proxy.connect()
            try client.send("GET /a HTTP/1.0\r\nHost: h\r\n\r\n")
            let upstream = try origin.accept()
            _ = try upstream.receiveHead()
            try upstream.send("HTTP/1.1 200 OK\r\n\r\n")
            let sender = sending(size, to: upstream)
            _ = try client.receiveHead()
            try stream.expect(size, at: client)
            sender.join()
            if isCut { upstream.reset() } else { upstream.close() }
            let (rest, isReset) = try client.receiveUntilClosed()
            #expect(rest == "" && isReset == isCut)
        }
        #expect(proxy[.bytesSpliced] > UInt64(size) / 2)
    }

    @Test(
        "A reader that stops holds a pipe's worth and its socket buffers, and no more",
        arguments: TestDriver.offered)
    func slowReader(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.limitRateMin = .off }
        let client = try proxy.connect(receiveBuffer: 4096)
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(head(Self.size))
        var sent = 0
        var idle = 0
        while idle < 300 && sent < Self.size {
            let result = upstream.sendSome(Array(stream.bytes(sent, Self.size - sent)))
            if result > 0 {
                sent += result
                idle = 0
            } else {
                idle += 1
                usleep(1000)
            }
        }
        #expect(idle == 300, "\(sent) bytes were taken without end")
        #expect(peakMemory(proxy) < 16 << 20)
        let sender = sending(Self.size - sent, from: sent, to: upstream)
        try client.expect(head(Self.size))
        try stream.expect(Self.size, at: client)
        sender.join()
        #expect(proxy[.bytesSpliced] > 0)
    }

    @Test(
        "When the reader goes away the upstream does too, and the proxy goes on",
        arguments: TestDriver.offered)
    func readerKilled(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        for _ in 0..<3 {
            let client = try proxy.connect()
            try client.send(Messages.get)
            let upstream = try origin.accept()
            try upstream.expect(Messages.get)
            try upstream.send(head(Self.size))
            let sender = sending(Self.size, to: upstream)
            try client.expect(head(Self.size))
            try stream.expect(16 << 20, at: client)
            client.reset()
            sender.join()
            _ = try? upstream.receiveUntilClosed()
        }
        try proxy.wait(for: "the end of all") { proxy[.downstreamClosed] == 3 && proxy[.upstreamClosed] == 3 }
        #expect(proxy[.bytesSpliced] > 8 << 20)
    }

    @Test("When the upstream goes away in a body the reader sees a cut", arguments: TestDriver.offered)
    func upstreamKilled(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        for resets in [false, true] {
            let client = try proxy.connect()
            try client.send(Messages.get)
            let upstream = try origin.accept()
            try upstream.expect(Messages.get)
            try upstream.send(head(Self.size))
            let sender = sending(16 << 20, to: upstream)
            try client.expect(head(Self.size))
            try stream.expect(16 << 20, at: client)
            sender.join()
            if resets { upstream.reset() } else { upstream.close() }
            #expect(try client.receiveUntilClosed().isReset)
        }
        #expect(proxy[.upstreamTruncated] == 2)
        #expect(proxy[.bytesSpliced] > 16 << 20)
    }

    @Test("An answer before the end of a long request reaches the client", arguments: TestDriver.offered)
    func earlyAnswer(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(post(Self.size))
        let sender = sending(Self.size, to: client)
        let upstream = try origin.accept()
        try upstream.expect(post(Self.size))
        try stream.expect(8 << 20, at: upstream)
        try upstream.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        #expect(try client.receiveHead().hasPrefix("HTTP/1.1 413 "))
        upstream.close()
        sender.join()
        #expect(proxy[.bytesSpliced] > 4 << 20)
    }

    @Test("Tunnels: bulk both ways at once, and each end by itself", arguments: TestDriver.offered)
    func tunnels(_ driver: TestDriver) throws {
        let size = 32 << 20
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver)
        let (client, upstream) = try tunnel(proxy, origin)
        let senders = [
            sending(size, to: client, ends: true), sending(size, from: 7, to: upstream, ends: false),
        ]
        let reader = spawn { [stream, descriptor = cposix_duplicate(upstream.descriptor)] in
            let socket = TestSocket(descriptor: descriptor)
            do {
                try stream.expect(size, at: socket)
                try socket.expectEnd()
            } catch { Issue.record("\(error)") }
        }
        try stream.expect(size, from: 7, at: client)
        for thread in senders { thread.join() }
        reader.join()
        // The other direction is still open.
        try upstream.send("last")
        upstream.finish()
        #expect(try client.receiveAll() == "last")
        #expect(proxy[.bytesSpliced] > UInt64(size) / 2)
        try proxy.wait(for: "the tunnel's end") { proxy[.tunnelsClosed] == 1 }
    }

    @Test("Tunnels: small messages after bulk go through slices again", arguments: TestDriver.offered)
    func pingPong(_ driver: TestDriver) throws {
        let size = 8 << 20
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver)
        let (client, upstream) = try tunnel(proxy, origin)
        let sender = sending(size, to: client)
        try stream.expect(size, at: upstream)
        sender.join()
        var spliced = proxy[.bytesSpliced]
        #expect(spliced > UInt64(size) / 4)
        for round in 0..<200 {
            if round == 20 { spliced = proxy[.bytesSpliced] }
            try client.send("question \(round)")
            try upstream.expect("question \(round)")
            try upstream.send("answer \(round)")
            try client.expect("answer \(round)")
        }
        #expect(proxy[.bytesSpliced] == spliced)
        // And bulk once more.
        let again = sending(size, to: client)
        try stream.expect(size, at: upstream)
        again.join()
        #expect(proxy[.bytesSpliced] > spliced + UInt64(size) / 4)
    }

    @Test(
        "A stream on which nothing comes any more gives its pipe up, and loses nothing",
        arguments: TestDriver.offered)
    func idle(_ driver: TestDriver) throws {
        let size = 4 << 20
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver)
        var tunnels: [(TestSocket, TestSocket)] = []
        for _ in 0..<Budget.mostPipesPerWorker {
            let (client, upstream) = try tunnel(proxy, origin)
            let sender = sending(1 << 20, to: client)
            try stream.expect(1 << 20, at: upstream)
            sender.join()
            tunnels.append((client, upstream))
        }
        usleep(2_500_000)
        let (client, upstream) = try tunnel(proxy, origin)
        let before = proxy[.bytesSpliced]
        let sender = sending(size, to: client)
        try stream.expect(size, at: upstream)
        sender.join()
        #expect(proxy[.bytesSpliced] > before + UInt64(size) / 4)
        for (client, upstream) in tunnels {
            try client.send("still here")
            try upstream.expect("still here")
        }
    }

    @Test("Urgent data, which a splice stops at, does not stop a tunnel", arguments: TestDriver.offered)
    func urgentData(_ driver: TestDriver) throws {
        let size = 8 << 20
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver)
        let (client, upstream) = try tunnel(proxy, origin)
        let sender = spawn { [stream, descriptor = cposix_duplicate(client.descriptor)] in
            let socket = TestSocket(descriptor: descriptor)
            try? stream.send(size, to: socket)
            var urgent: UInt8 = 0x21
            unsafe _ = cposix_send(descriptor, &urgent, 1, Int32(CPOSIX_MSG_OOB))
            try? stream.send(size, from: size, to: socket)
            socket.finish()
        }
        // Out of band as it is, the urgent byte is not passed on.
        try stream.expect(2 * size, at: upstream)
        try upstream.expectEnd()
        sender.join()
        #expect(proxy[.bytesSpliced] > UInt64(size) / 4)
    }

    @Test("A drain waits for a spliced body", arguments: TestDriver.offered)
    func drain(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(head(Self.size))
        let sender = sending(Self.size, to: upstream)
        try client.expect(head(Self.size))
        try stream.expect(8 << 20, at: client)
        proxy.server.drain()
        try stream.expect(Self.size - 8 << 20, from: 8 << 20, at: client)
        try client.expectEnd()
        sender.join()
        proxy.waitForDrain()
        #expect(proxy[.bytesSpliced] > UInt64(Self.size) / 4)
    }

    @Test("With more long streams than pipes the others are copied", arguments: TestDriver.offered)
    func manyStreams(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) {
            $0.limitRateMin = .off
            $0.memoryBytes = 64 << 20
        }
        var streams: [(TestSocket, TestSocket)] = []
        for _ in 0..<Budget.mostPipesPerWorker + 8 {
            let client = try proxy.connect()
            try client.send(Messages.get)
            let upstream = try origin.accept()
            try upstream.expect(Messages.get)
            try upstream.send(head(2 << 20))
            try client.expect(head(2 << 20))
            streams.append((client, upstream))
        }
        try proxy.wait(for: "streams without a pipe") {
            proxy.server.workers[0].gauges.turns.load(ordering: .relaxed) > 0
        }
        // Interleaved, so that all are under way at once.
        for part in 0..<4 {
            for (client, upstream) in streams {
                let sender = sending(512 << 10, from: part << 19, to: upstream)
                try stream.expect(512 << 10, from: part << 19, at: client)
                sender.join()
            }
        }
        #expect(proxy[.spliceFallbacks] == 8)
        #expect(proxy[.bytesSpliced] > 32 << 20)
    }

    @Test("--splice off copies", arguments: TestDriver.offered)
    func off(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.splice = .off }
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(head(4 << 20))
        let sender = sending(4 << 20, to: upstream)
        try client.expect(head(4 << 20))
        try stream.expect(4 << 20, at: client)
        sender.join()
        #expect(proxy[.bytesSpliced] == 0 && proxy[.spliceFallbacks] == 0)
    }
}
