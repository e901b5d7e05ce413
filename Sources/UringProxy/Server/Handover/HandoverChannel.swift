internal import CPosix

/// What two processes say to each other while one takes the other's place: messages of words and descriptors.
struct HandoverChannel: Sendable {
    enum Message: Equatable {
        /// First of all, from the old one: how these messages are to be understood.
        case version(Int)
        /// Sockets that listen on one address, from the old one.
        case listener(role: String, asked: String, bound: String, descriptors: [Int32])
        /// A socket that the service manager passed on, from the old one.
        case inherited(name: String, descriptor: Int32)
        /// That was all, from the old one.
        case end
        /// All workers stand and none accepts yet, from the new one.
        case ready
        /// Nobody accepts any more, from the old one.
        case yourTurn
        /// All workers accept, from the new one; the bound addresses of those listeners that it took.
        case serving([String])
        /// Why it does not start, from the new one.
        case refused(String)
    }

    enum ReceiveError: Error, Equatable {
        /// The other process has ended, or gone its own way.
        case ended
        case timedOut
        case failed(errno: Int32)
        /// A later version's, perhaps.
        case notUnderstood
    }

    static let version = 1
    /// Longer is no address and no reason.
    private static let sizeLimit = 64 << 10

    let descriptor: Int32

    // MARK: - Sending

    /// - Returns: whether there is somebody to receive it.
    @discardableResult
    func send(_ message: Message) -> Bool {
        let (words, descriptors) = Self.encode(message)
        // No address has a NUL in it.
        let bytes = Array(words.joined(separator: "\0").utf8.prefix(Self.sizeLimit))
        return unsafe bytes.withUnsafeBytes { bytes in
            unsafe descriptors.withUnsafeBufferPointer {
                unsafe cposix_send_descriptors(
                    descriptor, bytes.baseAddress, bytes.count, $0.baseAddress, Int32($0.count)) == 0
            }
        }
    }

    private static func encode(_ message: Message) -> (words: [String], descriptors: [Int32]) {
        switch message {
        case .version(let number): (["version", "\(number)"], [])
        case .listener(let role, let asked, let bound, let descriptors):
            (["listener", role, asked, bound], descriptors)
        case .inherited(let name, let descriptor): (["inherited", name], [descriptor])
        case .end: (["end"], [])
        case .ready: (["ready"], [])
        case .yourTurn: (["your-turn"], [])
        case .serving(let addresses): (["serving"] + addresses, [])
        case .refused(let why): (["refused", why], [])
        }
    }

    // MARK: - Receiving

    /// The next message, waited for until `deadline` (CLOCK_MONOTONIC, nanoseconds). Its descriptors are the caller's to close.
    func receive(until deadline: Int64) throws(ReceiveError) -> Message {
        var bytes = [UInt8](repeating: 0, count: Self.sizeLimit)
        var descriptors = [Int32](repeating: -1, count: Int(CPOSIX_DESCRIPTORS_LIMIT))
        var count: Int32 = 0
        var size = 0
        // Who ends with something unread leaves ECONNRESET in front of its last word, such as why it does not start (unix(7) says
        // nothing of it; `unix_release_sock` since 2.6). The error is told once.
        for _ in 0..<2 {
            size = unsafe bytes.withUnsafeMutableBytes { bytes in
                unsafe descriptors.withUnsafeMutableBufferPointer {
                    unsafe cposix_receive_descriptors(
                        descriptor, bytes.baseAddress, bytes.count, $0.baseAddress, &count, deadline)
                }
            }
            if size != -Int(ECONNRESET) { break }
        }
        guard size > 0 else {
            switch size {
            case 0, -Int(ECONNRESET): throw .ended
            case -Int(ETIMEDOUT): throw .timedOut
            default: throw .failed(errno: Int32(-size))
            }
        }
        descriptors.removeLast(descriptors.count - Int(count))
        let words = String(decoding: bytes[..<size], as: UTF8.self)
            .split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
        guard let message = Self.decode(words, descriptors) else {
            for descriptor in descriptors { _ = cposix_close(descriptor) }
            throw .notUnderstood
        }
        return message
    }

    private static func decode(_ words: [String], _ descriptors: [Int32]) -> Message? {
        switch (words[0], words.count, descriptors.count) {
        case ("version", 2, 0): Int(words[1]).map { .version($0) }
        case ("listener", 4, 1...):
            .listener(role: words[1], asked: words[2], bound: words[3], descriptors: descriptors)
        case ("inherited", 2, 1): .inherited(name: words[1], descriptor: descriptors[0])
        case ("end", 1, 0): .end
        case ("ready", 1, 0): .ready
        case ("your-turn", 1, 0): .yourTurn
        case ("serving", _, 0): .serving(Array(words.dropFirst()))
        case ("refused", 2, 0): .refused(words[1])
        default: nil
        }
    }
}
