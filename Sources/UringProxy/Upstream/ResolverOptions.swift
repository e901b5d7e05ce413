/// How names are resolved.
struct ResolverOptions: Sendable {
    /// `HOST:PORT` each, in this order; empty: those of /etc/resolv.conf.
    var servers: [String] = []
    /// How long one server may take for the first attempt; doubled with each round over all servers.
    ///
    /// A second, not the five of resolv.conf's default: a client waits behind it, and with a dead first
    /// server every name would take as long.
    var attemptMilliseconds: Int32 = 1_000
    /// Rounds over all servers.
    var attempts: Int32 = 3
    /// After this a query is answered `.timedOut`, whatever the servers do.
    var timeoutMilliseconds: Int64 = 5_000
    /// When one family is known, how long the other may take (RFC 8305 §3).
    ///
    /// It bounds the harm of servers that drop AAAA queries instead of answering them.
    var resolutionDelayMilliseconds: Int64 = 50
    /// The first family in answers (RFC 8305 §4).
    var prefersIPv6 = true
    /// Whether names with fewer dots than resolv.conf's `ndots` are tried with its search list.
    var usesSearchList = true
    /// Whether /etc/hosts comes first.
    var usesHostsFile = true
    /// The limits put on the time to live of an answer.
    var minimumTTLSeconds: UInt32 = 1
    var maximumTTLSeconds: UInt32 = 3_600
    /// How long "there is no such name" is remembered (RFC 2308 §5 would allow what the zone says; c-ares
    /// 1.18 does not tell, and a short time heals mistakes sooner).
    var negativeTTLSeconds: UInt32 = 5
    /// How long a failure or timeout is (RFC 9520 §3.2: at least one second).
    var failureTTLSeconds: UInt32 = 1
    var cacheCapacity = 4_096
    /// Queries that may wait in the queue; beyond them `resolve` answers false.
    var queueCapacity = 1_024
    /// Names that may be looked up at a time, and askers that may wait for them; beyond,
    /// `.failed(overloaded)`.
    var maximumLookups = 4_096
    var maximumWaiters = 65_536
}
