internal import CTestTLS

/// One end of TLS in the hands of a test, which carries the bytes.
@safe public class TLSEnd {
    public enum Failure: Error, Equatable {
        /// What OpenSSL says.
        case failed(String)
    }

    fileprivate let client: OpaquePointer

    fileprivate init(_ client: OpaquePointer) { unsafe self.client = client }

    deinit { unsafe ctest_client_free(client) }

    /// Shows a certificate, if the server asks for one.
    public func certify(_ made: TestCertificate) {
        unsafe ctest_client_certify(client, made.certificate, made.key)
    }

    /// Asks for an OCSP response.
    public func askStatus() { unsafe ctest_client_ask_status(client) }

    /// The OCSP response that came; empty: none.
    public var status: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe ctest_client_status(client, &bytes, bytes.count)
        return Array(bytes.prefix(count))
    }

    // MARK: Ciphertext

    /// Bytes from the other end.
    public func give(_ bytes: [UInt8]) { unsafe ctest_client_give(client, bytes, bytes.count) }

    /// Bytes for the other end.
    public func take() -> [UInt8] {
        var all: [UInt8] = []
        var some = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe ctest_client_take(client, &some, some.count)
            if count == 0 { return all }
            all += some[..<count]
        }
    }

    // MARK: Plaintext

    /// Goes on with the handshake; whether it is over.
    public func shakeHands() throws(Failure) -> Bool {
        let result = unsafe ctest_client_handshake(client)
        if result < 0 { throw failure }
        return result > 0
    }

    /// What has been decrypted; nil at the other end's close_notify, when nothing came before it.
    public func read() throws(Failure) -> [UInt8]? {
        var all: [UInt8] = []
        var some = [UInt8](repeating: 0, count: 16_384)
        while true {
            let result = unsafe ctest_client_read(client, &some, some.count)
            switch result {
            case 0: return all
            case -1: return all.isEmpty ? nil : all
            case 1...: all += some[..<Int(result)]
            default: throw failure
            }
        }
    }

    public func write(_ bytes: [UInt8]) throws(Failure) {
        if bytes.isEmpty { return }
        guard unsafe ctest_client_write(client, bytes, bytes.count) == bytes.count else { throw failure }
    }

    /// Sends a close_notify.
    public func end() { unsafe ctest_client_close(client) }

    /// New keys, on both sides: it takes effect with what is written next.
    public func updateKeys() { unsafe _ = ctest_client_update_keys(client) }

    /// A record of TLS 1.3 that no library would write. Whoever makes one makes all that follow the handshake.
    ///
    /// - Parameters:
    ///   - type: 22: handshake, 23: application data.
    ///   - padding: so many zeros behind the content.
    public func record(_ type: Int32, _ content: [UInt8], padding: Int = 0) -> [UInt8] {
        var record = [UInt8](repeating: 0, count: content.count + padding + 22)
        let count = unsafe ctest_client_record(client, type, content, content.count, padding, &record)
        precondition(count == record.count)
        return record
    }

    /// A KeyUpdate (RFC 8446 §4.6.3).
    public static let keyUpdate: [UInt8] = [24, 0, 0, 1, 0]

    /// Records are made with the next keys from here on.
    public func renewKeys() { unsafe ctest_client_renew_keys(client) }

    // MARK: Facts

    /// 12, 13…
    public var version: Int32 { unsafe ctest_client_version(client) }
    public var isResumed: Bool { unsafe ctest_client_is_resumed(client) == 1 }
    /// The common name of the certificate that was shown.
    public var peerName: String { peer.name }
    public var peerKind: TestCertificate.Kind { peer.kind }

    /// The host that was asked for (SNI); empty: none was.
    public var askedHost: String { unsafe String(cString: ctest_client_host(client)) }

    public var alpn: String {
        var name = [CChar](repeating: 0, count: 256)
        unsafe ctest_client_protocol(client, &name, name.count)
        return Self.text(name)
    }

    private var peer: (name: String, kind: TestCertificate.Kind) {
        var name = [CChar](repeating: 0, count: 256)
        let kind = unsafe ctest_client_peer(client, &name, name.count)
        return (Self.text(name), TestCertificate.Kind(rawValue: kind)!)
    }

    private var failure: Failure { .failed(unsafe String(cString: ctest_client_error(client))) }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// A client's end.
@safe public final class TLSClient: TLSEnd {
    /// - Parameters:
    ///   - versions: 10 to 13.
    ///   - earlier: whose session it goes on with.
    public init(
        _ host: String? = nil, versions: ClosedRange<Int32> = 12...13, alpn: String? = nil,
        ciphers: String? = nil, after earlier: TLSClient? = nil
    ) {
        let made = unsafe ctest_client_make(
            versions.lowerBound, versions.upperBound, host, alpn, ciphers, earlier.map { unsafe $0.client })
        unsafe super.init(made!)
    }
}

/// What makes servers' ends: a certificate, and the keys of tickets.
@safe public final class TLSServerIdentity: @unchecked Sendable {
    private let server: OpaquePointer

    /// - Parameters:
    ///   - clientAuthority: clients have to show a certificate that it has signed; nil: none is asked for.
    ///   - versions: 10 to 13.
    ///   - givesTickets: if not, sessions of 1.2 alone are taken up again, by their names.
    public init(
        _ certificate: TestCertificate, clientAuthority: TestCertificate? = nil,
        versions: ClosedRange<Int32> = 12...13, givesTickets: Bool = true
    ) {
        unsafe server = ctest_server_make(
            certificate.certificate, certificate.key, clientAuthority?.certificate, versions.lowerBound,
            versions.upperBound)!
        if !givesTickets { unsafe ctest_server_give_no_tickets(server) }
    }

    deinit { unsafe ctest_server_free(server) }

    /// What it chooses by ALPN, in place of HTTP/1.1; empty: nothing.
    public func speak(_ name: String) { unsafe ctest_server_speak(server, name) }

    /// The end of another connection.
    public func accept() -> TLSEnd { unsafe TLSEnd(ctest_server_accept(server)) }
}
