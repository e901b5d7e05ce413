internal import CPosix
internal import Synchronization

/// The admin listener: health, metrics, how things stand, and what an operator may change, on an address and threads of its own. No
/// request to the proxy can end up here, whatever its path, and a slow scrape delays no exchange.
///
/// A few connections at a time, one request each; what takes longer than two seconds is cut.
public final class AdminServer: Sendable {
    private static let timeoutNanoseconds: Int64 = 2_000_000_000
    /// Nobody who takes an answer is that slow: 1 MB/s.
    private static let nanosecondsPerByte: Int64 = 1000
    /// Requests that are answered at the same time: one that is slow to be sent, or a reload, keeps no probe waiting.
    private static let threadCount = 4

    /// Told to the process that takes our place.
    private static let role = "admin"

    private let listener: Int32
    private let asked: SocketAddress
    private let address: SocketAddress
    private let stopLatch: Latch
    private let threads = (0..<threadCount).map { _ in SystemThread() }
    private let draining = Draining()
    private let routes: AdminRoutes

    private final class Draining: Sendable {
        let isOn = Atomic(false)
    }

    /// Opens the listener.
    ///
    /// - Parameters:
    ///   - address: `HOST:PORT` or `unix:PATH`.
    ///   - server: whose workers are reported on; it need not have been started yet.
    ///   - tokenFile: a file whose first line who asks has to know; nil: nobody has to know anything.
    ///   - predecessor: the process whose place is taken, and whose listener is.
    ///   - reload: what a POST to `/reload` does; nil: nothing.
    ///   - file: what the server's configuration began as, if it did as a file.
    public init(
        address text: String, server: Server, tokenFile: String? = nil,
        takingOver predecessor: Predecessor? = nil,
        reload: (@Sendable () -> ReloadOutcome)? = nil,
        file: @escaping @Sendable () -> ConfigurationFile? = { nil }
    ) throws(StartError) {
        let token = try tokenFile.map { path throws(StartError) in try AdminToken(reading: path) }
        do throws(SocketAddressError) { asked = try SocketAddress(parsing: text) } catch {
            throw StartError(message: "--admin: \(error.message)")
        }
        if let taken = predecessor?.take(asked, role: Self.role, limit: 1) {
            listener = taken.descriptors[0]
            address = taken.address
        } else {
            listener = try ListenerSocket.listen(asked)
            address = SocketAddress(boundBy: listener) ?? asked
        }
        do throws(SystemCallError) { stopLatch = try Latch() } catch {
            throw StartError(message: error.message)
        }
        routes = AdminRoutes(
            server: server, reload: reload, file: file, isLoopback: address.address?.isLoopback ?? false,
            token: token,
            isDraining: { [draining] in draining.isOn.load(ordering: .relaxed) })
        _ = cposix_set_nonblocking(listener)
    }

    /// Where it listens, with the port that the kernel chose where 0 was asked.
    public var boundAddress: String { address.description }

    /// Makes `/ready` and `/healthz` answer 503, so that a balancer in front sends nothing more.
    public var isDraining: Bool {
        get { draining.isOn.load(ordering: .relaxed) }
        set { draining.isOn.store(newValue, ordering: .relaxed) }
    }

    /// Starts the threads that answer.
    public func start() throws(StartError) {
        do throws(SystemCallError) {
            for thread in threads { try thread.start("admin") { self.run() } }
        } catch {
            throw StartError(message: "an admin thread could not be started: \(error.message)")
        }
    }

    /// Ends the threads and waits for them.
    public func stop() {
        pause()
        _ = cposix_close(listener)
        ListenerSocket.removeFile(address)
    }

    // MARK: - Another process in our place

    var handedListener: Server.HandedListener {
        Server.HandedListener(role: Self.role, asked: asked, bound: address, descriptors: [listener])
    }

    /// Answers nobody until `resume`: connections wait in the backlog.
    func pause() {
        stopLatch.open()
        for thread in threads where thread.isStarted { thread.join() }
    }

    func resume() {
        // What fails before it was paused finds it going on.
        guard !threads[0].isStarted else { return }
        stopLatch.close()
        // It could be started before; if the machine has no thread left, the proxy is worth more than its metrics.
        try? start()
    }

    /// Ends, after `pause`; another process may go on with the listener.
    func handOver(_ keptAddresses: Set<String>) {
        if keptAddresses.contains(address.description) { _ = cposix_close(listener) } else { stop() }
    }

    // MARK: - On an admin thread

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
                send(connection, .text(error.status, "\(error.reason)"), isHead: false)
            case .complete:
                let target = String(decoding: bytes[head.target.range], as: UTF8.self)
                let request = AdminRequest(method: head.method, target: target) { name in
                    (0..<fields.count).compactMap { index in
                        let field = fields[index]
                        let isNamed =
                            String(decoding: bytes[field.name.range], as: UTF8.self).lowercased() == name
                        return isNamed ? String(decoding: bytes[field.value.range], as: UTF8.self) : nil
                    }
                }
                send(connection, routes.answer(request), isHead: head.method == .head)
            }
            return
        }
        send(connection, .text(431, "the request is too large"), isHead: false)
    }

    private func send(_ connection: Int32, _ answer: AdminResponse, isHead: Bool) {
        // However long it took to find out; and many MB may be taken slowly.
        let deadline =
            cposix_monotonic_nanoseconds() + Self.timeoutNanoseconds
            + Int64(answer.body.count) * Self.nanosecondsPerByte
        var head =
            "HTTP/1.1 \(answer.status) \(Status.phrase(answer.status))\r\nContent-Type: \(answer.type)\r\n"
            + "Content-Length: \(answer.body.count)\r\n"
        for field in answer.fields { head += "\(field.name): \(field.value)\r\n" }
        head += "Connection: close\r\n\r\n"
        let bytes = Array(head.utf8) + (isHead ? [] : answer.body)
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe _ = cposix_send_until(connection, buffer.baseAddress!, buffer.count, deadline)
        }
    }
}
