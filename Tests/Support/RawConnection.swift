internal import CPosix

/// A connection on which a test says and hears every byte itself. Each call ends after `timeoutSeconds` at the latest.
public final class RawConnection {
    private var descriptor: Int32
    private let timeoutNanoseconds: Int64
    /// Received and not yet handed out.
    private var buffer: [UInt8] = []

    /// Connects to `127.0.0.1:8080` or `unix:/path`.
    public convenience init(to address: String, timeoutSeconds: Double = 10) throws(RawError) {
        let address = try RawAddress(address)
        let descriptor = cposix_socket(address.family, Int32(CPOSIX_SOCK_STREAM | CPOSIX_SOCK_CLOEXEC), 0)
        guard descriptor >= 0 else { throw .system(call: "socket", errno: -descriptor) }
        self.init(taking: descriptor, timeoutSeconds: timeoutSeconds)
        // Loopback answers a connect at once.
        let result = unsafe address.withSockaddr { unsafe cposix_connect(descriptor, $0, $1) }
        guard result == 0 else { throw .system(call: "connect", errno: -result) }
        _ = cposix_set_nonblocking(descriptor)
    }

    /// - Parameter descriptor: a connected socket, from now on this object's.
    init(taking descriptor: Int32, timeoutSeconds: Double) {
        self.descriptor = descriptor
        timeoutNanoseconds = Int64(timeoutSeconds * 1e9)
    }

    deinit { close() }

    private var deadline: Int64 { cposix_monotonic_nanoseconds() + timeoutNanoseconds }

    // MARK: - Send

    public func send(_ text: String) throws(RawError) { try send(Array(text.utf8)) }

    public func send(_ bytes: [UInt8]) throws(RawError) {
        let deadline = deadline
        let result = unsafe bytes.withUnsafeBytes {
            unsafe cposix_send_until(descriptor, $0.baseAddress, $0.count, deadline)
        }
        if result == -ETIMEDOUT { throw .timedOut(received: []) }
        if result < 0 { throw .system(call: "send", errno: -result) }
    }

    /// Ends our side of the stream (FIN); the other may go on.
    public func shutdownWrite() { _ = cposix_shutdown(descriptor, CPOSIX_SHUT_WR.asInt32) }

    // MARK: - Receive

    /// Exactly `count` bytes.
    public func receive(count: Int) throws(RawError) -> [UInt8] {
        let deadline = deadline
        while buffer.count < count { try receiveMore(deadline) }
        return take(count)
    }

    /// Everything up to and with the first occurrence of `end`.
    public func receive(through end: String) throws(RawError) -> [UInt8] {
        let deadline = deadline
        let end = Array(end.utf8)
        var searched = 0
        while true {
            if let place = place(of: end, from: searched) { return take(place + end.count) }
            searched = max(0, buffer.count - end.count + 1)
            try receiveMore(deadline)
        }
    }

    /// Everything until the peer ends its side; a reset is an error.
    public func receiveToEnd() throws(RawError) -> [UInt8] {
        let deadline = deadline
        while true {
            do throws(RawError) {
                try receiveMore(deadline)
            } catch {
                guard case .ended(let received, false) = error else { throw error }
                buffer = []
                return received
            }
        }
    }

    /// Whether nothing comes within the time, neither bytes nor an end.
    public func isQuiet(milliseconds: Int64) -> Bool {
        guard buffer.isEmpty else { return false }
        let deadline = cposix_monotonic_nanoseconds() + milliseconds * 1_000_000
        return cposix_await_until(descriptor, Int16(POLLIN), deadline) == 0
    }

    /// Whether the peer resets the connection; what it sends before that is dropped.
    public func awaitReset() -> Bool {
        do throws(RawError) {
            _ = try receiveToEnd()
            return false
        } catch {
            if case .ended(_, true) = error { return true }
            return false
        }
    }

    private func receiveMore(_ deadline: Int64) throws(RawError) {
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        let result = unsafe chunk.withUnsafeMutableBytes {
            unsafe cposix_receive_until(descriptor, $0.baseAddress, $0.count, deadline)
        }
        if result > 0 {
            buffer += chunk[0..<result]
            return
        }
        switch -Int32(result) {
        case 0: throw .ended(received: buffer, isReset: false)
        case ECONNRESET, EPIPE: throw .ended(received: buffer, isReset: true)
        case ETIMEDOUT: throw .timedOut(received: buffer)
        case let errno: throw .system(call: "recv", errno: errno)
        }
    }

    private func take(_ count: Int) -> [UInt8] {
        let bytes = Array(buffer[0..<count])
        buffer.removeFirst(count)
        return bytes
    }

    private func place(of end: [UInt8], from start: Int) -> Int? {
        guard buffer.count >= start + end.count else { return nil }
        for place in start...buffer.count - end.count
        where buffer[place..<place + end.count].elementsEqual(end) {
            return place
        }
        return nil
    }

    // MARK: - Close

    public func close() {
        if descriptor >= 0 { _ = cposix_close(descriptor) }
        descriptor = -1
    }

    /// Closes with RST.
    public func reset() {
        _ = cposix_set_reset_on_close(descriptor)
        close()
    }
}

extension FixedWidthInteger {
    /// The constants of the C module are of several types.
    fileprivate var asInt32: Int32 { Int32(truncatingIfNeeded: self) }
}
