// Clusters that keep clients with their endpoints: a cookie names the one that a request goes to, and the answer of any other sets it.
extension Engine where D: ~Copyable {
    /// The exchange is of a sticky cluster: keeps what the request's cookie says.
    ///
    /// - Parameter bytes: what the request was parsed from.
    mutating func readCookie(_ index: UInt32, _ cluster: Int, _ bytes: ByteView) {
        exchanges[index].additions.formUnion(.cookie)
        stickyNames[index] = clusters.stickyName(cluster, fields, bytes)
    }

    /// The endpoint that the exchange's cookie names, if it is there and available.
    @inline(never)
    mutating func chooseNamed(_ index: UInt32, _ cluster: Int) -> Int? {
        guard let chosen = clusters.chooseNamed(cluster, stickyNames[index], now: driver.now) else {
            return nil
        }
        counters.add(.stickyFollowed)
        return chosen
    }

    /// Whether the exchange is at the endpoint that its cookie names, and belongs to, however slow that is.
    func isWhereItsCookieSays(_ index: UInt32) -> Bool {
        let exchange = exchanges.tenant(index)
        let name = clusters.stickyName(Int(exchange.cluster), of: Int(exchange.clusterEndpoint))
        return name != 0 && name == stickyNames[index]
    }

    /// The share of a split whose cluster has the endpoint that the request's cookie names; nil if none has.
    ///
    /// - Parameter bytes: what the request was parsed from.
    @inline(never)
    func stickyShare(_ split: Int, _ bytes: ByteView, set: Int) -> RouteSet.Share? {
        for number in 0..<routeSets[set].shareCount(ofSplit: split) {
            let share = routeSets[set].share(number, ofSplit: split)
            let name = clusters.stickyName(share.cluster, fields, bytes)
            if name != 0 && clusters.hasEndpoint(share.cluster, named: name) { return share }
        }
        return nil
    }

    /// Adds the line that sets the cookie, unless it names the endpoint that has answered already. A reload may have taken the
    /// endpoint out of its cluster meanwhile, or the cookie away.
    mutating func addCookie(_ index: UInt32, to changes: inout ResponseChanges) {
        let exchange = exchanges.tenant(index)
        guard exchange.cluster != Exchange.noCluster, exchange.clusterEndpoint != Slot.none else { return }
        let cluster = Int(exchange.cluster)
        let name = clusters.stickyName(cluster, of: Int(exchange.clusterEndpoint))
        guard name != 0, name != stickyNames[index] else { return }
        counters.add(.stickySet)
        stickyBytes.reserve(changes.lines.text.count + clusters.stickyFieldSize(cluster))
        var writer = unsafe ByteWriter(base: stickyBytes.pointer, capacity: stickyBytes.capacity)
        writer.append(changes.lines.text)
        clusters.writeStickyField(cluster, name, into: &writer)
        changes.lines.text = writer.written
    }
}
