/// Whether a cluster's endpoints are spoken to in HTTP/2.
public enum UpstreamHTTP2: String, Sendable, CaseIterable, BitwiseCopyable {
    /// In HTTP/1.1 alone.
    case off
    /// Where an endpoint chooses it, by ALPN.
    case auto
    /// In nothing else: over TLS an endpoint has to choose it, without TLS it is begun with (RFC 9113 §3.3).
    case on
}
