/// Makes what handshakes with clusters' endpoints begin with: reads roots and certificates, and finds what is wrong with them.
struct UpstreamTLSCompiler {
    /// By the names of clusters.
    private(set) var upstreams: [String: UpstreamTLS] = [:]
    private var reader = TLSReader()
    /// Each by the path of its key.
    var problems: [ConfigurationProblem] { reader.problems }

    /// Blocks: reads the files that clusters name.
    ///
    /// - Parameter registry: what there is, and gets what is new.
    init(_ configuration: Configuration, _ registry: UpstreamTLSRegistry) {
        var system: TLSRoots?
        for cluster in configuration.allClusters {
            guard let wanted = cluster.tls else { continue }
            let path = "clusters.\(cluster.name).tls"
            if let context = context(wanted, cluster.name, path, &system, registry) {
                upstreams[cluster.name] = UpstreamTLS(context: context)
            }
        }
    }

    private mutating func context(
        _ wanted: UpstreamTLSConfiguration, _ cluster: String, _ path: String, _ system: inout TLSRoots?,
        _ registry: UpstreamTLSRegistry
    ) -> UpstreamTLSContext? {
        let before = reader.problems.count
        check(wanted, path)
        let roots = wanted.verifies ? self.roots(wanted, path, &system) : nil
        var certificate: TLSCertificate?
        if let chain = wanted.certificatePath, let key = wanted.keyPath {
            certificate = reader.certificate(
                TLSConfiguration.Certificate(certificatePath: chain, keyPath: key), path)
        }
        guard reader.problems.count == before else { return nil }
        let identity = UpstreamTLSContext.Identity(
            configuration: wanted, digests: [roots?.digest ?? [], certificate?.digest ?? []])
        do throws(TLSContextError) {
            return try registry.context(cluster, identity) { serial throws(TLSContextError) in
                try UpstreamTLSContext(identity, serial: serial, roots: roots, certificate: certificate)
            }
        } catch {
            if case .certificateRefused(_, let reason) = error {
                reader.noteRefused(wanted.certificatePath ?? "", reason, "\(path).cert")
            } else {
                reader.note(error, ciphers: wanted.ciphers, suites: wanted.cipherSuites, path)
            }
            return nil
        }
    }

    private mutating func check(_ wanted: UpstreamTLSConfiguration, _ path: String) {
        reader.checkCiphers(wanted.ciphers, wanted.minVersion, path)
        if let name = wanted.serverName, TLSHost(name) == nil {
            reader.note(
                "\(path).server_name", "\(quoted(name)) is neither a host name nor an address",
                "write the name that the certificate is for, without a port, such as app.internal")
        }
        if wanted.rootsPath != nil && !wanted.verifies {
            reader.note(
                "\(path).ca", "nothing has to lead to it, as certificates are not verified",
                "leave it out, or leave 'verify: off' out")
        }
        if wanted.certificatePath != nil && wanted.keyPath == nil {
            reader.note("\(path).cert", "there is no key for it", "name its private key with 'key:'")
        }
        if wanted.keyPath != nil && wanted.certificatePath == nil {
            reader.note("\(path).key", "there is no certificate for it", "name its certificate with 'cert:'")
        }
    }

    // MARK: - Roots

    private mutating func roots(
        _ wanted: UpstreamTLSConfiguration, _ path: String, _ system: inout TLSRoots?
    ) -> TLSRoots? {
        guard let file = wanted.rootsPath else { return systemRoots(path, &system) }
        guard let bytes = reader.bytes(of: file, "\(path).ca") else { return nil }
        do throws(TLSCertificateError) { return try TLSRoots(bytes) } catch {
            reader.note(
                "\(path).ca", "\(quoted(file)) \(error.reason)",
                "give the certificates of the authorities as PEM: -----BEGIN CERTIFICATE-----")
            return nil
        }
    }

    /// They are the same for all clusters.
    private mutating func systemRoots(_ path: String, _ system: inout TLSRoots?) -> TLSRoots? {
        if let system { return system }
        do throws(TLSCertificateError) { system = try TLSRoots.system() } catch {
            let places = TLSRoots.systemPlaces
            reader.note(
                path,
                "this machine has no certificates of authorities, neither in \(quoted(places.file)) nor in \(quoted(places.directory))",
                "install the package ca-certificates, or name a file with 'ca:'")
        }
        return system
    }
}
