// Endpoints that a cookie of ours names.
extension ClusterTable {
    /// Whether the cluster keeps clients with their endpoints.
    @inline(__always)
    func isSticky(_ cluster: Int) -> Bool {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        return unsafe clusters[cluster].sticky != nil
    }

    /// The name in the cluster's cookie; 0 if the request has none, or something else in it.
    ///
    /// - Parameter bytes: what `fields` were parsed from.
    func stickyName(_ cluster: Int, _ fields: borrowing FieldTable, _ bytes: ByteView) -> UInt64 {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        return unsafe clusters[cluster].sticky?.name(in: fields, bytes) ?? 0
    }

    /// Whether the cluster has an endpoint of that name.
    func hasEndpoint(_ cluster: Int, named name: UInt64) -> Bool {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        return unsafe clusters[cluster].sticky?.endpoint(named: name) != nil
    }

    /// The endpoint of that name, for an exchange's attempt, which counts as under way there until `release`; nil if there is none,
    /// it is left out, or has as many as it may have. Neither its load nor that it has just returned keeps its clients away.
    func chooseNamed(_ cluster: Int, _ name: UInt64, now: Int64) -> Int? {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        guard name != 0, let index = unsafe clusters[cluster].sticky?.endpoint(named: name) else {
            return nil
        }
        if unsafe clusters[cluster].watch.isOn {
            // Trials are for requests that any endpoint is good for.
            if unsafe clusters[cluster].watch.hasNews {
                _ = look(cluster, mayClaimTrial: false, now: now)
            }
            let watch = unsafe clusters[cluster].watch
            let word = unsafe excluded[watch.firstWord + index >> 6]
            if !watch.isPanic && word >> UInt64(index & 63) & 1 == 1 { return nil }
        }
        let (endpoint, cap) = unsafe (clusters[cluster].first + index, clusters[cluster].cap)
        if unsafe cap > 0 && !(caps[endpoint]?.enter(limit: cap) ?? false) { return nil }
        return take(endpoint)
    }

    /// The name of an endpoint, whose number is one of the cluster's; 0 if the cluster is not sticky.
    func stickyName(_ cluster: Int, of endpoint: Int) -> UInt64 {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        return unsafe clusters[cluster].sticky?.name(of: endpoint - clusters[cluster].first) ?? 0
    }

    /// How many bytes `writeStickyField` writes.
    func stickyFieldSize(_ cluster: Int) -> Int {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        return unsafe clusters[cluster].sticky?.fieldSize ?? 0
    }

    /// Writes the field line that sets the cluster's cookie.
    func writeStickyField(_ cluster: Int, _ name: UInt64, into writer: inout ByteWriter) {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        unsafe clusters[cluster].sticky?.writeField(name, into: &writer)
    }
}
