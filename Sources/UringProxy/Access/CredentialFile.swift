internal import CCrypt

/// Files of users and of tokens. What is wrong with them is told by line, never by what stands there.
struct CredentialFile {
    /// How a user's password is kept.
    enum Secret: Sendable, Equatable {
        /// `{SHA256}` and the digest in Base64: for long random passwords alone.
        case digest(Digest)
        /// Of crypt(3): bcrypt, SHA-crypt, yescrypt.
        case crypt(String)
    }

    /// Beyond that a file is no such file.
    private static let problemLimit = 5
    private static let nameLimitBytes = 128

    private(set) var users: [(name: String, secret: Secret)] = []
    private(set) var tokens: [(name: String, digest: Digest)] = []
    /// Message and remedy, each.
    private(set) var problems: [(message: String, remedy: String)] = []
    private let path: String
    private var names: Set<String> = []
    private var digests: Set<Digest> = []

    private init(path: String) { self.path = path }

    /// `NAME:HASH` a line; what stands behind another colon is passed over, as in files of htpasswd.
    static func users(_ path: String) throws(OptionSyntaxError) -> CredentialFile {
        var file = CredentialFile(path: path)
        for (number, line) in try ListFile.lines(of: path) {
            let parts = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count >= 2 else {
                file.note(number, "there is no colon", "write NAME:HASH")
                continue
            }
            guard file.takes(parts[0], number), let secret = file.secret(parts[1], number) else { continue }
            if !file.names.insert(parts[0]).inserted {
                file.note(number, "this user is here a second time", "keep one of the lines")
                continue
            }
            file.users.append((parts[0], secret))
        }
        return file
    }

    /// `NAME:SHA256` or `SHA256` a line, in hexadecimal digits.
    static func tokens(_ path: String) throws(OptionSyntaxError) -> CredentialFile {
        var file = CredentialFile(path: path)
        for (number, line) in try ListFile.lines(of: path) {
            let parts = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            let name = parts.count == 1 ? "" : parts[0]
            guard parts.count <= 2, let bytes = Self.bytes(hexadecimal: parts[parts.count - 1]),
                let digest = Digest(bytes: bytes)
            else {
                file.note(
                    number, "this is no SHA-256 in 64 hexadecimal digits",
                    "write what 'printf %s TOKEN | sha256sum' says, with NAME: before it if you like")
                continue
            }
            guard name.isEmpty || file.takes(name, number) else { continue }
            if !file.digests.insert(digest).inserted {
                file.note(number, "this token is here a second time", "keep one of the lines")
                continue
            }
            file.tokens.append((name, digest))
        }
        return file
    }

    private mutating func note(_ line: Int, _ message: String, _ remedy: String) {
        guard problems.count < Self.problemLimit else { return }
        problems.append(("\(path):\(line): \(message)", remedy))
    }

    /// A name may go into a field of the request.
    private mutating func takes(_ name: String, _ line: Int) -> Bool {
        let isText = name.utf8.allSatisfy { $0 > 32 && $0 != 127 }
        if isText && (1...Self.nameLimitBytes).contains(name.utf8.count) { return true }
        note(
            line, "the name is empty, too long or has a space in it", "use up to \(Self.nameLimitBytes) bytes"
        )
        return false
    }

    // MARK: - Secrets

    private mutating func secret(_ text: String, _ line: Int) -> Secret? {
        if text.hasPrefix("{SHA256}") {
            guard let bytes = Base64.decode(Array(text.utf8.dropFirst(8))), let digest = Digest(bytes: bytes)
            else {
                note(line, "behind {SHA256} is no digest of 32 bytes in Base64", "make it anew")
                return nil
            }
            return .digest(digest)
        }
        let remedy = "make one with 'htpasswd -nB NAME' or 'openssl passwd -6'"
        guard let size = Self.sizeBehindSalt(text), unsafe ccrypt_knows(text) == 1 else {
            note(line, "this is no hash of bcrypt, SHA-crypt, yescrypt or {SHA256}", remedy)
            return nil
        }
        let last = text.split(separator: "$", omittingEmptySubsequences: false).last ?? ""
        if last.utf8.count != size {
            note(line, "the hash is cut off, or has something behind it", remedy)
            return nil
        }
        if Self.isTooSlow(text) {
            note(
                line, "the hash takes too long to check",
                "use a cost of at most 14, or at most 1000000 rounds")
            return nil
        }
        return .crypt(text)
    }

    /// How many characters stand behind the last dollar sign; nil for a method that is not taken.
    private static func sizeBehindSalt(_ text: String) -> Int? {
        if ["$2a$", "$2b$", "$2y$"].contains(where: text.hasPrefix) { return 53 }
        if text.hasPrefix("$5$") || text.hasPrefix("$y$") { return 43 }
        return text.hasPrefix("$6$") ? 86 : nil
    }

    private static func isTooSlow(_ text: String) -> Bool {
        let parts = text.split(separator: "$")
        guard parts.count > 1 else { return true }
        if text.hasPrefix("$2") { return Int(parts[1]).map { $0 > 14 } ?? true }
        if parts[1].hasPrefix("rounds=") { return Int(parts[1].dropFirst(7)).map { $0 > 1_000_000 } ?? true }
        return false
    }

    private static func bytes(hexadecimal text: String) -> [UInt8]? {
        let digits = text.utf8.map(\.hexValue)
        guard digits.count % 2 == 0, !digits.contains(nil) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0]! << 4 | digits[$0 + 1]! }
    }
}
