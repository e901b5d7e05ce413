/// A worker's endpoints, found by name and port.
///
/// Bounded: when it is full, dynamic endpoints that nothing uses give way.
@safe struct EndpointTable: ~Copyable {
    private(set) var slab: Slab<Endpoint>
    private let buckets: UnsafeMutablePointer<UInt32>
    private let bucketCount: Int
    /// Where the search for an unused endpoint goes on.
    private var hand: UInt32 = 0
    private let seed: UInt64

    init(capacity: Int, seed: UInt64) {
        slab = Slab(capacity: capacity)
        var count = 64
        while count < capacity { count *= 2 }
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
    mutating func addFixed(name: ByteView, port: UInt16, fixedIndex: Int, isUnix: Bool) -> UInt32 {
        var endpoint = Endpoint(kind: .fixed, port: port)
        endpoint.fixedIndex = Int32(fixedIndex)
        endpoint.isUnix = isUnix
        Self.setName(name, of: &endpoint)
        guard let index = slab.insert(endpoint) else {
            preconditionFailure("the table has room for every configured upstream")
        }
        return index
    }

    private static func setName(_ name: ByteView, of endpoint: inout Endpoint) {
        precondition(name.count <= Endpoint.nameCapacity)
        endpoint.nameSize = UInt16(name.count)
        for index in 0..<name.count { endpoint.name[index] = name[index].asciiLowercased }
    }

    /// The endpoint that a forward request names, made if it is new; nil if every one is in use.
    mutating func find(name: ByteView, port: UInt16, now: Int64) -> UInt32? {
        let hash = hash(name, port)
        let bucket = Int(truncatingIfNeeded: hash) & (bucketCount - 1)
        var index = unsafe buckets[bucket]
        while index != Slot.none {
            if slab[index].hash == hash && slab[index].port == port && isNamed(index, name) {
                slab[index].lastUsedAt = now
                return index
            }
            index = slab[index].nextInBucket
        }
        if slab.isFull && !evictOne() { return nil }
        var endpoint = Endpoint(kind: .dynamic, port: port)
        Self.setName(name, of: &endpoint)
        endpoint.hash = hash
        endpoint.lastUsedAt = now
        unsafe endpoint.nextInBucket = buckets[bucket]
        guard let new = slab.insert(endpoint) else { return nil }
        unsafe buckets[bucket] = new
        return new
    }

    /// Seeded, so that nobody can choose names that all fall into one bucket.
    private func hash(_ name: ByteView, _ port: UInt16) -> UInt64 {
        var hash = seed ^ UInt64(port) &* 0x9E37_79B9_7F4A_7C15
        for index in 0..<name.count {
            hash = (hash ^ UInt64(name[index].asciiLowercased)) &* 0xFF51_AFD7_ED55_8CCD
            hash ^= hash >> 32
        }
        return hash
    }

    private func isNamed(_ index: UInt32, _ name: ByteView) -> Bool {
        guard Int(slab[index].nameSize) == name.count else { return false }
        for position in 0..<name.count where slab[index].name[position] != name[position].asciiLowercased {
            return false
        }
        return true
    }

    /// Takes one unused dynamic endpoint out, the first found from where the last search ended.
    private mutating func evictOne() -> Bool {
        let count = UInt32(slab.highestCount)
        for _ in 0..<count {
            hand = hand + 1 < count ? hand + 1 : 0
            if slab[hand].kind == .dynamic && slab[hand].isUnused {
                remove(hand)
                return true
            }
        }
        return false
    }

    private mutating func remove(_ index: UInt32) {
        let bucket = Int(truncatingIfNeeded: slab[index].hash) & (bucketCount - 1)
        if unsafe buckets[bucket] == index {
            unsafe buckets[bucket] = slab[index].nextInBucket
        } else {
            var before = unsafe buckets[bucket]
            while slab[before].nextInBucket != index { before = slab[before].nextInBucket }
            slab[before].nextInBucket = slab[index].nextInBucket
        }
        slab.remove(index)
    }

    /// Calls `body` with the name in lower case.
    func withName<Result>(_ index: UInt32, _ body: (ByteView) -> Result) -> Result {
        let size = Int(slab[index].nameSize)
        let name = slab[index].name
        return unsafe withUnsafeBytes(of: name) { bytes in
            body(unsafe ByteView(UnsafeRawBufferPointer(rebasing: bytes[0..<size])))
        }
    }
}
