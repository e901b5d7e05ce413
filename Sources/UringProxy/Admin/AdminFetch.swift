internal import CPosix

/// One question to an admin listener, whose answer is taken as it comes: whoever asks does something else meanwhile, and is told
/// by `poll(2)` when to go on.
final class AdminFetch {
    enum Outcome {
        case answered(status: Int, body: [UInt8])
        /// What is wrong, as a person is told.
        case failed(String)
    }

    /// An overview of thousands of endpoints is a tenth of it.
    static let usualLimit = 64 << 20

    private let sizeLimit: Int

    /// As messages name it.
    private let address: String
    /// -1: there is none yet, or no more.
    private(set) var descriptor: Int32
    private var request: [UInt8]
    private var sentCount = 0
    private var answer: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    /// It could not begin.
    private var failure: String?

    /// - Parameters:
    ///   - method: GET, or POST with nothing in it.
    ///   - target: path and query.
    ///   - sizeLimit: bytes of the answer at most.
    init(_ client: AdminClient, method: String = "GET", target: String, sizeLimit: Int = usualLimit) {
        self.sizeLimit = sizeLimit
        let peer = client.address
        address = peer.description
        let head =
            "\(method) \(target) HTTP/1.1\r\nHost: admin\r\n\(client.token?.field ?? "")\(method == "POST" ? "Content-Length: 0\r\n" : "")Connection: close\r\n\r\n"
        request = Array(head.utf8)
        let type = Int32(CPOSIX_SOCK_STREAM | CPOSIX_SOCK_CLOEXEC | CPOSIX_SOCK_NONBLOCK)
        descriptor = cposix_socket(peer.family, type, 0)
        guard descriptor >= 0 else {
            failure = "no socket, errno \(-descriptor)"
            return
        }
        let connected = unsafe peer.withSockaddr { unsafe cposix_connect(descriptor, $0, $1) }
        if connected != 0 && connected != -EINPROGRESS { failure = refusal(connected) }
    }

    deinit { if descriptor >= 0 { _ = cposix_close(descriptor) } }

    /// Whether it waits for room to write, and not for bytes to read.
    var isWriting: Bool { sentCount < request.count }

    /// Goes on, as far as nothing has to be waited for.
    ///
    /// - Returns: nil while the answer is not whole.
    func goOn() -> Outcome? {
        if let failure { return .failed(failure) }
        while isWriting {
            let sent = unsafe request.withUnsafeBytes {
                unsafe cposix_send(
                    descriptor, $0.baseAddress! + sentCount, $0.count - sentCount, Int32(CPOSIX_MSG_NOSIGNAL))
            }
            if sent == -EAGAIN || sent == -ENOTCONN || sent == -EINTR { return nil }
            if sent < 0 { return .failed(refusal(Int32(sent))) }
            sentCount += sent
        }
        while true {
            let size = unsafe buffer.withUnsafeMutableBytes {
                unsafe cposix_recv(descriptor, $0.baseAddress!, $0.count, 0)
            }
            if size == -EAGAIN || size == -EINTR { return nil }
            if size < 0 { return .failed(refusal(Int32(size))) }
            if size == 0 { return ended() }
            answer += buffer[0..<size]
            if answer.count > sizeLimit {
                return .failed("\(address) answers with more than \(sizeLimit >> 20) MiB")
            }
        }
    }

    private func refusal(_ result: Int32) -> String {
        switch -result {
        case ECONNREFUSED, ENOENT:
            "nobody listens on \(address); is the process running, with this admin address?"
        case EACCES: "\(address) cannot be connected to: this user has no right to"
        case EAGAIN: "\(address) has no time: its backlog is full"
        default: "\(address) cannot be asked: errno \(-result)"
        }
    }

    private func ended() -> Outcome {
        let stranger = Outcome.failed("what listens on \(address) is no admin listener of uproxy's")
        // A head is short; a body may have blank lines of its own.
        guard let end = Self.headSize(answer) else {
            return answer.isEmpty ? .failed("\(address) ended the connection without an answer") : stranger
        }
        let lines = String(decoding: answer[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count > 1, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            return stranger
        }
        for line in lines where line.lowercased().hasPrefix("content-length:") {
            let value = trimmed(line.dropFirst("content-length:".count))
            if Int(value) != answer.count - end { return .failed("the answer of \(address) was cut short") }
        }
        return .answered(status: status, body: Array(answer[end...]))
    }

    private static func headSize(_ bytes: [UInt8]) -> Int? {
        let end = Array("\r\n\r\n".utf8)
        guard bytes.count >= end.count else { return nil }
        for place in 0...min(bytes.count - end.count, 16 << 10) where Array(bytes[place..<place + 4]) == end {
            return place + 4
        }
        return nil
    }
}
