internal import CPosix
internal import Synchronization

/// A descriptor that takes bytes as they come: a file, a pipe, a terminal, or a socket.
struct AccessLogStream: BitwiseCopyable {
    /// What a pipe with any room takes whole without waiting, even if it is in blocking mode (PIPE_BUF, pipe(7)); others who write into it
    /// cannot get in between.
    private static var pieceSize: Int { 4096 }

    let descriptor: Int32
    private let kind: Int32

    /// - Parameter descriptor: may be in blocking mode, and shared with others: nothing is changed about it.
    init(_ descriptor: Int32, kind: Int32) {
        self.descriptor = descriptor
        self.kind = kind
    }

    func write(_ batch: inout AccessLogBatch, _ counters: AccessLogCounters) -> AccessLogOutcome {
        while !batch.isEmpty {
            let isFile = kind == Int32(CPOSIX_SINK_FILE)
            let piece = batch.piece(limit: isFile ? .max : Self.pieceSize)
            // A write to what is in blocking mode would wait.
            if !isFile && cposix_wait_for_room(-1, descriptor, 0) == 0 {
                return .isFull(descriptor: descriptor)
            }
            let size = unsafe batch.bytes.withUnsafeBytes { bytes in
                let start = unsafe bytes.baseAddress! + piece.lowerBound
                return unsafe kind == Int32(CPOSIX_SINK_SOCKET)
                    ? cposix_send(
                        descriptor, start, piece.count,
                        Int32(CPOSIX_MSG_DONTWAIT) | Int32(CPOSIX_MSG_NOSIGNAL))
                    : cposix_write(descriptor, start, piece.count)
            }
            if size == -Int(EINTR) { continue }
            if size == -Int(EAGAIN) { return .isFull(descriptor: descriptor) }
            // A file that takes nothing says why at the next attempt.
            if size <= 0 { return .failed(errno: size == 0 ? EIO : Int32(-size)) }
            counters.bytes.wrappingAdd(UInt64(size), ordering: .relaxed)
            counters.records.wrappingAdd(UInt64(batch.took(size)), ordering: .relaxed)
        }
        return .done
    }
}
