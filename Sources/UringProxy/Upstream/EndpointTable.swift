/// A worker's endpoints: those of its clusters, and dynamic ones, found by name and port.
///
/// Bounded: when there are as many dynamic endpoints as may be, those that nothing uses give way.
@safe struct EndpointTable: ~Copyable {
    private(set) var slab: Slab<Endpoint>
    private let dynamicLimit: Int
    private var dynamicCount = 0
    /// Sockets' paths and other addresses of fixed endpoints; nil: they are resolved.
    private var fixedAddresses: SlotTable<SocketAddress?>
    /// Of those endpoints that are spoken to over TLS.
    private var secure: [UInt32: EndpointTLS] = [:]
    private let buckets: UnsafeMutablePointer<UInt32>
    private let bucketCount: Int
    /// Where the search for an unused endpoint goes on.
    private var hand: UInt32 = 0
    private let seed: UInt64

    /// - Parameters:
    ///   - dynamicLimit: dynamic endpoints at most, without those that are retired.
    ///   - room: for fixed and retired ones.
    init(dynamicLimit: Int, room: Int, seed: UInt64) {
        slab = Slab(capacity: dynamicLimit + room)
        fixedAddresses = SlotTable(capacity: dynamicLimit + room)
        self.dynamicLimit = dynamicLimit
        var count = 64
        while count < dynamicLimit { count *= 2 }
        bucketCount = count
        unsafe buckets = .allocate(capacity: count)
        unsafe buckets.initialize(repeating: Slot.none, count: count)
        self.seed = seed
    }

    deinit { unsafe buckets.deallocate() }

    @inline(__always)
    subscript(index: UInt32) -> Endpoint {
        unsafeAddress { unsafe UnsafePointer(slab.address(of: index)) }
        nonmutating unsafeMutableAddress { unsafe slab.address(of: index) }
    }

    /// A token for the resolver that recognises the endpoint, and not a later tenant of its slot.
    func token(of index: UInt32) -> UInt64 { UInt64(slab.generation(index)) << 32 | UInt64(index) }

    func index(ofToken token: UInt64) -> UInt32? {
        let index = UInt32(truncatingIfNeeded: token)
        guard Int(index) < slab.highestCount, slab.generation(index) == UInt32(token >> 32) else {
            return nil
        }
        return index
    }

    /// The endpoint of a configured upstream.
    ///
    /// - Parameter tls: nil: it is spoken to in clear.
    mutating func addFixed(
        _ upstream: FixedUpstream, fixedIndex: Int, tls: UpstreamTLS? = nil, http2: HTTP2Plan = .off
    )
        -> UInt32
    {
        var endpoint = Endpoint(kind: .fixed, port: upstream.port)
        endpoint.isUnix = upstream.address?.isUnix ?? false
        if let address = upstream.address {
            endpoint.addressState = .known
            endpoint.addressCount = 1
            endpoint.addressesExpireAt = .max
            if let ip = address.address { endpoint.addresses[0] = ip }
        }
        guard let index = slab.insert(endpoint) else {
            preconditionFailure("the table has room for every configured upstream")
        }
        fixedAddresses[index] = upstream.address
        slab[index].isSecure = tls != nil
        if let tls { secure[index] = EndpointTLS(tls, upstream) }
        keepFixed(index, as: upstream, fixedIndex: fixedIndex, http2: http2)
        return index
    }

    /// Another configuration has an upstream with the identity of one that is there; the name that Host says may be another,
    /// and how many streams its connections have.
    mutating func keepFixed(
        _ index: UInt32, as upstream: FixedUpstream, fixedIndex: Int, http2: HTTP2Plan
    ) {
        slab[index].fixedIndex = Int32(fixedIndex)
        slab[index].isOfName = upstream.isOfName
        slab[index].setHTTP2(http2)
        var name = upstream.name
        name.withUTF8 { Self.setName(unsafe ByteView(UnsafeRawBufferPointer($0)), of: &slab[index]) }
    }

    /// Where a fixed endpoint is, if it is not resolved.
    func fixedAddress(of index: UInt32) -> SocketAddress? {
        slab[index].kind == .fixed ? fixedAddresses[index] : nil
    }

    /// An endpoint's address and port, if it has one address; nil: it has several, none yet, or a unix socket's.
    func onlyAddress(of index: UInt32) -> (IPAddress, port: UInt16)? {
        guard slab[index].addressCount == 1, !slab[index].isUnix else { return nil }
        return (slab[index].addresses[0], slab[index].port)
    }

    /// How an endpoint is spoken to over TLS; nil: it is not.
    func tls(of index: UInt32) -> EndpointTLS? { slab[index].isSecure ? secure[index] : nil }

    /// Takes an endpoint out of service: nothing finds it any more, and what is under way there goes on. `removeRetired`
    /// frees its slot.
    mutating func retire(_ index: UInt32) {
        precondition(!slab[index].isRetired)
        if slab[index].kind == .dynamic { unlink(index) }
        slab[index].retire()
        slab[index].fixedIndex = -1
    }

    /// The end of an endpoint that is retired, and that nothing refers to.
    mutating func removeRetired(_ index: UInt32) {
        precondition(slab[index].isRetired && slab[index].isUnused)
        if slab[index].isSecure { secure[index] = nil }
        slab.remove(index)
    }

    private static func setName(_ name: ByteView, of endpoint: inout Endpoint) {
        precondition(name.count <= Endpoint.nameCapacity)
        endpoint.nameSize = UInt16(name.count)
        for index in 0..<name.count { endpoint.name[index] = name[index].asciiLowercased }
    }

    /// The endpoint that a forward request names; nil if there is none yet.
    func find(name: ByteView, port: UInt16, now: Int64) -> UInt32? {
        let hash = hash(name, port)
        var index = unsafe buckets[bucket(of: hash)]
        while index != Slot.none {
            if slab[index].hash == hash && slab[index].port == port && isNamed(index, name) {
                slab[index].lastUsedAt = now
                return index
            }
            index = slab[index].nextInBucket
        }
        return nil
    }

    /// An endpoint for a name and port that `find` did not find; nil if every one is in use.
    mutating func add(name: ByteView, port: UInt16, now: Int64) -> UInt32? {
        if dynamicCount >= dynamicLimit && !evictOne() { return nil }
        var endpoint = Endpoint(kind: .dynamic, port: port)
        Self.setName(name, of: &endpoint)
        endpoint.hash = hash(name, port)
        endpoint.lastUsedAt = now
        let bucket = bucket(of: endpoint.hash)
        unsafe endpoint.nextInBucket = buckets[bucket]
        guard let new = slab.insert(endpoint) else { return nil }
        unsafe buckets[bucket] = new
        dynamicCount += 1
        return new
    }

    private func bucket(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (bucketCount - 1) }

    private func hash(_ name: ByteView, _ port: UInt16) -> UInt64 {
        ByteHash.hash(name, seed: seed ^ UInt64(port) &* 0x9E37_79B9_7F4A_7C15, foldingCase: true)
    }

    private func isNamed(_ index: UInt32, _ name: ByteView) -> Bool {
        withName(index) { $0.equals(name) || $0.equalsIgnoringCase(name) }
    }

    /// Takes one unused dynamic endpoint out, the first found from where the last search ended.
    private mutating func evictOne() -> Bool {
        let count = UInt32(slab.highestCount)
        for _ in 0..<count {
            hand = hand + 1 < count ? hand + 1 : 0
            // A free slot tells of its last tenant.
            guard slab.isOccupied(hand), slab[hand].kind == .dynamic, !slab[hand].isRetired else { continue }
            if slab[hand].isUnused {
                unlink(hand)
                slab.remove(hand)
                return true
            }
        }
        return false
    }

    /// Takes a dynamic endpoint out of its bucket.
    private mutating func unlink(_ index: UInt32) {
        let bucket = bucket(of: slab[index].hash)
        if unsafe buckets[bucket] == index {
            unsafe buckets[bucket] = slab[index].nextInBucket
        } else {
            var before = unsafe buckets[bucket]
            while slab[before].nextInBucket != index { before = slab[before].nextInBucket }
            slab[before].nextInBucket = slab[index].nextInBucket
        }
        dynamicCount -= 1
    }

    /// Calls `body` with the name in lower case.
    func withName<Result>(_ index: UInt32, _ body: (ByteView) -> Result) -> Result {
        let size = Int(slab[index].nameSize)
        // In place: a copy of the name has 256 bytes.
        return unsafe withUnsafeBytes(of: &slab.address(of: index).pointee.name) { bytes in
            body(unsafe ByteView(UnsafeRawBufferPointer(rebasing: bytes[0..<size])))
        }
    }
}
