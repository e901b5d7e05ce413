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
        if slab.isFull && !evictOne() { return nil }
        var endpoint = Endpoint(kind: .dynamic, port: port)
        Self.setName(name, of: &endpoint)
        endpoint.hash = hash(name, port)
        endpoint.lastUsedAt = now
        let bucket = bucket(of: endpoint.hash)
        unsafe endpoint.nextInBucket = buckets[bucket]
        guard let new = slab.insert(endpoint) else { return nil }
        unsafe buckets[bucket] = new
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
            if slab[hand].kind == .dynamic && slab[hand].isUnused {
                remove(hand)
                return true
            }
        }
        return false
    }

    private mutating func remove(_ index: UInt32) {
        let bucket = bucket(of: slab[index].hash)
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
        // In place: a copy of the name has 256 bytes.
        return unsafe withUnsafeBytes(of: &slab.address(of: index).pointee.name) { bytes in
            body(unsafe ByteView(UnsafeRawBufferPointer(rebasing: bytes[0..<size])))
        }
    }
}
