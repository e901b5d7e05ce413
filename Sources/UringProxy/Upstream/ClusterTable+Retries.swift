// When requests of a cluster are sent again, and what that costs its budget.
extension ClusterTable {
    /// What an exchange of the cluster begins with. Its request counts for the budget.
    @inline(__always)
    func beginRetries(_ cluster: Int, now: Int64) -> RetryRules {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        let rules = unsafe clusters[cluster].retries
        if rules.usesBudget {
            unsafe clusters[cluster].requestsUntold += 1
            // A word that all workers write is not written with each request.
            if unsafe clusters[cluster].requestsUntold >= 64 { tellRequests(cluster, now: now) }
        }
        return rules
    }

    @inline(never)
    private func tellRequests(_ cluster: Int, now: Int64) {
        let count = unsafe clusters[cluster].requestsUntold
        unsafe clusters[cluster].requestsUntold = 0
        plans[cluster].retries.budget?.noteRequests(UInt64(count), now: now)
    }

    /// Whether the cluster's budget has room for one more retry; if so, it is taken.
    func takeRetry(_ cluster: Int, now: Int64) -> Bool {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        tellRequests(cluster, now: now)
        let retries = plans[cluster].retries
        return retries.budget?.takeRetry(retries.settings, now: now) ?? false
    }
}
