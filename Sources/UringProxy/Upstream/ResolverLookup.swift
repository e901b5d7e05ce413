/// One name being looked up, and all who wait for it.
struct ResolverLookup {
    struct Waiter {
        /// -1: a survey waits, and `token` names it.
        let inbox: Int
        let token: UInt64
        let deadlineNanoseconds: Int64

        var isSurvey: Bool { inbox < 0 }
    }

    /// The key of the cache.
    let name: String
    /// In the order of their deadlines, for all wait equally long.
    private(set) var waiters: [Waiter] = []
    /// Calls of c-ares that have not ended.
    private var outstanding: Int
    private var ipv4: [IPAddress] = []
    private var ipv6: [IPAddress] = []
    private var ttlSeconds = UInt32.max
    /// The worst that a call ended with: "not found" counts for the name only if all say so.
    private var failure: ResolverStatus?
    /// Set when the resolution delay ran out: what is known is given to whoever asks.
    private(set) var isLate = false

    init(name: String, outstanding: Int) {
        self.name = name
        self.outstanding = outstanding
    }

    var isFinished: Bool { outstanding == 0 }
    var hasAddresses: Bool { !ipv4.isEmpty || !ipv6.isEmpty }

    mutating func wait(_ waiter: Waiter) { waiters.append(waiter) }

    mutating func takeWaiters() -> [Waiter] {
        let all = waiters
        waiters = []
        return all
    }

    /// Removes those to whom a part of the answer now is worth more than all of it later.
    mutating func takeHasty() -> [Waiter] {
        let hasty = waiters.filter { !$0.isSurvey }
        waiters.removeAll { !$0.isSurvey }
        return hasty
    }

    /// Removes those whose deadline has come.
    mutating func takeExpired(nowNanoseconds: Int64) -> ArraySlice<Waiter> {
        let count = waiters.firstIndex { $0.deadlineNanoseconds > nowNanoseconds } ?? waiters.count
        let expired = waiters[..<count]
        waiters.removeFirst(count)
        return expired
    }

    mutating func didReceive(_ result: ResolverChannel.Result) {
        precondition(outstanding > 0)
        outstanding -= 1
        for address in result.addresses {
            if address.isIPv4 { ipv4.append(address) } else { ipv6.append(address) }
        }
        if result.status == .ok {
            ttlSeconds = min(ttlSeconds, result.ttlSeconds)
        } else if result.status != .notFound {
            failure = result.status
        }
    }

    mutating func delayEnded() { isLate = true }

    /// Whether a family is missing that the server may still have: such an answer is not to be kept for long.
    var isPartial: Bool { hasAddresses && (failure != nil || outstanding > 0) }

    var status: ResolverStatus { hasAddresses ? .ok : failure ?? .notFound }

    var ttl: UInt32 { ttlSeconds }

    func addresses(prefersIPv6: Bool) -> [IPAddress] {
        prefersIPv6
            ? ResolverLookup.interleaved(ipv6, ipv4) : ResolverLookup.interleaved(ipv4, ipv6)
    }

    /// The same order for addresses that came from elsewhere.
    static func ordered(_ addresses: [IPAddress], prefersIPv6: Bool) -> [IPAddress] {
        let ipv4 = addresses.filter(\.isIPv4)
        let ipv6 = addresses.filter { !$0.isIPv4 }
        return prefersIPv6 ? interleaved(ipv6, ipv4) : interleaved(ipv4, ipv6)
    }

    /// RFC 8305 §4 with a First Address Family Count of 1: the families take turns, and when one has no more,
    /// the rest of the other follows.
    static func interleaved(_ first: [IPAddress], _ second: [IPAddress]) -> [IPAddress] {
        var all: [IPAddress] = []
        var index = 0
        while index < max(first.count, second.count) {
            if index < first.count { all.append(first[index]) }
            if index < second.count { all.append(second[index]) }
            index += 1
        }
        return all
    }
}
