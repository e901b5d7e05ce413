import TestSupport
import Testing

@testable import UringProxy

/// An origin that speaks TLS in the hands of a test, and the file with the authority that a cluster trusts it by.
final class TLSOrigin {
    let origin: TestOrigin
    let identity: TLSServerIdentity
    private let roots: TemporaryFile

    /// It has signed itself.
    static let certificate = TestCertificate("127.0.0.1", "localhost", "origin.example")

    /// - Parameters:
    ///   - authority: what the cluster trusts; nil: the certificate itself.
    ///   - clientAuthority: what clients have to show a certificate by.
    init(
        _ certificate: TestCertificate = TLSOrigin.certificate, authority: TestCertificate? = nil,
        clientAuthority: TestCertificate? = nil, versions: ClosedRange<Int32> = 12...13
    ) throws {
        origin = try TestOrigin()
        identity = TLSServerIdentity(certificate, clientAuthority: clientAuthority, versions: versions)
        roots = try TemporaryFile((authority ?? certificate).certificate)
    }

    /// A cluster of it alone.
    var cluster: ClusterConfiguration { cluster([origin.address]) }

    func cluster(_ endpoints: [String]) -> ClusterConfiguration {
        var cluster = ClusterConfiguration(name: "origin", endpoints: endpoints)
        cluster.tls = UpstreamTLSConfiguration()
        cluster.tls?.rootsPath = roots.path
        return cluster
    }

    /// Has its cluster trust another authority.
    func trust(_ authority: TestCertificate) throws { try roots.replace(with: authority.certificate) }

    /// The next connection, after its handshake.
    func accept() throws -> TLSSocket { try TLSSocket(try origin.accept(), identity.accept()) }

    /// The connection on which a request comes, as a client sends it now.
    func accept(_ request: String, from client: TestSocket) throws -> TLSSocket {
        try client.send(request)
        let socket = try accept()
        try socket.expect(request)
        return socket
    }

    /// The next connection, whose handshake fails: in what way, as OpenSSL says it. The proxy has heard of it.
    func acceptFailing() throws -> String {
        let socket = try origin.accept()
        let session = identity.accept()
        while true {
            do throws(TLSEnd.Failure) {
                if try session.shakeHands() { return "" }
            } catch {
                try? socket.send(session.take())
                guard case .failed(let reason) = error else { return "" }
                return reason
            }
            try socket.send(session.take())
            guard let bytes = try socket.receive() else { return "closed" }
            session.give(bytes)
        }
    }
}

extension ServedOrigin {
    /// One that speaks TLS, and answers each request, whose body has a length, with `answer(head, body)`.
    convenience init(
        _ identity: TLSServerIdentity,
        answer: @escaping @Sendable (String, [UInt8]) throws -> String
    ) throws {
        try self.init { socket in
            let end: TLSSocket
            do { end = try TLSSocket(socket, identity.accept()) } catch { throw Ended() }
            while true {
                let head: String
                do { head = try end.receiveHead() } catch { throw Ended() }
                var body: [UInt8] = []
                if let length = contentLength(head) { body = try end.receive(exactly: length) }
                try end.send(answer(head, body))
            }
        }
    }
}
