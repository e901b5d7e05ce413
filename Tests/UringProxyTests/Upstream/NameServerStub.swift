import CPosix
import Synchronization
import TestSupport

@testable import UringProxy

/// A DNS server on a loopback UDP port: answers A and AAAA from a table, late, with an error, or not at all.
final class NameServerStub: Sendable {
    struct Zone: Sendable {
        var ipv4: [String] = []
        var ipv6: [String] = []
        var services: [ServiceRecord] = []
        var ttlSeconds: UInt32 = 60
        /// Answered from this name's records, by way of an alias with this time to live.
        var aliasTTLSeconds: UInt32?
        /// RFC 1035 §4.1.1: 2 is a server failure, 3 no such name.
        var responseCode: UInt8 = 0
        var delayMilliseconds: Int64 = 0
        var isSilent = false
        /// AAAA queries are dropped, A queries answered: a fault that real servers have.
        var isSilentForIPv6 = false
    }
    private struct State {
        var zones: [String: Zone] = [:]
        var counts: [String: Int] = [:]
    }
    private struct Reply {
        let dueNanoseconds: Int64
        let bytes: [UInt8]
        let peer: [UInt8]
    }

    let port: UInt16
    private let descriptor: Int32
    private let isStopping = Atomic<Bool>(false)
    private let state = Locked(State())
    private let thread = SystemThread()

    init(_ zones: [String: Zone]) throws {
        descriptor = cposix_socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(CPOSIX_SOCK_CLOEXEC), 0)
        let address = SocketAddress(.loopback4, port: 0)
        let fd = descriptor
        let bound = unsafe address.withSockaddr { unsafe cposix_bind(fd, $0, $1) }
        if bound < 0 { throw SystemCallError(call: "bind", errno: -bound) }
        var raw = [UInt8](repeating: 0, count: 128)
        var size: UInt32 = 128
        _ = unsafe cposix_getsockname(fd, &raw, &size)
        port = UInt16(raw[2]) << 8 | UInt16(raw[3])
        state.withLock { $0.zones = zones }
    }

    deinit { _ = cposix_close(descriptor) }

    var address: String { "127.0.0.1:\(port)" }

    func set(_ name: String, _ zone: Zone) { state.withLock { $0.zones[name] = zone } }

    /// How many queries came for the name; `type` 1 is A, 28 is AAAA.
    func count(_ name: String, type: Int) -> Int { state.withLock { $0.counts["\(name) \(type)"] ?? 0 } }

    func start() {
        do throws(SystemCallError) { try thread.start { self.run() } } catch {
            preconditionFailure(error.message)
        }
    }

    func stop() {
        isStopping.store(true, ordering: .releasing)
        thread.join()
    }

    private func run() {
        var replies: [Reply] = []
        var packet = [UInt8](repeating: 0, count: 1_500)
        while !isStopping.load(ordering: .acquiring) {
            var peer = [UInt8](repeating: 0, count: 16)
            var peerSize: UInt32 = 16
            let size = unsafe peer.withUnsafeMutableBytes { peer in
                unsafe cposix_receive_from(
                    descriptor, &packet, packet.count, Int32(CPOSIX_MSG_DONTWAIT), peer.baseAddress!,
                    &peerSize)
            }
            let now = cposix_monotonic_nanoseconds()
            if size > 12, let (bytes, delay) = reply(to: Array(packet[..<size])) {
                replies.append(Reply(dueNanoseconds: now + delay * 1_000_000, bytes: bytes, peer: peer))
            }
            for reply in replies where reply.dueNanoseconds <= now {
                _ = unsafe cposix_send_to(descriptor, reply.bytes, reply.bytes.count, 0, reply.peer, 16)
            }
            replies.removeAll { $0.dueNanoseconds <= now }
            if size < 0 { _ = usleep(500) }
        }
    }

    private func reply(to query: [UInt8]) -> (bytes: [UInt8], delayMilliseconds: Int64)? {
        var index = 12
        var labels: [String] = []
        while index < query.count, query[index] != 0 {
            let end = index + 1 + Int(query[index])
            guard end < query.count else { return nil }
            labels.append(String(decoding: query[index + 1..<end], as: UTF8.self))
            index = end
        }
        guard index + 5 <= query.count else { return nil }
        let name = labels.joined(separator: ".")
        let type = Int(query[index + 2])
        let zone = state.withLock { state in
            state.counts["\(name) \(type)", default: 0] += 1
            return state.zones[name]
        }
        let found = zone ?? Zone(responseCode: 3)
        if found.isSilent || found.isSilentForIPv6 && type == 28 { return nil }
        let texts = type == 1 ? found.ipv4 : type == 28 ? found.ipv6 : []
        let addresses = found.responseCode == 0 ? texts.map { IPAddress($0)! } : []
        let hasAlias = found.aliasTTLSeconds != nil && !addresses.isEmpty
        let services = type == 33 && found.responseCode == 0 ? found.services : []
        var bytes = Array(query[..<2]) + [0x81, 0x80 | found.responseCode, 0, 1, 0]
        bytes += [UInt8(addresses.count + services.count + (hasAlias ? 1 : 0)), 0, 0, 0, 0]
        bytes += query[12..<index + 5]
        var owner: [UInt8] = [0xC0, 12]
        if hasAlias, let ttl = found.aliasTTLSeconds {
            bytes += owner + [0, 5, 0, 1] + NameServerStub.bytes(ttl) + [0, 4]
            owner = [0xC0, UInt8(bytes.count)]
            bytes += [1, UInt8(ascii: "c"), 0xC0, 12]
        }
        for address in addresses {
            bytes += owner + [0, UInt8(type), 0, 1] + NameServerStub.bytes(found.ttlSeconds)
            let range = address.isIPv4 ? 12..<16 : 0..<16
            bytes += [0, UInt8(range.count)] + range.map { address.byte(at: $0) }
        }
        for service in services {
            let labels = service.target.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + $0.utf8 }
            let data = [service.priority, service.weight, service.port].flatMap {
                [UInt8($0 >> 8), UInt8($0 & 255)]
            }
            bytes += owner + [0, 33, 0, 1] + NameServerStub.bytes(found.ttlSeconds)
            bytes += [0, UInt8(data.count + labels.count + 1)] + data + labels + [0]
        }
        return (bytes, found.delayMilliseconds)
    }

    private static func bytes(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(24 - $0 * 8)) }
    }
}
