import TestSupport
import Testing

@testable import UringProxy

@Suite("Credentials")
struct AuthenticatorTests {
    private static let bcrypt = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
    private static let sha512 =
        "$6$rounds=1000$abcdefgh$nhYjN017qxiYztzyUpZtPnUQcnLy62KsunSLHNeLahp2EHPlAKmFFlrjEwSXGo2kgY5hR2.peKEg2VGUqIJJu1"
    private static let sha256 = "$5$rounds=1000$abcdefgh$XIppta5rT8zJUu4vAOKQXrwq9uY4Ijlz6VjyOmkx5i4"
    private static let yescrypt = "$y$j75$abcdefgh$uMUXG79B2cFpoAYyDccUnsaH/aGTyBYMlnQidzyag01"
    private static let digest = "{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols="
    private static let tokens = [
        "3f08aace122ee2368432c1ca23a049bc640bafbf00fdf33a52429f38ba12dbf9",
        "0f6bffa9661cb5dd2f3f7b2929f33061f58a7ba7fdd689530b1a306f8ed8f3ec",
    ]

    private func authenticator(users: String = "", tokens: String = "") throws -> Authenticator {
        let (usersFile, tokensFile) = (try TemporaryFile(users), try TemporaryFile(tokens))
        let known = try CredentialFile.users(usersFile.path)
        let listed = try CredentialFile.tokens(tokensFile.path)
        #expect(known.problems.isEmpty && listed.problems.isEmpty)
        return Authenticator(
            AuthenticationConfiguration(name: "a"), users: known.users, tokens: listed.tokens)
    }

    private func name(_ authenticator: Authenticator, _ user: Int32) -> String? {
        guard user >= 0 else { return nil }
        let view = authenticator.userName(user)
        return String(decoding: (0..<view.count).map { view[$0] }, as: UTF8.self)
    }

    @Test(
        "A password is right whatever its hash, and another is not",
        arguments: [bcrypt, bcrypt.replacing("$2b$", with: "$2y$"), sha512, sha256, yescrypt, digest])
    func hashes(_ hash: String) throws {
        let authenticator = try authenticator(users: "# us\nann:\(hash):more\nbob:\(Self.bcrypt)\n")
        // ann:secret, bob:secret, ann:wrong, nobody:secret, "ann:se:cret"; and what is no Base64, or has no colon.
        for (text, expected) in [
            ("YW5uOnNlY3JldA==", "ann"), ("YW5uOnNlY3JldA", "ann"), ("Ym9iOnNlY3JldA==", "bob"),
            ("YW5uOndyb25n", nil), ("bm9ib2R5OnNlY3JldA==", nil), ("YW5uOnNlOmNyZXQ=", nil), ("", nil),
            ("YW5u", nil), ("YW5uOnNlY3JldA=", nil), ("YW5uOnNlY3JldB==", nil), ("*", nil), ("YW5uOg==", nil),
        ] as [(String, String?)] {
            let user = authenticator.user(ofBasic: Array(text.utf8))
            #expect(name(authenticator, user) == expected, "\(text)")
        }
    }

    @Test("A token is somebody's if its digest is listed")
    func tokens() throws {
        let authenticator = try authenticator(
            tokens: "ci:\(Self.tokens[0])\n\(Self.tokens[1].uppercased())\n")
        func user(_ token: String) -> Int32 {
            unsafe Array(token.utf8).withUnsafeBytes { authenticator.user(ofToken: unsafe ByteView($0)) }
        }
        #expect(name(authenticator, user("token-1")) == "ci")
        #expect(name(authenticator, user("token-2")) == "")
        for other in ["", "token-3", "token-1 ", Self.tokens[0]] { #expect(user(other) == -1, "\(other)") }
    }

    @Test("What is wrong with a file is told by its line, and shows no secret")
    func problems() throws {
        let users = [
            ("ann", "there is no colon"),
            (":\(Self.bcrypt)", "the name is empty, too long or has a space in it"),
            ("a b:\(Self.bcrypt)", "the name is empty, too long or has a space in it"),
            ("bob:secret", "this is no hash of bcrypt, SHA-crypt, yescrypt or {SHA256}"),
            ("bob:$apr1$abcdefgh$secret", "this is no hash of bcrypt, SHA-crypt, yescrypt or {SHA256}"),
            ("bob:{SHA256}secret", "behind {SHA256} is no digest of 32 bytes in Base64"),
            ("bob:\(Self.bcrypt.dropLast())", "the hash is cut off, or has something behind it"),
            ("bob:\(Self.sha512)x", "the hash is cut off, or has something behind it"),
            ("bob:\(Self.bcrypt.replacing("$04$", with: "$31$"))", "the hash takes too long to check"),
            ("bob:\(Self.sha512.replacing("=1000", with: "=9000000"))", "the hash takes too long to check"),
            ("bob:\(Self.bcrypt)\nbob:\(Self.bcrypt)", "this user is here a second time"),
        ]
        for (line, message) in users {
            let file = try TemporaryFile("\n\(line)\n")
            let problems = try CredentialFile.users(file.path).problems
            let number = line.contains("\n") ? 3 : 2
            #expect(problems.map(\.message) == ["\(file.path):\(number): \(message)"], "\(line)")
            #expect(!problems.contains { $0.remedy.contains("secret") })
        }
        for (line, message) in [
            ("secret", "this is no SHA-256 in 64 hexadecimal digits"),
            ("a:b:\(Self.tokens[0])", "this is no SHA-256 in 64 hexadecimal digits"),
            ("a b:\(Self.tokens[0])", "the name is empty, too long or has a space in it"),
        ] {
            let file = try TemporaryFile(line)
            #expect(
                try CredentialFile.tokens(file.path).problems.map(\.message) == ["\(file.path):1: \(message)"]
            )
        }
    }

    @Test("An authenticator is another when its files are, and the same when they are not")
    func identity() throws {
        let one = try authenticator(users: "ann:\(Self.bcrypt)\n")
        #expect(try authenticator(users: "ann:\(Self.bcrypt)\n").identity == one.identity)
        #expect(try authenticator(users: "ann:\(Self.sha256)\n").identity != one.identity)
        #expect(try authenticator(users: "bob:\(Self.bcrypt)\n").identity != one.identity)
        #expect(try authenticator(tokens: "\(Self.tokens[0])\n").identity != one.identity)
    }

    @Test("What is known of credentials is known for a time, of a fixed number of them")
    func cache() {
        let cache = CredentialCache(groups: 4)
        let digests = (0..<1000).map { Digest(of: [UInt8($0 & 255), UInt8($0 >> 8)]) }
        #expect(cache.find(digests[0], now: 0) == nil)
        cache.insert(digests[0], user: 7, until: 100)
        cache.insert(digests[1], user: -1, until: 50)
        #expect(cache.find(digests[0], now: 99) == 7)
        #expect(cache.find(digests[0], now: 100) == nil)
        #expect(cache.find(digests[1], now: 49) == -1)
        #expect(cache.find(digests[2], now: 0) == nil)
        cache.insert(digests[0], user: 8, until: 200)
        #expect(cache.find(digests[0], now: 100) == 8)
        for (index, digest) in digests.enumerated() {
            cache.insert(digest, user: 1, until: 1000 + Int64(index))
        }
        #expect(digests.count { cache.find($0, now: 0) != nil } <= 16)
        // The last to be forgotten is the last that came.
        #expect(cache.find(digests[999], now: 0) == 1)
        let nothing = CredentialCache(groups: 0)
        nothing.insert(digests[0], user: 1, until: 100)
        #expect(nothing.find(digests[0], now: 0) == nil)
    }
}
