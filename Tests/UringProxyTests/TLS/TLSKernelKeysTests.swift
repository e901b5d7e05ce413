import COpenSSL
import TestSupport
import Testing

@testable import UringProxy

@Suite("Keys for the kernel")
struct TLSKernelKeysTests {
    private static let suites = [
        "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
    ]

    private func connected(
        suite: String? = nil, versions: ClosedRange<Int32> = 13...13, after earlier: TLSClient? = nil,
        with context: TLSContext? = nil
    ) throws -> (TLSClient, TLSServer) {
        TLSKernelKeys.keepSecrets()
        let client = TLSClient("example.org", versions: versions, after: earlier)
        let server = try TLSServer(
            try context ?? TLSContext(TestCertificate("example.org")) { $0.cipherSuites = suite })
        #expect(try shakeHands(client, server) == .done(1))
        return (client, server)
    }

    private func records(_ session: TLSSession) throws -> KernelRecords {
        let bytes = try TLSKernelKeys.with(session) { view in (0..<view.count).map { view[$0] } }
        return try #require(KernelRecords(bytes))
    }

    @Test("OpenSSL reads what the kernel writes after it, whatever it has written before", arguments: suites)
    func goesOn(_ suite: String) throws {
        for written in [0, 1, 2, 300] {
            let (client, server) = try connected(suite: suite)
            for index in 0..<written {
                #expect(server.write([UInt8(truncatingIfNeeded: index)]) == .done(1))
            }
            client.give(server.take())
            let before = try #require(try client.read())
            #expect(before.count == written)
            var records = try records(server.session)
            for index in 0..<3 {
                let content = [UInt8](repeating: UInt8(index), count: [1, 16_384, 77][index])
                client.give(records.record(23, content[...]))
                #expect(try client.read() == content)
            }
            // What the client sends goes on as before.
            try client.write([1, 2, 3])
            #expect(server.read(client.take()).plaintext == [1, 2, 3])
            client.give(records.record(21, [1, 0]))
            #expect(try client.read() == nil)
        }
    }

    @Test("Nor does it matter how often the session had no room, or that it goes on with an earlier one")
    func resumed() throws {
        TLSKernelKeys.keepSecrets()
        let context = try TLSContext(TestCertificate("example.org"))
        let (first, server) = try connected(with: context)
        client(first, reads: server)
        let second = TLSClient("example.org", versions: 13...13, after: first)
        let other = try TLSServer(context)
        #expect(try shakeHands(second, other, pieces: 7, room: 3) == .done(1))
        #expect(second.isResumed)
        var records = try records(other.session)
        second.give(other.take())
        second.give(records.record(23, [5, 6]))
        #expect(try second.read() == [5, 6])
    }

    private func client(_ client: TLSClient, reads server: TLSServer) {
        client.give(server.take())
        _ = try? client.read()
    }

    @Test("The records that answer the client's new keys are not the kernel's any more")
    func renewed() throws {
        let (client, server) = try connected()
        client.give(server.take())
        client.updateKeys()
        try client.write([1])
        #expect(server.read(client.take()).plaintext == [1])
        // It is answered with the next bytes.
        #expect(server.session.owesNewKeys)
        #expect(throws: TLSKernelKeys.Lack.renewed) { try TLSKernelKeys.with(server.session) { _ in } }
        #expect(server.write([2]) == .done(1))
        #expect(!server.session.owesNewKeys)
        #expect(throws: TLSKernelKeys.Lack.renewed) { try TLSKernelKeys.with(server.session) { _ in } }
        client.give(server.take())
        #expect(try client.read() == [2])
    }

    @Test("TLS 1.2 stays with the session, and so does who kept no secrets")
    func version() throws {
        let (_, server) = try connected(versions: 12...12)
        #expect(throws: TLSKernelKeys.Lack.version) { try TLSKernelKeys.with(server.session) { _ in } }
        #expect(throws: TLSKernelKeys.Lack.version) { try TLSKernelKeys.with(TLSSession.none) { _ in } }
    }

    @Test("What the session says of a broken record is known")
    func alert() throws {
        let (client, server) = try connected()
        client.give(server.take())
        #expect(server.session.lastAlert == nil)
        try client.write([1, 2, 3])
        var bytes = client.take()
        bytes[bytes.count - 1] ^= 1
        guard case .failed = server.read(bytes).outcome else {
            Issue.record("a changed record was taken")
            return
        }
        // bad_record_mac
        #expect(server.session.lastAlert == 20)
    }

    /// RFC 8448 §3.
    @Test("Keys are derived as RFC 8448 shows")
    func vectors() {
        let vectors: [(secret: String, key: String, iv: String)] = [
            (
                "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
                "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984"
            ),
            (
                "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
                "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9"
            ),
        ]
        for vector in vectors {
            var keys = [UInt8](repeating: 0xEE, count: Int(COPENSSL_KERNEL_KEYS))
            let secret = bytes(vector.secret)
            let size = unsafe copenssl_kernel_keys_of(0x1301, secret, secret.count, 0x0102, &keys)
            let iv = bytes(vector.iv)
            // Version and cipher, the vector's rest, the key, its beginning, the number: struct tls12_crypto_info_aes_gcm_128.
            let wanted: [UInt8] =
                [0x04, 0x03, 51, 0] + iv[4...] + bytes(vector.key) + iv[..<4] + [0, 0, 0, 0, 0, 0, 1, 2]
            #expect(size == 40)
            #expect(Array(keys[..<40]) == wanted)
        }
    }

    @Test("Other suites, and secrets that are not theirs, have no keys")
    func refused() {
        var keys = [UInt8](repeating: 0, count: Int(COPENSSL_KERNEL_KEYS))
        let secret = [UInt8](repeating: 1, count: 48)
        #expect(unsafe copenssl_kernel_keys_of(0x1304, secret, 32, 0, &keys) == COPENSSL_OTHER_CIPHER)
        #expect(unsafe copenssl_kernel_keys_of(0xC02B, secret, 32, 0, &keys) == COPENSSL_OTHER_CIPHER)
        #expect(unsafe copenssl_kernel_keys_of(0x1301, secret, 48, 0, &keys) == COPENSSL_NO_SECRET)
        #expect(unsafe copenssl_kernel_keys_of(0x1302, secret, 32, 0, &keys) == COPENSSL_NO_SECRET)
    }

    private func bytes(_ text: String) -> [UInt8] {
        let digits = text.utf8.map { UInt8(Character(UnicodeScalar($0)).hexDigitValue!) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
