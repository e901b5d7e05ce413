internal import CPosix
internal import Synchronization

/// `/healthz` and `/metrics`, on an address and a thread of their own: no request to the proxy can end up here, whatever
/// its path, and a slow scrape delays no exchange.
///
/// One connection at a time, one request each; what takes longer than two seconds is cut.
public final class AdminServer: Sendable {
    private static let timeoutNanoseconds: Int64 = 2_000_000_000

    private let listener: Int32
    private let address: SocketAddress
    private let stopLatch: Latch
    private let thread = Atomic<UInt>(0)
    private let draining = Atomic(false)
    private let report: @Sendable () -> String

    /// Opens the listener.
    ///
    /// - Parameters:
    ///   - address: `HOST:PORT` or `unix:PATH`.
    ///   - server: whose workers are reported on; it need not have been started yet.
    public init(address text: String, server: Server) throws(StartError) {
        let asked: SocketAddress
        do throws(SocketAddressError) { asked = try SocketAddress(parsing: text) } catch {
            throw StartError(message: "--admin: \(error.message)")
        }
        listener = try ListenerSocket.listen(asked)
        address = SocketAddress(boundBy: listener) ?? asked
        do throws(SystemCallError) { stopLatch = try Latch() } catch {
            throw StartError(message: error.message)
        }
        report = {
            MetricsReport.render(
                server.workers, resolver: server.resolverCounters, health: server.clusterHealth,
                clusters: server.clusterPlans)
        }
        _ = cposix_set_nonblocking(listener)
    }

    /// Where it listens, with the port that the kernel chose where 0 was asked.
    public var boundAddress: String { address.description }

    /// Makes `/healthz` answer 503, so that a balancer in front sends nothing more.
    public var isDraining: Bool {
        get { draining.load(ordering: .relaxed) }
        set { draining.store(newValue, ordering: .relaxed) }
    }

    /// Starts the thread that answers.
    public func start() throws(StartError) {
        var thread = pthread_t()
        let argument = unsafe Unmanaged.passRetained(self)
        let result = unsafe cposix_start_thread(
            &thread,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe cposix_name_thread("admin")
                unsafe Unmanaged<AdminServer>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, argument.toOpaque())
        guard result == 0 else {
            unsafe argument.release()
            throw StartError(message: "the admin thread could not be started, errno \(-result)")
        }
        self.thread.store(thread, ordering: .releasing)
    }

    /// Ends the thread and waits for it.
    public func stop() {
        stopLatch.open()
        let thread = thread.exchange(0, ordering: .acquiring)
        if thread != 0 { _ = pthread_join(thread, nil) }
        _ = cposix_close(listener)
        ListenerSocket.removeFile(address)
    }

    // MARK: - On the admin thread

    private func run() {
        while cposix_wait_readable_or(listener, stopLatch.descriptor) == 0 {
            let connection = cposix_accept(listener, Int32(CPOSIX_SOCK_CLOEXEC | CPOSIX_SOCK_NONBLOCK))
            if connection < 0 { continue }
            serve(connection)
            _ = cposix_close(connection)
        }
    }

    private func serve(_ connection: Int32) {
        let deadline = cposix_monotonic_nanoseconds() + Self.timeoutNanoseconds
        let limits = HeadLimits()
        var fields = FieldTable(capacity: limits.fields)
        var head = RequestHead()
        var bytes = [UInt8](repeating: 0, count: 8192)
        var size = 0
        while size < bytes.count {
            let read = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe cposix_receive_until(
                    connection, buffer.baseAddress! + size, buffer.count - size, deadline)
            }
            guard read > 0 else { return }
            size += read
            let status = unsafe bytes.withUnsafeBytes { buffer in
                let view = unsafe ByteView(UnsafeRawBufferPointer(rebasing: buffer[0..<size]))
                return RequestParser.parse(view, limits: limits, fields: &fields, head: &head)
            }
            switch status {
            case .incomplete: continue
            case .invalid(let error):
                send(connection, error.status, "\(error.reason)\n", isHead: false, deadline)
            case .complete:
                answer(connection, head, Array(bytes[head.target.range]), deadline)
            }
            return
        }
        send(connection, 431, "the request is too large\n", isHead: false, deadline)
    }

    private func answer(_ connection: Int32, _ head: RequestHead, _ target: [UInt8], _ deadline: Int64) {
        let isHead = head.method == .head
        guard head.method == .get || isHead else {
            send(connection, 405, "only GET and HEAD are answered here\n", isHead: false, deadline)
            return
        }
        switch String(decoding: target, as: UTF8.self) {
        case "/healthz":
            send(
                connection, isDraining ? 503 : 200, isDraining ? "draining\n" : "ok\n", isHead: isHead,
                deadline)
        case "/metrics":
            send(connection, 200, report(), isHead: isHead, deadline)
        default:
            send(connection, 404, "there are /healthz and /metrics\n", isHead: isHead, deadline)
        }
    }

    private func send(_ connection: Int32, _ status: UInt16, _ body: String, isHead: Bool, _ deadline: Int64)
    {
        // The content type of the Prometheus text format, which is plain text to everything else.
        let head =
            "HTTP/1.1 \(status) \(Status.phrase(status))\r\nContent-Type: text/plain; version=0.0.4\r\n"
            + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
        let bytes = Array((isHead ? head : head + body).utf8)
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe _ = cposix_send_until(connection, buffer.baseAddress!, buffer.count, deadline)
        }
    }
}
