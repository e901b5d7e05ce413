internal import CPosix
internal import Synchronization

/// `/ready`, `/healthz`, `/metrics`, `/explain` and `/reload`, on an address and a thread of their own: no request to the proxy can end up here, whatever
/// its path, and a slow scrape delays no exchange.
///
/// One connection at a time, one request each; what takes longer than two seconds is cut.
public final class AdminServer: Sendable {
    private static let timeoutNanoseconds: Int64 = 2_000_000_000

    /// Told to the process that takes our place.
    private static let role = "admin"

    private let listener: Int32
    private let asked: SocketAddress
    private let address: SocketAddress
    private let stopLatch: Latch
    private let thread = SystemThread()
    private let draining = Atomic(false)
    private let report: @Sendable (MetricsFormat) -> String
    private let reload: (@Sendable () -> ReloadOutcome)?
    private let explain: @Sendable (ExplanationQuery) throws(OptionSyntaxError) -> Explanation

    /// Opens the listener.
    ///
    /// - Parameters:
    ///   - address: `HOST:PORT` or `unix:PATH`.
    ///   - server: whose workers are reported on; it need not have been started yet.
    ///   - predecessor: the process whose place is taken, and whose listener is.
    ///   - reload: what a POST to `/reload` does; nil: nothing.
    ///   - file: what the server's configuration began as, if it did as a file.
    public init(
        address text: String, server: Server, takingOver predecessor: Predecessor? = nil,
        reload: (@Sendable () -> ReloadOutcome)? = nil,
        file: @escaping @Sendable () -> ConfigurationFile? = { nil }
    ) throws(StartError) {
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
        report = { MetricsReport.render(server, $0) }
        self.reload = reload
        explain = { (query) throws(OptionSyntaxError) in try server.explain(query, file: file()) }
        _ = cposix_set_nonblocking(listener)
    }

    /// Where it listens, with the port that the kernel chose where 0 was asked.
    public var boundAddress: String { address.description }

    /// Makes `/ready` and `/healthz` answer 503, so that a balancer in front sends nothing more.
    public var isDraining: Bool {
        get { draining.load(ordering: .relaxed) }
        set { draining.store(newValue, ordering: .relaxed) }
    }

    /// Starts the thread that answers.
    public func start() throws(StartError) {
        do throws(SystemCallError) { try thread.start("admin") { self.run() } } catch {
            throw StartError(message: "the admin thread could not be started: \(error.message)")
        }
    }

    /// Ends the thread and waits for it.
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
        thread.join()
    }

    func resume() {
        // What fails before it was paused finds it going on.
        guard !thread.isStarted else { return }
        stopLatch.close()
        // It could be started before; if the machine has no thread left, the proxy is worth more than its metrics.
        try? start()
    }

    /// Ends, after `pause`; another process may go on with the listener.
    func handOver(_ keptAddresses: Set<String>) {
        if keptAddresses.contains(address.description) { _ = cposix_close(listener) } else { stop() }
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
                let target = String(decoding: bytes[head.target.range], as: UTF8.self)
                func values(of name: String) -> [String] {
                    (0..<fields.count).compactMap { index in
                        let field = fields[index]
                        let isNamed =
                            String(decoding: bytes[field.name.range], as: UTF8.self).lowercased() == name
                        return isNamed ? String(decoding: bytes[field.value.range], as: UTF8.self) : nil
                    }
                }
                // What a web page makes a browser send says where it is from (Fetch, section 3.2).
                let isFromPage = !(values(of: "origin") + values(of: "sec-fetch-site")).isEmpty
                let format = MetricsFormat(accept: values(of: "accept"))
                answer(connection, head, target, isFromPage: isFromPage, format, deadline)
            }
            return
        }
        send(connection, 431, "the request is too large\n", isHead: false, deadline)
    }

    private func answer(
        _ connection: Int32, _ head: RequestHead, _ target: String, isFromPage: Bool, _ format: MetricsFormat,
        _ deadline: Int64
    ) {
        if target == "/reload" {
            answerReload(connection, head, isFromPage: isFromPage)
            return
        }
        let isHead = head.method == .head
        guard head.method == .get || isHead else {
            send(connection, 405, "only GET and HEAD are answered here\n", isHead: false, deadline)
            return
        }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        switch parts[0] {
        case "/ready", "/healthz":
            send(
                connection, isDraining ? 503 : 200, isDraining ? "draining\n" : "ok\n", isHead: isHead,
                deadline)
        case "/metrics":
            let text = report(format)
            // However long it took.
            let deadline = cposix_monotonic_nanoseconds() + Self.timeoutNanoseconds
            send(connection, 200, text, format.contentType, isHead: isHead, deadline)
        case "/explain":
            do throws(OptionSyntaxError) {
                let query = try ExplanationQuery(parsing: String(parts.count > 1 ? parts[1] : ""))
                let text = try explain(query).text
                // However long it took.
                let deadline = cposix_monotonic_nanoseconds() + Self.timeoutNanoseconds
                send(connection, 200, text + "\n", isHead: isHead, deadline)
            } catch { send(connection, 400, error.message + "\n", isHead: isHead, deadline) }
        default:
            send(
                connection, 404, "there are /ready, /healthz, /metrics, /explain and /reload\n",
                isHead: isHead,
                deadline)
        }
    }

    /// 200 if the configuration was taken up, 409 with the reasons if not.
    private func answerReload(_ connection: Int32, _ head: RequestHead, isFromPage: Bool) {
        func tell(_ status: UInt16, _ text: String) {
            // However long the reload took.
            let deadline = cposix_monotonic_nanoseconds() + Self.timeoutNanoseconds
            send(connection, status, text + "\n", isHead: head.method == .head, deadline)
        }
        guard head.method == .post else {
            tell(405, "a reload is asked for by POST")
            return
        }
        guard !isFromPage, let reload else {
            tell(403, isFromPage ? "no web page may ask for a reload" : "nothing can be reloaded here")
            return
        }
        let outcome = reload()
        tell(outcome.isDone ? 200 : 409, outcome.lines.joined(separator: "\n"))
    }

    private func send(
        _ connection: Int32, _ status: UInt16, _ body: String, _ type: String = "text/plain; charset=utf-8",
        isHead: Bool, _ deadline: Int64
    ) {
        let head =
            "HTTP/1.1 \(status) \(Status.phrase(status))\r\nContent-Type: \(type)\r\n"
            + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
        let bytes = Array((isHead ? head : head + body).utf8)
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe _ = cposix_send_until(connection, buffer.baseAddress!, buffer.count, deadline)
        }
    }
}
