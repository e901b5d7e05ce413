internal import CCrypt

/// Who is let in by what they know. Immutable, and shared by all workers.
final class Authenticator: Sendable {
    let name: String
    /// Stands for the files' contents: what was found right under one identity is so after a reload that has it.
    let identity: UInt64
    /// How long a worker may remember what was found out, in nanoseconds: right credentials, and wrong ones.
    let cacheTime: Int64
    let wrongCacheTime: Int64
    let passesCredentials: Bool
    let hasUsers: Bool
    /// The field that tells upstream the user's name; empty: none does.
    let userField: FixedBytes
    /// The lines that ask for credentials, of an origin and of a proxy.
    let challenge: FixedBytes
    let proxyChallenge: FixedBytes

    /// A token's digest, and whose it is.
    private struct Token: BitwiseCopyable, Sendable {
        var digest: Digest
        var user: Int32
    }

    private let names: FixedBytes
    private let nameRanges: FixedArray<ByteRange>
    /// In the order of `Digest.first`.
    private let tokens: FixedArray<Token>
    private let secrets: [String: (user: Int32, secret: CredentialFile.Secret)]
    /// What the password of somebody unknown is compared with, so that it takes as long as of somebody known.
    private let decoy: CredentialFile.Secret?

    init(
        _ configuration: AuthenticationConfiguration, users: [(name: String, secret: CredentialFile.Secret)],
        tokens: [(name: String, digest: Digest)]
    ) {
        name = configuration.name
        cacheTime = configuration.cache.rawValue
        wrongCacheTime = min(cacheTime, Nanoseconds.seconds(10).rawValue)
        passesCredentials = configuration.passesCredentials
        hasUsers = !users.isEmpty
        userField = FixedBytes(Array((configuration.userField ?? "").utf8))
        var schemes: [String] = []
        if configuration.usersFile != nil {
            schemes.append("Basic realm=\"\(configuration.realm)\", charset=\"UTF-8\"")
        }
        if configuration.tokensFile != nil { schemes.append("Bearer realm=\"\(configuration.realm)\"") }
        func lines(_ field: String) -> FixedBytes {
            FixedBytes(Array(schemes.map { "\(field): \($0)\r\n" }.joined().utf8))
        }
        challenge = lines("WWW-Authenticate")
        proxyChallenge = lines("Proxy-Authenticate")

        var names: [UInt8] = []
        var ranges: [ByteRange] = []
        var content = configuration.name
        func add(_ name: String) -> Int32 {
            let start = names.count
            names.append(contentsOf: name.utf8)
            ranges.append(ByteRange(start..<names.count))
            return Int32(ranges.count - 1)
        }
        var secrets: [String: (user: Int32, secret: CredentialFile.Secret)] = [:]
        for user in users {
            secrets[user.name] = (add(user.name), user.secret)
            content += "\n\(user.name):\(user.secret)"
        }
        var listed: [Token] = []
        for token in tokens {
            listed.append(Token(digest: token.digest, user: add(token.name)))
            content += "\n\(token.name):\(token.digest.words)"
        }
        self.secrets = secrets
        self.tokens = FixedArray(listed.sorted { $0.digest.first < $1.digest.first })
        self.names = FixedBytes(names)
        nameRanges = FixedArray(ranges)
        identity = Digest(of: Array(content.utf8)).first
        decoy =
            users.first { if case .crypt = $0.secret { true } else { false } }?.secret ?? users.first?.secret
    }

    /// What upstream is told of a user; empty for a token without a name.
    func userName(_ user: Int32) -> ByteView { names.view[nameRanges[Int(user)]] }

    /// Whose token it is; -1 for nobody's. How long that takes says no more than a bit of the token's digest, of which
    /// nothing of the token follows.
    func user(ofToken token: ByteView) -> Int32 {
        let digest = Digest(of: token)
        var low = 0
        var high = tokens.count
        while low < high {
            let middle = (low &+ high) / 2
            if tokens[middle].digest.first < digest.first { low = middle &+ 1 } else { high = middle }
        }
        while low < tokens.count, tokens[low].digest.first == digest.first {
            if tokens[low].digest == digest { return tokens[low].user }
            low &+= 1
        }
        return -1
    }

    /// Whose credentials of the Basic scheme they are (RFC 7617 §2); -1 for nobody's. Takes as long as the hash wants.
    func user(ofBasic credentials: [UInt8]) -> Int32 {
        guard let text = Base64.decode(credentials), let colon = text.firstIndex(of: UInt8(ascii: ":")),
            !text.contains(0)
        else { return -1 }
        let password = Array(text[(colon + 1)...])
        let known = secrets[String(decoding: text[..<colon], as: UTF8.self)]
        guard let secret = known?.secret ?? decoy else { return -1 }
        let isRight =
            switch secret {
            case .digest(let digest): Digest(of: password) == digest
            case .crypt(let hash):
                unsafe (password + [0]).withUnsafeBytes {
                    unsafe ccrypt_verify($0.baseAddress!.assumingMemoryBound(to: CChar.self), hash) == 1
                }
            }
        return isRight ? known?.user ?? -1 : -1
    }
}
