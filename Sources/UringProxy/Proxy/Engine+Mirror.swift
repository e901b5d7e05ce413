// Mirroring: a share of a route's requests is sent to another cluster as well, and the answer dropped.
//
// What is copied is the request as it was written for its own endpoint, small body and all: the copy holds the same slice. So
// only requests are mirrored whose body has come with their head.
extension Engine where D: ~Copyable {
    /// Where a copy of a request goes.
    struct MirrorChoice: BitwiseCopyable {
        /// -1: there is no copy.
        var cluster: Int32 = -1
        /// What the cluster's policy chooses by.
        var key: UInt64 = 0
        /// Which of its zones comes first.
        var zone: UInt8 = 0
    }

    /// Draws whether the request whose head has just been parsed out of `bytes` is mirrored.
    @inline(never)
    mutating func chooseMirror(
        _ plan: RouteMirror, _ index: UInt32, _ slot: UInt32, _ bytes: ByteView, _ choice: inout MirrorChoice
    ) {
        guard plan.takes(UInt32(truncatingIfNeeded: random.next() >> 32)), !exchanges[index].wantsUpgrade
        else { return }
        choice.cluster = plan.cluster
        let cluster = Int(plan.cluster)
        if clusters.usesKeys { choice.key = balancingKey(index, cluster, slot, bytes) }
        if clusters.hasClientZones(cluster) { choice.zone = zone(cluster, for: clientAddress(slot, bytes)) }
    }

    /// The exchange, whose request is written, looks for a connection, and behind it its copy.
    @inline(never)
    mutating func findUpstreamMirrored(_ index: UInt32, _ choice: MirrorChoice) {
        let copy = makeMirror(of: index)
        findUpstreamInTurn(index)
        guard let copy else { return }
        exchanges[copy].zone = choice.zone
        guard enterCluster(copy, Int(choice.cluster), key: choice.key) else { return }
        guard renameHost(copy) else {
            fail(copy, .outOfMemory)
            return
        }
        findUpstreamInTurn(copy)
    }

    private mutating func makeMirror(of index: UInt32) -> UInt32? {
        guard exchanges[index].requestDone else {
            counters.add(.mirrorsWithoutBody)
            return nil
        }
        guard mirrorCount < settings.mirrored, let copy = makeDetached(.mirror, of: index) else {
            counters.add(.mirrorsBusy)
            return nil
        }
        return copy
    }

    /// Each request that is drawn, and that its own cluster does not refuse at once, is counted once: as mirrored, skipped for a reason, or failed.
    func countMirrorFailure(_ index: UInt32, _ error: ProxyError) {
        if exchanges[index].state == .responding { return }
        switch error {
        case .noHealthyEndpoint where exchanges[index].requestsSent == 0,
            .noEndpoint where exchanges[index].requestsSent == 0:
            counters.add(.mirrorsWithoutEndpoint)
        case .circuitOpen, .loadShed, .queueTimeout, .outOfMemory, .outOfConnections, .outOfDescriptors:
            counters.add(.mirrorsBusy)
        default: counters.add(.mirrorsFailed)
        }
    }
}
