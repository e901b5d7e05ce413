internal import COpenSSL

/// What the handshakes of a listener begin with: its certificates and its policy. It never changes, any thread begins sessions by
/// it, and these go on when it is gone.
///
/// Certificates of several kinds for one name stand together in one of OpenSSL's contexts, which takes the one that the client can
/// check; another set of certificates is another context, which the client's name (SNI, RFC 6066 §3) leads to.
@safe final class TLSContext: @unchecked Sendable {
    /// Mozilla's "intermediate" for TLS 1.2, less finite fields: forward secrecy and authenticated encryption.
    static let defaultCiphers = """
        ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
        ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
        """

    /// `SSL_CTX`, of each set of certificates. Handshakes begin with the first.
    private let contexts: [OpaquePointer]
    /// Which certificates they are, by index; of no kind two.
    private let sets: [[Int]]
    /// Until when each certificate is valid, as `YYYY-MM-DD HH:MM:SS UTC`.
    let ends: [String]

    /// What is agreed on where a client asks by ALPN (RFC 7301).
    enum Protocols { case any, http1, http2 }

    /// - Parameters:
    ///   - certificates: not empty; the first one is shown to who asks for no name, or for one that none has.
    ///   - tickets: keys that sessions are taken up again with; nil: none is;
    ///   - identity: and only where it is the same; up to 32 bytes.
    ///   - clients: what the certificates of clients are checked by; nil: none is asked for.
    init(
        _ configuration: TLSConfiguration, certificates: [TLSCertificate], tickets: TLSTicketKeys?,
        identity: [UInt8], clients: TLSClientAuthorities? = nil, protocols: Protocols = .http1
    ) throws(TLSContextError) {
        precondition(!certificates.isEmpty && identity.count <= 32)
        let (sets, names) = Self.sets(of: certificates)
        var made: [OpaquePointer] = unsafe []
        do throws(TLSContextError) {
            for set in sets {
                let context = try unsafe Self.makeContext(configuration)
                unsafe made.append(context)
                if protocols != .any {
                    unsafe copenssl_context_speak_http(context, protocols == .http2 ? 1 : 0)
                }
                unsafe copenssl_context_set_identity(context, identity, identity.count)
                guard unsafe copenssl_context_set_tickets(context, tickets?.pointer) == 1 else {
                    throw .outOfMemory
                }
                if let clients, let asked = configuration.clientCertificates {
                    guard
                        unsafe copenssl_context_set_clients(
                            context, clients.pointer, Int32(clamping: asked.depth),
                            asked.mode == .required ? 1 : 0)
                            == 1
                    else { throw .outOfMemory }
                }
                for index in set { try unsafe Self.add(certificates[index], index, to: context) }
            }
            for (name, set) in names {
                guard unsafe copenssl_context_add_name(made[0], name, made[set]) == 1 else {
                    throw .outOfMemory
                }
            }
        } catch {
            for index in unsafe made.indices { unsafe copenssl_context_free(made[index]) }
            throw error
        }
        unsafe contexts = made
        self.sets = sets
        ends = certificates.map(\.end)
    }

    deinit {
        for index in unsafe contexts.indices { unsafe copenssl_context_free(contexts[index]) }
    }

    /// A server's session; nil without memory.
    func makeSession(_ wire: borrowing TLSWire) -> TLSSession? {
        unsafe copenssl_session_make(contexts[0], wire.io).map { unsafe TLSSession($0) }
    }

    /// Which certificates, by index, a client that asks for a host is shown one of.
    func certificates(for host: String) -> [Int] {
        let found = unsafe copenssl_context_find(contexts[0], host)
        return unsafe sets[contexts.firstIndex { unsafe $0 == found } ?? 0]
    }

    // MARK: - Certificates by name

    /// The certificates that no client is ever shown, whatever it asks for: others of their kind come first for all their names.
    static func unused(of certificates: [TLSCertificate]) -> [Int] {
        let used = Set(sets(of: certificates).sets.joined())
        return certificates.indices.filter { !used.contains($0) }
    }

    /// Sets of certificates that stand together, that of the first certificate first, and to which set each name leads. Where a name has
    /// none of a kind, the one for all names beside it stands in.
    private static func sets(of certificates: [TLSCertificate]) -> (
        sets: [[Int]], names: [(name: String, set: Int)]
    ) {
        var order: [String] = []
        var byName: [String: [Int]] = [:]
        for (index, certificate) in certificates.enumerated() {
            for name in certificate.names {
                let known = byName[name] ?? []
                if known.isEmpty { order.append(name) }
                if known.contains(where: { certificates[$0].kind == certificate.kind }) { continue }
                byName[name] = known + [index]
            }
        }
        for name in order {
            guard let dot = name.firstIndex(of: "."), name[..<dot] != "*" else { continue }
            for index in byName["*" + name[dot...]] ?? [] {
                if byName[name]!.contains(where: { certificates[$0].kind == certificates[index].kind }) {
                    continue
                }
                byName[name]!.append(index)
            }
        }
        var sets = [certificates[0].names.first.flatMap { byName[$0] } ?? [0]]
        let names = order.map { name in
            let set = byName[name]!
            if !sets.contains(set) { sets.append(set) }
            return (name, sets.firstIndex(of: set)!)
        }
        return (sets, names)
    }

    // MARK: - OpenSSL's

    private static func makeContext(_ configuration: TLSConfiguration) throws(TLSContextError)
        -> OpaquePointer
    {
        guard let context = unsafe copenssl_context_make(configuration.minVersion == .tls13 ? 13 : 12) else {
            throw .outOfMemory
        }
        do throws(TLSContextError) {
            try unsafe setCiphers(configuration.ciphers, configuration.cipherSuites, of: context)
        } catch {
            unsafe copenssl_context_free(context)
            throw error
        }
        return unsafe context
    }

    /// Of either side's context; nil: the defaults.
    static func setCiphers(_ ciphers: String?, _ suites: String?, of context: OpaquePointer)
        throws(TLSContextError)
    {
        if unsafe copenssl_context_set_ciphers(context, ciphers ?? defaultCiphers) == 0 { throw .noCipher }
        if let suites, unsafe copenssl_context_set_suites(context, suites) == 0 { throw .noSuite }
    }

    static func add(_ certificate: TLSCertificate, _ index: Int, to context: OpaquePointer)
        throws(TLSContextError)
    {
        if unsafe copenssl_context_add(context, certificate.pointer) == 1 { return }
        var text = [CChar](repeating: 0, count: 128)
        unsafe copenssl_error_text(&text, text.count)
        let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        throw .certificateRefused(index: index, reason: reason)
    }

    /// The first part of a list of ciphers that stands for none; nil if there is none such.
    static func unknownCipher(in list: String) -> String? {
        let parts = list.split { $0 == ":" || $0 == "," || $0 == " " }.map(String.init)
        // What takes away, moves or sets the level stands for none by itself.
        let named = parts.filter { !["!", "-", "+", "@"].contains($0.prefix(1)) }
        guard let context = unsafe copenssl_context_make(12) else { return nil }
        defer { unsafe copenssl_context_free(context) }
        return named.first { unsafe copenssl_context_set_ciphers(context, $0) == 0 }
    }
}
