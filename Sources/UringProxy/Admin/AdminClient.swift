internal import CPosix

/// Asks the admin listener of a running process.
public struct AdminClient {
    /// More than the process takes until it says that a worker is late.
    private static let patience = Nanoseconds.seconds(60)

    let address: SocketAddress
    let token: AdminToken?

    /// - Parameters:
    ///   - address: `HOST:PORT` or `unix:PATH`.
    ///   - tokenFile: where the token stands that has to be known there; nil: none has to.
    public init(address text: String, tokenFile: String? = nil) throws(StartError) {
        token = try tokenFile.map { path throws(StartError) in try AdminToken(reading: path) }
        do throws(SocketAddressError) { address = try SocketAddress(parsing: text) } catch {
            throw StartError(message: "--admin: \(error.message)")
        }
    }

    /// Lets the process read its configuration again.
    public func reload() throws(StartError) -> ReloadOutcome {
        let (status, lines) = try ask("POST /reload HTTP/1.1\r\nHost: admin\r\nContent-Length: 0\r\n")
        return ReloadOutcome(isDone: status == 200, lines: lines)
    }

    /// What becomes of a request there.
    public func explain(_ query: ExplanationQuery) throws(StartError) -> String {
        let (status, lines) = try ask("GET /explain?\(query.text) HTTP/1.1\r\nHost: admin\r\n")
        let text = lines.joined(separator: "\n")
        guard status == 200 else { throw StartError(message: text) }
        return text
    }

    /// A dump of its flight recorder.
    func flightRecorder() throws(StartError) -> [UInt8] {
        let answer = try answer(
            to:
                "GET /flight-recorder HTTP/1.1\r\nHost: admin\r\n\(token?.field ?? "")Connection: close\r\n\r\n"
        )
        let end = Array("\r\n\r\n".utf8)
        guard let head = answer.indices.first(where: { answer[$0...].starts(with: end) }) else {
            throw StartError(message: "what listens on \(address) is no admin listener of uproxy's")
        }
        let body = answer[(head + end.count)...]
        guard answer.starts(with: "HTTP/1.1 200 ".utf8) else {
            throw StartError(message: "\(address): \(trimmed(String(decoding: body, as: UTF8.self)))")
        }
        return Array(body)
    }

    /// - Parameter head: without the line that ends it.
    private func ask(_ head: String) throws(StartError) -> (status: Int, lines: [String]) {
        let answer = try exchange("\(head)\(token?.field ?? "")Connection: close\r\n\r\n")
        let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1)
        let words = (parts.first ?? "").split(separator: " ", maxSplits: 2)
        guard parts.count == 2, words.count > 1, let status = Int(words[1]) else {
            throw StartError(message: "what listens on \(address) is no admin listener of uproxy's")
        }
        return (status, parts[1].split(whereSeparator: \.isNewline).map(String.init))
    }

    private func exchange(_ request: String) throws(StartError) -> String {
        String(decoding: try answer(to: request), as: UTF8.self)
    }

    private func answer(to request: String) throws(StartError) -> [UInt8] {
        let deadline = cposix_monotonic_nanoseconds() + Self.patience.rawValue
        let type = Int32(CPOSIX_SOCK_STREAM | CPOSIX_SOCK_CLOEXEC)
        let descriptor = cposix_socket(address.family, type, 0)
        guard descriptor >= 0 else { throw StartError(message: "no socket, errno \(-descriptor)") }
        defer { _ = cposix_close(descriptor) }
        let connected = unsafe address.withSockaddr { unsafe cposix_connect(descriptor, $0, $1) }
        guard connected == 0 else {
            throw StartError(
                message:
                    "nobody listens on \(address) (errno \(-connected)); is the process running, with this admin address?"
            )
        }
        _ = cposix_set_nonblocking(descriptor)
        let bytes = Array(request.utf8)
        let sent = unsafe bytes.withUnsafeBytes {
            unsafe cposix_send_until(descriptor, $0.baseAddress!, $0.count, deadline)
        }
        guard sent >= 0 else { throw StartError(message: "\(address) takes no request") }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let size = unsafe buffer.withUnsafeMutableBytes {
                unsafe cposix_receive_until(descriptor, $0.baseAddress!, $0.count, deadline)
            }
            if size < 0 { throw StartError(message: "\(address) does not answer") }
            if size == 0 { return answer }
            answer += buffer[0..<size]
        }
    }
}
