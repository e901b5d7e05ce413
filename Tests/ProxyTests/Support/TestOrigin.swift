import CPosix
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

/// A listening socket in the hands of a test, which plays the origin itself: it accepts, reads the exact bytes that the
/// proxy forwarded, and writes the exact bytes that the proxy is to read.
final class TestOrigin {
    let descriptor: Int32
    /// `127.0.0.1:PORT`, or `unix:PATH`.
    let address: String
    private var isOpen = true

    init(_ text: String = "127.0.0.1:0", backlog: Int32 = 1024) throws {
        let asked = try SocketAddress(parsing: text)
        descriptor = cposix_socket(
            asked.family, Int32(CPOSIX_SOCK_STREAM | CPOSIX_SOCK_CLOEXEC | CPOSIX_SOCK_NONBLOCK), 0)
        let fd = descriptor
        if asked.isIP { _ = cposix_setsockopt_int(fd, SOL_SOCKET, SO_REUSEADDR, 1) }
        let bound = unsafe asked.withSockaddr { unsafe cposix_bind(fd, $0, $1) }
        guard bound == 0, cposix_listen(fd, backlog) == 0 else {
            throw TestFailure("cannot listen on \(text)")
        }
        address = (SocketAddress(boundBy: fd) ?? asked).description
    }

    deinit { close() }

    /// An address at which nobody listens. Its port stays taken, so that no other test's origin comes to have it.
    static func nobody() throws -> String {
        let asked = SocketAddress(.loopback4, port: 0)
        let descriptor = cposix_socket(asked.family, Int32(CPOSIX_SOCK_STREAM | CPOSIX_SOCK_CLOEXEC), 0)
        guard unsafe asked.withSockaddr({ unsafe cposix_bind(descriptor, $0, $1) }) == 0,
            let bound = SocketAddress(boundBy: descriptor)
        else { throw TestFailure("no port is free") }
        return bound.description
    }

    var port: UInt16 { UInt16(address.split(separator: ":").last ?? "") ?? 0 }

    /// The next connection, for which there is a deadline.
    func accept(sourceLocation: SourceLocation = #_sourceLocation) throws -> TestSocket {
        let deadline = cposix_monotonic_nanoseconds() + TestSocket.patience
        guard cposix_await_until(descriptor, Int16(POLLIN), deadline) != 0 else {
            Issue.record("no connection came in time", sourceLocation: sourceLocation)
            throw TestFailure("no connection came in time")
        }
        guard let socket = acceptNow() else { throw TestFailure("accept failed") }
        return socket
    }

    /// The connection on which a request comes, as a client sends it now.
    func accept(_ request: String, from client: TestSocket) throws -> TestSocket {
        try client.send(request)
        let socket = try accept()
        try socket.expect(request)
        return socket
    }

    /// Connections that fill its backlog, which is to be 0: it takes no more SYNs, a black hole.
    func fill() throws -> [TestSocket] {
        let address = try SocketAddress(parsing: self.address)
        return (0..<4).map { _ in
            let descriptor = cposix_socket(AF_INET, Int32(CPOSIX_SOCK_STREAM | CPOSIX_SOCK_NONBLOCK), 0)
            unsafe _ = address.withSockaddr { unsafe cposix_connect(descriptor, $0, $1) }
            return TestSocket(descriptor: descriptor)
        }
    }

    /// A connection that already waits; nil if there is none.
    func acceptNow() -> TestSocket? {
        let connection = cposix_accept(descriptor, Int32(CPOSIX_SOCK_CLOEXEC))
        if connection < 0 { return nil }
        let socket = TestSocket(descriptor: connection)
        _ = cposix_setsockopt_int(connection, Int32(CPOSIX_IPPROTO_TCP), TCP_NODELAY, 1)
        return socket
    }

    func close() {
        if isOpen { _ = cposix_close(descriptor) }
        isOpen = false
    }
}

/// An origin on threads of its own, one for each connection, for tests that talk to the proxy in bulk.
final class ServedOrigin: Sendable {
    let address: String
    private let listener: Int32
    private let state = Locked(State())
    private let thread = Locked<SystemThread?>(nil)

    private struct State {
        var open: Set<Int32> = []
        var threads: [SystemThread] = []
        var accepted = 0
        var failures: [String] = []
    }

    /// - Parameter handler: serves one connection; it returns, or throws, when that is over. An end of the stream or a
    ///   reset while it waits is no failure if it lets `ConnectionReset` or `Ended` out.
    init(_ handler: @escaping @Sendable (TestSocket) throws -> Void) throws {
        let origin = try TestOrigin()
        address = origin.address
        listener = cposix_duplicate(origin.descriptor)
        thread.withLock { $0 = spawn { [self] in acceptAll(handler) } }
    }

    struct Ended: Error {}

    /// Serves each request with `answer(head)`; bodies with a Content-Length are read first.
    convenience init(answer: @escaping @Sendable (String, [UInt8]) throws -> String) throws {
        try self.init { socket in
            while true {
                let head: String
                do { head = try socket.receiveHead() } catch { throw Ended() }
                var body: [UInt8] = []
                if let length = contentLength(head) { body = try socket.receive(exactly: length) }
                try socket.send(answer(head, body))
            }
        }
    }

    private func acceptAll(_ handler: @escaping @Sendable (TestSocket) throws -> Void) {
        while true {
            cposix_wait_readable(listener)
            let descriptor = cposix_accept(listener, Int32(CPOSIX_SOCK_CLOEXEC))
            if descriptor == -EAGAIN { continue }
            if descriptor < 0 { return }
            _ = cposix_setsockopt_int(descriptor, Int32(CPOSIX_IPPROTO_TCP), TCP_NODELAY, 1)
            let thread = spawn { [self] in
                do { try handler(TestSocket(descriptor: cposix_duplicate(descriptor))) } catch is Ended {
                } catch is ConnectionReset {
                } catch { state.withLock { $0.failures.append("\(error)") } }
                state.withLock { _ = $0.open.remove(descriptor) }
                _ = cposix_shutdown(descriptor, Int32(CPOSIX_SHUT_RDWR))
                _ = cposix_close(descriptor)
            }
            state.withLock {
                $0.accepted += 1
                $0.threads.append(thread)
            }
        }
    }

    /// How many connections have come so far.
    var accepted: Int { state.withLock { $0.accepted } }

    /// Stops listening, waits for every connection's end (so the proxy has to have ended first), and tells what went
    /// wrong in them.
    func end(sourceLocation: SourceLocation = #_sourceLocation) {
        _ = cposix_shutdown(listener, Int32(CPOSIX_SHUT_RDWR))
        thread.withLock { $0.take() }?.join()
        let threads = state.withLock { $0.threads }
        for thread in threads { thread.join() }
        _ = cposix_close(listener)
        #expect(state.withLock { $0.failures } == [], sourceLocation: sourceLocation)
    }
}
