/// What a configuration file may say of TLS, with clients and with endpoints.
enum TLSSchema {
    static let listenerKeys: [SchemaKey<TLSConfiguration>] =
        [
            .objects(
                "certificates", \.certificates,
                "Certificates with their keys; the client's SNI chooses, and the first one is for who asks for no host, or another one.",
                new: { TLSConfiguration.Certificate(certificatePath: "", keyPath: "") },
                [
                    .path(
                        "cert", required: \.certificatePath,
                        "A file with the certificate, and those that lead to its root behind it, in PEM."),
                    .path(
                        "key", required: \.keyPath,
                        "A file with its private key in PEM, without a passphrase."),
                    .path(
                        "ocsp", \.responsePath,
                        "A file with an OCSP response for it in DER, which clients that ask for it are shown."
                    ),
                ])
        ] + policyKeys(\.minVersion, \.ciphers, \.cipherSuites) + [
            .object(
                "client_certificates", \.clientCertificates, "Certificates that clients are asked for.",
                new: { TLSConfiguration.ClientCertificates(authorityPath: "") },
                [
                    .path(
                        "ca", required: \.authorityPath,
                        "A file with the certificates of who signs them, in PEM."),
                    .value(
                        "mode", \.mode, .choice,
                        "required (the default), or optional: who shows none is served too."),
                    .value(
                        "depth", \.depth, .count(TLSConfiguration.ClientCertificates.depthRange),
                        "Certificates at most between a client's and one of those (default: 4)."),
                    .path(
                        "crl", \.revocationsPath,
                        "A file with lists of revoked certificates in PEM, one of each issuer."),
                ]),
            .value(
                "session_tickets", \.sessionTickets, .toggle,
                "Whether clients get tickets to take their session up again with (default: on)."),
            .paths(
                "ticket_keys", \.ticketKeyPaths,
                "Files with keys of tickets, 48 or 80 random bytes each, that several instances share; the first one seals."
            ),
            .optional(
                "ticket_rotation", \.ticketRotation, .duration,
                "After how long another key of the process's own seals, 1h to 7d (default: 8h)."),
        ]

    static let clusterKeys: [SchemaKey<UpstreamTLSConfiguration>] =
        [
            .optional(
                "server_name", \.serverName, .text("a host name, or an address"),
                "The name that is asked for (SNI) and that certificates have to be for (default: the endpoint's host)."
            ),
            .path(
                "ca", \.rootsPath,
                "A file with the authorities that certificates have to lead to, in PEM (default: the system's)."
            ),
            .value(
                "verify", \.verifies, .toggle,
                "Whether certificates are verified (default: on); off: anybody on the way may answer for an endpoint."
            ),
            .path(
                "cert", \.certificatePath,
                "A file with the certificate that is shown to endpoints which ask for one, in PEM."),
            .path("key", \.keyPath, "A file with its private key in PEM, without a passphrase."),
        ] + policyKeys(\.minVersion, \.ciphers, \.cipherSuites)

    /// What is spoken, on either side.
    private static func policyKeys<Target>(
        _ minVersion: any WritableKeyPath<Target, TLSConfiguration.Version> & Sendable,
        _ ciphers: any WritableKeyPath<Target, String?> & Sendable,
        _ cipherSuites: any WritableKeyPath<Target, String?> & Sendable
    ) -> [SchemaKey<Target>] {
        [
            .value(
                "min_version", minVersion, .choice,
                "The oldest version that is spoken: 1.2 (the default) or 1.3."),
            .optional(
                "ciphers", ciphers, .text("a list of ciphers, as OpenSSL writes it"),
                "Ciphers of TLS 1.2 (default: those of ECDHE with AES-GCM or ChaCha20)."),
            .optional(
                "cipher_suites", cipherSuites, .text("a list of suites, with ':' between them"),
                "Cipher suites of TLS 1.3 (default: OpenSSL's)."),
        ]
    }
}
