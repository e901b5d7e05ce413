internal import CPosix
internal import Synchronization

/// A socket that each record is sent to as a message; connected anew when its other end has gone.
struct AccessLogDatagrams {
    private let address: SocketAddress
    private var descriptor: Int32 = -1

    init(_ address: SocketAddress) { self.address = address }

    func close() { if descriptor >= 0 { _ = cposix_close(descriptor) } }

    /// 0, or errno.
    mutating func connect() -> Int32 {
        close()
        descriptor = cposix_socket(
            address.family,
            Int32(CPOSIX_SOCK_DGRAM) | Int32(CPOSIX_SOCK_CLOEXEC) | Int32(CPOSIX_SOCK_NONBLOCK), 0)
        guard descriptor >= 0 else { return -descriptor }
        let result = unsafe address.withSockaddr { unsafe cposix_connect(descriptor, $0, $1) }
        guard result < 0 else { return 0 }
        close()
        descriptor = -1
        return -result
    }

    /// - Parameter message: of a record's bytes, what is sent.
    mutating func write(
        _ batch: inout AccessLogBatch, _ counters: AccessLogCounters,
        message: (Range<Int>, [UInt8]) -> Range<Int>
    ) -> AccessLogOutcome {
        if descriptor < 0 {
            let errno = connect()
            if errno != 0 { return .failed(errno: errno) }
        }
        while !batch.isEmpty {
            let record = batch.nextRecord
            let sent = message(record, batch.bytes)
            let size = unsafe batch.bytes.withUnsafeBytes { bytes in
                unsafe cposix_send(
                    descriptor, bytes.baseAddress! + sent.lowerBound, sent.count, Int32(CPOSIX_MSG_NOSIGNAL))
            }
            switch size {
            case 0...:
                counters.bytes.wrappingAdd(UInt64(sent.count), ordering: .relaxed)
                counters.records.wrappingAdd(1, ordering: .relaxed)
            case -Int(EINTR): continue
            case -Int(EAGAIN): return .isFull(descriptor: descriptor)
            case -Int(EMSGSIZE):
                // No other attempt would change that.
                counters.writeFailures.wrappingAdd(1, ordering: .relaxed)
                counters.lost.wrappingAdd(1, ordering: .relaxed)
            default:
                // Over UDP an error may be of the datagram before (ICMP), which is gone.
                close()
                descriptor = -1
                return .failed(errno: Int32(-size))
            }
            _ = batch.took(record.count)
        }
        return .done
    }
}
