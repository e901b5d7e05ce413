import TestSupport
import Testing

@testable import UringProxy

/// A proxy with one listener, which speaks TLS, and the files of its certificates.
final class TLSProxy {
    let proxy: TestProxy
    private var files: [TemporaryFile] = []

    static let certificate = TestCertificate("example.org")

    /// A reverse proxy, or a relay.
    init(
        _ driver: TestDriver, _ origin: String, role: ListenerConfiguration.Role = .reverse,
        _ certificates: [TestCertificate] = [TLSProxy.certificate],
        change: (inout Configuration) -> Void = { _ in }
    ) throws {
        var files: [TemporaryFile] = []
        let tls = try Self.write(certificates, &files)
        proxy = try TestProxy(driver, cluster: ClusterConfiguration(name: "origin", endpoints: [origin])) {
            $0.listeners[0].role = role
            $0.listeners[0].tls = tls
            change(&$0)
        }
        self.files = files
    }

    /// A forward proxy.
    init(forward driver: TestDriver, change: (inout Configuration) -> Void = { _ in }) throws {
        var files: [TemporaryFile] = []
        let tls = try Self.write([Self.certificate], &files)
        proxy = try TestProxy(forward: driver) {
            $0.forwardAddresses = []
            $0.listeners = [ListenerConfiguration(address: "127.0.0.1:0", role: .forward)]
            $0.listeners[0].tls = tls
            change(&$0)
        }
        self.files = files
    }

    private static func write(_ certificates: [TestCertificate], _ files: inout [TemporaryFile]) throws
        -> TLSConfiguration
    {
        var configuration = TLSConfiguration()
        for made in certificates {
            let pair = [try TemporaryFile(made.certificate), try TemporaryFile(made.key)]
            files += pair
            configuration.certificates.append(
                TLSConfiguration.Certificate(certificatePath: pair[0].path, keyPath: pair[1].path))
        }
        return configuration
    }

    /// Writes another certificate into one's files.
    func replace(_ index: Int = 0, with made: TestCertificate) throws {
        try replace(index, certificate: made.certificate, key: made.key)
    }

    func replace(_ index: Int = 0, certificate: String, key: String) throws {
        try files[index * 2].replace(with: certificate)
        try files[index * 2 + 1].replace(with: key)
    }

    /// Looks at the files until what changed of them before is in use, or is known to be of no use.
    func look() {
        // A file has to look the same twice.
        for _ in 0..<2 { proxy.server.tlsSource?.check() }
    }

    func connect(_ session: TLSClient = TLSClient(), receiveBuffer: Int32? = nil) throws -> TLSSocket {
        try TLSSocket(try proxy.connect(receiveBuffer: receiveBuffer), session)
    }

    subscript(counter: Counter) -> UInt64 { proxy[counter] }
}
