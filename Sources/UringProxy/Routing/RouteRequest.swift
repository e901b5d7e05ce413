/// What a route is chosen by. Views of a head, good as long as that and the scratch it was made with.
struct RouteRequest: BitwiseCopyable {
    /// Without port and brackets; empty if there is none.
    var host: ByteView
    /// As `PathNormalizer` gives it.
    var path: ByteView
    /// As received, without the query.
    var receivedPath = ByteView.empty
    /// What stands behind the "?".
    var query: ByteView
    var method: Method
    var methodName: ByteView
    /// The bytes that the ranges of a `FieldTable` mean.
    var head: ByteView
    var source: IPAddress
    /// Of the source; looked up only where the table `asksLocation`.
    var location = GeoLocation.unknown
    /// The client has shown a certificate; looked at only where the set `asksCertificate`.
    var hasCertificate = false
}

extension RouteRequest {
    /// - Parameters:
    ///   - bytes: what `head` was parsed from.
    ///   - scratch: holds the normalised path until the next request.
    init(
        _ head: RequestHead, bytes: ByteView, source: IPAddress, scratch: inout RouteScratch
    ) throws(PathProblem) {
        let target = bytes[head.pathAndQuery]
        var end = 0
        while end < target.count, target[end] != UInt8(ascii: "?") { end &+= 1 }
        receivedPath = target[0..<end]
        // In authority form the target is a host: there is no path to normalise.
        path = try head.form == .authority ? .empty : scratch.normalised(receivedPath)
        if PathNormalizer.hidesSegments(path) { throw .ambiguous }
        query = end < target.count ? target.dropFirst(end &+ 1) : .empty
        host = head.authority.map { bytes[$0.host] } ?? .empty
        method = head.method
        methodName = bytes[head.methodRange]
        self.head = bytes
        self.source = source
    }

    /// The host is an IPv6 address, which stands in brackets in a URL.
    var hostIsIPv6: Bool {
        for index in 0..<host.count where host[index] == UInt8(ascii: ":") { return true }
        return false
    }
}
