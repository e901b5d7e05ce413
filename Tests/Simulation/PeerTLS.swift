#if DEBUG || TESTABLE
    internal import TestSupport
    @testable internal import UringProxy

    /// TLS as a server speaks it: bytes in, bytes out. What the keys make of them is another thing in each run, and how many they are is
    /// not.
    final class PeerTLS {
        private let session: TLSEnd
        private var isOpen = false
        /// The other side's close_notify has come.
        private(set) var hasEnded = false
        private(set) var saidEnd = false
        /// Why it came to nothing.
        private(set) var failure: String?

        init(_ session: TLSEnd) { self.session = session }

        /// What comes out of bytes of the other side.
        func opened(_ bytes: [UInt8]) -> [UInt8] {
            session.give(bytes)
            do throws(TLSEnd.Failure) {
                if !isOpen {
                    isOpen = try session.shakeHands()
                    if !isOpen { return [] }
                }
                var plain: [UInt8] = []
                while true {
                    guard let more = try session.read() else {
                        hasEnded = true
                        return plain
                    }
                    if more.isEmpty { return plain }
                    plain += more
                }
            } catch {
                failure = "\(error)"
                return []
            }
        }

        func seal(_ bytes: [UInt8]) {
            do throws(TLSEnd.Failure) { try session.write(bytes) } catch { failure = "\(error)" }
        }

        func end() {
            saidEnd = true
            session.end()
        }

        /// Bytes for the other side.
        func take() -> [UInt8] { session.take() }
    }

    /// The TLS of a world whose clusters speak it.
    struct WorldTLS {
        private let server: TLSServerIdentity
        /// Two of the same effect, one of which may take the other's place.
        let clusters: [UpstreamTLS]

        /// The server's end of another connection.
        ///
        /// - Parameter protocol: what it speaks, to whom offers it.
        func accept(_ protocol: String) -> PeerTLS {
            server.speak(`protocol`)
            return PeerTLS(server.accept())
        }

        private static let certificate = TestCertificate("sim.test", kind: .ed25519)

        /// - Parameter version: 12 or 13.
        init(version: Int32) {
            TLSKernelKeys.keepSecrets()
            server = TLSServerIdentity(
                Self.certificate, versions: version...version, givesTickets: false)
            var configuration = UpstreamTLSConfiguration()
            configuration.serverName = "sim.test"
            do {
                let roots = try TLSRoots(Array(Self.certificate.certificate.utf8))
                let identity = UpstreamTLSContext.Identity(configuration: configuration, digests: [])
                clusters = [
                    UpstreamTLS(
                        context: try UpstreamTLSContext(identity, serial: 1, roots: roots, certificate: nil)),
                    UpstreamTLS(
                        context: try UpstreamTLSContext(identity, serial: 2, roots: roots, certificate: nil)),
                ]
            } catch {
                preconditionFailure("OpenSSL takes what it has made: \(error)")
            }
        }
    }
#endif
