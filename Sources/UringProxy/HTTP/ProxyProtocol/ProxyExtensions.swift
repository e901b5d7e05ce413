/// What a header of version 2 tells of a connection beside its addresses, each with a type and a length (section 2.2).
struct ProxyExtensions: BitwiseCopyable {
    /// Which are sent, where there is something to tell.
    struct Kinds: OptionSet, BitwiseCopyable, Sendable {
        var rawValue: UInt8

        static var authority: Kinds { Kinds(rawValue: 1 << 0) }
        static var alpn: Kinds { Kinds(rawValue: 1 << 1) }
        static var ssl: Kinds { Kinds(rawValue: 1 << 2) }
        static var commonName: Kinds { Kinds(rawValue: 1 << 3) }
        static var cipher: Kinds { Kinds(rawValue: 1 << 4) }
        static var checksum: Kinds { Kinds(rawValue: 1 << 5) }
    }

    /// What it is of TLS that has been taken off (section 2.2.5).
    struct TLS: BitwiseCopyable {
        var version = ByteView.empty
        var cipher = ByteView.empty
        /// Of the certificate that the client has shown.
        var commonName = ByteView.empty
        var hasCertificate = false
        /// The certificate was shown at the beginning of the session, and that was another connection's.
        var isResumed = false
    }

    /// The longest text that is told, so that all fit a header of 1 KiB: SNI and ALPN have no longer ones (RFC 6066 §3, RFC 7301 §3.1), and
    /// a common name should have 64 characters (RFC 5280 A.1). What is longer is left out.
    static var textLimit: Int { 255 }
    /// Bytes of the longest header with all of them.
    static var headerLimit: Int { 1024 }

    /// The host that was asked for.
    var authority = ByteView.empty
    /// The protocol that was agreed on.
    var alpn = ByteView.empty
    /// nil: there was none, or it is not told.
    var tls: TLS?
    /// All of the header has a checksum.
    var hasChecksum = false

    /// In bytes, all of them.
    var size: Int {
        Self.size(authority) + Self.size(alpn) + (tls.map { 3 + Self.size($0) } ?? 0) + (hasChecksum ? 7 : 0)
    }

    /// What is not there is not told.
    fileprivate static func size(_ text: ByteView) -> Int {
        text.isEmpty || text.count > textLimit ? 0 : 3 + text.count
    }

    /// The value of the one about TLS.
    fileprivate static func size(_ tls: TLS) -> Int {
        5 + size(tls.version) + size(tls.cipher) + size(tls.commonName)
    }
}

extension ByteWriter {
    /// Behind the addresses of a header that begins at `start`, whose length counts them already.
    mutating func append(_ extensions: ProxyExtensions, toHeaderAt start: Int) {
        append(0x01, extensions.alpn)
        append(0x02, extensions.authority)
        if let tls = extensions.tls { append(tls) }
        if extensions.hasChecksum { appendChecksum(ofHeaderAt: start) }
    }

    private mutating func append(_ type: UInt8, _ text: ByteView) {
        guard ProxyExtensions.size(text) > 0 else { return }
        append(byte: type)
        append(bigEndian: UInt64(text.count), size: 2)
        append(text)
    }

    /// Section 2.2.5: a client over TLS, and whether it has shown a certificate, which is verified then.
    private mutating func append(_ tls: ProxyExtensions.TLS) {
        append(byte: 0x20)
        append(bigEndian: UInt64(ProxyExtensions.size(tls)), size: 2)
        let certificate: UInt8 = tls.hasCertificate ? (tls.isResumed ? 0x04 : 0x06) : 0
        append(byte: 0x01 | certificate)
        append(bigEndian: tls.hasCertificate ? 0 : 1, size: 4)
        append(0x21, tls.version)
        append(0x22, tls.commonName)
        append(0x23, tls.cipher)
    }

    /// Section 2.2.3: computed with zeros in its own place.
    private mutating func appendChecksum(ofHeaderAt start: Int) {
        append(bigEndian: 0x03_0004, size: 3)
        append(bigEndian: 0, size: 4)
        if overflowed { return }
        var sum = Checksum32C()
        sum.add(written.dropFirst(start))
        truncate(to: count - 4)
        append(bigEndian: UInt64(sum.value), size: 4)
    }
}
