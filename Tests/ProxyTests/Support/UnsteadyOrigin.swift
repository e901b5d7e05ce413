import CPosix
import TestSupport
import Testing

@testable import UringProxy

/// An origin at a fixed port that works or does not, as the test says. It answers each request with its name.
final class UnsteadyOrigin: Sendable {
    enum Mode: Sendable, CaseIterable {
        case healthy
        /// Answers with 500.
        case failing
        /// Accepts, and says nothing.
        case hanging
        /// Nobody listens, and every connection has ended.
        case dead
        /// Every request is answered with a reset.
        case resetting
    }

    private struct State {
        var mode = Mode.healthy
        /// What the thread has come to.
        var applied = Mode.healthy
        var isStopping = false
        var requests = 0
    }

    let address: String
    private let name: String
    private let state = Locked(State())
    private let thread = Locked<SystemThread?>(nil)

    /// - Parameter text: `127.0.0.1:0`, or `unix:PATH`.
    init(_ name: String, at text: String = "127.0.0.1:0") throws {
        let origin = try TestOrigin(text)
        self.name = name
        address = origin.address
        let first = cposix_duplicate(origin.descriptor)
        thread.withLock { $0 = spawn { [self] in run(first) } }
    }

    /// Requests answered, or left without an answer.
    var requests: Int { state.withLock { $0.requests } }

    /// Returns when it is so.
    func become(_ mode: Mode) {
        state.withLock { $0.mode = mode }
        let deadline = cposix_monotonic_nanoseconds() + TestSocket.patience
        while state.withLock({ $0.applied }) != mode {
            guard cposix_monotonic_nanoseconds() < deadline else {
                Issue.record("the origin at \(address) does not become \(mode): is its address taken?")
                return
            }
            usleep(500)
        }
    }

    func end() {
        state.withLock { $0.isStopping = true }
        thread.withLock { $0.take() }?.join()
        if address.hasPrefix("unix:") { unsafe _ = unlink(String(address.dropFirst(5))) }
    }

    private func run(_ first: Int32) {
        var listener: TestListener? = TestListener(descriptor: first)
        var connections: [(socket: TestSocket, bytes: [UInt8])] = []
        while true {
            let (mode, isStopping) = state.withLock { ($0.mode, $0.isStopping) }
            if isStopping { return }
            if mode == .dead {
                listener = nil
                connections.removeAll()
            } else if listener == nil {
                guard let origin = try? TestOrigin(address) else {
                    wait(nil, [])
                    continue
                }
                listener = TestListener(descriptor: cposix_duplicate(origin.descriptor))
            }
            state.withLock { $0.applied = mode }
            wait(listener, connections.map(\.socket.descriptor))
            while let socket = listener?.accept() { connections.append((socket, [])) }
            if mode != .hanging { serve(&connections, mode) }
        }
    }

    private func wait(_ listener: TestListener?, _ sockets: [Int32]) {
        let all = (listener.map { [$0.descriptor] } ?? []) + sockets
        var polled = all.map { pollfd(fd: $0, events: Int16(CPOSIX_POLLIN), revents: 0) }
        unsafe _ = poll(&polled, nfds_t(polled.count), 5)
    }

    private func serve(_ connections: inout [(socket: TestSocket, bytes: [UInt8])], _ mode: Mode) {
        for index in connections.indices.reversed() {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let size = unsafe cposix_recv(connections[index].socket.descriptor, &buffer, buffer.count, 0)
            if size == -Int(EAGAIN) { continue }
            guard size > 0 else {
                connections.remove(at: index)
                continue
            }
            connections[index].bytes += buffer[..<size]
            guard connections[index].bytes.ends(with: [13, 10, 13, 10]) else { continue }
            connections[index].bytes = []
            state.withLock { $0.requests += 1 }
            if mode == .resetting {
                connections.remove(at: index).socket.reset()
                continue
            }
            let status = mode == .failing ? "500 Broken" : "200 OK"
            try? connections[index].socket.send(
                "HTTP/1.1 \(status)\r\nContent-Length: \(name.utf8.count)\r\n\r\n\(name)")
        }
    }
}

/// A listening socket that closes with its last reference.
private final class TestListener {
    let descriptor: Int32
    init(descriptor: Int32) { self.descriptor = descriptor }
    deinit { _ = cposix_close(descriptor) }

    func accept() -> TestSocket? {
        let connection = cposix_accept(descriptor, Int32(CPOSIX_SOCK_CLOEXEC))
        return connection < 0 ? nil : TestSocket(descriptor: connection)
    }
}
