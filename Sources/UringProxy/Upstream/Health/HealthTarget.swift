internal import Synchronization

/// One endpoint of one cluster, as the monitor follows it.
final class HealthTarget {
    let cluster: ClusterHealth
    let index: Int
    let upstream: FixedUpstream
    /// nil: it is not checked, only reported on.
    let check: HealthCheck?
    /// nil: it is spoken to in clear.
    private(set) var tls: EndpointTLS?
    /// It speaks nothing but HTTP/2.
    let speaksHTTP2: Bool
    var state: EndpointHealth { cluster.endpoints[index] }

    // The check under way.
    /// Names it; 0: there is none.
    var attempt: UInt32 = 0
    var descriptor: Int32 = -1
    var addresses: [SocketAddress] = []
    var unsent: ArraySlice<UInt8> = []
    var isConnected = false
    /// Of an http check over TLS, once it is connected.
    var secure: HealthTLS?
    /// Of an http check over HTTP/2.
    var http2: HealthHTTP2?
    var answer = HealthAnswer()
    var deadline: Int64 = 0
    var startedAt: Int64 = 0

    // The checks before it.
    var successes = 0
    var failures = 0
    var lastFailure = ""

    // What was reported last.
    var wasUnhealthy = false
    var ejectionsTold: UInt64
    var wasEjected = false

    init(
        _ cluster: ClusterHealth, _ index: Int, _ upstream: FixedUpstream, _ tls: EndpointTLS?,
        speaksHTTP2: Bool
    ) {
        self.tls = tls
        self.speaksHTTP2 = speaksHTTP2
        self.cluster = cluster
        self.index = index
        self.upstream = upstream
        check = cluster.check
        let state = cluster.endpoints[index]
        wasUnhealthy = state.checkedState == .unhealthy
        wasEjected = state.isEjected
        ejectionsTold = state.ejections.load(ordering: .relaxed)
    }

    /// What a reload leaves as it was goes on as it was.
    func takeOver(_ old: HealthTarget) {
        successes = old.successes
        failures = old.failures
        lastFailure = old.lastFailure
        wasUnhealthy = old.wasUnhealthy
        ejectionsTold = old.ejectionsTold
        wasEjected = old.wasEjected
        startedAt = old.startedAt
        guard tls?.context === old.tls?.context, tls?.host == old.tls?.host else { return }
        tls = old.tls
        if check == old.check && speaksHTTP2 == old.speaksHTTP2 { goOn(with: old) }
    }

    /// The check under way is this one's.
    private func goOn(with old: HealthTarget) {
        attempt = old.attempt
        descriptor = old.descriptor
        addresses = old.addresses
        unsent = old.unsent
        isConnected = old.isConnected
        secure = old.secure
        http2 = old.http2
        answer = old.answer
        deadline = old.deadline
        old.attempt = 0
        old.descriptor = -1
        old.secure = nil
        old.http2 = nil
    }
}
