extension Configuration {
    /// What PROXY protocol headers of version 2 tell upstreams beside addresses; the names are those of HAProxy's `proxy-v2-options`.
    public enum UpstreamProxyTLV: String, Sendable, CaseIterable {
        /// The host that the client asks for by SNI.
        case authority
        /// The protocol that was agreed on by ALPN.
        case alpn
        /// That TLS was taken off, its version, and whether the client has shown a certificate.
        case ssl
        /// The same, and the certificate's common name.
        case commonName = "cert-cn"
        /// The same as `ssl`, and the cipher.
        case cipher = "ssl-cipher"
        /// A checksum of the header.
        case crc32c
    }
}
