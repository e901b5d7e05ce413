internal import Synchronization

// Certificates: when they end, and what became of new ones.
extension MetricsReport {
    /// Most certificates that are told of, those that end first.
    private static let certificateLimit = 1000

    mutating func certificates(_ source: TLSSource, _ reloads: TLSReloadCounters) {
        metric(
            "tls_file_reloads_total", "Files of certificates and keys that were read again.", "counter",
            "\(reloads.done.load(ordering: .relaxed))")
        metric(
            "tls_file_reload_failures_total", "Changed ones that could not be used.", "counter",
            "\(reloads.refused.load(ordering: .relaxed))")
        header(
            "tls_certificate_expires_timestamp_seconds", "When the certificate in use ends to be valid.",
            "gauge")
        let first = source.certificates.sorted { ($0.endSeconds, $0.file) < ($1.endSeconds, $1.file) }
        for certificate in first.prefix(Self.certificateLimit) {
            sample(
                "tls_certificate_expires_timestamp_seconds", Self.labels(["file": certificate.file]),
                "\(certificate.endSeconds)")
        }
    }

    mutating func handshakes(_ limit: HandshakeLimit) {
        metric(
            "tls_handshakes_in_progress", "TLS handshakes with clients under way.", "gauge",
            "\(limit.load.connections)")
    }
}
