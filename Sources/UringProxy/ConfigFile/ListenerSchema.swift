/// What a configuration file may say of a listener's TLS.
enum ListenerSchema {
    static let tlsKeys: [SchemaKey<TLSConfiguration>] = [
        .objects(
            "certificates", \.certificates,
            "Certificates with their keys; the client's SNI chooses, and the first one is for who asks for no host, or another one.",
            new: { TLSConfiguration.Certificate(certificatePath: "", keyPath: "") },
            [
                .path(
                    "cert", required: \.certificatePath,
                    "A file with the certificate, and those that lead to its root behind it, in PEM."),
                .path(
                    "key", required: \.keyPath, "A file with its private key in PEM, without a passphrase."),
            ]),
        .value(
            "min_version", \.minVersion, .choice,
            "The oldest version that is spoken: 1.2 (the default) or 1.3."),
        .optional(
            "ciphers", \.ciphers, .text("a list of ciphers, as OpenSSL writes it"),
            "Ciphers of TLS 1.2 (default: those of ECDHE with AES-GCM or ChaCha20)."),
        .optional(
            "cipher_suites", \.cipherSuites, .text("a list of suites, with ':' between them"),
            "Cipher suites of TLS 1.3 (default: OpenSSL's)."),
    ]
}
