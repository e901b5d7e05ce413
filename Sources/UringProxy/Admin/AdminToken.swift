/// What whoever asks the admin listener has to know.
struct AdminToken: Sendable {
    /// Printable characters without spaces (RFC 6750 §2.1 has fewer of them).
    static let sizes = 16...512

    private let bytes: [UInt8]

    /// - Parameter path: of a file whose first line it is.
    init(reading path: String) throws(StartError) {
        guard let text = TextFiles.system.read(path) else {
            throw StartError(message: "--admin-token-file: \(path) cannot be read")
        }
        let line = trimmed(text.prefix { !$0.isNewline })
        bytes = Array(line.utf8)
        guard Self.sizes.contains(bytes.count), bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw StartError(
                message:
                    "--admin-token-file: the first line of \(path) is no token of \(Self.sizes.lowerBound) to \(Self.sizes.upperBound) printable characters without spaces; openssl rand -hex 32 makes one"
            )
        }
    }

    /// As a client sends it.
    var field: String { "Authorization: Bearer \(String(decoding: bytes, as: UTF8.self))\r\n" }

    /// In a time that tells nothing but the size.
    func isSame(as text: String?) -> Bool {
        guard let text, text.utf8.count == bytes.count else { return false }
        var difference: UInt8 = 0
        for (a, b) in zip(bytes, text.utf8) { difference |= a ^ b }
        return difference == 0
    }
}
