import CPosix
import Synchronization
import TestSupport

@testable import UringProxy

/// A name server on loopback that answers A, AAAA and SRV queries from a table; what is not in it does not exist.
final class NameServer: Sendable {
    struct Zone: Sendable {
        /// Of both families.
        var addresses: [String] = []
        var services: [ServiceRecord] = []
        var ttlSeconds: UInt32 = 60
        /// RFC 1035 §4.1.1: 2 is a server failure, 3 no such name.
        var code: UInt8 = 0
        /// Queries are left without an answer.
        var isSilent = false
    }

    let address: String
    private let descriptor: Int32
    private let zones: Locked<[String: Zone]>
    private let answered = Atomic(0)
    private let isStopping = Atomic(false)
    private let thread = Locked<SystemThread?>(nil)

    /// - Parameter names: the addresses of each name; an empty list is a server failure.
    convenience init(_ names: [String: [String]]) throws {
        try self.init(zones: names.mapValues { Zone(addresses: $0, code: $0.isEmpty ? 2 : 0) })
    }

    init(zones: [String: Zone]) throws {
        self.zones = Locked(zones)
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

    /// What it says of a name from now on; nil: there is no such name.
    func set(_ name: String, _ zone: Zone?) { zones.withLock { $0[name] = zone } }

    /// Queries that were answered.
    var answers: Int { answered.load(ordering: .relaxed) }

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
            guard size > 12, let reply = answer(Array(query[..<size])) else { continue }
            unsafe _ = cposix_send_to(descriptor, reply, reply.count, 0, peer, peerSize)
            answered.wrappingAdd(1, ordering: .relaxed)
        }
    }

    private func answer(_ query: [UInt8]) -> [UInt8]? {
        var labels: [String] = []
        var index = 12
        while query[index] != 0 {
            let size = Int(query[index])
            labels.append(String(decoding: query[index + 1...index + size], as: UTF8.self).lowercased())
            index += size + 1
        }
        let questionEnd = index + 5
        let type = query[index + 2]
        let zone = zones.withLock { $0[labels.joined(separator: ".")] } ?? Zone(code: 3)
        if zone.isSilent { return nil }
        let records = zone.code == 0 ? Self.records(zone, type) : []
        var reply = Array(query[0..<2]) + [0x81, 0x80 | zone.code, 0, 1, 0, UInt8(records.count), 0, 0, 0, 0]
        reply += query[12..<questionEnd]
        for record in records {
            reply += [0xC0, 12, 0, type, 0, 1]
            reply += (0..<4).map { UInt8(truncatingIfNeeded: zone.ttlSeconds >> UInt32(24 - $0 * 8)) }
            reply += Self.bytes(UInt16(record.count)) + record
        }
        return reply
    }

    /// The data of each record of a type.
    private static func records(_ zone: Zone, _ type: UInt8) -> [[UInt8]] {
        let addresses = zone.addresses.map { IPAddress($0)! }
        switch type {
        case 1: return addresses.filter(\.isIPv4).map { address in (12..<16).map { address.byte(at: $0) } }
        case 28:
            return addresses.filter { !$0.isIPv4 }.map { address in (0..<16).map { address.byte(at: $0) } }
        case 33:
            return zone.services.map { service in
                let labels = service.target.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + $0.utf8 }
                return bytes(service.priority) + bytes(service.weight) + bytes(service.port) + labels + [0]
            }
        default: return []
        }
    }

    private static func bytes(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xFF)] }
}
