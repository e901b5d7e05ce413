internal import CPosix

/// Sends requests to a collector, one after the other, over one connection of HTTP/1.1.
final class CollectorClient {
    enum Outcome {
        /// The content of the answer.
        case taken([UInt8])
        /// Another attempt would be answered likewise.
        case refused(status: UInt16)
        /// Another attempt may have more success; after how many nanoseconds, if the collector says so.
        case failed(String, retryAfter: Int64?)
    }

    /// Waits for events of a descriptor, or for the bell where that is -1; false: the time has passed.
    typealias Pause = (_ descriptor: Int32, _ events: Int16, _ deadline: Int64) -> Bool

    /// Of the head and the content of an answer.
    private static let answerLimit = 1 << 20

    private let address: CollectorAddress
    /// What requests begin with, up to the value of Content-Length.
    private let head: [UInt8]
    private var descriptor: Int32 = -1
    private var fields = FieldTable(capacity: 128)
    private var received = [UInt8](repeating: 0, count: 16 << 10)
    /// Where the resolver leaves its answers; nil: it has not been asked.
    private var inbox: (resolver: Resolver, answers: ResolverInbox, index: Int)?
    private var queries: UInt64 = 0

    /// - Parameter configuration: it has been checked.
    init?(_ configuration: TracingConfiguration.Export, version: String) {
        guard let address = try? CollectorAddress(parsing: configuration.endpoint) else { return nil }
        self.address = address
        var head = "POST \(address.path) HTTP/1.1\r\nHost: \(address.authority)\r\n"
        for entry in configuration.headers { head += "\(entry.name): \(entry.value)\r\n" }
        if !configuration.headers.contains(where: { $0.name.lowercased() == "user-agent" }) {
            head += "User-Agent: uproxy/\(version)\r\n"
        }
        head += "Content-Type: application/x-protobuf\r\nContent-Length: "
        self.head = Array(head.utf8)
    }

    deinit { close() }

    func close() {
        if descriptor >= 0 { _ = cposix_close(descriptor) }
        descriptor = -1
    }

    // MARK: - A request

    /// - Parameters:
    ///   - deadline: CLOCK_MONOTONIC, for all of it.
    ///   - resolver: the one in use.
    ///   - bell: rung when the resolver has answered.
    func post(
        _ body: [UInt8], until deadline: Int64, resolver: () -> Resolver?, bell: AccessLogBell, pause: Pause
    ) -> Outcome {
        let request = head + "\(body.count)\r\n\r\n".utf8 + body
        if descriptor >= 0 && !SocketOptions.isQuiet(descriptor) { close() }
        if descriptor >= 0, let outcome = exchange(request, isReused: true, deadline, pause) {
            return outcome
        }
        if let failure = connect(deadline, resolver, bell, pause) {
            close()
            return .failed(failure, retryAfter: nil)
        }
        return exchange(request, isReused: false, deadline, pause)
            ?? .failed("it closed the connection", retryAfter: nil)
    }

    /// - Returns: nil: the connection has been closed before there was any answer, as an idle one may be at any time.
    private func exchange(_ request: [UInt8], isReused: Bool, _ deadline: Int64, _ pause: Pause) -> Outcome? {
        var sent = 0
        while sent < request.count {
            let size = unsafe request.withUnsafeBytes { bytes in
                unsafe cposix_send(
                    descriptor, bytes.baseAddress! + sent, bytes.count - sent, Int32(CPOSIX_MSG_NOSIGNAL))
            }
            if size > 0 {
                sent += size
            } else if size == -Int(EAGAIN) || size == -Int(EINTR) {
                guard pause(descriptor, Int16(POLLOUT), deadline) else { return ended(Self.late) }
            } else {
                // An answer may stand behind it that says why.
                break
            }
        }
        var answer = CollectorAnswer()
        while true {
            let size = unsafe received.withUnsafeMutableBytes {
                unsafe cposix_recv(descriptor, $0.baseAddress!, $0.count, 0)
            }
            switch size {
            case -Int(EAGAIN), -Int(EINTR):
                guard pause(descriptor, Int16(POLLIN), deadline) else { return ended(Self.late) }
                continue
            case ..<1:
                if answer.isEmpty && isReused {
                    close()
                    return nil
                }
                if size == 0, let outcome = answer.ended() { return finish(outcome, keepAlive: false) }
                return ended(
                    size == 0 ? "it closed the connection before it answered" : "it reset the connection")
            default: break
            }
            switch answer.take(received[..<size], &fields) {
            case .goesOn: if answer.size > Self.answerLimit { return ended("its answer has no end") }
            case .invalid: return ended("its answer is not valid HTTP/1")
            case .done(let outcome, let keepAlive):
                return finish(outcome, keepAlive: keepAlive && sent == request.count)
            }
        }
    }

    private static let late = "it did not answer in time"

    private func finish(_ outcome: Outcome, keepAlive: Bool) -> Outcome {
        if !keepAlive { close() }
        return outcome
    }

    private func ended(_ reason: String) -> Outcome {
        close()
        return .failed(reason, retryAfter: nil)
    }

    // MARK: - A connection

    /// - Returns: why there is none; nil: there is one.
    private func connect(
        _ deadline: Int64, _ resolver: () -> Resolver?, _ bell: AccessLogBell, _ pause: Pause
    ) -> String? {
        var addresses: [SocketAddress] = []
        if let address = address.address {
            addresses = [SocketAddress(address, port: self.address.port)]
        } else {
            guard let found = resolve(deadline, resolver(), bell, pause) else {
                return "its name has no address, or could not be resolved"
            }
            addresses = found
        }
        var failure = "it could not be connected"
        for address in addresses {
            descriptor = SocketOptions.makeSocket(address, flags: Int32(CPOSIX_SOCK_NONBLOCK))
            guard descriptor >= 0 else { return "no descriptor is left" }
            let result = unsafe address.withSockaddr { unsafe cposix_connect(descriptor, $0, $1) }
            var errno = -result
            if result == -EINPROGRESS {
                guard pause(descriptor, Int16(POLLOUT), deadline) else {
                    return "it could not be connected in time"
                }
                errno = 0
                unsafe _ = cposix_getsockopt_int(descriptor, SOL_SOCKET, SO_ERROR, &errno)
            }
            if errno == 0 { return nil }
            failure =
                errno == ECONNREFUSED
                ? "it refused the connection" : "it could not be connected, errno \(errno)"
            close()
        }
        return failure
    }

    private func resolve(
        _ deadline: Int64, _ resolver: Resolver?, _ bell: AccessLogBell, _ pause: Pause
    ) -> [SocketAddress]? {
        guard let resolver else { return nil }
        if inbox == nil || inbox?.resolver !== resolver {
            let answers = ResolverInbox(minimumCapacity: 8) { bell.signal() }
            inbox = (resolver, answers, resolver.register(answers))
        }
        guard let inbox else { return nil }
        queries += 1
        var name = address.host
        let query = name.withUTF8 { bytes in
            ResolverQuery(
                name: unsafe ByteView(UnsafeRawBufferPointer(bytes)), inbox: inbox.index, token: queries)
        }
        guard let query, resolver.resolve(query) else { return nil }
        while true {
            while let answer = inbox.answers.queue.pop() {
                // That of an earlier one may have come too late.
                guard answer.token == queries else { continue }
                guard answer.status == .ok else { return nil }
                return (0..<Int(answer.count)).map { SocketAddress(answer.addresses[$0], port: address.port) }
            }
            guard pause(-1, 0, deadline) else { return nil }
        }
    }
}

/// What a collector answers, as it comes.
private struct CollectorAnswer {
    enum Progress {
        case goesOn, invalid
        case done(CollectorClient.Outcome, keepAlive: Bool)
    }

    private var bytes: [UInt8] = []
    private var head: ResponseHead?
    private var retryAfter: Int64?
    private var reader = BodyReader()
    private var content: [UInt8] = []
    private(set) var size = 0

    var isEmpty: Bool { size == 0 }

    mutating func take(_ new: ArraySlice<UInt8>, _ fields: inout FieldTable) -> Progress {
        bytes += new
        size += new.count
        while head == nil {
            var found = ResponseHead()
            let status = unsafe bytes.withUnsafeBytes { buffer in
                ResponseParser.parse(
                    unsafe ByteView(buffer), requestMethod: .post, limits: HeadLimits(), fields: &fields,
                    head: &found)
            }
            switch status {
            case .incomplete: return .goesOn
            case .invalid: return .invalid
            case .complete: break
            }
            if !found.isInterim {
                head = found
                reader = BodyReader(found.framing)
                readRetryAfter(fields)
            }
            bytes.removeFirst(found.size)
        }
        guard reader.takeContent(from: &bytes, into: &content) else { return .invalid }
        guard reader.isDone, let head else { return .goesOn }
        return .done(outcome(head), keepAlive: head.keepAlive && bytes.isEmpty)
    }

    /// The connection has ended; nil: before the answer has.
    func ended() -> CollectorClient.Outcome? {
        guard let head, reader.isDone || reader.state == .untilClose else { return nil }
        return outcome(head)
    }

    /// OTLP/HTTP, "Failures": these four may be tried again.
    private func outcome(_ head: ResponseHead) -> CollectorClient.Outcome {
        switch head.status {
        case 200...299: .taken(content)
        case 429, 502, 503, 504: .failed("it answered with \(head.status)", retryAfter: retryAfter)
        default: .refused(status: head.status)
        }
    }

    /// Seconds alone: nobody is known to write a date to a collector's client.
    private mutating func readRetryAfter(_ fields: borrowing FieldTable) {
        retryAfter = unsafe bytes.withUnsafeBytes { buffer -> Int64? in
            let view = unsafe ByteView(buffer)
            for index in 0..<fields.count where fields[index].id == .retryAfter {
                guard let seconds = Int64(view[fields[index].value].string), seconds >= 0 else { return nil }
                return min(seconds, 86_400) * 1_000_000_000
            }
            return nil
        }
    }
}
