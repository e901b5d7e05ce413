/// Whether a cluster's endpoints are spoken to in HTTP/2, and how many streams their connections have.
struct HTTP2Plan: Sendable, BitwiseCopyable {
    var use = UpstreamHTTP2.off
    /// At a time, of one connection.
    var streams: UInt32 = 100

    static let off = HTTP2Plan()
}

extension HTTP2Plan {
    init(_ configuration: ClusterConfiguration) {
        use = configuration.http2
        streams = UInt32(configuration.limits.streams)
    }
}
