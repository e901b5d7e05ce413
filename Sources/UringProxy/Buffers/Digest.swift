internal import CCrypt

/// A SHA-256 digest.
struct Digest: BitwiseCopyable, Hashable, Sendable {
    private(set) var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// Of a number and the bytes behind it: what is under one number is under no other.
    init(of bytes: ByteView, under number: UInt64) {
        var number = number
        unsafe withUnsafeMutableBytes(of: &words) { digest in
            unsafe ccrypt_sha256(
                &number, 8, bytes.pointer, bytes.count,
                digest.baseAddress!.assumingMemoryBound(to: UInt8.self))
        }
    }

    init(of bytes: ByteView) {
        unsafe withUnsafeMutableBytes(of: &words) { digest in
            unsafe ccrypt_sha256(
                bytes.pointer, bytes.count, nil, 0, digest.baseAddress!.assumingMemoryBound(to: UInt8.self))
        }
    }

    init(of bytes: [UInt8]) {
        self = unsafe bytes.withUnsafeBytes { Digest(of: unsafe ByteView($0)) }
    }

    /// HMAC-SHA-256 (RFC 2104): without the key nobody can tell what it is of.
    init(authenticating message: [UInt8], key: [UInt8]) {
        var block = key.count > 64 ? Digest(of: key).bytes : key
        block += [UInt8](repeating: 0, count: 64 - block.count)
        let inner = Digest(of: block.map { $0 ^ 0x36 } + message)
        self.init(of: block.map { $0 ^ 0x5C } + inner.bytes)
    }

    /// - Parameter bytes: 32.
    init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        unsafe withUnsafeMutableBytes(of: &words) { unsafe $0.copyBytes(from: bytes) }
    }

    var bytes: [UInt8] { unsafe withUnsafeBytes(of: words) { unsafe Array($0) } }

    /// Eight of its bytes, to find it by.
    var first: UInt64 { words.0 }

    /// In constant time.
    static func == (a: Digest, b: Digest) -> Bool {
        unsafe withUnsafeBytes(of: a.words) { a in
            unsafe withUnsafeBytes(of: b.words) { b in
                unsafe ccrypt_equal(a.baseAddress!, b.baseAddress!, 32) == 1
            }
        }
    }

    func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}
