import CPosix
import TestSupport
import Testing

@testable import UringProxy

/// Origins at several ports that one thread serves, so that it knows how many connections they have together. Each request is
/// answered with 200, and nothing is read before its connection's end is looked for.
final class CountingOrigin: Sendable {
    private struct State {
        var isStopping = false
        var open = 0
        var most = 0
        var accepted = 0
    }

    let addresses: [String]
    private let state = Locked(State())
    private let thread = Locked<SystemThread?>(nil)

    init(ports: Int) throws {
        let origins = try (0..<ports).map { _ in try TestOrigin() }
        addresses = origins.map(\.address)
        let listeners = origins.map { cposix_duplicate($0.descriptor) }
        thread.withLock { $0 = spawn { [self] in run(listeners) } }
    }

    /// As many as were open at once, whenever one came.
    var most: Int { state.withLock { $0.most } }
    /// As many as were open when the thread last looked.
    var open: Int { state.withLock { $0.open } }
    var accepted: Int { state.withLock { $0.accepted } }

    func end() {
        state.withLock { $0.isStopping = true }
        thread.withLock { $0.take() }?.join()
    }

    private func run(_ listeners: [Int32]) {
        var sockets: [TestSocket] = []
        while !state.withLock({ $0.isStopping }) {
            var polled = (listeners + sockets.map(\.descriptor)).map {
                pollfd(fd: $0, events: Int16(CPOSIX_POLLIN), revents: 0)
            }
            unsafe _ = poll(&polled, nfds_t(polled.count), 5)
            for listener in listeners {
                while case let descriptor = cposix_accept(listener, Int32(CPOSIX_SOCK_CLOEXEC)),
                    descriptor >= 0
                {
                    // What ended before this one came has ended for good.
                    serve(&sockets)
                    sockets.append(TestSocket(descriptor: descriptor))
                    state.withLock {
                        $0.accepted += 1
                        $0.most = max($0.most, sockets.count)
                    }
                }
            }
            serve(&sockets)
            state.withLock { $0.open = sockets.count }
        }
        for listener in listeners { _ = cposix_close(listener) }
    }

    private func serve(_ sockets: inout [TestSocket]) {
        for index in sockets.indices.reversed() {
            while true {
                var buffer = [UInt8](repeating: 0, count: 4096)
                let size = unsafe cposix_recv(sockets[index].descriptor, &buffer, buffer.count, 0)
                if size == -Int(EAGAIN) { break }
                guard size > 0 else {
                    sockets.remove(at: index)
                    break
                }
                if Array(buffer[..<size]).ends(with: [13, 10, 13, 10]) {
                    try? sockets[index].send(Messages.ok)
                }
            }
        }
    }
}
