import CPosix
import Synchronization
import TestSupport

@testable import UringProxy

/// A name server on loopback that answers A queries from a table; what is not in it does not exist.
final class NameServer: Sendable {
    let address: String
    private let descriptor: Int32
    private let names: [String: [String]]
    private let isStopping = Atomic(false)
    private let thread = Locked<SystemThread?>(nil)

    /// - Parameter names: the IPv4 addresses of each name; an empty list is a server failure.
    init(_ names: [String: [String]]) throws {
        self.names = names
        descriptor = cposix_socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(CPOSIX_SOCK_CLOEXEC), 0)
        let fd = descriptor
        let asked = SocketAddress(.loopback4, port: 0)
        guard unsafe asked.withSockaddr({ unsafe cposix_bind(fd, $0, $1) }) == 0,
            let bound = SocketAddress(boundBy: fd)
        else { throw TestFailure("no port for the name server") }
        address = bound.description
        _ = cposix_set_nonblocking(fd)
        thread.withLock { $0 = spawn { [self] in run() } }
    }

    /// To be called once.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        thread.withLock { $0.take() }?.join()
        _ = cposix_close(descriptor)
    }

    private func run() {
        var query = [UInt8](repeating: 0, count: 1500)
        while !isStopping.load(ordering: .acquiring) {
            guard
                cposix_await_until(descriptor, Int16(POLLIN), cposix_monotonic_nanoseconds() + 20_000_000)
                    != 0
            else { continue }
            var peer = [UInt8](repeating: 0, count: 128)
            var peerSize: UInt32 = 128
            let size = unsafe cposix_receive_from(descriptor, &query, query.count, 0, &peer, &peerSize)
            guard size > 12 else { continue }
            let reply = answer(Array(query[..<size]))
            unsafe _ = cposix_send_to(descriptor, reply, reply.count, 0, peer, peerSize)
        }
    }

    private func answer(_ query: [UInt8]) -> [UInt8] {
        var labels: [String] = []
        var index = 12
        while query[index] != 0 {
            let size = Int(query[index])
            labels.append(String(decoding: query[index + 1...index + size], as: UTF8.self).lowercased())
            index += size + 1
        }
        let questionEnd = index + 5
        let isA = query[index + 2] == 1
        let addresses = names[labels.joined(separator: ".")]
        let code: UInt8 = addresses.map { $0.isEmpty ? 2 : 0 } ?? 3
        let answers = isA ? addresses ?? [] : []
        var reply = Array(query[0..<2]) + [0x81, 0x80 | code, 0, 1, 0, UInt8(answers.count), 0, 0, 0, 0]
        reply += query[12..<questionEnd]
        for address in answers {
            reply += [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]
            reply += address.split(separator: ".").map { UInt8($0)! }
        }
        return reply
    }
}
